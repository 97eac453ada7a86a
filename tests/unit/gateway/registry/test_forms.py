"""The ledger out again: form B.3, e-CQS, plans, dossiers, files that come in unchanged; lists as people have them."""

import pytest
from click.testing import CliRunner
from openpyxl import Workbook, load_workbook

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import open_for_reading
from gateway.audit.dossier import dossiers
from gateway.audit.forms import B3_COLUMNS, ECQS_COLUMNS, form_b3, months_of, plan_rows
from gateway.audit.ledger import ledger
from gateway.cli.ledger import command
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_DAY, parse_iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.withdrawing import StillNamedError

T0 = parse_iso("2026-10-18T00:00:00+08:00")
FILES = {
    "points.csv": "id,name_zh,energy_kind,level\nP1,进线,电力,1\n",
    "instruments.csv": "id,name,kind,serial,model,maker,accuracy_class,range,cycle_months,compulsory,"
    "metrological_state\n"
    "M1,多功能电能表,电能表,0012,DTZ1,某厂,1,3×57.7V 5A,12,是,合格\nM2,水表,水表,7,,,2,,24,,准用\n"
    "M3,=HYPERLINK(1),其他,8,,,,,,,停用\n",
    "certificates.csv": "number,kind,instrument,serial,performed_on,valid_until,result,accuracy_class,laboratory\n"
    "C1,检定证书,M1,12,2025-11-01,2026-10-31,合格,0.5S,市计量所\nC0,检定证书,M1,12,2024-11-05,2025-11-04,合格,0.5S,市计量所\n"
    "C2,校准证书,M2,7,2025-01-05,2027-01-04,,,\n",
    "installations.csv": "id,point,instrument,device,from,to,ct_ratio\nI1,P1,M1,d,2025-01-01 08:30,,200/5\n",
    "documents.csv": "id,title,kind,instrument\nD1,说明书,说明书,M1\nD2,合格证,出厂合格证,M1\n",
    "people.csv": "工号,姓名,岗位,培训日期\nU1,王某,计量员,2026.3.1\n",
    "organisations.csv": "单位编号,单位名称,统一社会信用代码\no,某水泥厂,91000000000000000X\n",
    "sites.csv": "厂区编号,厂区名称,判定规则\ns,主厂区,jjf1094\n",
}


class Clock:
    def utc_us(self):
        return T0


def run(*arguments, standalone=True):
    said = [str(each) for each in arguments]
    return CliRunner().invoke(command, said, obj="en", catch_exceptions=False, standalone_mode=standalone).output


@pytest.fixture
def folder(tmp_path):
    made = DataFolder.create(
        tmp_path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=Clock()
    )
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    for name, content in FILES.items():
        (ledger / name).write_text(content, "utf-8")
    assert "13 put on record" in run("import", ledger, "--data", made.path, "--at", "2026-10-18T00:00:00Z")
    project(made)
    return made


def project(folder):
    projection = Projection(folder, Clock())
    while projection.step().applied:
        pass
    projection.close()


@pytest.fixture
def opened(folder):
    with open_for_reading(folder) as found:
        yield found


def test_form_b3_shows_the_class_of_the_certificate_in_force(opened):
    rows = form_b3(opened.sources, opened.asking(T0))
    assert all(len(row) == len(B3_COLUMNS) == 11 for row in rows)
    assert rows[0] == [
        1, "多功能电能表", "DTZ1", "0.5S", "3×57.7V 5A", "某厂", "0012", "M1", "进线", "12个月", "合格",
    ]  # fmt: skip
    assert [row[10] for row in rows] == ["合格", "准用", "停用"]


