"""Read what InfluxDB holds (1.x, or 2.x and 3.x through the InfluxQL of ``/query``) and shape it for comparison."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from gateway.verifier.compare import Comparison, Stored, StoreError
from gateway.verifier.quality import worst
from gateway.verifier.readings import Readings, Row
from gateway.verifier.report import Report

DAY_MS = 86_400_000
TIMEOUT_S = 60
MAX_ANSWER_BYTES = 1 << 30
OWN_FIELDS = frozenset({"seq", "q", "time"})


class InfluxStore:
    """Measurement ``reading`` of one database, points of one site."""

    name = "InfluxDB"

    def __init__(self, url: str, database: str, site: str, readings: Readings) -> None:
        self._url = url.rstrip("/")
        self._database = database
        self._site = site
        self._readings = readings

    def applied(self) -> int:
        """The newest entry that a point names; what comes after is still on its way."""
        series = self._query('SELECT max("seq")', "")
        return max((int(values[0][1]) for _, _, values in series), default=0)

    def expected(self, row: Row) -> Stored | None:
        """The fields of the point as the courier writes them, integer divided by resolution; no values, no point."""
        channels = self._readings.channels.get((row.cfg, row.group), [])
        fields = []
        for channel, value in zip(channels, row.values, strict=False):
            if value is not None:
                name = str(channel.get("id"))
                fields.append(
                    (name + "_" if name in OWN_FIELDS else name, value / 10 ** int(channel.get("decimals", 0)))
                )
        if not fields:
            return None
        fields.append(("q", worst(row.quality)))
        return Stored(row.device, row.group, row.key_us // 1000, row.seq, tuple(sorted(fields)))

    def described(self, stored: Stored) -> dict[str, Any]:
        """Fields by name."""
        return dict(stored.content)

    def days(self) -> Iterator[tuple[int, Iterator[Stored]]]:
        """Day by day, from the first point to the last."""
        first = self._bound("ASC")
        last = self._bound("DESC")
        if first is not None and last is not None:
            for day in range(first // DAY_MS, last // DAY_MS + 1):
                yield day, self._rows(day)

    def _rows(self, day: int) -> Iterator[Stored]:
        between = f' AND time >= {day * DAY_MS}ms AND time < {(day + 1) * DAY_MS}ms GROUP BY "device", "group"'
        for tags, names, values in self._query("SELECT *", between):
            for row in values:
                point = dict(zip(names, row, strict=True))
                fields = {
                    (name, _shown(value))
                    for name, value in point.items()
                    if name not in {"time", "seq", "site"} and value is not None
                }
                seq = int(point.get("seq") or 0)
                yield Stored(tags["device"], tags.get("group", ""), int(point["time"]), seq, tuple(sorted(fields)))

    def _bound(self, direction: str) -> int | None:
        """The first or the last point, whatever fields it has: a forged one need not carry our number."""
        series = self._query("SELECT *", f" ORDER BY time {direction} LIMIT 1")
        return int(series[0][2][0][0]) if series else None

    def _query(self, what: str, rest: str) -> list[tuple[dict[str, str], list[str], list[list[Any]]]]:
        if not self._url.startswith(("http://", "https://")):
            raise StoreError("an address begins with http:// or https://")
        site = self._site.replace("\\", "\\\\").replace("'", "\\'")
        text = " ".join([what, 'FROM "reading" WHERE "site" =', f"'{site}'", rest])
        parameters = urllib.parse.urlencode({"db": self._database, "q": text, "epoch": "ms"})
        request = urllib.request.Request(f"{self._url}/query?{parameters}", headers=_credentials())  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  # checked: http or https
                document = json.loads(answer.read(MAX_ANSWER_BYTES))
            result = document["results"][0]
            if "error" in result:
                raise StoreError(str(result["error"]))
            return [(each.get("tags") or {}, each["columns"], each["values"]) for each in result.get("series") or []]
        except (urllib.error.URLError, OSError, ValueError, KeyError, IndexError) as error:
            raise StoreError(str(error)) from error


def _shown(value: Any) -> Any:
    """A number as it is compared; anything else stays what it is, and so never equals one of ours."""
    return float(value) if type(value) in {int, float} else str(value)


def influx_comparison(report: Report, url: str, database: str, site: str) -> Comparison:
    """A comparison with the points of one site."""
    readings = Readings(report)
    return Comparison(report, InfluxStore(url, database, site, readings), readings)


def _credentials() -> dict[str, str]:
    """From the environment, so that no secret stands on a command line: a token, or user and password."""
    token, user = os.environ.get("METERPROOF_INFLUX_TOKEN"), os.environ.get("METERPROOF_INFLUX_USER")
    if token:
        return {"Authorization": f"Token {token}"}
    if user:
        pair = f"{user}:{os.environ.get('METERPROOF_INFLUX_PASSWORD', '')}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}
