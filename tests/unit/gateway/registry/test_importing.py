"""The ledger command on real folders: both languages' headers, encodings, every problem, nothing twice."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from gateway.cli.enter import command as enter_command
from gateway.cli.ledger import command
from gateway.domain.errors import ConfigurationError, DataFolderError
from gateway.domain.time import parse_iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.columns import LEDGER_FILES
from gateway.registry.recording import record_object

T0 = parse_iso("2026-10-18T00:00:00+08:00")
FILES = {
    "points.csv": "计量点编号,计量点名称,能源种类,级别,流向,强检,要求准确度等级,上级计量点\n"
    "P1,进线,电力,一级,输入,是,0.5S,\n"
    "P2,回转窑,electricity,2,internal,0,1,P1\n",
    "instruments.csv": "id,name,kind,serial,accuracy_class,metrological_state,cycle_months,ratio_primary,"
    "ratio_secondary\n"
    "M1,电能表,电能表,0012,0.5S,合格,12,,\nT1,互感器,current_transformer,7,0.2S,准用,,200,5\n",
    "standards.csv": "id,name,valid_until\nS1,标准表,2027.3.1\n",
    "certificates.csv": "证书编号,证书类别,管理编号,出厂编号,检定/校准日期,有效期至,结论,计量标准,扩展不确定度(%)\n"
    "JD-1,检定证书,M1,0012,2025年3月1日,2026/3/1,合格,S1,0.05\n",
    "installations.csv": "id,point,instrument,device,role,channel,from,opening_index,ct_ratio\n"
    "I1,P1,M1,intake,meter,energy,2025-03-02 08:30,12.5,200 / 5\nI2,P1,T1,,ct,,2025-03-02,,\n",
}


class Clock:
    def utc_us(self):
        return T0


@pytest.fixture
def data(tmp_path):
    return DataFolder.create(
        tmp_path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=Clock()
    )


def write(folder: Path, files=None, encoding="utf-8"):
    folder.mkdir(exist_ok=True)
    for name, text in (files or FILES).items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def run(*arguments, language="en"):
    result = CliRunner().invoke(command, [str(each) for each in arguments], obj=language, catch_exceptions=False)
    return result.output


def objects(data):
    with Journal.open(data, read_only=True) as journal:
        entries = journal.read(1, 1000)
    return {(each.kind, each.subject.split("/", 2)[2]): each for each in entries}, len(entries)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_people_write_becomes_what_the_journal_says(tmp_path, data, encoding):
    write(tmp_path / "ledger", encoding=encoding)
    said = run("import", tmp_path / "ledger", "--data", data.path, "--actor", "li", "--reason", "first")
    assert "8 rows read, 8 put on record" in said
    found, count = objects(data)
    assert count == 8
    assert found["point", "P1"].body["object"] == {
        "name_zh": "进线", "energy_kind": "electricity", "level": 1, "direction": "in", "compulsory": 1,
        "must_measure": 1, "required_class": "0.5S",
    }  # fmt: skip
    installation = found["installation", "I1"].body
    assert installation["from"] == parse_iso("2025-03-02T08:30:00+08:00")
    assert installation["to"] is None
    assert installation["object"]["ct_ratio"] == "200/5"
    certificate = found["certificate", "JD-1"].body
    assert certificate["object"]["performed_on"] == "2025-03-01"
    assert certificate["object"]["valid_until"] == "2026-03-01"
    assert (certificate["actor"], certificate["reason"], certificate["source"]) == ("li", "first", "certificates.csv:2")
    assert found["instrument", "T1"].body["object"]["metrological_state"] == "limited"


def test_a_second_import_writes_only_what_changed(tmp_path, data):
    folder = write(tmp_path / "ledger")
    run("import", folder, "--data", data.path)
    assert "0 put on record, 8 already there" in run("import", folder, "--data", data.path)
    (folder / "standards.csv").write_text("id,name,valid_until\nS1,标准表,2028-03-01\n", "utf-8")
    assert "1 put on record, 7 already there" in run("import", folder, "--data", data.path)
    assert objects(data)[1] == 9


def test_every_problem_is_listed_with_its_place_and_nothing_is_written(tmp_path, data):
    files = dict(FILES)
    files["points.csv"] = (
        "id,name_zh,energy_kind,level,colour\nP1,进线,steamy,4,red\n,x,coal,1,\nP1,a,coal,1,\nP3,b,coal,1,\n"
    )
    files["installations.csv"] = (
        "id,point,instrument,device,from,to,ct_ratio\nI1,P3,M1,d,2025-02-30,,200:x\nI2,P9,M1,d,2025-03-01,2025-03-01,\n"
        "I3,P3,M1,d,2025-03-01,,\nI4,P3,M1,e,2025-04-01,,\n"
    )
    folder = write(tmp_path / "ledger", files)
    with pytest.raises(ConfigurationError) as caught:
        run("import", folder, "--data", data.path)
    lines = caught.value.lines
    for place, words in (
        ("points.csv:1:5", "'colour' is not known"),
        ("points.csv:2:3", "'steamy'"),
        ("points.csv:2:4", "'4'"),
        ("points.csv:3:1", "must be filled"),
        ("installations.csv:2:5", "not a day of the calendar"),
        ("installations.csv:2:7", "not a ratio"),
        ("installations.csv:3", "ends before it begins"),
        ("installations.csv:5", "overlaps installation"),
    ):
        assert any(line.startswith(f"{place}: ") and words in line for line in lines), (place, lines)
    assert objects(data)[1] == 0


def test_problems_are_told_in_chinese(tmp_path, data):
    folder = write(tmp_path / "ledger", {"points.csv": "id,name_zh,energy_kind,level\nP1,a,coal,9\n"})
    with pytest.raises(ConfigurationError) as caught:
        run("import", folder, "--data", data.path, language="zh")
    assert "不在可选值之内" in caught.value.lines[0]


def test_a_name_that_nothing_bears_and_a_point_under_itself(tmp_path, data):
    files = {
        "points.csv": "id,name_zh,energy_kind,level,parent\nA,a,coal,1,B\nB,b,coal,1,A\n",
        "certificates.csv": "number,kind,instrument,serial,performed_on\nC,校准证书,nobody,1,2025-01-01\n",
    }
    with pytest.raises(ConfigurationError) as caught:
        run("import", write(tmp_path / "ledger", files), "--data", data.path)
    assert sum("hangs under itself" in line for line in caught.value.lines) == 2
    assert any("names 'nobody'" in line for line in caught.value.lines)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_template_can_be_filled_and_imported(tmp_path, data, language):
    folder = tmp_path / "template"
    run("template", folder, language=language)
    assert sorted(path.name for path in folder.iterdir()) == sorted(file.name for file in LEDGER_FILES)
    assert "0 rows read" in run("import", folder, "--data", data.path)
    with pytest.raises(ConfigurationError):
        run("template", folder)


def test_a_recording_time_is_refused_in_a_real_folder(tmp_path):
    real = DataFolder.create(
        tmp_path / "real", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=False, clock=Clock()
    )
    with pytest.raises(DataFolderError):
        run("import", write(tmp_path / "ledger"), "--data", real.path, "--at", "2026-01-01T00:00:00Z")


def test_five_thousand_instruments_are_no_matter_of_minutes(tmp_path, data):
    rows = io.StringIO()
    out = csv.writer(rows)
    out.writerow(["id", "name", "kind", "serial"])
    out.writerows([f"M{n}", "表", "电能表", f"S{n}"] for n in range(5_000))
    folder = write(tmp_path / "ledger", {"instruments.csv": rows.getvalue()})
    assert "5000 put on record" in run("import", folder, "--data", data.path)
    assert "5000 already there" in run("import", folder, "--data", data.path)


def test_a_workbook_is_read_like_a_csv_file(tmp_path, data):
    folder = write(tmp_path / "ledger", {"points.csv": FILES["points.csv"]})
    book = Workbook()
    book.active.append(["id", "name", "valid_until"])
    book.active.append(["S1", "标准表", datetime(2027, 3, 1)])  # noqa: DTZ001  # as a spreadsheet holds it
    book.active.append(["S2", 17, 46447])
    book.save(folder / "standards.xlsx")
    assert "4 put on record" in run("import", folder, "--data", data.path)
    found, _ = objects(data)
    assert found["standard", "S1"].body["object"] == {"name": "标准表", "valid_until": "2027-03-01"}
    assert found["standard", "S2"].body["object"] == {"name": "17", "valid_until": "2027-03-01"}


def test_a_file_that_is_no_workbook_is_a_problem(tmp_path, data):
    folder = tmp_path / "ledger"
    folder.mkdir()
    (folder / "standards.xlsx").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(ConfigurationError) as caught:
        run("import", folder, "--data", data.path)
    assert "not a spreadsheet" in caught.value.lines[0]


def enter(what, file, data):
    arguments = [what, str(file), "--data", str(data.path), "--actor", "li"]
    return CliRunner().invoke(enter_command, arguments, obj="en", catch_exceptions=False).output


def test_tickets_are_entered_once_and_a_number_with_other_contents_is_refused(tmp_path, data):
    write(tmp_path / "ledger", {"points.csv": "id,name_zh,energy_kind,level\nP,原煤,coal,1\n"})
    run("import", tmp_path / "ledger", "--data", data.path)
    file = tmp_path / "tickets.csv"
    file.write_text(
        "point,number,at,gross,tare,net,unit\nP,T1,2026-10-20 08:00,30,10,20,t\nP,T2,2026-10-20 09:00,,,5.5,t\n"
    )
    assert "2 put on record" in enter("tickets", file, data)
    assert "2 already there" in enter("tickets", file, data)
    file.write_text(
        "point,number,at,gross,tare,net,unit\nP,T1,2026-10-20 08:00,31,10,21,t\nP,T3,2026-10-20 09:00,30,10,21,t\n"
        "P,T4,2026-10-20 09:00,30,,,t\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        enter("tickets", file, data)
    said = [line.split(": ", 1)[1] for line in caught.value.lines]
    assert said == [
        "'T1' is on record already with other contents; withdraw that first",
        "net is not gross minus tare",
        "a ticket needs a net mass, or gross and tare",
    ]


def test_a_day_for_without_end_is_refused_before_it_stops_the_judge(tmp_path, data):
    """9999-12-31 stands in many ledgers; the day after it does not exist."""
    certificates = FILES["certificates.csv"].replace("2026/3/1", "9999-12-31")
    folder = write(tmp_path / "ledger", {**FILES, "certificates.csv": certificates})
    with pytest.raises(ConfigurationError) as caught:
        run("import", folder, "--data", data.path)
    assert any("'9999-12-31' is before 1900 or after 2200" in line for line in caught.value.lines)


def test_what_was_recorded_without_its_defaults_says_the_same_as_its_own_export(tmp_path, data):
    with Journal.open(data) as journal:
        record_object(
            journal, "instrument", "o", "M9", {"name": "电能表", "kind": "electricity_meter", "serial": "9"}, at_us=T0,
            actor="a", reason="", source="t",
        )  # fmt: skip
    file = tmp_path / "instruments.csv"
    file.write_text("id,name,kind,serial,metrological_state\nM9,电能表,electricity_meter,9,合格\n", "utf-8")
    assert "0 put on record, 1 already there" in run("import", file, "--data", data.path)
    file.write_text("id,name,kind,serial,metrological_state\nM9,电能表,electricity_meter,9,停用\n", "utf-8")
    assert "1 put on record" in run("import", file, "--data", data.path)
