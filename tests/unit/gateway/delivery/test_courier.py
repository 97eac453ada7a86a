"""The cursor moves when a portion is settled, never before: whatever ends the courier, the next one sends it again."""

import asyncio
from pathlib import Path

import pytest

from gateway.assembly.platform import SystemClock, SystemRandom
from gateway.delivery.courier import Courier
from gateway.delivery.port import Answer, AnswerKind, Layout, Point, Portion, VerdictRow
from gateway.delivery.state import CourierState
from gateway.series.row import SeriesRow

ROWS = [SeriesRow("kiln", "main", slot, slot, slot, 1, (slot,), (0,)) for slot in range(1, 8)]


class Rows:
    """Two rows a portion."""

    async def read(self, after_seq: int, limit: int) -> Portion:
        rows = ROWS[after_seq : after_seq + 2]
        return Portion(rows[-1].seq if rows else after_seq, len(ROWS), rows)

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        return Layout(("energy",), (0,))


class Ledger:
    """Keeps what it was given, once a key; the process ends before or after the n-th write."""

    name = "ledger"

    def __init__(self, kept: dict[bytes, int], *, ends_at: int = 0, stored: bool = False) -> None:
        self.kept = kept
        self.writes = 0
        self._ends_at = ends_at
        self._stored = stored

    def point(self, row: SeriesRow, layout: Layout) -> Point:
        return Point(str(row.slot_us).encode(), row.device, row.group, row.slot_us, row.seq)

    def verdict(self, row: VerdictRow) -> None:
        return None

    def refusal(self, point: Point) -> None:
        return None

    def pack(self, points: list[Point]) -> bytes:
        return b"\n".join(point.line for point in points)

    async def write(self, body: bytes) -> Answer:
        self.writes += 1
        ends = self.writes == self._ends_at
        if not ends or self._stored:
            for line in body.split(b"\n"):
                self.kept[line] = self.kept.get(line, 0) + 1
        if ends:
            raise asyncio.CancelledError
        return Answer(AnswerKind.WRITTEN)

    async def missing(self, points: list[Point]) -> None:
        return None

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("ends_at", [1, 2, 4])
async def test_a_courier_that_ends_while_writing_loses_nothing(tmp_path: Path, ends_at: int, stored: bool) -> None:
    kept: dict[bytes, int] = {}

    async def drained(sink: Ledger) -> int:
        courier = Courier(Rows(), sink, CourierState(tmp_path / "c"), clock=SystemClock(), random=SystemRandom())
        try:
            await courier.drain()
        finally:
            await courier.close()
        return courier.status.seq

    with pytest.raises(asyncio.CancelledError):
        await drained(Ledger(kept, ends_at=ends_at, stored=stored))
    state = CourierState(tmp_path / "c", read_only=True)
    assert state.seq == 2 * (ends_at - 1), "what was being written is not settled"
    state.close()
    assert await drained(Ledger(kept)) == len(ROWS)
    assert set(kept) == {str(row.slot_us).encode() for row in ROWS}
