"""The queue of suspected events: what waits, what a decision brings, and what waits again."""

from base64 import b64encode
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_MINUTE
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.people import client_of
from tests.plant_folder import NOW, ORGANISATION, PERIOD_US, START, FixedClock, intake_words

QUEUE = "/api/v1/quality/queue"


def project(folder: DataFolder, at_us: int = NOW) -> None:
    projection = Projection(DataFolder.open(folder.path), FixedClock(at_us))
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def reading(folder: DataFolder, slot: int, *, index: int, findings: list[object]) -> None:
    with Journal.open(folder) as journal:
        cfg = journal.read(0, 10_000, {"configuration"})[1].seq
        body = {
            "group": "energy",
            "slot": slot,
            "cfg": cfg,
            "sent": slot,
            "received": slot,
            "outcome": "ok",
            "raw": [b64encode(bytes.fromhex(intake_words(index))).decode()],
            "findings": findings,
            "rules": "1",
            "registry": 1,
        }
        journal.append([Draft("poll", f"{ORGANISATION}/device/intake", slot, body)])


@pytest.fixture
def folder(fresh: DataFolder) -> DataFolder:
    made = fresh
    reset = [["counter.reset", "active_energy_import", {"previous": 9, "value": 1}]]
    reading(made, START + 5 * PERIOD_US, index=9, findings=[])  # another value for a slot that has one
    reading(made, NOW + US_PER_MINUTE, index=400, findings=reset)
    project(made)
    return made


@pytest.fixture
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, clock=FixedClock(NOW + 2 * US_PER_MINUTE)) as made:
        yield made


ROLLOVER = ("suspicion", "counter.rollover")
"""What the small plant itself has waiting."""


def waiting(client: TestClient) -> list[tuple[str, str]]:
    found = [(each["sort"], each["finding"]["rule"]) for each in client.get(QUEUE).json()["result"]["waiting"]]
    assert ROLLOVER in found
    return [each for each in found if each != ROLLOVER]


SUSPICION = {"rule": "counter.reset", "device": "intake", "channel": "active_energy_import"}


def test_what_waits(client: TestClient) -> None:
    assert sorted(waiting(client)) == [("conflict", "reading.conflict"), ("suspicion", "counter.reset")]
    assert waiting(client)[0][1] in client.get("/findings").text


@pytest.mark.parametrize("decision", ["confirm", "dismiss"])
def test_a_suspicion_decided_waits_no_longer_until_it_is_seen_again(
    client: TestClient, folder: DataFolder, decision: str
) -> None:
    form = {**SUSPICION, "decision": decision, "note": "换过表芯"}
    assert client.post("/quality/decide", data=form).status_code == 202, "nothing projects here"
    project(folder)
    assert waiting(client) == [("conflict", "reading.conflict")]
    found = client.get(QUEUE).json()["result"]["decided"]
    assert [(each["decision"], each["note"]) for each in found] == [(f"{decision}ed", "换过表芯")]
    assert found[0]["actor"] == "energy-manager.probe-works"
    listed = client.get("/api/v1/findings?rule=counter.reset").json()["result"]
    assert [each["open"] for each in listed] == [False]
    again = [["counter.reset", "active_energy_import", {"previous": 9, "value": 1}]]
    reading(folder, NOW + 90_000_000, index=401, findings=again)
    project(folder)
    assert ("suspicion", "counter.reset") in waiting(client)
    page = client.get("/quality?lang=zh").text
    assert "此前裁定" in page


@pytest.mark.parametrize(("decision", "stands"), [("accept", 9), ("keep", 5)])
def test_a_conflict_decided(client: TestClient, folder: DataFolder, decision: str, stands: int) -> None:
    (entry,) = [
        each["finding"]["entry_seq"]
        for each in client.get(QUEUE).json()["result"]["waiting"]
        if each["sort"] == "conflict"
    ]
    answer = client.post("/api/v1/quality/decisions", json={"decision": decision, "entry": entry, "note": "核对过现场"})
    assert answer.status_code == 202
    project(folder)
    assert waiting(client) == [("suspicion", "counter.reset")]
    with Journal.open(folder, read_only=True) as journal:
        (event,) = [each.body for each in journal.read(0, 10_000, {"event"}) if "kept" in str(each.body["action"])
                    or "accepted" in str(each.body["action"])]  # fmt: skip
        chosen = journal.read(event["new"] - 1, 1)[0].body["raw"][0]
    assert chosen == b64encode(bytes.fromhex(intake_words(stands))).decode()
    again = client.post("/api/v1/quality/decisions", json={"decision": decision, "entry": entry, "note": "x"})
    assert again.status_code == 404


def test_a_decision_needs_a_note_and_something_to_decide(client: TestClient, folder: DataFolder) -> None:
    with Journal.open(folder, read_only=True) as journal:
        before = journal.head()
        for form in ({**SUSPICION, "note": " "}, {**SUSPICION, "device": "mill", "note": "x"}):
            assert client.post("/quality/decide", data={**form, "decision": "confirm"}).status_code in {404, 422}
        assert client.post("/quality/decide", data={"decision": "keep", "entry": 1, "note": "x"}).status_code == 404
        assert client.post("/quality/decide", data={**SUSPICION, "decision": "erase", "note": "x"}).status_code == 422
        assert journal.head() == before


def test_only_the_energy_manager_decides(folder: DataFolder) -> None:
    for role in ("operator", "custodian", "reviewer", "administrator"):
        with client_of(folder, role=role) as client:
            form = {**SUSPICION, "decision": "confirm", "note": "x"}
            assert client.post("/quality/decide", data=form).status_code == 403
            assert 'action="/quality/decide"' not in client.get("/quality").text
