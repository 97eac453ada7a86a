"""Group commit: many waiting drafts, one synced commit, away from the event loop."""

import asyncio
from collections.abc import Sequence

from gateway.journal.entry import Draft, EncodedDraft
from gateway.journal.journal import Journal
from gateway.ports import Clock, Committer

MAX_DELAY_S = 0.25
MAX_PENDING = 20_000
MAX_BATCH = 5_000


class GroupCommitter:
    """Appends from an event loop. Each ``append`` returns only after the synced commit that holds its draft.

    A batch closes after ``max_delay_s``, when ``flush`` asks for it, or when it is full. At most ``max_pending`` drafts
    wait; further appends wait for room, so a slow disk slows the callers and never grows memory. After a failed commit
    every waiting and every later append raises that error: collection stops loudly.
    """

    def __init__(
        self,
        journal: Journal,
        committer: Committer,
        clock: Clock,
        max_delay_s: float = MAX_DELAY_S,
        *,
        max_pending: int = MAX_PENDING,
        max_batch: int = MAX_BATCH,
    ) -> None:
        self._journal = journal
        self._committer = committer
        self._clock = clock
        self._max_delay_s = max_delay_s
        self._max_pending = max_pending
        self._max_batch = max_batch
        self._pending: list[tuple[EncodedDraft, asyncio.Future[int]]] = []
        self._hurry = asyncio.Event()
        self._room = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    @property
    def pending(self) -> int:
        """Drafts that wait for their commit."""
        return len(self._pending)

    async def append(self, draft: Draft) -> int:
        """Append one draft; its number, once it would survive power loss. Raises as ``Journal.append`` does."""
        return await self._enqueue(draft.encode())

    async def append_all(self, drafts: Sequence[Draft]) -> list[int]:
        """Append several drafts in order; their numbers. They need not be neighbours when others append too."""
        futures = [await self._offer(draft.encode()) for draft in drafts]
        return list(await asyncio.gather(*futures))

    async def flush(self) -> None:
        """Commit what waits now, and return when it is committed; raises what that commit raised."""
        waiting = [future for _, future in self._pending]
        task = self._task
        if task is None:
            self._raise_failure()
            return
        self._hurry.set()
        if waiting:
            await asyncio.wait(waiting)
        self._raise_failure()

    async def close(self) -> None:
        """Flush and wait until the writer is idle."""
        self._hurry.set()
        task = self._task
        if task is not None:
            await asyncio.shield(task)
        self._raise_failure()

    async def _enqueue(self, draft: EncodedDraft) -> int:
        return await (await self._offer(draft))

    async def _offer(self, draft: EncodedDraft) -> asyncio.Future[int]:
        if len(self._pending) >= self._max_pending:
            async with self._room:
                await self._room.wait_for(lambda: len(self._pending) < self._max_pending)
        self._raise_failure()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((draft, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_until_empty(), name="journal group commit")
        elif len(self._pending) >= self._max_batch:
            self._hurry.set()
        return future

    async def _write_until_empty(self) -> None:
        try:
            while self._pending:
                await self._gather_batch()
                batch, self._pending = self._pending[: self._max_batch], self._pending[self._max_batch :]
                await self._write(batch)
                async with self._room:
                    self._room.notify_all()
        finally:
            self._task = None

    async def _gather_batch(self) -> None:
        """Wait until the batch may close."""
        if len(self._pending) < self._max_batch and not self._hurry.is_set():
            sleep = asyncio.ensure_future(self._clock.sleep(self._max_delay_s))
            hurry = asyncio.ensure_future(self._hurry.wait())
            try:
                await asyncio.wait({sleep, hurry}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleep.cancel()
                hurry.cancel()
        if len(self._pending) <= self._max_batch:
            self._hurry.clear()

    async def _write(self, batch: list[tuple[EncodedDraft, asyncio.Future[int]]]) -> None:
        drafts = [draft for draft, _ in batch]
        try:
            seqs = await self._committer.run(lambda: self._journal.append_encoded(drafts))
        except Exception as error:  # noqa: BLE001  # whatever it was, every waiter must hear of it
            self._fail(error, batch)
            return
        for seq, (_, future) in zip(seqs, batch, strict=True):
            if not future.done():
                future.set_result(seq)

    def _fail(self, error: Exception, batch: list[tuple[EncodedDraft, asyncio.Future[int]]]) -> None:
        self._failure = error
        waiting, self._pending = [*batch, *self._pending], []
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
