"""How collection ends: cleanly, or loudly, and never in between."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.acquisition.clock_evidence import ClockEvidence, ClockState
from gateway.acquisition.collector import Collector
from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.keeping import Keeper
from gateway.acquisition.outbox import Outbox
from gateway.domain.errors import DiskFullError, JournalError
from gateway.journal.entry import EncodedDraft
from tests.scenarios.acquisition_world import Behaviour, InlineCommitter, SimulatedLink, World, meter, run_virtual
from tests.scenarios.test_acquisition_slots import assert_law


class Site:
    """Three meters under a whole collector."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.seals = 0
        self.steps: list[int] = []
        self.full_after: int | None = None
        self.broken_seal = False
        self.world.outbox = Outbox(self._append, InlineCommitter(), self.world.clock)
        behaviours = {f"m{n}": Behaviour() for n in range(3)}
        self.actor: EndpointActor = self.world.endpoint(
            "e", [meter(name, period_s=10) for name in behaviours], behaviours
        )
        self.keeper = Keeper(folder / "state.json", self.actor.lines, [])
        self.collector = Collector(
            polling=[self.actor],
            listening=[],
            outbox=self.world.outbox,
            keeper=self.keeper,
            evidence=ClockEvidence("o/gateway/clock", self.world.clock, lambda: ClockState(None, None, "none")),
            seal=self._seal,
            refresh=lambda: None,
            on_step=self.steps.append,
            clock=self.world.clock,
            committer=InlineCommitter(),
        )

    def _append(self, drafts: Sequence[EncodedDraft]) -> Sequence[int]:
        if self.full_after is not None and self.world.journal.head() > self.full_after:
            raise DiskFullError("no room left for %(path)s", path="x")
        return self.world.journal.append_encoded(drafts)

    def _seal(self) -> None:
        if self.broken_seal:
            raise JournalError("the tree does not continue")
        self.seals += 1

    @property
    def link(self) -> SimulatedLink:
        return self.world.links[0]


def test_a_clean_stop_commits_everything_and_seals(tmp_path: Path) -> None:
    async def main() -> Site:
        site = Site(tmp_path)
        running = asyncio.create_task(site.collector.run())
        await asyncio.sleep(185)
        assert site.seals == 3, "at least once a minute"
        site.collector.stop()
        site.collector.stop()
        await running
        return site

    site = run_virtual(main())
    assert site.seals == 4
    assert site.world.outbox.pending == 0
    assert site.link.closed
    assert_law(site.world)
    assert len(list(site.world.journal.bodies("clock"))) == 5, "each minute, and at the end"
    assert (tmp_path / "state.json").exists()


def test_a_full_disk_ends_collection_with_its_error(tmp_path: Path) -> None:
    async def main() -> Site:
        site = Site(tmp_path)
        site.full_after = 20
        with pytest.raises(DiskFullError):
            await site.collector.run()
        return site

    site = run_virtual(main())
    assert site.link.closed
    assert site.seals <= 2
    journaled = site.world.journal.head()
    assert 20 < journaled < 40


def test_a_seal_that_refuses_ends_collection_and_is_not_tried_again_silently(tmp_path: Path) -> None:
    async def main() -> Site:
        site = Site(tmp_path)
        site.broken_seal = True
        with pytest.raises(JournalError, match="does not continue"):
            await site.collector.run()
        return site

    site = run_virtual(main())
    assert site.world.outbox.pending == 0, "what was read is committed"
    assert_law(site.world)


def test_an_actor_that_fails_takes_the_collector_down_in_order(tmp_path: Path) -> None:
    async def main() -> Site:
        site = Site(tmp_path)

        def broken(raw: object) -> object:
            raise ZeroDivisionError

        running = asyncio.create_task(site.collector.run())
        await asyncio.sleep(25)
        site.actor.lines[0].plan.decode = broken  # type: ignore[assignment, union-attr]
        with pytest.raises(ZeroDivisionError):
            await running
        return site

    site = run_virtual(main())
    assert site.world.outbox.pending == 0
    assert site.link.closed


def test_a_clock_that_is_set_is_told(tmp_path: Path) -> None:
    async def main() -> Site:
        site = Site(tmp_path)
        running = asyncio.create_task(site.collector.run())
        await asyncio.sleep(70)
        site.world.clock.wall_us += 7_200_000_000
        await asyncio.sleep(120)
        site.collector.stop()
        await running
        return site

    site = run_virtual(main())
    assert site.steps == [7_200_000_000]
    assert [body["step_us"] for body in site.world.journal.bodies("clock")].count(7_200_000_000) == 1
