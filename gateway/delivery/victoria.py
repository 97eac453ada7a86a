"""VictoriaMetrics as a second sink, by its v2 write path. For dashboards only (docs/influxdb.md).

It acknowledges before anything is safe: a kill loses what it took in the last seconds. It keeps both of two values for
one instant unless it was started with ``-dedup.minScrapeInterval=1ms``, answers 204 to lines it cannot read, and speaks
no InfluxQL. So it can be sent to, and never asked whether it has everything; nothing here is evidence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.delivery.influx.lines import LineBuilder
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.transport import V2Transport, packed
from gateway.delivery.port import Answer, Layout, Point, Sink, SinkContext, VerdictRow
from gateway.series.row import SeriesRow


class VictoriaSink:
    """Writes readings as ``reading_<channel>``; verdicts are left out, since it keeps numbers only for graphs."""

    name = "victoriametrics"

    def __init__(self, settings: InfluxSettings, site: str) -> None:
        self._settings = settings
        self._lines = LineBuilder(site)
        self._transport = V2Transport(settings)
        self._series: set[tuple[str, str]] = set()

    def point(self, row: SeriesRow, layout: Layout) -> Point | None:
        """See Sink."""
        line = self._lines.reading(row, layout)
        return None if line is None else Point(line, row.device, row.group, row.slot_us, row.seq)

    def verdict(self, row: VerdictRow) -> Point | None:
        """See Sink."""
        del row
        return None

    def refusal(self, point: Point) -> str | None:
        """See Sink."""
        key = (point.device, point.group)
        if key not in self._series:
            if len(self._series) >= self._settings.max_series:
                return f"series budget of {self._settings.max_series} used up"
            self._series.add(key)
        return None

    def pack(self, points: Sequence[Point]) -> bytes:
        """See Sink."""
        return packed([point.line for point in points])

    async def write(self, body: bytes) -> Answer:
        """See Sink."""
        return await self._transport.write(body)

    async def missing(self, points: Sequence[Point]) -> list[Point] | None:
        """See Sink. It cannot be asked."""
        del points
        return None

    async def close(self) -> None:
        """See Sink."""
        await self._transport.close()


class VictoriaPlugin:
    """The entry point of the ``victoriametrics:`` block."""

    section = "victoriametrics"

    def open(self, block: Mapping[str, Any], context: SinkContext) -> Sink:
        """See SinkPlugin."""
        named = {"bucket": "-", **block}
        return VictoriaSink(InfluxSettings.from_block(named, context.environment, context.language), context.site)


PLUGIN = VictoriaPlugin()
