"""One process writes, packs and rolls up; others read meanwhile, and never see less than before or a row twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.domain.time import US_PER_HOUR, Period
from gateway.series.store import SeriesStore
from tests.campaign import share

BATCHES = 60
EVER = Period(0, 2**60)
WRITER = f"""
import sys
from pathlib import Path
from gateway.series.store import SeriesRow, SeriesStore
store = SeriesStore(Path(sys.argv[1]), organisation="works")
day = 86_400_000_000
t0 = 20_000 * day
for batch in range(store.applied_seq(), {BATCHES}):
    rows = []
    for number in range(batch * 48, batch * 48 + 48):
        slot = t0 + number * 900_000_000
        for meter in range(5):
            rows.append(SeriesRow(f"m{{meter}}", "main", slot, slot + 5, number + 1, 1, (number, meter), (0, 0)))
    store.write(rows, batch + 1)
    store.close_hours(slot, lambda device, group, cfg: (0,))
    store.pack_days(slot - day)
store.close()
"""


def test_readers_beside_a_writing_process(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
    reader = SeriesStore(tmp_path, organisation="works", read_only=True)
    seen = looks = 0
    deadline = time.monotonic() + 300
    try:
        while seen < BATCHES and time.monotonic() < deadline:
            applied = reader.applied_seq()
            assert applied >= seen, "what was applied stays applied"
            seen = applied
            numbers = [row.values[0] for row in reader.rows("m3", "main", EVER)]
            assert numbers == list(range(len(numbers)))
            assert len(numbers) >= applied * 48, "rows come before the cursor that speaks of them"
            last = reader.last("m3", "main")
            assert applied == 0 or (last is not None and last.values[0] >= applied * 48 - 1)
            latest = reader.latest([f"m{meter}" for meter in range(5)])
            assert applied == 0 or len(latest) == 5
            hours = reader.hours("m3", "main", lambda _cfg: 0, EVER)
            assert len(set(hours.starts)) == len(hours.starts)
            looks += 1
        assert writer.wait(300) == 0
    finally:
        writer.kill()
        writer.wait()
    assert seen == BATCHES
    assert looks


@pytest.mark.campaign
def test_a_killed_writer_goes_on_at_its_cursor(tmp_path: Path) -> None:
    chance = random.Random(3)
    for attempt in range(share(full=40, ci=5)):
        folder = tmp_path / str(attempt % 2)
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)])
        time.sleep(chance.uniform(0.2, 1.0))
        writer.kill()
        writer.wait()
        store = SeriesStore(folder, organisation="works")
        numbers = [row.values[0] for row in store.rows("m0", "main", EVER)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= store.applied_seq() * 48
        store.close()
    for folder in (tmp_path / "0", tmp_path / "1"):
        assert subprocess.run([sys.executable, "-c", WRITER, str(folder)], timeout=300, check=False).returncode == 0
        store = SeriesStore(folder, organisation="works")
        assert store.applied_seq() == BATCHES
        assert store.close_hours(2**60, lambda _device, _group, _cfg: (0,)) <= 5
        for meter in range(5):
            rows = list(store.rows(f"m{meter}", "main", EVER))
            assert [row.values for row in rows] == [(number, meter) for number in range(BATCHES * 48)]
            hours = store.hours(f"m{meter}", "main", lambda _cfg: 0, EVER)
            assert hours.counts == [4] * (BATCHES * 12)
            assert hours.starts[1] - hours.starts[0] == US_PER_HOUR
        store.close()
