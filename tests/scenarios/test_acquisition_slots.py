"""The slot law: whatever happens, each (device, group, slot) ends in exactly one outcome."""

import asyncio
import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gateway.acquisition.balance import SlotBalance
from gateway.acquisition.keeping import Keeper
from gateway.acquisition.outbox import Outbox
from gateway.assembly.collecting import record_stop
from gateway.domain.reading import Outcome
from gateway.journal.entry import Draft
from tests.campaign import share
from tests.scenarios.acquisition_world import START_US, Behaviour, InlineCommitter, World, load_plan, meter, run_virtual

FAULTS = (
    Outcome.TIMEOUT,
    Outcome.EXCEPTION,
    Outcome.FRAME_ERROR,
    Outcome.FOREIGN_ANSWER,
    Outcome.UNREACHABLE,
)


def slots_of(world: World) -> Counter[tuple[str, str, int]]:
    """Every slot with how often it ended; written without the balance's code."""
    ended: Counter[tuple[str, str, int]] = Counter()
    for entry in world.journal.read(0, world.journal.head()):
        if entry.kind not in {"poll", "miss"}:
            continue
        body = entry.body
        device, group, slot_us = entry.subject, body["group"], body["slot"]
        if "to" in body:
            period_us = world.journal.entry(body["cfg"]).body["groups"][group]["period_us"]
            slots = range(slot_us, body["to"], period_us)
            assert len(slots) == body["count"]
            ended.update((device, group, each) for each in slots)
        else:
            ended[device, group, slot_us] += 1
    return ended


def assert_law(world: World) -> dict[str, Any]:
    ended = slots_of(world)
    assert set(ended.values()) == {1}, [slot for slot, times in ended.items() if times != 1][:5]
    by_line: dict[tuple[str, str], list[int]] = {}
    for device, group, slot_us in ended:
        by_line.setdefault((device, group), []).append(slot_us)
    for slots in by_line.values():
        slots.sort()
        steps = {later - earlier for earlier, later in pairwise(slots)}
        assert len(steps) <= 1, "no slot is left out"
    counted = SlotBalance(world.journal, load_plan)  # type: ignore[arg-type]  # as much of a journal as it needs
    counted.read(0)
    report = counted.report()
    assert report["differing"] == []
    assert report["slots"] == sum(report["outcomes"].values()) == len(ended)
    return report


@pytest.mark.parametrize("seed", range(share(200, 12)))
def test_random_faults_on_random_sites(seed: int) -> None:
    rng = random.Random(seed)

    async def main() -> World:
        world = World(seed=seed)
        for number in range(rng.randint(1, 4)):
            requests = rng.randint(1, 3)
            devices, behaviours = [], {}
            for unit in range(rng.randint(1, 12)):
                name = f"e{number}m{unit}"
                period_s = rng.choice((1, 5, 10, 30))
                devices.append(
                    meter(name, endpoint=f"e{number}", period_s=period_s, requests=requests, offset_s=rng.randint(0, 3))
                )
                faults = [(rng.random() * 0.3, rng.choice(FAULTS)) for _ in range(rng.randint(0, 3))]
                behaviours[name] = Behaviour(
                    rtt_s=rng.choice((0.01, 0.1, 0.5)), dead=rng.random() < 0.15, faults=faults
                )
            world.endpoint(f"e{number}", devices, behaviours, requests)
        await world.run(300 + rng.random() * 60)
        return world

    world = run_virtual(main())
    report = assert_law(world)
    assert report["outcomes"] == {str(outcome): count for outcome, count in sorted(world.tally.outcomes.items())}


def test_partial_answers_keep_what_came_and_say_what_did_not() -> None:
    async def main() -> World:
        world = World()
        behaviours = {"m": Behaviour(faults=[(0.4, Outcome.EXCEPTION)])}
        world.endpoint("e", [meter("m", period_s=1, requests=3)], behaviours, requests=3)
        await world.run(300)
        return world

    world = run_virtual(main())
    assert_law(world)
    partial = [body for body in world.journal.bodies("poll") if body["outcome"] == "partial"]
    assert partial
    assert all(None in body["raw"] and any(body["raw"]) for body in partial)


