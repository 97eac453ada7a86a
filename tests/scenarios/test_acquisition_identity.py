"""Who answers there: read when a counter falls and when a unit comes back; a change is an event of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.acquisition.outbox import Outbox
from gateway.assembly.collecting import open_collection
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.journal.entry import Entry
from gateway.journal.journal import Journal
from gateway.ports import Answer
from tests.scenarios.acquisition_world import InlineCommitter, WorldClock, run_virtual
from tests.scenarios.one_meter import asking, write_site

PROFILE = """\
profile: 1
id: test/wide
protocol: modbus
maker: "Test"
model: "Named"
name: {zh: 有名, en: named}
document: {title: "test", confidence: 推断}
options: {space: holding}
groups:
  - id: all
    channels:
      - {id: energy, measurand: active_energy_import, source: {address: 0, type: u32}}
  - id: identity
    identity: true
    channels:
      - {id: serial, measurand: serial_number, source: {address: 10, type: text, words: 4}}
"""


class NamedMeter:
    """A counter that grows by the second and a serial number; can be exchanged and switched off."""

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self.serial = b"SN-1"
        self.base = 1_000_000
        self.dead = False
        self.identity_reads = 0

    async def exchange(self, device: Device, request: Any, timeout_s: float) -> Answer:
        sent_us = self._clock.utc_us()
        await asyncio.sleep(timeout_s if self.dead else 0.02)
        if self.dead:
            return Answer(outcome=Outcome.TIMEOUT, sent_us=sent_us, received_us=self._clock.utc_us())
        data = (self.base + round(asyncio.get_running_loop().time())).to_bytes(4, "big")
        if request.address == 10:
            self.identity_reads += 1
            data = self.serial.ljust(8, b"\0")
        return Answer(outcome=Outcome.OK, data=data, sent_us=sent_us, received_us=self._clock.utc_us())

    async def close(self) -> None:
        return


def collected(
    tmp_path: Path, happenings: list[tuple[float, Callable[[NamedMeter], None]]]
) -> tuple[NamedMeter, list[Entry]]:
    site = write_site(tmp_path, PROFILE)

    async def main() -> NamedMeter:
        clock = WorldClock()
        meter = NamedMeter(clock)
        with open_collection(load_assembled_site(site), tmp_path / "data", clock) as collection:
            outbox = Outbox(collection.journal.append_encoded, InlineCommitter(), clock)
            async with asking(collection, meter, outbox, clock):
                for pause_s, happen in happenings:
                    await asyncio.sleep(pause_s)
                    happen(meter)
                await asyncio.sleep(120)
        return meter

    meter = run_virtual(main())
    with Journal.open(tmp_path / "data", read_only=True) as journal:
        return meter, journal.read(0, 10_000)


def rules(entries: list[Entry], group: str) -> list[str]:
    return [
        finding[0]
        for entry in entries
        if entry.kind == "poll" and entry.body["group"] == group
        for finding in entry.body["findings"]
    ]


def events(entries: list[Entry]) -> list[dict[str, Any]]:
    return [entry.body for entry in entries if entry.kind == "event" and entry.body["action"] == "identity.changed"]


def exchange(meter: NamedMeter) -> None:
    meter.serial, meter.base = b"SN-2", 500


def test_an_exchanged_meter_is_seen_at_its_first_low_reading(tmp_path: Path) -> None:
    _, entries = collected(tmp_path, [(65, exchange)])
    assert rules(entries, "all") == ["counter.glitch", "counter.exchange"]
    (event,) = events(entries)
    assert (event["old"], event["new"]) == ({"serial": "SN-1"}, {"serial": "SN-2"})
    assert event["raw"] == ["U04tMgAAAAA="], "the evidence is kept"
    assert event["findings"][0][0] == "identity.changed"
    assert {"clock", "configuration", "software", "actor", "reason", "result"} <= event.keys()
    slots = [entry.body["slot"] for entry in entries if entry.kind == "poll" and entry.body["group"] == "identity"]
    assert len(slots) == 1, "reads outside the schedule take no slot"


def test_a_reset_of_the_same_meter_stays_a_reset(tmp_path: Path) -> None:
    def reset(meter: NamedMeter) -> None:
        meter.base = 0

    meter, entries = collected(tmp_path, [(65, reset)])
    assert rules(entries, "all") == ["counter.glitch", "counter.reset"]
    assert events(entries) == []
    assert meter.identity_reads >= 2, "it was asked who it is"


@pytest.mark.parametrize("exchanged", [True, False])
def test_a_unit_that_comes_back_is_asked_who_it_is(tmp_path: Path, exchanged: bool) -> None:
    def die(meter: NamedMeter) -> None:
        meter.dead = True

    def live(meter: NamedMeter) -> None:
        meter.dead = False
        if exchanged:
            meter.serial = b"SN-2"
            meter.base = 5_000_000

    meter, entries = collected(tmp_path, [(65, die), (120, live)])
    assert meter.identity_reads >= 2
    assert len(events(entries)) == exchanged
    assert rules(entries, "all") == ["counter.exchange"] * exchanged, "though the new register stands higher"
