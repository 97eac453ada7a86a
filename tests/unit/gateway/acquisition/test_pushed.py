"""Slots of devices that send by themselves."""

import asyncio
import json
from itertools import pairwise
from typing import Any

from gateway.acquisition.history import PendingEntries
from gateway.acquisition.line import Line
from gateway.acquisition.pushed import PushedSlots
from gateway.domain.reading import Outcome
from tests.scenarios.acquisition_world import START_US, World, meter, run_virtual

S = 1_000_000
PERIOD_US = 60 * S


class Site:
    """One pushed line on a clock that is told the time."""

    def __init__(self, *, next_slot_us: int | None = None) -> None:
        self.world = World()
        self.line: Line = self.world.lines([meter("m", period_s=60)])[0]
        self.line.next_slot_us = next_slot_us
        self.pending = PendingEntries(self.world.journal.append_encoded)
        self.connected = True
        self.slots = PushedSlots(
            [self.line],
            recorder=self.world.recorder,
            outbox=self.pending,
            clock=self.world.clock,
            connected=lambda: self.connected,
        )

    def close(self, at_us: int) -> list[dict[str, Any]]:
        before = self.world.journal.head()
        self.slots.close_until(at_us)
        self.pending.commit()
        return [each.body for each in self.world.journal.read(before, 1_000)]


def outcomes(bodies: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(body["outcome"], (body["slot"] - START_US) // PERIOD_US, body.get("count", 1)) for body in bodies]


def test_a_slot_with_a_sample_is_ok_and_one_without_is_silent() -> None:
    site = Site()
    site.slots.start_at(START_US + 5 * S)
    site.slots.sampled(site.line, START_US)
    site.slots.sampled(site.line, START_US)
    site.slots.sampled(site.line, START_US + 2 * PERIOD_US)
    assert outcomes(site.close(START_US + 3 * PERIOD_US + 11 * S)) == [("silent", 1, 1)]
    assert site.world.tally.outcomes == {Outcome.OK: 2, Outcome.SILENT: 1}


def test_a_slot_stays_open_for_its_grace() -> None:
    site = Site()
    site.slots.start_at(START_US)
    assert site.close(START_US + PERIOD_US + 9 * S) == []
    assert outcomes(site.close(START_US + PERIOD_US + 10 * S)) == [("silent", 0, 1)]


def test_without_a_session_the_device_is_not_blamed() -> None:
    site = Site()
    site.slots.start_at(START_US)
    site.connected = False
    assert outcomes(site.close(START_US + PERIOD_US + 20 * S)) == [("unreachable", 0, 1)]


def test_a_late_sample_does_not_change_a_closed_slot() -> None:
    site = Site()
    site.slots.start_at(START_US)
    site.close(START_US + PERIOD_US + 20 * S)
    site.slots.sampled(site.line, START_US)
    assert site.close(START_US + PERIOD_US + 30 * S) == []
    assert site.world.tally.outcomes == {Outcome.SILENT: 1}


def test_what_the_broker_kept_fills_slots_from_before_the_start() -> None:
    site = Site(next_slot_us=START_US - 10 * PERIOD_US)
    site.slots.start_at(START_US + S)
    site.slots.sampled(site.line, START_US - 7 * PERIOD_US)
    assert site.close(START_US + 20 * S) == [], "the broker may still bring more"
    found = outcomes(site.close(START_US + 40 * S))
    assert found == [("stopped", -10, 3), ("stopped", -6, 6)]
    assert outcomes(site.close(START_US + PERIOD_US + 10 * S)) == [("silent", 0, 1)]
    assert site.world.tally.outcomes.total() == 11


def test_open_slots_outlive_a_restart() -> None:
    site = Site()
    site.slots.start_at(START_US)
    site.slots.sampled(site.line, START_US)
    again = Site(next_slot_us=START_US)
    again.slots.restore(json.loads(json.dumps(site.slots.state())))
    again.slots.start_at(START_US + 30 * S)
    assert again.close(START_US + PERIOD_US + 61 * S) == []
    assert again.world.tally.outcomes == {Outcome.OK: 1}


def test_between_slots_it_rests_and_still_closes_each_when_its_grace_has_passed() -> None:
    site = Site()
    woken_us = []

    async def room() -> None:
        woken_us.append(site.world.clock.utc_us())

    site.pending.room = room  # type: ignore[method-assign]  # asked each time it wakes

    async def main() -> None:
        closing = asyncio.create_task(site.slots.run())
        await asyncio.sleep(3 * 60 + 11)
        closing.cancel()

    run_virtual(main())
    site.pending.commit()
    ends_us = [START_US + number * PERIOD_US + 10 * S for number in (1, 2, 3)]
    told = [body["at"] for body in site.world.journal.bodies("miss")]
    assert told == ends_us
    assert len(woken_us) <= 10, "it need not look every second"
    assert all(later - earlier <= 30 * S for earlier, later in pairwise(woken_us))
