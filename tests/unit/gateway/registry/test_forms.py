"""The ledger out again: form B.3, plans, dossiers, and files that come in unchanged."""

from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from gateway.assembly.projecting import Projection
from gateway.cli.ledger import command
from gateway.domain.time import US_PER_DAY, parse_iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.forms import B3_COLUMNS, dossier, due_list, form_b3, months_of, plan
from gateway.registry.registry import Registry

T0 = parse_iso("2026-10-18T00:00:00+08:00")
ZONE = ZoneInfo("Asia/Shanghai")
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
}


class Clock:
    def utc_us(self):
        return T0


def run(*arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments], obj="en", catch_exceptions=False).output


@pytest.fixture
def folder(tmp_path):
    made = DataFolder.create(
        tmp_path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=Clock()
    )
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    for name, content in FILES.items():
        (ledger / name).write_text(content, "utf-8")
    assert "11 put on record" in run("import", ledger, "--data", made.path, "--at", "2026-10-18T00:00:00Z")
    projection = Projection(made, Clock())
    while projection.step().applied:
        pass
    projection.close()
    return made


@pytest.fixture
def registry(folder):
    opened = Registry.open(folder.registry)
    yield opened
    opened.close()


def test_form_b3_shows_the_class_of_the_certificate_in_force(registry):
    rows = form_b3(registry, "o", T0, ZONE)
    assert all(len(row) == len(B3_COLUMNS) == 11 for row in rows)
    assert rows[0] == [
        1, "多功能电能表", "DTZ1", "0.5S", "3×57.7V 5A", "某厂", "0012", "M1", "进线", "12个月", "合格",
    ]  # fmt: skip
    assert [row[10] for row in rows] == ["合格", "准用", "停用"]


def test_what_is_due_and_the_plan_of_a_month(registry):
    due = due_list(registry, "o", T0, ZONE)
    assert [(each.instrument.id, each.due_on.isoformat(), each.overdue) for each in due] == [
        ("M1", "2026-10-31", False),
        ("M2", "2027-01-04", False),
    ]
    assert [row[1] for row in plan(registry, "o", T0, ZONE, months_of(2026, 10))] == ["M1"]
    assert plan(registry, "o", T0, ZONE, months_of(2026, 12)) == []
    late = plan(registry, "o", T0 + 30 * US_PER_DAY, ZONE, months_of(2026, 12))
    assert [(row[1], row[9]) for row in late] == [("M1", "2026-11-17")]  # overdue: in every plan until it is done
    assert [row[1] for row in plan(registry, "o", T0, ZONE, months_of(2027, None))] == ["M2"]


def test_a_dossier_names_what_is_missing(registry):
    whole = dossier(registry, "o", "M1")
    assert whole.complete
    lacking = dossier(registry, "o", "M2")
    assert (lacking.manual, lacking.certificate_before, lacking.complete) == (None, None, False)


def test_exported_files_come_in_unchanged(tmp_path, folder):
    out = tmp_path / "out"
    run("export", out, "--data", folder.path, "--at", "2026-10-18T00:00:00Z")
    assert {path.name for path in out.iterdir()} == set(FILES)
    assert "0 put on record, 11 already there" in run("import", out, "--data", folder.path)


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
    assert "points.csv:3: new point P2" in said
