"""A long stream that is computed, not kept: 50 meters of 40 values a second; memory shows the courier alone."""

import json
import urllib.parse
import urllib.request
from pathlib import Path

from gateway.delivery.port import Layout, Portion
from gateway.series.row import SeriesRow
from tests.integration.influx import support

METERS = 50
CHANNELS = 40
DECIMALS = 2
INTAKE_PER_S = METERS * CHANNELS
LAYOUT = Layout(tuple(f"c{n}" for n in range(CHANNELS)), (DECIMALS,) * CHANNELS)
NAMES = [f"meter-{n:02}" for n in range(METERS)]
_GOOD = (0,) * CHANNELS


def values_of(seq: int) -> tuple[int, ...]:
    """The scaled integers of an entry: counters that creep, all different."""
    base = seq * 7_919 % 99_999_989
    return tuple(base + place * 1_013 for place in range(CHANNELS))


class Stream:
    """Feed of ``head`` entries; entry n is meter (n - 1) % 50 at second (n - 1) // 50."""

    def __init__(self, head: int) -> None:
        self.head = head

    async def read(self, after_seq: int, limit: int) -> Portion:
        last = min(after_seq + limit, self.head)
        return Portion(last, self.head, [row_of(seq) for seq in range(after_seq + 1, last + 1)])

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        return LAYOUT


def row_of(seq: int) -> SeriesRow:
    slot_us = (support.T0_S + (seq - 1) // METERS) * 1_000_000
    return SeriesRow(NAMES[(seq - 1) % METERS], "main", slot_us, slot_us, seq, 1, values_of(seq), _GOOD)


def unequal(server: support.Server, head: int, every_second: int = 1) -> tuple[int, int]:
    """Points the server holds, and values among them that are not what the stream says (whole seconds, sampled)."""
    points = wrong = 0
    seconds = (head - 1) // METERS + 1
    for start in range(0, seconds, 120 * every_second):
        low, high = support.T0_S + start, support.T0_S + start + 120
        text = f'SELECT * FROM reading WHERE time >= {low}s AND time < {high}s GROUP BY device, site, "group"'
        parameters = urllib.parse.urlencode({"db": server.database, "epoch": "s", "q": text})
        with urllib.request.urlopen(f"{server.url}/query?{parameters}", timeout=60) as answer:
            [result] = json.load(answer)["results"]
        for series in result.get("series", []):
            columns = series["columns"]
            places = [columns.index(f"c{n}") for n in range(CHANNELS)]
            at_seq = columns.index("seq")
            for point in series["values"]:
                points += 1
                seq = point[at_seq]
                expected_device = NAMES[(seq - 1) % METERS] == series["tags"]["device"]
                in_time = point[0] == support.T0_S + (seq - 1) // METERS
                wanted = [float(f"{value}e-{DECIMALS}") for value in values_of(seq)]
                wrong += not (expected_device and in_time and [point[place] for place in places] == wanted)
    return points, wrong


def rss_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