def test_a_failed_verification_puts_out_of_use_whatever_the_card_says(tmp_path, folder):
    more = tmp_path / "failed"
    more.mkdir()
    notice = "number,kind,instrument,serial,performed_on,result\nN1,检定结果通知书,M1,0012,2026-10-20,不合格\n"
    (more / "certificates.csv").write_text(notice, "utf-8")
    run("import", more, "--data", folder.path, "--at", "2026-10-20T00:00:00Z")
    project(folder)
    with open_for_reading(folder) as found:
        before, after = (
            form_b3(found.sources, found.asking(parse_iso(day)))[0][10]
            for day in ("2026-10-19T00:00:00Z", "2026-10-21T00:00:00Z")
        )
        asking = found.asking(parse_iso("2026-10-21T00:00:00Z"))
        row = next(row for row in ledger(found.sources, asking).rows if row.instrument.id == "M1")
    assert (before, after) == ("合格", "停用")
    assert (row.stopped_by, row.recorded_state, row.instrument.operational_state) == ("N1", "qualified", "normal")
    assert row.in_use, "rates still count it: it was not put out of use on its card"


def test_the_plan_of_a_month(opened):
    def plan(at_us, year, month):
        return plan_rows(opened.sources, opened.asking(at_us), months_of(year, month))

    assert [row[1] for row in plan(T0, 2026, 10)] == ["M1"]
    assert plan(T0, 2026, 12) == []
    late = plan(T0 + 30 * US_PER_DAY, 2026, 12)
    assert [(row[1], row[9]) for row in late] == [("M1", "2026-11-17")]  # overdue: in every plan until it is done
    assert [row[1] for row in plan(T0, 2027, None)] == ["M2"]


def test_a_dossier_names_what_is_missing(opened):
    found = dossiers(opened.sources, opened.asking(T0))
    assert (found.complete, found.instruments) == (1, 3)
    by_id = {each.instrument: each for each in found.rows}
    assert by_id["M1"].complete
    assert by_id["M1"].files_missing == ["D1", "D2", "C0", "C1"]
    assert by_id["M2"].missing == ["manual", "factory_certificate", "certificate_before", "consecutive"]
    assert set(by_id["M3"].missing) > {"last_certificate"}
    assert found.by_piece["manual"] == 2
    earlier = dossiers(opened.sources, opened.asking(parse_iso("2025-06-01T00:00:00Z")), instrument="M1")
    assert earlier.rows[0].missing == ["certificate_before", "consecutive"], "the second was performed later"


def test_a_gap_between_two_certificates_is_named(tmp_path, folder):
    more = tmp_path / "gap"
    more.mkdir()
    later = "number,kind,instrument,serial,performed_on,valid_until,result\nC3,校准证书,M2,7,2027-01-06,2028-01-05,\n"
    (more / "certificates.csv").write_text(later, "utf-8")
    run("import", more, "--data", folder.path, "--at", "2027-02-01T00:00:00Z")
    project(folder)
    with open_for_reading(folder) as found:
        asking = found.asking(parse_iso("2027-02-01T00:00:00Z"))
        missing = dossiers(found.sources, asking, instrument="M2").rows[0].missing
    assert missing == ["manual", "factory_certificate", "consecutive"], "a day lies between 4 and 6 January"
    said = run("dossier", "--data", folder.path, "--missing", "--at", "2026-10-18T00:00:00Z")
    assert "M2  水表  manual、factory certificate、certificate before" in said
    assert "1 of 3 instruments have a complete record" in said
    assert "M1" not in said


def test_exported_files_come_in_unchanged(tmp_path, folder):
    out = tmp_path / "out"
    run("export", out, "--data", folder.path, "--at", "2026-10-18T00:00:00Z")
    assert {path.name for path in out.iterdir()} == set(FILES)
    assert "0 put on record, 13 already there" in run("import", out, "--data", folder.path)


def test_sheets_hold_text_where_a_formula_would_run(tmp_path, folder):
    out = tmp_path / "b3.xlsx"
    run("export", out, "--data", folder.path, "--at", "2026-10-18T00:00:00Z")
    sheet = load_workbook(out).active
    assert [cell.value for cell in sheet[1]] == list(B3_COLUMNS)
    assert sheet["B4"].value == "'=HYPERLINK(1)"
    said = run("plan", tmp_path / "plan.xlsx", "--data", folder.path, "--year", "2026", "--at", "2026-10-18T00:00:00Z")
    assert "1 instruments" in said


