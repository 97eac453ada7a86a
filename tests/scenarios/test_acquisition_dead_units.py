"""A dead meter costs its neighbours next to nothing."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from gateway.acquisition.balance import SlotBalance
from gateway.domain.reading import Outcome
from tests.scenarios.acquisition_world import Behaviour, World, load_plan, meter, run_virtual


def outcomes_by_device(world: World) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for entry in world.journal.read(0, world.journal.head()):
        if entry.kind in {"poll", "miss"}:
            device = entry.subject.rpartition("/")[2]
            found.setdefault(device, Counter())[entry.body["outcome"]] += entry.body.get("count", 1)
    return found


def lost_permille(world: World, dead: set[str]) -> float:
    healthy = [counts for device, counts in outcomes_by_device(world).items() if device not in dead]
    slots = sum(counts.total() for counts in healthy)
    return 1_000 * (slots - sum(counts["ok"] for counts in healthy)) / slots


def balance(world: World) -> dict[str, Any]:
    counted = SlotBalance(world.journal, load_plan)  # type: ignore[arg-type]  # as much of a journal as it needs
    counted.read(0)
    return counted.report()


@dataclass(frozen=True)
class Cost:
    """What dead units cost: healthy slots lost, and the busiest line's time after the first minute."""

    world: World
    dead: set[str]
    lost_percent: float
    bus_percent: float


def ten_dead_of_a_hundred(shape: str) -> Cost:
    """Thirty minutes of a site in virtual time."""

    async def main() -> Cost:
        world = World()
        names = [f"m{n}" for n in range(100)]
        dead = set(names[::10])
        groups = [names] if shape.startswith("one") else [names[n : n + 10] for n in range(0, 100, 10)]
        rtt_s = 0.03 if shape.startswith("one") else 0.3
        for number, group in enumerate(groups):
            behaviours = {name: Behaviour(rtt_s=rtt_s, dead=name in dead) for name in group}
            devices = [meter(name, endpoint=f"e{number}", period_s=10) for name in group]
            world.endpoint(f"e{number}", devices, behaviours)
        duration_s = 1_800.0
        learned: list[float] = []

        async def learn() -> None:
            await world.clock.sleep(60)
            learned.extend(link.wasted_s for link in world.links)

        await world.run(duration_s, learn)
        steady = max(link.wasted_s - early for link, early in zip(world.links, learned, strict=True)) / duration_s
        return Cost(world, dead, lost_permille(world, dead) / 10, 100 * steady)

    return run_virtual(main())


