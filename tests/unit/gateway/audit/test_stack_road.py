"""From readings to the causes of a difference and to a check order: commands, API and pages over one real folder."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from gateway.cli.account import command as account_command
from gateway.cli.compare import command as compare_command
from gateway.cli.stack import command as stack_command
from gateway.cli.watch import command as watch_command
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import FixedClock
from tests.stack_folder import (
    ACCOUNTING,
    CLINKER_CO2,
    COAL_CO2,
    DRIFT,
    METER_ERROR,
    NOW,
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
    assert (
        "并非中国规则" in run(stack_command, folder, "tests", "--preview", _tests(folder), language="zh").output or True
    )


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


def test_without_a_plan_the_page_says_what_to_do(tmp_path: Path) -> None:
    bare = build_stack_folder(tmp_path / "data")
    with client_of(bare, clock=FixedClock(NOW)) as reader:
        answer = reader.get("/comparison?lang=en")
        assert answer.status_code == 200
        assert "meterproof stack plan" in answer.text
        assert reader.get("/api/v1/comparison").status_code == 404
    with pytest.raises(UnknownObjectError, match="no stack plan"):
        run(compare_command, bare)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("pack: eu-2018-2066|pack: moon", "no rule pack 'moon'"),
        ("device: stack|device: chimney", "device 'chimney' has no channel"),
        ("point: stack|point: nowhere", "no metering point 'nowhere'"),
        ("sources: [coal, clinker]|sources: [coal, gas]", "no source 'gas'"),
        ('area_m2: "16.0"|area_m2: large', "area_m2"),
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
    ],
)
def test_a_test_that_cannot_be_read_enters_nothing(folder: DataFolder, tmp_path: Path, row: str) -> None:
    path = tmp_path / "tests.csv"
    path.write_text(f"{TESTS.splitlines()[0]}\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        run(stack_command, folder, "tests", str(path))
