"""From readings to the causes of a difference and to a check order: commands, API and pages over one real folder."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import docx
import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from pypdf import PdfReader

from gateway.assembly.reading import open_for_reading
from gateway.assembly.reporting import ReportWish, report
from gateway.cli.account import command as account_command
from gateway.cli.compare import command as compare_command
from gateway.cli.stack import command as stack_command
from gateway.cli.watch import command as watch_command
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text as message
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from gateway.reports.document import Document
from gateway.reports.drawing import drawn
from gateway.reports.rendering import rendered
from gateway.review.gathered import Gathered, Word
from gateway.review.views import view
from tests.people import client_of
from tests.plant_folder import FixedClock
from tests.stack_folder import (
    ACCOUNTING,
    CLINKER_CO2,
    COAL_CO2,
    DRIFT,
    METER_ERROR,
    NOW,
    ORGANISATION,
    PLAN,
    build_stack_folder,
    day,
    document,
    project,
)

TESTS = """stack,parameter,type,at,reference,reading,span,by
kiln,co2,span,2026-03-10 09:00,20.0,20.05,25,crew
kiln,co2,span,2026-03-16 09:00,20.0,21.60,25,crew
"""


def run(command: click.Command, folder: DataFolder, *words: str, language: str = "en") -> Result:
    result = CliRunner().invoke(command, [*words, "--data", str(folder.path)], obj=language)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    place = tmp_path_factory.mktemp("stack")
    made = build_stack_folder(place / "data")
    for name, text in (("plan.yaml", PLAN), ("account.yaml", ACCOUNTING), ("tests.csv", TESTS)):
        (place / name).write_text(text, encoding="utf-8")
    run(account_command, made, "plan", str(place / "account.yaml"))
    project(made, NOW)
    run(stack_command, made, "plan", str(place / "plan.yaml"))
    project(made, NOW)
    run(stack_command, made, "tests", str(place / "tests.csv"))
    project(made, NOW)
    return made


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, clock=FixedClock(NOW)) as made:
        yield made


def test_before_the_drift_both_sides_agree(folder: DataFolder) -> None:
    found = document(
        run(compare_command, folder, "--first", day(0), "--last", day(4), "--step", "day", "--json").output
    )
    column = {name: index for index, name in enumerate(found["columns"])}
    assert len(found["steps"]) == 5
    for row in (*found["steps"], found["total"]):
        assert row[column["judgement"]] == "agrees"
        assert abs(float(row[column["relative_percent"]])) < 0.5
    assert found["causes"] == found["alike"] == []
    assert found["hours"]["valid"] == 120


def test_the_stack_tonnes_are_those_of_the_scales(folder: DataFolder) -> None:
    """The fuel side by hand from the plan's factors, and the stack equal to it."""
    found = document(
        run(compare_command, folder, "--first", day(1), "--last", day(1), "--step", "day", "--json").output
    )
    column = {name: index for index, name in enumerate(found["columns"])}
    fuel, stack = (float(found["total"][column[name]]) for name in ("fuel_tCO2", "stack_tCO2"))
    per_clinker = 0.14 * COAL_CO2 + CLINKER_CO2
    assert fuel == pytest.approx(96 * 52 * per_clinker, rel=0.08)
    assert stack == pytest.approx(fuel, rel=0.005)


def test_after_the_drift_the_analyser_is_named(folder: DataFolder) -> None:
    found = document(
        run(compare_command, folder, "--first", day(6), "--last", day(9), "--step", "day", "--json").output
    )
    column = {name: index for index, name in enumerate(found["columns"])}
    assert {row[column["judgement"]] for row in found["steps"]} == {"differs"}
    (cause,) = found["causes"]
    assert cause["name"] == "concentration"
    assert cause["error"] == pytest.approx(DRIFT - 1, abs=0.01)


def test_the_commands_speak_both_languages(folder: DataFolder) -> None:
    words = ["--first", day(6), "--last", day(9), "--step", "day"]
    assert "beyond U" in run(compare_command, folder, *words).output
    said = run(compare_command, folder, *words, language="zh").output
    assert "超出 U" in said
    assert "浓度（分析仪）" in said
    packs = CliRunner().invoke(stack_command, ["packs"], obj="zh").output
    assert packs.count("这不是中国的规则") == 2
    assert packs.count("文本未读：本包没有任何数值") == 3


def _tests(folder: DataFolder) -> str:
    return str(folder.path.parent / "tests.csv")


def test_tests_are_shown_with_their_result(folder: DataFolder) -> None:
    """|21.60 − 20.0| / 25 · 100 = 6.40 %."""
    said = run(stack_command, folder, "tests", _tests(folder), "--preview").output
    assert "6.40 %" in said
    assert "no limit in the rule pack" in said
    assert "Nothing was written." in said