def test_a_preview_writes_nothing(tmp_path, folder):
    more = tmp_path / "more"
    more.mkdir()
    (more / "points.csv").write_text("id,name_zh,energy_kind,level\nP1,总进线,电力,1\nP2,窑,电力,2\n", "utf-8")
    with Journal.open(folder, read_only=True) as journal:
        head = journal.head()
        said = run("import", more, "--data", folder.path, "--preview")
        assert journal.head() == head
    assert "points.csv:2: changed point P1" in said
    assert "    name_zh: 进线 → 总进线" in said
    assert "points.csv:3: new point P2" in said


def test_a_workbook_holds_everything_and_comes_in_unchanged(tmp_path, folder):
    out = tmp_path / "ledger.xlsx"
    run("export", out, "--form", "files", "--data", folder.path, "--at", "2026-10-18T00:00:00Z")
    assert "计量点" in load_workbook(out).sheetnames
    assert "0 put on record, 13 already there" in run("import", out, "--data", folder.path)


def test_the_template_is_a_workbook_with_the_choices(tmp_path, folder):
    target = tmp_path / "template.xlsx"
    CliRunner().invoke(command, ["template", str(target)], obj="zh", catch_exceptions=False)
    book = load_workbook(target)
    sheet = book["计量器具"]
    assert sheet["A1"].value == "管理编号*"
    assert any(
        "电能表" in str(rule.formula1) or "合格" in str(rule.formula1) for rule in sheet.data_validations.dataValidation
    )
    sheet.append(["N1", "新表", "电能表", None, None, "900"])
    book.save(target)
    assert "1 put on record" in run("import", target, "--data", folder.path)


def sheet_of(path, header, *rows):
    book = Workbook()
    sheet = book.active
    for row in (header, *rows):
        sheet.append(row)
    book.save(path)
    return path


def test_a_list_of_form_b3_comes_in_with_its_doubts(tmp_path, folder):
    path = sheet_of(
        tmp_path / "我厂的表.xlsx",
        list(B3_COLUMNS),
        [1, "三相多功能电能表", "DTZ2", "0.5S", "", "某厂", "0099", "N9", "窑尾", "1年", "准用"],
        [2, "怪器", "X", "", "", "", "0100", "N10", "", "12个月", "合格"],
    )
    said = run("import", path, "--data", folder.path, "--preview")
    assert "the kind 'electricity_meter' is guessed from the name '三相多功能电能表'" in said
    assert "its accuracy class is not stated" in said
    assert "new instrument N9" in said
    run("import", path, "--data", folder.path, "--at", "2026-10-19T00:00:00Z")
    project(folder)
    listed = run("list", "instruments", "--data", folder.path, "--at", "2026-10-20T00:00:00Z")
    row = next(line for line in listed.splitlines() if line.startswith("N9,"))
    assert row.startswith("N9,三相多功能电能表,electricity_meter,DTZ2,某厂,0099,0.5S,,0,limited,normal,12,")
    earlier = run("list", "instruments", "--data", folder.path, "--known-at", "2026-10-18T12:00:00Z")
    assert "N9," not in earlier
    b3 = tmp_path / "b3.csv"
    run("export", b3, "--data", folder.path, "--at", "2026-10-20T00:00:00Z")
    assert "三相多功能电能表,DTZ2,0.5S,,某厂,0099,N9,窑尾,12个月,准用" in b3.read_text("utf-8-sig")


