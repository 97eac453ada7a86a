"""Everything that runs while meters are collected: actors, commits, clock evidence, seals; and how it ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from gateway.acquisition.clock_evidence import ClockEvidence
from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.keeping import Keeper
from gateway.acquisition.listening import ListeningActor
from gateway.acquisition.outbox import Outbox
from gateway.ports import Clock, Committer

MINUTE_S = 60.0
MANY_LINES = 2_000
MANY_LINES_MINUTES = 5
SEAL_S = 55.0
REFRESH_S = 5.0


class Collector:
    """Runs the parts until one fails or ``stop`` is called; a clean stop commits and seals the tail."""

    def __init__(
        self,
        *,
        polling: Sequence[EndpointActor],
        listening: Sequence[ListeningActor],
        outbox: Outbox,
        keeper: Keeper,
        evidence: ClockEvidence,
        seal: Callable[[], object],
        refresh: Callable[[], object],
        on_step: Callable[[int], None],
        clock: Clock,
        committer: Committer,
    ) -> None:
        self._polling = tuple(polling)
        self._listening = tuple(listening)
        self._outbox = outbox
        self._keeper = keeper
        self._evidence = evidence
        self._seal = seal
        self._refresh = refresh
        self._on_step = on_step
        self._clock = clock
        self._committer = committer
        self._stop = asyncio.Event()
        lines = sum(len(actor.lines) for actor in polling)
        self._snapshot_minutes = MANY_LINES_MINUTES if lines > MANY_LINES else 1

    def stop(self) -> None:
        """End ``run`` cleanly; may be called more than once."""
        self._stop.set()

    async def run(self) -> None:
        """Collect. Raises what the journal or a part raised, after everything else was brought to its end."""
        committing = asyncio.create_task(self._outbox.run(), name="commit")
        polling = [asyncio.create_task(actor.run(), name=f"endpoint {actor.endpoint}") for actor in self._polling]
        listening = [asyncio.create_task(actor.run(), name=f"endpoint {actor.endpoint}") for actor in self._listening]
        minutes = [
            asyncio.create_task(self._every_minute(), name="clock evidence"),
            asyncio.create_task(self._regularly(SEAL_S, self._seal), name="seal"),
            asyncio.create_task(self._regularly(REFRESH_S, self._refresh), name="registry"),
        ]
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        everything: list[asyncio.Task[Any]] = [committing, *polling, *listening, *minutes, stopping]
        try:
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._wind_down(committing, polling, [*listening, *minutes, stopping])
        for task in everything:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _wind_down(
        self, committing: asyncio.Task[None], polling: list[asyncio.Task[None]], others: list[asyncio.Task[Any]]
    ) -> None:
        """Stop asking, stop taking, commit, acknowledge, leave the brokers, seal."""
        for actor in self._polling:
            actor.stop()
        for task in others:
            task.cancel()
        await asyncio.gather(*polling, *others, return_exceptions=True)
        if not committing.done():
            self._put_evidence()
            self._outbox.close()
            await asyncio.gather(committing, return_exceptions=True)
        for listening in self._listening:
            await listening.listener.close()
        if committing.exception() is None:
            await self._committer.run(self._seal)

    async def _every_minute(self) -> None:
        minute = 0
        while True:
            if minute % self._snapshot_minutes == 0:
                self._put_evidence()
            else:
                self._outbox.put(self._evidence.entry())
            minute += 1
            if self._evidence.last_step_us:
                self._on_step(self._evidence.last_step_us)
            await self._clock.sleep(MINUTE_S)

    def _put_evidence(self) -> None:
        """A clock entry; the snapshot taken beside it holds exactly what was put before it."""
        snapshot = self._keeper.snapshot()
        self._outbox.put(self._evidence.entry(), lambda seq: self._keeper.save(snapshot, seq))

    async def _regularly(self, pause_s: float, work: Callable[[], object]) -> None:
        while True:
            await self._clock.sleep(pause_s)
            await self._committer.run(work)
