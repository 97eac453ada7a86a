"""The road of a decision after a look-back: by form and by API, on record, shown, and no longer waiting."""

import csv
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from fastapi.testclient import TestClient
from lxml import html

from gateway.assembly.reading import open_for_reading
from gateway.domain.time import US_PER_MINUTE, iso
from gateway.journal.folder import DataFolder
from gateway.registry.registry import Registry
from tests.failing_plant import Plant
from tests.people import client_of
from tests.plant_folder import NOW, ORGANISATION, FixedClock

EFFECTS, DECISIONS = "/api/v1/effects", "/api/v1/effects/decisions"
LATER = NOW + 2 * US_PER_MINUTE


@pytest.fixture(scope="module")
def origin(untouched: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("failed") / "data"
    copytree(untouched.path, path)
    made = Plant(DataFolder.open(path))
    made.certificate("V-2026-2", "2026-03-11", as_found_result="fail", as_found_error_percent="0.8")
    return path


@pytest.fixture(scope="module")
def undecided(origin: Path, tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """For those that change nothing."""
    return copied(origin, tmp_path_factory.mktemp("undecided"))


@pytest.fixture(scope="module")
def asker(undecided: Plant) -> Iterator[TestClient]:
    with client_of(undecided.folder, clock=FixedClock(LATER)) as made:
        yield made


@pytest.fixture
def plant(origin: Path, tmp_path: Path) -> Plant:
    return copied(origin, tmp_path)


def copied(origin: Path, target: Path) -> Plant:
    copytree(origin, target / "data")
    return Plant(DataFolder.open(target / "data"))


@pytest.fixture
def client(plant: Plant) -> Iterator[TestClient]:
    with client_of(plant.folder, clock=FixedClock(LATER)) as made:
        yield made


def span(client: TestClient, **asked: str) -> dict[str, object]:
    (found,) = client.get(EFFECTS, params=asked).json()["result"]["spans"]
    return dict(found)


def waiting(client: TestClient) -> tuple[int, int]:
    """What the first page says is to be decided, and how many findings say so."""
    overview = client.get("/api/v1/overview").json()["result"]
    listed = client.get("/api/v1/findings?rule=calibration.look_back&state=open").json()["result"]
    return overview["look_backs_waiting"], len(listed)


def test_decided_by_the_form(client: TestClient, plant: Plant) -> None:
    seq = span(client)["entry_seq"]
    assert waiting(client) == (1, 1)
    assert html.fromstring(client.get("/?lang=zh").text).xpath("//li/a[@href='/effects'][contains(.,'追溯影响待裁定')]")
    (form,) = html.fromstring(client.get("/effects?lang=zh").text).xpath("//form[@action='/effects/decide']")
    assert {each.get("name"): each.get("value") for each in form.xpath(".//input[@type='hidden']")}["verdict"] == str(
        seq
    )
    said = {"verdict": seq, "decision": "accepted", "reason": " 影响小于 U 的三分之一 "}
    answer = client.post("/effects/decide", data=said, follow_redirects=False)
    assert answer.status_code == 202, "nothing projects here"
    plant.append()
    shown = client.get("/effects?lang=zh").text
    for words in ("维持原值予以接受", "影响小于 U 的三分之一", f"energy-manager.{ORGANISATION}", "重新裁定"):
        assert words in shown
    assert waiting(client) == (0, 0)
    assert "accepted as it stands" in client.get("/findings?lang=en").text
    assert "accepted as it stands" in client.get("/instruments/M-01?lang=en").text


def test_corrected_by_the_form_names_entries_as_people_write_them(client: TestClient, plant: Plant) -> None:
    plant.record("document", "D-1", kind="other", title="比对记录", instrument="M-01")
    with open_for_reading(plant.folder) as reader:
        seq = reader.sources.registry.history(ORGANISATION, "document", "D-1")[-1].seq
    said = {"verdict": span(client)["entry_seq"], "decision": "corrected", "reason": "比对后替代"}
    answer = client.post("/effects/decide", data={**said, "entries": f" #{seq}，{seq}、6"})
    assert answer.status_code == 202, answer.text
    plant.append()
    assert span(client)["decisions"][0]["entries"] == [6, seq]
    assert f'href="/journal/{seq}"' in client.get("/effects").text


def test_decided_by_the_api_and_again(client: TestClient, plant: Plant) -> None:
    before = span(client)
    said = {"verdict": before["entry_seq"], "decision": "accepted", "reason": "tolerated"}
    # a moment in the address changes nothing of what the decision rests on
    assert client.post(f"{DECISIONS}?as_of=2026-03-10", json=said).status_code == 202
    plant.append()
    (first,) = span(client)["decisions"]
    assert (first["decision"], first["actor"], first["at_us"]) == ("accepted", f"energy-manager.{ORGANISATION}", LATER)
    assert first["figures"]["total"]["questioned"] == before["total"]["questioned"]
    with open_for_reading(plant.folder) as reader:
        entry = reader.sources.registry.history(ORGANISATION, "certificate", "V-2026-2")[-1].seq
    again = {**said, "decision": "corrected", "entries": [entry], "reason": "replaced by the check meter"}
    assert client.post(DECISIONS, json=again).status_code == 202
    plant.append()
    found = span(client)
    assert (found["state"], [each["decision"] for each in found["decisions"]]) == (
        "corrected",
        ["accepted", "corrected"],
    )
    assert found["total"] == before["total"], "no total is changed by a decision"
    rows = list(csv.DictReader(client.get(f"{EFFECTS}?format=csv").content.decode("utf-8-sig").splitlines()))
    assert {(each["verdict_entry"], each["decision"]) for each in rows} == {(str(found["entry_seq"]), "corrected")}


def test_known_before_the_decision_it_was_undecided(plant: Plant) -> None:
    with client_of(plant.folder, clock=FixedClock(LATER)) as client:
        said = {"verdict": span(client)["entry_seq"], "decision": "accepted", "reason": "tolerated"}
        assert client.post(DECISIONS, json=said).status_code == 202
        plant.at_us = LATER
        plant.append()
        assert span(client)["state"] == "accepted"
        then = span(client, known_at=iso(LATER - US_PER_MINUTE))
        assert (then["state"], then["decisions"]) == ("waiting", [])
        page = client.get("/effects", params={"known_at": iso(LATER - US_PER_MINUTE), "lang": "en"}).text
        assert "waits for a decision" in page
        assert "/effects/decide" not in page, "the past is not decided about"


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"decision": "restated", "result": "nobody/2"}, 404, "nobody/2"),
        ({"decision": "restated"}, 409, "names the version that restates"),
        ({"decision": "corrected"}, 409, "names the entries"),
        ({"decision": "corrected", "entries": [999_999]}, 404, "999999"),
        ({"decision": "accepted", "reason": "  "}, 409, "needs a reason"),
        ({"decision": "accepted", "reason": ""}, 422, ""),
        ({"decision": "accepted", "verdict": 1}, 404, "entry 1 puts nothing in question"),
        ({"decision": "ignored"}, 422, ""),
    ],
)
def test_refused_with_a_sentence(asker: TestClient, said: dict[str, object], status: int, words: str) -> None:
    whole = {"verdict": span(asker)["entry_seq"], "reason": "because", **said}
    answer = asker.post(DECISIONS, json=whole, headers={"accept-language": "en"})
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert span(asker)["state"] == "waiting"