def test_hours_as_known_then_come_from_the_readings_and_are_the_same(client: TestClient) -> None:
    address = f"/api/v1/comparison?first={day(1)}&last={day(2)}&step=day"
    now = client.get(address).json()["result"]
    then = client.get(f"{address}&known_at=2026-03-20").json()["result"]
    assert [each["stack"]["exact"] for each in now["steps"]] == [each["stack"]["exact"] for each in then["steps"]]


def test_the_api_says_both_sides_causes_tests_and_pack(client: TestClient) -> None:
    found = client.get(f"/api/v1/comparison?first={day(6)}&last={day(9)}&step=day").json()["result"]
    assert [each["name"] for each in found["decomposition"]["causes"]] == ["concentration"]
    assert found["pack"]["chinese"] is False
    assert [each["percent"] for each in found["tests"]] == [pytest.approx(6.4)]
    assert found["drifts"][0]["newest"] == "6.4"
    packs = client.get("/api/v1/comparison/packs").json()["result"]
    assert {each["id"]: each["empty"] for each in packs}["cn-hj75"] is True
    table = client.get(f"/api/v1/comparison?first={day(6)}&last={day(9)}&step=day&format=csv").text
    assert table.count("differs") == 5


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("step", ["hour", "day", "month", "year"])
def test_the_page_of_the_comparison(client: TestClient, language: str, step: str) -> None:
    answer = client.get(f"/comparison?first={day(6)}&last={day(9)}&step={step}&lang={language}")
    assert answer.status_code == 200
    assert ("浓度（分析仪）" if language == "zh" else "concentration (analyser)") in answer.text
    assert ("文本未读" if language == "zh" else "text not read") in answer.text
    chart = client.get(f"/charts/comparison.json?first={day(6)}&last={day(9)}&step={step}")
    assert chart.status_code == 200


def test_the_watch_names_the_meter_that_counts_too_much(folder: DataFolder) -> None:
    found = document(run(watch_command, folder, "--days", "30", "--json").output)
    (node,) = [each for each in found["nodes"] if each["node"] == "feeder"]
    assert node["open"]
    states = {each["point"]: each["state"] for each in node["meters"]}
    assert states["fan"] == "suspect"
    assert "suspect" not in {states["mill"], states["pumps"]}
    (fan,) = [each for each in node["meters"] if each["point"] == "fan"]
    assert fan["error"] == pytest.approx(METER_ERROR - 1, abs=3 * fan["u"])


def test_the_page_and_the_api_of_the_watch(client: TestClient) -> None:
    found = client.get("/api/v1/watch?node=feeder").json()["result"]
    assert [each["point"]["id"] for each in found] == ["feeder"]
    assert found[0]["gate"]["open"] is True
    assert client.get("/api/v1/watch?format=csv").text.count("suspect") == 1
    assert client.get("/api/v1/watch?node=nowhere").status_code == 404
    for language, word in (("zh", "疑似失准"), ("en", "in doubt")):
        page = client.get(f"/watch?lang={language}").text
        assert word in page
        assert 'action="/replacements"' in page


def test_an_order_is_opened_once_with_its_evidence(folder: DataFolder, client: TestClient) -> None:
    first = document(run(watch_command, folder, "--order", "--actor", "chen", "--json", language="zh").output)
    assert set(first["orders"]) == {"fan"}
    project(folder, NOW)
    again = document(run(watch_command, folder, "--order", "--json").output)
    assert again["orders"] == {}
    (order,) = client.get("/api/v1/replacements").json()["result"]
    assert order["instrument"] == "m-fan"
    said = str(client.get(f"/api/v1/replacements/{order['id']}").json()["result"])
    assert "feeder" in said
    assert "不是判定" in said
    assert order["id"] in client.get("/watch").text


def test_a_review_sees_what_lies_beyond_the_uncertainty(folder: DataFolder) -> None:
    with open_for_reading(folder) as reader:
        found = view(Gathered(reader.sources, reader.asking(NOW)), "stack")
    words = [each.words for row in found.rows for each in row if isinstance(each, Word)]
    judged, causes = words[::2], words[1::2]
    assert found.state == "attention"
    assert ("differs",) in judged
    assert ("concentration",) in causes
    for heading in found.columns:
        assert message("zh", heading) != heading