def test_the_list_of_e_cqs_goes_out_and_comes_in(tmp_path, folder):
    path = sheet_of(
        tmp_path / "ecqs.xlsx",
        list(ECQS_COLUMNS),
        [
            "汽车衡",
            "衡器",
            "数字指示秤",
            "SCS-100",
            "100t",
            "III",
            "7788",
            "某衡器厂",
            "中国",
            "磅房",
            "340000",
            1,
            "贸易结算",
            "送检",
        ],
    )
    said = run("import", path, "--data", folder.path, "--at", "2026-10-18T00:00:00Z")
    assert "1 put on record" in said
    project(folder)
    out = tmp_path / "out.csv"
    run("export", out, "--form", "ecqs", "--data", folder.path, "--at", "2026-10-20T00:00:00Z")
    lines = out.read_text("utf-8-sig").splitlines()
    assert lines[0].split(",")[:3] == ["器具名称", "器具项别", "器具种别"]
    assert len(lines[0].split(",")) == 14
    assert "汽车衡,衡器,数字指示秤,SCS-100,100t,III,7788,某衡器厂,中国,磅房,340000,1,贸易结算,送检" in lines


def test_what_a_header_stands_for_is_remembered(tmp_path, folder):
    header = ["设备位号", "计量器具名称", "出厂编号", "内部备注"]
    path = sheet_of(tmp_path / "instruments.xlsx", header, ["N1", "电能表", "500", "旧"])
    refused = CliRunner().invoke(command, ["import", str(path), "--data", str(folder.path)], obj="en")
    assert [line.split(":")[:3] for line in refused.exception.lines] == [
        ["instruments.xlsx", "1", " the column 'id / 管理编号' is missing"],
        ["instruments.xlsx", "1", "1"],
        ["instruments.xlsx", "1", "4"],
    ]
    said = run("import", path, "--data", folder.path, "--map", "设备位号=id", "--map", "内部备注=")
    assert "1 put on record" in said
    again = sheet_of(tmp_path / "instruments.xlsx", header, ["N1", "电能表", "500", "旧"], ["N2", "水表", "501", ""])
    assert "2 rows read, 1 put on record, 1 already there" in run("import", again, "--data", folder.path)


def test_what_was_put_on_record_by_mistake_is_taken_back_and_still_known_of_then(folder):
    with pytest.raises(StillNamedError, match="installation I1, document D1"):
        run("withdraw", "instruments", "M1", "--data", folder.path, "--reason", "r", standalone=False)
    said = run("withdraw", "people", "U1", "--data", folder.path, "--reason", "误登", "--at", "2026-10-20T00:00:00Z")
    assert "person U1 taken back by entry" in said
    project(folder)
    later = ("--data", folder.path, "--at", "2026-10-21T00:00:00Z")
    assert "U1" not in run("list", "people", *later)
    assert "U1,王某" in run("list", "people", *later, "--known-at", "2026-10-19T00:00:00Z")
    with pytest.raises(UnknownObjectError):
        run("withdraw", "people", "U1", "--data", folder.path, "--reason", "r", standalone=False)


def test_a_list_that_says_less_than_the_card_takes_nothing_away(tmp_path, folder):
    path = sheet_of(
        tmp_path / "b3.xlsx",
        list(B3_COLUMNS),
        [1, "多功能电能表（新名）", "DTZ1", "1", "3×57.7V 5A", "某厂", "0012", "M1", "", "12个月", "合格"],
    )
    said = run("import", path, "--data", folder.path, "--preview")
    assert "    name: 多功能电能表 → 多功能电能表（新名）" in said
    assert "compulsory:" not in said, "the list has no column for it"
    assert said.count("→") == 1
    ecqs = sheet_of(
        tmp_path / "ecqs.xlsx",
        ["器具名称", "器具项别", "器具种别", "型号规格", "出厂编号", "生产厂家", "器具用途", "送检方式"],
        ["多功能电能表", "电能表", "三相电能表", "DTZ1", "12", "某厂", "贸易结算", "送检"],
    )
    said = run("import", ecqs, "--data", folder.path, "--preview")
    assert "changed instrument M1" in said, "found by its serial number"
    assert "    usage: — → trade" in said
    assert "cycle_months:" not in said