@pytest.mark.parametrize("entries", ["#12a", "-3", "٣", "1.5", str(2**63)])
def test_the_form_takes_numbers_of_entries_only(asker: TestClient, entries: str) -> None:
    said = {"verdict": span(asker)["entry_seq"], "decision": "corrected", "reason": "x", "entries": entries}
    answer = asker.post("/effects/decide", data=said, headers={"accept-language": "zh"})
    assert (answer.status_code, "条目须写日志条目的编号" in answer.text) == (422, True)


@pytest.mark.parametrize("role", ["custodian", "operator", "reviewer", "administrator"])
def test_the_energy_manager_decides_and_nobody_else(undecided: Plant, role: str) -> None:
    with client_of(undecided.folder, clock=FixedClock(LATER), role=role) as client:
        said = {"verdict": span(client)["entry_seq"], "decision": "accepted", "reason": "x"}
        assert client.post(DECISIONS, json=said).status_code == 403
        assert client.post("/effects/decide", data=said).status_code == 403
        assert "/effects/decide" not in client.get("/effects").text


def test_another_organisation_cannot_decide_about_ours(undecided: Plant) -> None:
    registry = Registry.open(undecided.folder.registry)
    (verdict,) = registry.verdicts(ORGANISATION, rule="calibration.look_back")
    registry.close()
    with client_of(undecided.folder, clock=FixedClock(LATER), organisation="neighbour-mill") as client:
        said = {"verdict": verdict.seq, "decision": "accepted", "reason": "not ours"}
        answer = client.post(DECISIONS, json=said, headers={"accept-language": "en"})
        assert (answer.status_code, "another organisation" in answer.text) == (403, True)
