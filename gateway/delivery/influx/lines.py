"""Readings as line protocol (docs/influxdb.md).

``reading,device=…,group=…,site=… <channel>=<float>…,q=<int>i,seq=<int>i <ms>``: tags sorted, one line a row. A
channel is always a float: 1.x checks types per shard only, so an integer would be taken in one week and refused in the
next.
"""

from collections.abc import Callable
from operator import truediv

from gateway.delivery.port import Layout, VerdictRow
from gateway.domain.quality import worst
from gateway.domain.time import US_PER_MS
from gateway.series.row import SeriesRow

READING = "reading"
VERDICT = "verdict"
OWN_FIELDS = frozenset({"seq", "q", "time"})  # a field named time is dropped by 1.x without a word
_KEY_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n"})


def escaped(key: str) -> str:
    """A tag key, tag value or field key as line protocol writes it."""
    return key.translate(_KEY_ESCAPES)


def field_name(channel: str) -> str:
    """The field of a channel; our own names are kept free by an underscore."""
    return f"{channel}_" if channel in OWN_FIELDS else channel


class LineFormat:
    """Lines of one layout. A whole line is one ``%`` operation over quotients, about 12 µs for 40 channels."""

    __slots__ = ("_divisors", "_fields", "_positions", "_template", "_whole")

    def __init__(self, prefix: str, layout: Layout) -> None:
        self._positions = [position for position, name in enumerate(layout.names) if name is not None]
        names = [escaped(field_name(name)) for name in layout.names if name is not None]
        self._fields = [f"{name}=".replace("%", "%%") for name in names]
        self._divisors = [10 ** layout.decimals[position] for position in self._positions]
        self._whole = len(self._positions) == len(layout.names)
        start = prefix.replace("%", "%%") + " "
        self._template = (start, start + "".join(f"{each}%r," for each in self._fields) + "q=%di,seq=%di %d")

    def line(self, row: SeriesRow) -> bytes | None:
        """The line; None when no channel has a value, because a point without its channels says nothing."""
        values = row.values if self._whole else [row.values[position] for position in self._positions]
        tail = (worst(row.quality) if any(row.quality) else 0, row.seq, row.slot_us // US_PER_MS)
        try:
            # true division of integers is correctly rounded and repr is the shortest text of that double
            quotients = tuple(map(truediv, values, self._divisors))  # a null goes below
        except TypeError:
            return self._with_gaps(values, tail)
        return (self._template[1] % (*quotients, *tail)).encode() if quotients else None

    def _with_gaps(self, values: object, tail: tuple[int, int, int]) -> bytes | None:
        assert isinstance(values, list | tuple)
        present = [
            (field, value / divisor)
            for field, value, divisor in zip(self._fields, values, self._divisors, strict=True)
            if value is not None
        ]
        if not present:
            return None
        template = self._template[0] + "".join(f"{field}%r," for field, _ in present) + "q=%di,seq=%di %d"
        return (template % (*(quotient for _, quotient in present), *tail)).encode()


class LineBuilder:
    """Lines of one site. Formats are kept per (device, group, layout), which are as many as there are devices."""

    def __init__(self, site: str) -> None:
        self._site = escaped(site)
        self._formats: dict[tuple[str, str], tuple[Layout, Callable[[SeriesRow], bytes | None]]] = {}

    def reading(self, row: SeriesRow, layout: Layout) -> bytes | None:
        """The line of a row; None when none of its channels has a value."""
        known = self._formats.get((row.device, row.group))
        if known is None or known[0] is not layout:
            prefix = f"{READING},device={escaped(row.device)},group={escaped(row.group)},site={self._site}"
            known = (layout, LineFormat(prefix, layout).line)
            self._formats[row.device, row.group] = known
        return known[1](row)

    @staticmethod
    def fields(row: SeriesRow, layout: Layout) -> dict[str, float]:
        """The fields a row's point must have when it is read back."""
        fields: dict[str, float] = {
            field_name(name): value / 10**decimals
            for name, value, decimals in zip(layout.names, row.values, layout.decimals, strict=True)
            if name is not None and value is not None
        }
        return fields | {"q": worst(row.quality), "seq": row.seq}

    def verdict(self, row: VerdictRow) -> bytes:
        """The line of a verdict that opened or closed."""
        about = {"device": row.device, "point": row.point, "rule": row.rule}
        tags = VERDICT + "".join(f",{key}={escaped(value)}" for key, value in about.items() if value)
        tags += f",site={self._site}"
        return f"{tags} open={row.state}i,seq={row.seq}i,severity={row.severity}i {row.at_us // US_PER_MS}".encode()
