"""Hours and days are closed as the journal's own time moves on, a little at a step."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.assembly.platform import SystemClock
from gateway.assembly.upkeep import SeriesUpkeep
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore

T0 = 1_790_000_000_000_000 // US_PER_DAY * US_PER_DAY
CHANNELS = [{"id": "power", "measurand": "active_power", "unit": "kW", "kind": "instantaneous", "decimals": 1}]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[SeriesUpkeep, Any, SeriesStore]]:
    folder = DataFolder.create(
        tmp_path / "data", organisation="works", site="s", time_zone="UTC", simulated=True, clock=SystemClock()
    )
    group = {"period_us": 1, "offset_us": 0, "identity": 0, "channels": CHANNELS, "plan": None}
    with Journal.open(folder) as journal:
        body = {"device": {"id": "kiln", "protocol": "modbus"}, "groups": {"main": group}, "hash": "h"}
        journal.append([Draft("configuration", "works/device/kiln", T0, body)])
    store = SeriesStore(folder.series, organisation="works")
    projector = SimpleNamespace(series=store, horizon_us=0)
    upkeep = SeriesUpkeep(folder, projector)  # type: ignore[arg-type]
    yield upkeep, projector, store
    upkeep.close()
    store.close()


def drain(upkeep: SeriesUpkeep) -> int:
    done = 0
    while step := upkeep.step():
        done += step
    return done


def test_hours_follow_and_days_are_packed_once_they_are_over(kept: tuple[SeriesUpkeep, Any, SeriesStore]) -> None:
    upkeep, projector, store = kept
    for minute in range(0, 3 * 1440, 10):
        slot = T0 + minute * US_PER_MINUTE
        store.write([SeriesRow("kiln", "main", slot, slot, minute + 3, 2, (minute,), (0,))])
    projector.horizon_us = T0 + US_PER_HOUR + US_PER_MINUTE
    assert drain(upkeep) == 0, "an hour has some grace"
    projector.horizon_us = T0 + US_PER_HOUR + 5 * US_PER_MINUTE
    assert drain(upkeep) == 1
    projector.horizon_us = T0 + US_PER_DAY + US_PER_HOUR
    assert drain(upkeep) == 23, "a day just over is not packed yet"
    projector.horizon_us = T0 + US_PER_DAY + 3 * US_PER_HOUR
    assert drain(upkeep) == 2 + 1
    projector.horizon_us = T0 + 3 * US_PER_DAY + 3 * US_PER_HOUR
    assert drain(upkeep) == 3 * 24 - 26 + 2
    hours = store.hours("kiln", "main", lambda _cfg: 0, Period(0, 2**60))
    assert len(hours.starts) == 72
    assert hours.sums[1] == sum(range(60, 120, 10))
