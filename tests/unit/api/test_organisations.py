"""One folder, two organisations: on no route does one see anything of the other."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.people.permits import ROUTES
from gateway.assembly.projecting import Projection
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.people import client_of
from tests.plant_folder import NOW, ORGANISATION, START, FixedClock, build_folder

OTHER = "neighbour-mill"
OURS = ("P-01", "P-02", "P-03", "M-01", "M-02", "V-2025-1", "V-2019-9", "100001", "总进线", "样例水泥厂", "国量标 77")
THEIRS = ("Q-77", "N-77", "W-77", "SN-7777", "邻家纺织厂进线", "邻家纺织厂", "loom-7")
OPEN = {"/sign-in", "/sign-in/link", "/api/v1/openapi.json"}
"""Without a person; and the description of the API, whose examples are the same wherever it runs."""
GETS = sorted(name[4:] for name in ROUTES if name.startswith("GET ") and name[4:] not in OPEN)
WITHIN = {"job": "0", "seq": "{seq}", "point": "{point}", "instrument": "{instrument}"}


def _their_entries() -> list[Draft]:
    def made(record: str, id_: str, /, **fields: object) -> Draft:
        return object_draft(record, OTHER, id_, fields, at_us=START, from_us=START - 10**13, to_us=None, actor="loom-7",
                            reason="", source="")  # fmt: skip

    site = {
        "organisation": {"id": OTHER, "name": {"zh": "邻家纺织厂", "en": "Neighbour Mill"}},
        "site": {"id": "main", "name": {"zh": "邻家纺织厂", "en": "Neighbour"}, "time_zone": "Asia/Shanghai"},
    }
    verdict = {
        "rule": "calibration.none",
        "state": "open",
        "opens": None,
        "severity": "error",
        "about": {"instrument": "N-77", "point": "Q-77"},
        "from": START,
        "to": None,
        "facts": {},
        "registry": 1,
        "rules": "1",
    }
    about = {"rule": "counter.reset", "device": "loom-7", "channel": "W-77", "entry": 1, "from": 1, "to": 2, "count": 1}
    note = {"actor": "loom-7", "action": "finding.judged", "object": about, "new": "dismissed", "reason": "SN-7777"}
    return [
        Draft("configuration", f"{OTHER}/site/main", START, {"site": site, "hash": "77", "software": "t"}),
        made("point", "Q-77", name_zh="邻家纺织厂进线", name_en="Loom", energy_kind="electricity", level=1),
        made("instrument", "N-77", name="邻家纺织厂", kind="electricity_meter", serial="SN-7777", cycle_months=12),
        made(
            "certificate",
            "W-77",
            kind="verification",
            instrument="N-77",
            serial="SN-7777",
            result="pass",
            performed_on="2024-01-01",
            valid_until="2024-12-31",
        ),
        made("installation", "J-77", point="Q-77", instrument="N-77", device="loom-7", channel="active_energy_import"),
        Draft("verdict", f"{OTHER}/instrument/N-77", START, verdict),
        Draft("event", f"{OTHER}/device/loom-7", START, note),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    made = build_folder(tmp_path_factory.mktemp("two") / "data")
    with Journal.open(made) as journal:
        journal.append(_their_entries())
    projection = Projection(DataFolder.open(made.path), FixedClock(NOW))
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()
    return made


@pytest.fixture(scope="module")
def clients(folder: DataFolder) -> Iterator[dict[str, TestClient]]:
    with (
        client_of(folder, role="everything") as ours,
        client_of(folder, role="everything", organisation=OTHER) as theirs,
    ):
        yield {ORGANISATION: ours, OTHER: theirs}


def _addresses(path: str) -> list[str]:
    """The route with our ids and with theirs, plain, and with query values that name them."""
    found = []
    for point, instrument, seq in (("P-01", "M-01", 9), ("Q-77", "N-77", 0)):
        filled = re.sub(r"\{(\w+)(:\w+)?\}", lambda match: WITHIN.get(match[1], "x"), path)
        found.append(filled.format(point=point, instrument=instrument, seq=seq or "{seq}"))
        found.append(f"{found[-1]}{'&' if '?' in found[-1] else '?'}point={point}&instrument={instrument}&raw=1")
    return found


@pytest.mark.parametrize("path", GETS)
def test_nobody_sees_another_organisation(folder: DataFolder, clients: dict[str, TestClient], path: str) -> None:
    if path in {"/charts/engine.js", "/live/events"} or path.endswith(".svg"):
        path = path.replace(".svg", ".json")  # the same specification, as text; the two others say nothing of anybody
    with Journal.open(folder, read_only=True) as journal:
        their_seq = next(each.seq for each in journal.read(0, 10_000) if each.subject.startswith(OTHER))
    for organisation, secrets in ((ORGANISATION, THEIRS), (OTHER, OURS)):
        for address in (each.replace("{seq}", str(their_seq)) for each in _addresses(path)):
            answer = clients[organisation].get(address, follow_redirects=False)
            # what one asks for stands in the address, and so in the links of the answer and in its refusal
            asked = {each for each in secrets if each in address}
            text = answer.text
            shown = [each for each in secrets if each in text and each not in asked]
            assert not shown, f"{organisation} sees {shown} at {address}"
            assert answer.status_code < 500, f"{address}: {answer.status_code} {text[:300]}"


def test_each_sees_its_own(clients: dict[str, TestClient]) -> None:
    assert "总进线" in clients[ORGANISATION].get("/live?lang=zh").text
    theirs = clients[OTHER].get("/live?lang=zh").text
    assert "邻家纺织厂进线" in theirs
    assert "N-77" in clients[OTHER].get("/instruments").text
    assert "calibration.none" in clients[OTHER].get("/findings").text


@pytest.mark.parametrize("organisation", [ORGANISATION, OTHER])
def test_naming_another_organisation_is_unknown(clients: dict[str, TestClient], organisation: str) -> None:
    other = {ORGANISATION: OTHER, OTHER: ORGANISATION}[organisation]
    answer = clients[organisation].get(f"/api/v1/points?organisation={other}")
    assert answer.status_code == 404
    assert clients[organisation].get(f"/api/v1/points?organisation={organisation}").status_code == 200


def test_an_entry_of_another_organisation_does_not_exist(folder: DataFolder, clients: dict[str, TestClient]) -> None:
    with Journal.open(folder, read_only=True) as journal:
        entries = journal.read(0, 10_000)
    for organisation, client in clients.items():
        for entry in [each for each in entries if not each.subject.startswith(f"{organisation}/")][::25]:
            for path in (f"/journal/{entry.seq}", f"/api/v1/journal/{entry.seq}", f"/api/v1/journal/{entry.seq}/proof",
                         f"/api/v1/writes/{entry.seq}"):  # fmt: skip
                assert client.get(path).status_code == 404, path


POSTS = sorted(
    name[5:]
    for name, permission in ROUTES.items()
    if name.startswith("POST ") and permission not in {"public", "own", "people"}
)


@pytest.mark.parametrize("path", POSTS)
def test_nobody_writes_about_another_organisation(
    folder: DataFolder, clients: dict[str, TestClient], path: str
) -> None:
    with Journal.open(folder, read_only=True) as journal:
        before = journal.head()
        for address in _addresses(path):
            answer = clients[OTHER].post(address.replace("{seq}", "9"), data={"id": "P-01"}, follow_redirects=False)
            assert answer.status_code == 403, f"{address}: {answer.status_code}"
        assert journal.head() == before
