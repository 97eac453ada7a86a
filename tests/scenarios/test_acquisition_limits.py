"""A register the meter lacks costs one value, not the group; what was learned outlives a restart."""

import asyncio
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from gateway.acquisition.balance import SlotBalance
from gateway.acquisition.outbox import Outbox
from gateway.assembly.collecting import make_keeper, open_collection, record_stop
from gateway.assembly.projecting import load_plan
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.domain.time import US_PER_DAY
from gateway.journal.journal import Journal
from gateway.ports import Answer
from tests.scenarios.acquisition_world import START_US, InlineCommitter, WorldClock, run_virtual
from tests.scenarios.one_meter import WIDE, asking, write_site


class LackingMeter:
    """Refuses every range that touches a register it lacks; a register holds its address + 1."""

    def __init__(self, clock: WorldClock, lacking: set[int]) -> None:
        self._clock = clock
        self.lacking = lacking
        self.asked: list[tuple[int, int]] = []

    async def exchange(self, device: Device, request: Any, timeout_s: float) -> Answer:
        sent_us = self._clock.utc_us()
        await asyncio.sleep(0.02)
        addresses = range(request.address, request.address + request.count)
        self.asked.append((request.address, request.count))
        if self.lacking & set(addresses):
            return Answer(outcome=Outcome.EXCEPTION, code=2, sent_us=sent_us, received_us=self._clock.utc_us())
        data = b"".join((address + 1).to_bytes(2, "big") for address in addresses)
        return Answer(outcome=Outcome.OK, data=data, sent_us=sent_us, received_us=self._clock.utc_us())

    async def close(self) -> None:
        return


async def collect(site: Path, data: Path, lacking: set[int], *, day: int = 0, mends_after_s: float = 0) -> LackingMeter:
    clock = WorldClock(START_US + day * US_PER_DAY)
    meter = LackingMeter(clock, lacking)
    with open_collection(load_assembled_site(site), data, clock) as collection:
        outbox = Outbox(collection.journal.append_encoded, InlineCommitter(), clock)
        keeper = make_keeper(collection, {})
        keeper.restore(collection.journal)
        for line in collection.all_lines():
            record_stop(line, clock.utc_us(), collection.recorder, outbox)
        async with asking(collection, meter, outbox, clock):
            if mends_after_s:
                await asyncio.sleep(mends_after_s)
                meter.lacking = set()
            await asyncio.sleep(155)
        keeper.save(keeper.snapshot(), collection.journal.head())
    return meter


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path)


def values(data: Path) -> list[tuple[int | str | None, ...]]:
    """All polls, each decoded by the configuration entry it names."""
    found = []
    with Journal.open(data, read_only=True) as journal:
        for entry in journal.read(0, 10_000):
            if entry.kind == "poll":
                plan = journal.entry(entry.body["cfg"]).body["groups"]["all"]["plan"]
                raw = [None if each is None else b64decode(each) for each in entry.body["raw"]]
                found.append(load_plan("modbus", plan).decode(raw)[0])
        balance = SlotBalance(journal, load_plan)
        balance.read(0)
        assert balance.report()["differing"] == []
    return found


WHOLE = (0x00010002, 3, 4, 5, 6)


def test_a_refused_range_is_cut_until_only_the_lacking_value_is_missing(site: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    meter = run_virtual(collect(site, data, {3}))
    assert values(data)[-1] == (WHOLE[0], WHOLE[1], None, WHOLE[3], WHOLE[4])
    assert meter.asked[0] == (0, 6), "it begins with the whole range"

    again = run_virtual(collect(site, data, {3}, day=1))
    assert len(again.asked) > 20
    assert (0, 6) not in again.asked, "the limit is remembered"
    assert values(data)[-1] == (WHOLE[0], WHOLE[1], None, WHOLE[3], WHOLE[4])
    with Journal.open(data, read_only=True) as journal:
        hashes = [
            each.body["hash"]
            for each in journal.read(0, 10_000)
            if each.subject == "o/device/m" and each.kind == "configuration"
        ]
    assert len(hashes) == len(set(hashes)), "a restart writes no configuration again"


def test_a_passing_refusal_changes_nothing(site: Path, tmp_path: Path) -> None:
    meter = run_virtual(collect(site, tmp_path / "data", {3}, mends_after_s=5))
    assert set(meter.asked) == {(0, 6)}
    assert set(values(tmp_path / "data")) == {WHOLE}
    assert not (tmp_path / "data" / "state" / "limits.json").exists()


def test_another_profile_forgets_what_was_learned(site: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run_virtual(collect(site, data, {3}))
    profile = site.parent / "profiles" / "test" / "wide.yaml"
    profile.write_text(WIDE.replace("address: 3,", "address: 6,"), encoding="utf-8")
    meter = run_virtual(collect(site, data, set(), day=1))
    assert (0, 7) in meter.asked
