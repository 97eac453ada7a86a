"""Back-fill: the stream's lines, what is refused, one commit a commit line."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.acquisition.history import HistoryError
from gateway.assembly.backfilling import BackFill, open_back_fill
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.errors import DataFolderError
from gateway.domain.time import US_PER_DAY
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.scenarios.one_meter import SITE, write_site

START_US = 1_767_225_600_000_000
PERIOD_US = 10_000_000
RAW = "AAEAAgADAAQABQAG"  # 00 01 00 02 00 03 00 04 00 05 00 06


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def feed(site: Path, *lines: dict[str, object], commits: list[int] | None = None) -> list[dict[str, object]]:
    """Enter lines and give the poll, miss and ledger entries they made."""

    def project(folder: DataFolder) -> object:
        del folder
        return lambda: commits.append(1) if commits is not None else None

    data = site.parent / "data"
    with open_back_fill(load_assembled_site(site), data, START_US, project) as back_fill:  # type: ignore[arg-type]
        run(back_fill, lines)
    with Journal.open(data, read_only=True) as journal:
        return [each.body for each in journal.read(0, 10_000) if each.kind in {"poll", "miss", "installation"}]


def run(back_fill: BackFill, lines: Sequence[dict[str, object]]) -> None:
    back_fill.history.feed(json.dumps(line).encode() + b"\n" for line in lines)
    back_fill.finish()


def poll(number: int, **other: object) -> dict[str, object]:
    at_us = START_US + number * PERIOD_US
    line = {"t": "poll", "device": "m", "group": "all", "slot": at_us, "sent": at_us + 5, "received": at_us + 9}
    return {**line, "outcome": "ok", "raw": [RAW], **other}


def miss(number: int, **other: object) -> dict[str, object]:
    at_us = START_US + number * PERIOD_US
    line = {"t": "miss", "device": "m", "group": "all", "slot": at_us, "outcome": "timeout", "code": 0, "detail": ""}
    return {**line, **other}


def test_polls_and_misses_become_entries_on_the_virtual_clock(site: Path) -> None:
    commits: list[int] = []
    end_us = START_US + US_PER_DAY
    bodies = feed(site, poll(0), miss(1), {"t": "commit", "at": end_us}, poll(8_640), commits=commits)
    assert [body["kind"] for body in bodies[:2]] == ["poll", "miss"]
    assert bodies[0]["at"] == START_US + 9
    assert bodies[0]["raw"] == [RAW]
    assert bodies[2]["outcome"] == "stopped", "slots that the stream leaves out were not collected"
    assert (bodies[2]["slot"], bodies[2]["count"]) == (START_US + 2 * PERIOD_US, 8_638)
    assert commits == [1, 1]


def test_live_collection_goes_on_where_the_history_ended(site: Path) -> None:
    feed(site, poll(0), poll(1))
    bodies = feed(site, poll(2))
    assert [body["kind"] for body in bodies] == ["poll"] * 3
    with pytest.raises(HistoryError, match="has its outcome already"):
        feed(site, poll(2))


def test_a_record_is_judged_against_at_once(site: Path) -> None:
    fields = {"instrument": "I1", "device": "m", "point": "p"}
    record = {"t": "record", "at": START_US, "kind": "installation", "id": "x", "object": fields, "from": START_US}
    late = {**record, "id": "y", "object": {**fields, "instrument": "I2"}, "from": START_US + 15_000_000}
    late["at"] = START_US + 16_000_000
    bodies = feed(site, record, poll(0), poll(1), late, poll(2))
    assert [body["findings"] for body in bodies if body["kind"] == "poll"][:2] == [[], []]
    last = bodies[-1]
    assert last["findings"][0][:2] == ["counter.exchange", "a"]  # type: ignore[index]
    installation = [body for body in bodies if body["kind"] == "installation"]
    assert [body["actor"] for body in installation] == ["system", "system"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"t": "poll"}, "missing required field"),
        ({"t": "nonsense"}, "Invalid value"),
        (poll(0, device="other"), "no device 'other'"),
        (poll(0, raw=[RAW, RAW]), "does not fit the read plan"),
        (poll(0, raw=["%"]), "base64"),
        (poll(0, slot=START_US + 1), "no slot time"),
        (poll(0, outcome="timeout"), "does not belong"),
        (miss(0, outcome="ok"), "does not belong"),
        (miss(0, outcome="stopped"), "does not belong"),
        (miss(0, outcome="tired"), "no outcome is named"),
        ({"t": "message", "endpoint": "bus", "topic": "a", "payload": "", "received": 1}, "no listening endpoint"),
        ({"t": "record", "at": 1, "kind": "poem", "id": "x", "object": {}}, "poem"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_of_it_is_journaled(site: Path, line: dict[str, object], reason: str) -> None:
    with pytest.raises(HistoryError, match=reason) as caught:
        feed(site, line)
    assert "line 1 of the stream" in str(caught.value)


def test_a_real_folder_is_refused(site: Path) -> None:
    site.write_text(SITE.replace("simulated: true", "simulated: false"), encoding="utf-8")
    with pytest.raises(DataFolderError, match="simulated"):
        feed(site, poll(0))
    assert not (site.parent / "data").exists()
