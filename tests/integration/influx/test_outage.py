"""An outage while 2 000 readings a second keep coming: afterwards nothing is missing and every value is equal.

How fast the backlog drains and how level memory stays is printed here and judged in ``benchmarks/influx.py`` (D2).
"""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from gateway.delivery.courier import CourierSettings
from tests.campaign import share
from tests.integration.influx import stream, support
from tests.services import InfluxDB

pytestmark = [pytest.mark.integration, pytest.mark.campaign]
OUTAGE_S = share(full=6 * 3600, ci=30 * 60)
POLLING_S = 120
"""How long the stream goes on beside the drain at most: a machine slower than the intake still comes to an end."""


async def test_the_sink_catches_up_while_polling_goes_on(tmp_path: Path) -> None:
    with InfluxDB(tmp_path / "influx") as influx:
        server = support.Server(influx.url)
        server.create("WITH DURATION INF SHARD DURATION 26w")
        journal = stream.Stream(head=60 * stream.METERS)
        settings = CourierSettings(idle_s=0.1, backoff_first_s=0.05, backoff_most_s=0.2)
        wanted = support.settings_for(influx.url, timeout_s=20)
        async with support.courier_for(journal, wanted, tmp_path, settings=settings) as courier:
            task = asyncio.create_task(courier.run())
            await support.until(lambda: courier.status.seq == journal.head)
            influx.stop()
            journal.head += OUTAGE_S * stream.METERS
            backlog = journal.head - courier.status.seq
            await support.until(lambda: courier.status.state == "retrying")
            held = stream.rss_bytes()
            influx.start()
            started = time.monotonic()
            base, samples = journal.head, []
            while courier.status.seq < journal.head - 2 * stream.METERS:
                journal.head = base + int(min(time.monotonic() - started, POLLING_S) * stream.METERS)  # polling goes on
                samples.append(stream.rss_bytes())
                await asyncio.sleep(0.05)
            took_s = time.monotonic() - started
            await support.until(lambda: courier.status.seq == journal.head)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        rate = (backlog + journal.head - base) * stream.CHANNELS / took_s
        print(
            f"\noutage of {OUTAGE_S} s: {backlog} points drained in {took_s:.1f} s, {rate:,.0f} values/s,"
            f" {rate / stream.INTAKE_PER_S:.0f} x intake; memory {held >> 20} -> {max(samples) >> 20} MiB"
        )
        [series] = server.query("SELECT count(seq), sum(seq) FROM reading")
        assert series["values"][0][1:] == [journal.head, journal.head * (journal.head + 1) // 2]
        points, wrong = stream.unequal(server, journal.head, every_second=share(full=1, ci=1))
        assert (points, wrong) == (journal.head, 0)
