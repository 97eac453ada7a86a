import asyncio

import pytest

from gateway.domain.errors import DiskFullError
from gateway.journal.canonical import BodyError
from gateway.journal.committer import GroupCommitter
from gateway.journal.entry import Draft


def poll(number):
    return Draft("poll", "demo-cement/device/kiln-main", number, {"slot": number})


async def test_waiting_drafts_share_one_commit(journal, committer, clock):
    group = GroupCommitter(journal, committer, clock, max_delay_s=0.02)
    seqs = await asyncio.gather(*(group.append(poll(number)) for number in range(100)))
    assert list(seqs) == list(range(2, 102))
    assert committer.runs == 1
    assert journal.head() == 101
    assert await group.append_all([poll(1), poll(2)]) == [102, 103]
    await group.close()


async def test_flush_does_not_wait_for_the_delay(journal, committer, clock):
    group = GroupCommitter(journal, committer, clock, max_delay_s=60)
    waiting = asyncio.create_task(group.append(poll(1)))
    await asyncio.sleep(0)
    assert group.pending == 1
    assert journal.head() == 1
    await asyncio.wait_for(group.flush(), 5)
    assert journal.head() == 2
    assert await waiting == 2
    await group.close()


async def test_the_queue_is_bounded(journal, committer, clock):
    group = GroupCommitter(journal, committer, clock, max_delay_s=0, max_pending=5, max_batch=3)
    tasks = [asyncio.create_task(group.append(poll(number))) for number in range(40)]
    most = 0
    while not all(task.done() for task in tasks):
        most = max(most, group.pending)
        await asyncio.sleep(0)
    assert most <= 5
    assert sorted(task.result() for task in tasks) == list(range(2, 42))
    await group.close()


async def test_a_failed_commit_reaches_every_waiter_and_all_later_ones(journal, committer, clock, monkeypatch):
    def refuse(drafts):
        raise DiskFullError("no room left")

    monkeypatch.setattr(journal, "append_encoded", refuse)
    group = GroupCommitter(journal, committer, clock, max_delay_s=0)
    results = await asyncio.gather(*(group.append(poll(number)) for number in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [DiskFullError] * 3
    with pytest.raises(DiskFullError):
        await group.append(poll(9))
    with pytest.raises(DiskFullError):
        await group.flush()


async def test_a_bad_draft_hurts_nobody_else(journal, committer, clock):
    group = GroupCommitter(journal, committer, clock, max_delay_s=0.01)
    good = asyncio.create_task(group.append(poll(1)))
    with pytest.raises(BodyError):
        await group.append(Draft("poll", "s", 1, {"x": 1.5}))
    assert await good == 2
    await group.close()


async def test_a_cancelled_waiter_leaves_the_others_alone(journal, committer, clock):
    group = GroupCommitter(journal, committer, clock, max_delay_s=0.01)
    first, second = (asyncio.create_task(group.append(poll(number))) for number in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 3
    assert journal.head() == 3
    await group.close()