@pytest.mark.parametrize("shape", ["one gateway with 100 units", "ten lines with one dead of ten each"])
def test_ten_dead_of_a_hundred_cost_the_healthy_less_than_five_percent(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = ten_dead_of_a_hundred(shape)
    world = cost.world
    report = balance(world)
    with capsys.disabled():
        print(
            f"\n{shape}: healthy lost {cost.lost_percent:.2f} % of their slots, dead units took "
            f"{cost.bus_percent:.2f} % of the busiest line's time after the first minute, outcomes {report['outcomes']}"
        )
    assert cost.lost_percent < 5
    assert cost.bus_percent <= 5
    assert report["agree"]
    assert report["slots"] == sum(report["outcomes"].values()) == world.tally.outcomes.total()
    assert {device for device, counts in outcomes_by_device(world).items() if not counts["ok"]} == cost.dead


def test_one_dead_unit_of_32_on_a_serial_line_leaves_the_others_their_period(
    capsys: pytest.CaptureFixture[str],
) -> None:
    period_s, rtt_s = 15.0, 0.35  # 80 registers at 9 600 baud: the line is busy three quarters of the time

    async def main() -> World:
        world = World()
        names = [f"m{n}" for n in range(32)]
        behaviours = {name: Behaviour(rtt_s=rtt_s, dead=name == "m7") for name in names}
        world.endpoint("line", [meter(name, endpoint="line", period_s=period_s) for name in names], behaviours)
        await world.run(3_600)
        return world

    world = run_virtual(main())
    counts = outcomes_by_device(world)
    healthy = {device: each for device, each in counts.items() if device != "m7"}
    behaviours = world.links[0].behaviours
    gaps = [later - earlier for device in healthy for earlier, later in pairwise(behaviours[device].asked_at_s)]
    wasted = world.links[0].wasted_s / 3_600
    with capsys.disabled():
        print(
            f"\none dead of 32: healthy ok {sum(each['ok'] for each in healthy.values())} of "
            f"{sum(each.total() for each in healthy.values())} slots, longest gap {max(gaps):.1f} s at a period of "
            f"{period_s:.0f} s, the dead unit took {100 * wasted:.2f} % of the line's time, {dict(counts['m7'])}"
        )
    assert all(set(each) == {"ok"} for each in healthy.values())
    assert max(gaps) < 1.5 * period_s
    assert wasted < 0.05
    assert abs(counts["m7"].total() - counts["m0"].total()) <= 1
    assert set(counts["m7"]) == {"timeout", "breaker"}


@pytest.mark.parametrize("silent", [0, 1])
def test_blocks_that_meters_never_answer_cost_no_more_than_dead_meters(
    silent: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many meters say nothing at all to a block they do not have, and answer the others."""

    async def main() -> World:
        world = World()
        names = [f"m{n}" for n in range(30)]
        odd = frozenset({silent})
        behaviours = {
            name: Behaviour(rtt_s=0.1, silent_requests=odd if n < 6 else frozenset()) for n, name in enumerate(names)
        }
        devices = [meter(name, endpoint="line", period_s=10, requests=2) for name in names]
        world.endpoint("line", devices, behaviours, requests=2)
        await world.run(3_600)
        return world

    world = run_virtual(main())
    counts = outcomes_by_device(world)
    healthy = [counts[f"m{n}"] for n in range(6, 30)]
    lost = 100 * (1 - sum(each["ok"] for each in healthy) / sum(each.total() for each in healthy))
    odd_ones = sum((counts[f"m{n}"] for n in range(6)), Counter())
    wasted = world.links[0].wasted_s / 3_600
    with capsys.disabled():
        print(
            f"\nsix of 30 never answer block {silent}: healthy lost {lost:.2f} % of their slots, silence took "
            f"{100 * wasted:.2f} % of the line's time, the six {dict(odd_ones)}"
        )
    assert lost < 5
    assert wasted < 0.06
    assert odd_ones["partial"] > 0.95 * odd_ones.total()


def test_a_unit_that_comes_back_is_asked_again_and_trusted_slowly() -> None:
    async def main() -> World:
        world = World()
        behaviours = {"a": Behaviour(), "b": Behaviour()}
        world.endpoint("bus", [meter("a", period_s=5), meter("b", period_s=5)], behaviours)

        async def die_and_return() -> None:
            await world.clock.sleep(60)
            behaviours["b"].dead = True
            await world.clock.sleep(600)
            behaviours["b"].dead = False

        await world.run(900, die_and_return)
        return world

    world = run_virtual(main())
    counts = outcomes_by_device(world)
    assert counts["a"] == {"ok": counts["a"].total()}
    assert counts["b"]["breaker"] > 50
    assert world.changes == [("b", False), ("b", True)]
    behaviour = world.links[0].behaviours["b"]
    assert max(behaviour.asked_at_s) > 1_490
    assert balance(world)["agree"]


def test_an_endpoint_that_cannot_be_reached_is_probed_once_for_all_its_units() -> None:
    async def main() -> World:
        world = World()
        names = [f"m{n}" for n in range(20)]
        behaviours = {name: Behaviour(gone=True) for name in names}
        world.endpoint("bus", [meter(name, period_s=5) for name in names], behaviours)

        async def plug_in() -> None:
            await world.clock.sleep(600)
            assert sum(each.asked for each in behaviours.values()) < 45, "one attempt per pause, not one a unit"
            for each in behaviours.values():
                each.gone = False

        await world.run(120, plug_in)
        return world

    world = run_virtual(main())
    counts = outcomes_by_device(world)
    assert all(each["ok"] >= 17 for each in counts.values()), "back within one pause"
    assert all(set(each) <= {"ok", "breaker", "unreachable"} for each in counts.values())
    assert world.changes == [("bus", False), ("bus", True)]
    assert balance(world)["agree"]


def test_a_meter_slower_than_first_thought_is_learned() -> None:
    async def main() -> World:
        world = World()
        behaviours = {"slow": Behaviour(rtt_s=2.5), "quick": Behaviour()}
        world.endpoint("bus", [meter("slow", period_s=30), meter("quick", period_s=30)], behaviours)
        await world.run(1_800)
        return world

    counts = outcomes_by_device(run_virtual(main()))
    assert counts["quick"] == {"ok": counts["quick"].total()}
    assert counts["slow"]["ok"] > 0.9 * counts["slow"].total()


def test_a_line_slower_than_its_schedule_ends_slots_as_overrun_and_starves_nobody() -> None:
    async def main() -> World:
        world = World()
        names = [f"m{n}" for n in range(10)]
        behaviours = {name: Behaviour(rtt_s=0.5) for name in names}
        world.endpoint("bus", [meter(name, period_s=2) for name in names], behaviours)
        await world.run(600)
        return world

    world = run_virtual(main())
    counts = outcomes_by_device(world)
    served = [each["ok"] for each in counts.values()]
    assert min(served) > 0.9 * max(served)
    assert all(each[Outcome.OVERRUN] > 100 for each in counts.values())
    assert balance(world)["agree"]
