"""What the pages and the interface say of the stores readings are sent to."""

from pathlib import Path

import pytest

from gateway.audit.delivery import sink_states
from gateway.delivery.port import Point
from gateway.delivery.state import CourierState, Verified
from gateway.domain.time import US_PER_DAY, parse_iso
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import build_folder

DAY = parse_iso("2026-03-01T00:00:00Z")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return build_folder(tmp_path / "data")


def courier(folder: DataFolder, name: str, **status: object) -> CourierState:
    state = CourierState(folder.state / f"courier-{name}.sqlite")
    if status:
        state.note("status", status)
    return state


def point(at_us: int) -> Point:
    return Point(device="main", group="fast", at_us=at_us, seq=7, line=b"reading,device=<b>main</b> p=1")


def test_nothing_is_said_where_nothing_is_sent(folder: DataFolder) -> None:
    with client_of(folder.path) as client:
        assert client.get("/api/v1/delivery").json()["result"] == []
        assert 'id="delivery"' not in client.get("/journal?lang=en").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["held: somebody must look", "1 of 2 series differ", "Points that influx refused", "up to date"]),
        ("zh", ["已搁置，需人工处理", "2 个序列中有 1 个不一致", "被 influx 拒收的数据点", "已同步"]),
    ],
)
def test_a_sink_shows_its_state_its_lag_its_verified_day_and_what_it_refused(
    folder: DataFolder, language: str, words: list[str]
) -> None:
    state = courier(folder, "influx", state="holding", since_us=DAY, detail="401 unauthorized")
    state.settle(30, [(point(DAY + 5), "field type conflict")], DAY + 6)
    for device, equal in (("a", True), ("b", False)):
        state.verify([Verified(DAY, DAY + US_PER_DAY, device, "fast", 10, 100, equal, DAY + 2 * US_PER_DAY)])
    state.verify([Verified(DAY + US_PER_DAY, DAY + US_PER_DAY + 60, "a", "fast", 1, 1, True, DAY)])
    other = courier(folder, "victoriametrics", state="idle", since_us=0)
    with client_of(folder.path) as client:
        head = client.get("/api/v1/journal").json()["result"]["head"]
        influx, victoria = client.get("/api/v1/delivery").json()["result"]
        page = client.get(f"/journal?lang={language}").text
    state.close()
    other.close()
    assert (influx["name"], influx["state"], influx["seq"], influx["behind"]) == ("influx", "holding", 30, head - 30)
    assert influx["dead"] == 1
    assert influx["dead_letters"][0]["reason"] == "field type conflict"
    assert {key: influx["verified"][key] for key in ("series", "differing")} == {"series": 2, "differing": 1}
    assert victoria["verified"] is None
    for word in words:
        assert word in page
    assert "401 unauthorized" in page
    assert "2026-03-01" in page
    assert "<b>main</b>" not in page, "what was sent is shown as text"


def test_a_state_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "courier-broken.sqlite").write_bytes(b"no database" * 100)
    (tmp_path / "courier-empty.sqlite").write_bytes(b"")
    CourierState(tmp_path / "courier-whole.sqlite").close()
    (found,) = sink_states(tmp_path, 5)
    assert (found.name, found.state, found.seq, found.behind) == ("whole", "unknown", 0, 5)
