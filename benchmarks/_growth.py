"""One case of A6, in a process of its own: ``python -m benchmarks._growth METERS HISTORY_DAYS``; prints one JSON line.

So many meters of 40 float32 (one of them an index), with so many days of hourly history in the folder; then 5 000 polls
are decoded, judged, journaled (commits of 250), projected and settled. CPU of this process per reading, and its PSS.
"""

import json
import os
import re
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import _float40
from benchmarks._float40 import CHANNELS
from benchmarks.settlement import Fixed
from gateway.acquisition.line import Line
from gateway.assembly.collecting import Collection, open_collection
from gateway.assembly.projecting import Projection
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.reading import Arrival, Outcome
from gateway.domain.time import US_PER_S, parse_iso
from gateway.journal.entry import EncodedDraft

POLLS = 5_000
COMMIT = 250
START_US = parse_iso("2023-01-01T00:00:00+08:00")
HOUR_US = 3_600 * US_PER_S


def write_site(folder: Path, meters: int) -> Path:
    """Meters of one index and 39 moments behind one endpoint a hundred."""
    return _float40.write_site(
        folder,
        lambda n: "active_energy_import" if n == 0 else "voltage",
        decimals=1,
        period_s=60,
        endpoints=[
            {"id": f"e{n}", "connection": {"host": f"127.0.0.{n + 1}", "port": 502}}
            for n in range((meters + 99) // 100)
        ],
        meters=[(f"e{n // 100}", n % 100 + 1) for n in range(meters)],
    )


class Feed:
    """Brings polls to the acquisition port and the projections up to date."""

    def __init__(self, collection: Collection, clock: Fixed) -> None:
        self._collection = collection
        self._clock = clock
        self._lines: list[Line] = collection.all_lines()
        self._projection = Projection(collection.folder, clock)
        self._moments = struct.pack(f">{CHANNELS - 1}f", *(220.0 + n / 8 for n in range(CHANNELS - 1)))

    def polls(self, slots: list[int]) -> None:
        """One poll of every meter a slot."""
        pending = []
        for slot in slots:
            index = struct.pack(">f", (slot - START_US) / HOUR_US)
            for line in self._lines:
                arrival = Arrival(
                    device=line.device.id,
                    group="all",
                    slot_us=slot,
                    outcome=Outcome.OK,
                    raw=(index + self._moments,),
                    sent_us=slot,
                    received_us=slot + 20_000,
                )
                pending.append(self._collection.recorder.poll(line, arrival, slot + 20_000))
                if len(pending) == COMMIT:
                    self._commit(pending)
                    pending = []
        if pending:
            self._commit(pending)

    def _commit(self, drafts: list[EncodedDraft]) -> None:
        self._collection.journal.append_encoded(drafts)
        self._projection.step()

    def close(self) -> None:
        """Close what the projections hold."""
        self._projection.close()


def pss_mib() -> float:
    """This process's share of memory."""
    rollup = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def main(meters: int, days: int) -> None:
    """Build the history in a process of its own, so that what building it took is not counted, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_site(Path(folder), meters)
        builder = os.fork()
        if builder == 0:
            _with_feed(path, lambda feed: _history(feed, days))
            os._exit(0)
        assert os.waitpid(builder, 0)[1] == 0
        _with_feed(path, lambda feed: _measured(feed, meters, START_US + days * 24 * HOUR_US))


def _with_feed(path: Path, work: Callable[[Feed], None]) -> None:
    clock = Fixed(START_US)
    with open_collection(load_assembled_site(path), path.parent / "data", clock) as collection:
        feed = Feed(collection, clock)
        work(feed)
        feed.close()


def _history(feed: Feed, days: int) -> None:
    hours = [START_US + n * HOUR_US for n in range(days * 24)]
    for first in range(0, len(hours), 1_000):
        feed.polls(hours[first : first + 1_000])


def _measured(feed: Feed, meters: int, begin_us: int) -> None:
    first, *rest = (begin_us + n * 60 * US_PER_S for n in range(POLLS // meters))
    feed.polls([first])  # what a first poll of a meter costs is not what the next ones cost
    began_s = time.process_time()
    feed.polls(rest)
    cpu_s = time.process_time() - began_s
    print(json.dumps({"us": cpu_s * 1e6 / (len(rest) * meters * CHANNELS), "mib": pss_mib()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
