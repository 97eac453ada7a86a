"""Durable first, then acknowledged; bounded; loud when the journal fails."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.acquisition import outbox as module
from gateway.acquisition.outbox import Outbox
from gateway.domain.errors import DiskFullError
from gateway.journal.entry import Draft, EncodedDraft
from tests.scenarios.acquisition_world import InlineCommitter, MemoryJournal, WorldClock, run_virtual


def draft(number: int) -> EncodedDraft:
    return Draft("clock", "o/gateway/x", number, {"n": number}).encode()


def test_entries_are_committed_together_and_only_then_acknowledged() -> None:
    async def main() -> None:
        journal, told = MemoryJournal(), []
        outbox = Outbox(journal.append_encoded, InlineCommitter(), WorldClock())
        task = asyncio.create_task(outbox.run())
        for number in range(5):
            outbox.put(draft(number), told.append)
        await asyncio.sleep(0.2)
        assert (journal.commits, told) == (0, [])
        await asyncio.sleep(0.1)
        assert (journal.commits, told) == (1, [1, 2, 3, 4, 5])
        assert outbox.last_seq == 5
        outbox.close()
        await task

    run_virtual(main())


def test_an_urgent_entry_takes_the_waiting_ones_along() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        outbox = Outbox(journal.append_encoded, InlineCommitter(), WorldClock())
        task = asyncio.create_task(outbox.run())
        outbox.put(draft(0))
        await asyncio.sleep(0.01)
        outbox.put(draft(1), urgent=True)
        await asyncio.sleep(0.01)
        assert (journal.commits, journal.head()) == (1, 2)
        outbox.close()
        await task

    run_virtual(main())


def test_closing_commits_what_waits() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        outbox = Outbox(journal.append_encoded, InlineCommitter(), WorldClock())
        task = asyncio.create_task(outbox.run())
        await asyncio.sleep(0)
        outbox.put(draft(0))
        outbox.close()
        await task
        assert journal.head() == 1

    run_virtual(main())


def test_a_failed_commit_ends_loudly_and_acknowledges_nothing() -> None:
    async def main() -> None:
        told: list[int] = []

        def full(drafts: Sequence[EncodedDraft]) -> Sequence[int]:
            raise DiskFullError("no room", path="x")

        outbox = Outbox(full, InlineCommitter(), WorldClock())
        task = asyncio.create_task(outbox.run())
        outbox.put(draft(0), told.append)
        with pytest.raises(DiskFullError):
            await task
        assert told == []

    run_virtual(main())


def test_callers_wait_while_too_much_is_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PENDING", 3)
    monkeypatch.setattr(module, "MAX_BATCH", 2)

    async def main() -> None:
        journal = MemoryJournal()
        outbox = Outbox(journal.append_encoded, InlineCommitter(), WorldClock())
        for number in range(3):
            outbox.put(draft(number))
        waiting = asyncio.create_task(outbox.room())
        await asyncio.sleep(1)
        assert not waiting.done()
        task = asyncio.create_task(outbox.run())
        await asyncio.wait_for(waiting, 1)
        outbox.close()
        await task
        assert journal.commits == 2

    run_virtual(main())