class Restarted:
    """The same site, collected again by a new process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def run(self, before: World | None, duration_s: float, *, save: bool = True) -> World:
        world = World()
        if before is not None:
            world.journal = before.journal
            world.outbox = Outbox(world.journal.append_encoded, InlineCommitter(), world.clock)
        actor = world.endpoint(
            "e", [meter(f"m{n}", period_s=10) for n in range(3)], {f"m{n}": Behaviour() for n in range(3)}
        )
        keeper = Keeper(self.path, actor.lines, [])
        if before is not None:
            keeper.restore(world.journal)  # type: ignore[arg-type]  # as much of a journal as it needs
            for line in actor.lines:
                assert line.next_slot_us is not None
                record_stop(line, world.clock.utc_us(), world.recorder, world.outbox)
        await world.run(duration_s)
        if save:
            keeper.save(json.loads(json.dumps(keeper.snapshot())), world.journal.head())
        return world


@pytest.mark.parametrize("save", [True, False], ids=["clean stop", "killed: no state file"])
def test_the_time_between_two_runs_is_one_stopped_entry_a_line(tmp_path: Path, save: bool) -> None:
    async def main() -> World:
        site = Restarted(tmp_path / "state.json")
        first = await site.run(None, 95, save=save)
        await first.clock.sleep(3_600)
        return await site.run(first, 100, save=save)

    world = run_virtual(main())
    report = assert_law(world)
    stopped = [body for body in world.journal.bodies("miss") if body["outcome"] == "stopped"]
    assert len(stopped) == 3
    assert {body["count"] for body in stopped} == {359}
    assert set(report["outcomes"]) == {"ok", "stopped"}


def test_a_restart_within_the_slot_neither_repeats_nor_loses_it(tmp_path: Path) -> None:
    async def main() -> World:
        site = Restarted(tmp_path / "state.json")
        first = await site.run(None, 12)
        await first.clock.sleep(1)
        return await site.run(first, 30)

    report = assert_law(run_virtual(main()))
    assert set(report["outcomes"]) == {"ok"}


@pytest.mark.parametrize("step_s", [3_600, 86_400, -3_600, -90, 0.4])
def test_the_wall_clock_may_be_set(step_s: float) -> None:
    async def main() -> World:
        world = World()
        world.endpoint("e", [meter(f"m{n}", period_s=10) for n in range(5)], {f"m{n}": Behaviour() for n in range(5)})

        async def set_clock() -> None:
            await world.clock.sleep(125)
            world.clock.wall_us += round(step_s * 1e6)

        await world.run(4_000, set_clock)
        return world

    world = run_virtual(main())
    report = assert_law(world)
    if step_s > 10:
        stopped = [body for body in world.journal.bodies("miss") if body["outcome"] == "stopped"]
        assert [body["count"] for body in stopped] == [step_s / 10 - 1] * 5 or sum(
            body["count"] for body in stopped
        ) == pytest.approx(step_s / 10 * 5, abs=5)
        assert report["outcomes"]["ok"] == pytest.approx(5 * 4_125 / 10, abs=5)
    elif step_s < 0:
        # slots that were used are not used again: readings go on once the clock is past them
        assert set(report["outcomes"]) == {"ok"}
        assert report["outcomes"]["ok"] == pytest.approx(5 * (4_125 + step_s) / 10, abs=10)
    else:
        assert set(report["outcomes"]) == {"ok"}


def test_slots_stand_on_the_utc_grid_with_their_offset() -> None:
    async def main() -> World:
        world = World()
        world.endpoint("e", [meter("m", period_s=60, offset_s=7)], {"m": Behaviour()})
        await world.run(600)
        return world

    world = run_virtual(main())
    slots = [body["slot"] for body in world.journal.bodies("poll")]
    assert all((slot - 7_000_000) % 60_000_000 == 0 for slot in slots)
    assert slots[0] <= START_US < slots[1]
    polls = list(world.journal.bodies("poll"))
    assert all(0 <= body["sent"] - body["slot"] < 50_000 for body in polls[1:])


@pytest.mark.parametrize("seed", range(share(300, 25)))
def test_killed_at_any_instant_the_law_holds(seed: int, tmp_path: Path) -> None:
    """Snapshots at any instant, the end at any instant: what was committed and the last snapshot are all there is."""
    rng = random.Random(seed)
    state = tmp_path / "state.json"

    async def life(before: World | None, *, last: bool) -> World:
        world = World(seed=seed)
        world.clock.wall_us += 0 if before is None else before.elapsed_us + rng.randint(0, 90) * 1_000_000
        if before is not None:
            world.journal = before.journal
            world.outbox = Outbox(world.journal.append_encoded, InlineCommitter(), world.clock)
        devices = [meter(f"m{n}", period_s=3) for n in range(6)]
        behaviours = {
            f"m{n}": Behaviour(rtt_s=0.3, dead=n == 1, faults=[(0.2, Outcome.TIMEOUT)] if n == 2 else ())
            for n in range(6)
        }
        actor = world.endpoint("e", devices, behaviours)
        keeper = Keeper(state, actor.lines, [])
        if before is not None:
            keeper.restore(world.journal)  # type: ignore[arg-type]  # as much of a journal as it needs
            for line in actor.lines:
                record_stop(line, world.clock.utc_us(), world.recorder, world.outbox)
        begun_us = world.clock.utc_us()
        tasks = [asyncio.create_task(world.outbox.run()), asyncio.create_task(actor.run())]
        for _ in range(rng.randint(0, 3)):
            await asyncio.sleep(rng.uniform(0, 8))
            snapshot = json.loads(json.dumps(keeper.snapshot()))
            draft = Draft("clock", "o/gateway/clock", world.clock.utc_us(), {}).encode()
            world.outbox.put(draft, lambda seq, kept=snapshot: keeper.save(kept, seq))  # type: ignore[misc]
        await asyncio.sleep(rng.uniform(0, 8))
        if last:
            actor.stop()
            await tasks[1]
            world.outbox.close()
            await tasks[0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        world.elapsed_us = world.clock.utc_us() - START_US
        assert world.elapsed_us >= begun_us - START_US
        return world

    before: World | None = None
    for number in range(4):
        before = run_virtual(life(before, last=number == 3))
    assert before is not None
    assert_law(before)