def test_without_a_plan_the_page_says_what_to_do(tmp_path: Path) -> None:
    bare = build_stack_folder(tmp_path / "data")
    with client_of(bare, clock=FixedClock(NOW)) as reader:
        answer = reader.get("/comparison?lang=en")
        assert answer.status_code == 200
        assert "meterproof stack plan" in answer.text
        assert reader.get("/api/v1/comparison").status_code == 404
    with pytest.raises(UnknownObjectError, match="no stack plan"):
        run(compare_command, bare)
    blocks = json.loads(rendered(_report(bare), "json", {}))["blocks"]
    assert [each["text"] for each in blocks if each["type"] == "text"] == ["no stack plan is on record for this time"]
    with client_of(bare, clock=FixedClock(NOW)) as reader:
        for damage, address in zip(DAMAGED, ASKED, strict=True):
            _record(bare, damage)
            answer = reader.get(address)
            assert answer.status_code < 500
            assert "cannot be read" in answer.text
        for number in ("Infinity", "-1", "1e400"):
            _enter(bare, "instrument", "m-fan", {"kind": "other", "serial": "S-fan", "mpe_percent": number})
            (node,) = reader.get("/api/v1/watch?node=feeder").json()["result"]
            assert node["gate"] is None
            assert node["reasons"] == ["no_class:fan"]


ASKED = (
    "/comparison?lang=en",
    "/api/v1/comparison",
    "/api/v1/reports/stack-comparison?language=en",
    "/charts/comparison.json?lang=en",
)
DAMAGED: tuple[dict[str, Any], ...] = (
    {"stacks": [{"id": "kiln"}], "packs": []},
    {"stacks": 3, "packs": []},
    {"packs": []},
    {"stacks": [], "packs": [{"id": "x"}]},
)
"""Plans that stand on record and are none: the file model would have refused them."""


def _record(folder: DataFolder, plan: dict[str, Any]) -> None:
    _enter(folder, "document", "stack-plan", {"title": "plan", "kind": "other", "stack_plan": plan})


def _enter(folder: DataFolder, kind: str, id_: str, card: dict[str, Any]) -> None:
    said: dict[str, Any] = {"from_us": None, "to_us": None, "actor": "x", "reason": "", "source": ""}
    with Journal.open(folder) as journal:
        journal.append([object_draft(kind, ORGANISATION, id_, card, at_us=NOW, **said)])
    project(folder, NOW)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("pack: eu-2018-2066|pack: moon", "no rule pack 'moon'"),
        ("device: stack|device: chimney", "device 'chimney' has no channel"),
        ("point: stack|point: nowhere", "no metering point 'nowhere'"),
        ("sources: [coal, clinker]|sources: [coal, gas]", "no source 'gas'"),
        ('area_m2: "16.0"|area_m2: large', "area_m2"),
        ('area_m2: "16.0"|area_m2: "0.00"', "must be above zero"),
        ('co2_density_kg_m3: "2.0"|co2_density_kg_m3: "-2"', "must be above zero"),
        ('co2_percent: "1"|co2_percent: "-1"', "must not be below zero"),
        ('from: "2026-03-10"|from: "2026-02-31"', "day is out of range"),
        ('from: "2026-03-10"|from: "0001-01-01"', "the year must be between"),
        ('from: "2026-03-10"|from: "2026-03-14"', "the first day is after the last"),
        ("[coal, clinker]|[coal, coal]", "a source is named twice"),
        (PLAN + "|" + PLAN + PLAN[PLAN.index("  - id") :], "two stacks have one id"),
    ],
)
def test_a_plan_that_names_what_is_not_there_is_refused(
    folder: DataFolder, tmp_path: Path, wrong: str, sentence: str
) -> None:
    old, new = wrong.split("|")
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        run(stack_command, folder, "plan", str(path))
    assert any(sentence in line for line in refused.value.lines)


