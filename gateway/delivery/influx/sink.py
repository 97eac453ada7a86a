"""InfluxDB as a sink of a courier."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.delivery.influx.detect import choose_dialect, ping
from gateway.delivery.influx.lines import READING, VERDICT, LineBuilder
from gateway.delivery.influx.query import InfluxQuery, QueryError, literal
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.transport import Transport, V1Transport, V2Transport, packed
from gateway.delivery.port import Answer, AnswerKind, Layout, Point, Sink, SinkContext, VerdictRow
from gateway.delivery.reconciliation import Total
from gateway.domain.time import US_PER_MS
from gateway.series.row import SeriesRow

MAX_READ_BACK_SPAN_MS = 86_400_000
_NO_BUDGET = "series budget of %d used up: raise max_series, or find out who names so many devices"


class InfluxSink:
    """Writes the points of one site; asks the server which dialect it speaks when first used."""

    def __init__(self, settings: InfluxSettings, site: str, name: str = "influxdb") -> None:
        self.name = name
        self._settings = settings
        self._site = site
        self._lines = LineBuilder(site)
        self._transport: Transport | None = None
        self._query = InfluxQuery(settings)
        self._series: set[tuple[str, str]] = set()

    def point(self, row: SeriesRow, layout: Layout) -> Point | None:
        """See Sink."""
        line = self._lines.reading(row, layout)
        return None if line is None else Point(line, row.device, row.group, row.slot_us, row.seq)

    def verdict(self, row: VerdictRow) -> Point | None:
        """See Sink."""
        return Point(self._lines.verdict(row), row.device, "", row.at_us, row.seq)

    def refusal(self, point: Point) -> str | None:
        """See Sink. The server would take any number of series and slow down for ever, so the budget is kept here."""
        key = (point.device, point.group)
        if key not in self._series:
            if len(self._series) >= self._settings.max_series:
                return _NO_BUDGET % self._settings.max_series
            self._series.add(key)
        return None

    def pack(self, points: Sequence[Point]) -> bytes:
        """See Sink."""
        return packed([point.line for point in points])

    async def write(self, body: bytes) -> Answer:
        """See Sink."""
        transport = await self._opened()
        if transport is None:
            return Answer(AnswerKind.RETRY, "no answer to /ping")
        return await transport.write(body)

    async def _opened(self) -> Transport | None:
        """The transport, chosen once; None while an undecided server does not answer."""
        if self._transport is None:
            dialect: str = self._settings.dialect
            if dialect == "auto":
                server = await ping(self._settings)
                if not server.reachable:
                    return None
                dialect = choose_dialect(self._settings, server)
            self._transport = V2Transport(self._settings) if dialect == "v2" else V1Transport(self._settings)
        return self._transport

    async def missing(self, points: Sequence[Point]) -> list[Point] | None:
        """See Sink. Asks for the entry numbers in the points' time span, in slices of a day."""
        held: set[tuple[str, str, int, int]] = set()
        by_day: dict[int, list[int]] = {}
        for point in points:
            at_ms = point.at_us // US_PER_MS
            by_day.setdefault(at_ms // MAX_READ_BACK_SPAN_MS, []).append(at_ms)
        try:
            for times in by_day.values():
                held |= await self._held(READING, min(times), max(times) + 1)
                if any(not point.group for point in points):
                    held |= await self._held(VERDICT, min(times), max(times) + 1)
        except QueryError:
            return None
        return [p for p in points if (p.device, p.group, p.at_us // US_PER_MS, p.seq) not in held]

    async def _held(self, measurement: str, start_ms: int, end_ms: int) -> set[tuple[str, str, int, int]]:
        groups = '"device", "group"' if measurement == READING else '"device", "rule"'
        series = await self._query.select(
            f'SELECT "seq" FROM "{measurement}" WHERE {self._where(start_ms, end_ms)} GROUP BY {groups}'  # noqa: S608
        )
        return {
            (each.tags.get("device", ""), each.tags.get("group", ""), int(at_ms), int(seq))  # a verdict has no group
            for each in series
            for at_ms, seq in each.values
        }

    async def totals(self, start_ms: int, end_ms: int, upto_seq: int) -> dict[tuple[str, str], Total]:
        """See ReadableSink."""
        series = await self._query.select(
            f'SELECT COUNT("seq"), SUM("seq") FROM "{READING}" WHERE {self._where(start_ms, end_ms)}'  # noqa: S608
            f' AND "seq" <= {upto_seq} GROUP BY "device", "group"'
        )
        found = {}
        for each in series:
            for _at, count, total in each.values:
                if count:
                    found[each.tags.get("device", ""), each.tags.get("group", "")] = Total(int(count), int(total))
        return found

    async def fields(self, device: str, group: str, start_ms: int, end_ms: int) -> dict[int, dict[str, float]]:
        """See ReadableSink."""
        series = await self._query.select(
            f'SELECT * FROM "{READING}" WHERE {self._where(start_ms, end_ms)}'  # noqa: S608
            f' AND "device" = {literal(device)} AND "group" = {literal(group)} GROUP BY "device", "group", "site"'
        )
        found = {}
        for each in series:
            names = each.columns[1:]
            for at_ms, *values in each.values:
                found[int(at_ms)] = {
                    name: value for name, value in zip(names, values, strict=True) if value is not None
                }
        return found

    def expected_fields(self, row: SeriesRow, layout: Layout) -> dict[str, float]:
        """See ReadableSink."""
        return self._lines.fields(row, layout)

    def _where(self, start_ms: int, end_ms: int) -> str:
        return f'"site" = {literal(self._site)} AND time >= {start_ms}ms AND time < {end_ms}ms'

    async def close(self) -> None:
        """See Sink."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()
        await self._query.close()


class InfluxPlugin:
    """The entry point of the ``influxdb:`` block."""

    section = "influxdb"

    def open(self, block: Mapping[str, Any], context: SinkContext) -> Sink:
        """See SinkPlugin."""
        return InfluxSink(InfluxSettings.from_block(block, context.environment, context.language), context.site)


PLUGIN = InfluxPlugin()
