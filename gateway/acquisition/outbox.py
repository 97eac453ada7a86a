"""From the actors to the journal: many waiting entries, one synced commit, then whoever waits is told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.journal.entry import EncodedDraft
from gateway.ports import Clock, Committer

MAX_DELAY_S = 0.25
MAX_PENDING = 20_000
MAX_BATCH = 5_000

Append = Callable[[Sequence[EncodedDraft]], Sequence[int]]
Committed = Callable[[int], None]
"""Told the entry's number once it would survive power loss."""


class EntrySink(Protocol):
    """Where entries are put on their way into the journal."""

    def put(self, draft: EncodedDraft, committed: Committed | None = None, *, urgent: bool = False) -> None:
        """Take one entry."""
        ...

    async def room(self) -> None:
        """Wait until there is room for more."""
        ...


class Outbox:
    """Entries on their way into the journal.

    ``put`` never waits; whoever brings more calls ``room`` first, which waits while ``MAX_PENDING`` entries are
    pending, so a slow disk slows the callers and never grows memory. A failed commit ends ``run`` with its error:
    collection stops loudly, and nothing that was not committed is acknowledged.
    """

    def __init__(self, append: Append, committer: Committer, clock: Clock, *, max_delay_s: float = MAX_DELAY_S) -> None:
        self._append = append
        self._committer = committer
        self._clock = clock
        self._max_delay_s = max_delay_s
        self._pending: list[tuple[EncodedDraft, Committed | None]] = []
        self._filled = asyncio.Event()
        self._urgent = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._closing = False
        self.last_seq = 0

    @property
    def pending(self) -> int:
        """Entries that wait for their commit."""
        return len(self._pending)

    def put(self, draft: EncodedDraft, committed: Committed | None = None, *, urgent: bool = False) -> None:
        """Queue one entry; ``committed`` runs after the commit that holds it. Urgent: commit as soon as possible."""
        self._pending.append((draft, committed))
        if len(self._pending) == 1:
            self._filled.set()
        if urgent or len(self._pending) >= MAX_BATCH:
            self._urgent.set()
        if len(self._pending) >= MAX_PENDING:
            self._has_room.clear()

    async def room(self) -> None:
        """Wait until there is room for more."""
        if not self._has_room.is_set():
            await self._has_room.wait()

    def close(self) -> None:
        """Commit what waits, then end ``run``."""
        self._closing = True
        self._urgent.set()
        self._filled.set()

    async def run(self) -> None:
        """Commit until closed. Raises what the journal raised."""
        while self._pending or not self._closing:
            await self._filled.wait()
            if not self._urgent.is_set():
                await self._gather()
            self._urgent.clear()
            await self._commit()
            if self._pending:
                if len(self._pending) >= MAX_BATCH:
                    self._urgent.set()
            elif not self._closing:
                self._filled.clear()

    async def _gather(self) -> None:
        """Let more come for a while, unless somebody is in a hurry."""
        waiting = asyncio.create_task(self._hurry_later())
        try:
            await self._urgent.wait()
        finally:
            waiting.cancel()

    async def _hurry_later(self) -> None:
        await self._clock.sleep(self._max_delay_s)
        self._urgent.set()

    async def _commit(self) -> None:
        batch = self._pending[:MAX_BATCH]
        if not batch:
            return
        drafts = [draft for draft, _ in batch]
        seqs = await self._committer.run(lambda: self._append(drafts))
        self.last_seq = seqs[-1]
        del self._pending[: len(batch)]
        if len(self._pending) < MAX_PENDING:
            self._has_room.set()
        for seq, (_, committed) in zip(seqs, batch, strict=True):
            if committed is not None:
                committed(seq)