@pytest.mark.parametrize(
    "row",
    [
        "kiln,smell,span,2026-03-10 09:00,20,20,25,x",
        "kiln,co2,span,yesterday,20,20,25,x",
        "kiln,co2,span,2026-03-10 09:00,20,20,,x",
        "kiln,co2,span,0001-01-01 00:00,20,20,25,x",
        "kiln,co2,span,2026-03-10 09:00,NaN,20,25,x",
        "kiln,co2,span,2026-03-10 09:00,Infinity,20,25,x",
        "kiln,co2,span,2026-03-10 09:00,1e999999999,20,25,x",
        f"kiln,co2,span,2026-03-10 09:00,{'1' * 5000},20,25,x",
        "kiln,co2",
        "",
    ],
)
def test_a_test_that_cannot_be_read_enters_nothing(folder: DataFolder, tmp_path: Path, row: str) -> None:
    path = tmp_path / "tests.csv"
    path.write_text(f"{TESTS.splitlines()[0]}\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        run(stack_command, folder, "tests", str(path))


def _report(folder: DataFolder, language: str = "en") -> Document:
    with open_for_reading(folder) as reader:
        wish = ReportWish(
            kind="stack-comparison",
            language=language,
            first=date.fromisoformat(day(6)),
            last=date.fromisoformat(day(9)),
        )
        return report(reader, reader.asking(NOW), wish, at_us=NOW)


def _tables(document: Document) -> dict[str, list[list[str]]]:
    """Every table as a person reads it, by its title."""
    plain = json.loads(rendered(document, "json", {}))
    return {
        each["title"]: [[_said(cell) for cell in row] for row in each["rows"]]
        for each in plain["blocks"]
        if each["type"] == "table"
    }


def _said(cell: Any) -> str:  # any JSON value
    if isinstance(cell, dict):
        return str(cell["value"] or cell["instead"] or "—")
    return "—" if cell in {None, ""} else str(cell)


def test_the_report_has_the_numbers_of_the_page(folder: DataFolder, client: TestClient) -> None:
    wanted = client.get(f"/api/v1/comparison?first={day(6)}&last={day(9)}&step=day").json()["result"]
    plain = json.loads(rendered(_report(folder), "json", {}))
    steps = next(each for each in plain["blocks"] if each.get("id") == "stack/kiln/steps")["rows"]
    assert len(steps) == len(wanted["steps"]) + 1 == 5
    for row, each in zip(steps, [*wanted["steps"], wanted["total"]], strict=True):
        cells = {cell["id"].rpartition("/")[2]: cell for cell in row if isinstance(cell, dict)}
        stack, fuel, less = cells["stack"], cells["fuel"], cells["difference"]
        assert (stack["exact"], fuel["exact"]) == (each["stack"]["exact"], each["fuel"]["exact"])
        assert (stack["value"], fuel["value"]) == (each["stack"]["value"], each["fuel"]["value"])
        assert float(less["exact"]) == pytest.approx(float(each["difference"]), abs=5e-4)
        assert less["trace"].startswith("/comparison?stack=kiln&first=2026-03-")
        assert row[1:4] == [each["hours"], each["compared"], each["substituted"]]
    (cause,) = wanted["decomposition"]["causes"]
    named = _tables(_report(folder))["Causes of the difference: kiln"]
    assert named[0][0] == "concentration (analyser)"
    assert float(named[0][1]) == pytest.approx(100 * cause["error"], abs=0.06)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_report_says_the_same_in_every_file(folder: DataFolder, language: str) -> None:
    document = _report(folder, language)
    tables = _tables(document)
    assert len(tables) == 5
    book = load_workbook(io.BytesIO(rendered(document, "xlsx", {})))
    sheets = {sheet["A1"].value: sheet for sheet in book.worksheets[1:]}
    lines = list(csv.reader(io.StringIO(rendered(document, "csv", {}).decode("utf-8-sig"), newline="")))
    written = docx.Document(io.BytesIO(rendered(document, "docx", {}))).tables
    read = [[[cell.text for cell in row.cells] for row in table.rows[1:]] for table in written]
    for title, rows in tables.items():
        at = lines.index([f"# {title}"]) + 2
        assert [[each.removeprefix("'") for each in line] for line in lines[at : at + len(rows)]] == rows
        assert rows in read
        for number, row in enumerate(rows, start=3):
            for index, wanted in enumerate(row, start=1):
                cell = sheets[title].cell(number, index).value
                assert str(cell) == wanted or Decimal(repr(cell)) == Decimal(wanted)
    text = json.dumps(list(tables.values()), ensure_ascii=False)
    assert ("超出 U" if language == "zh" else "beyond U") in text
    law = json.loads(rendered(document, "json", {}))["blocks"][1]
    assert ("否，并非中国规则" if language == "zh" else "no, not a Chinese rule") in json.dumps(law, ensure_ascii=False)


@pytest.mark.integration  # a Chinese font of the machine
def test_the_report_printed_has_every_number(folder: DataFolder) -> None:
    document = _report(folder, "zh")
    pages = PdfReader(io.BytesIO(rendered(document, "pdf", drawn(document)))).pages
    printed = Counter(re.findall(r"-?\d+(?:\.\d+)?", "\n".join(page.extract_text() for page in pages)))
    for rows in _tables(document).values():
        for cell in (cell for row in rows for cell in row if re.fullmatch(r"-?\d+(?:\.\d+)?", cell)):
            assert printed[cell], cell


@pytest.mark.parametrize("raw", [b"", b"kiln,co2,span\n", bytes(range(256)), b"PK\x03\x04 no workbook"])
def test_a_file_that_is_no_table_of_tests_is_refused(folder: DataFolder, tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "tests.csv"
    path.write_bytes(raw)
    with pytest.raises(ConfigurationError):
        run(stack_command, folder, "tests", str(path))


def test_a_table_of_a_chinese_spreadsheet_is_read(folder: DataFolder, tmp_path: Path) -> None:
    path = tmp_path / "tests.csv"
    path.write_bytes(f"{TESTS.splitlines()[0]}\nkiln,co2,span,2026-03-10 09:00,20,20.5,25,张三\n".encode("gb18030"))
    assert "2.00 %" in run(stack_command, folder, "tests", str(path), "--preview").output
