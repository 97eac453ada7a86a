"""One settled quarter of an hour of one channel, and how its energy is known."""

from enum import IntEnum
from typing import NamedTuple


class Method(IntEnum):
    """How the energy of an interval is known. Stored numbers keep their meaning for ever; the journal has the words."""

    MEASURED = 0
    INTERPOLATED = 1
    CAUGHT_UP = 2
    SUBSTITUTED = 3
    MANUAL = 4
    MISSING = 5

    @property
    def word(self) -> str:
        """As it stands in the journal."""
        return self.name.lower()


class IntervalRow(NamedTuple):
    """Energy of one channel of one device in one window, or in the part of it that belongs to one installation.

    ``start`` and ``end`` are edge registers and ``energy`` their difference (rollovers undone), in thousandths of the
    channel's resolution, meter side; None when not known. ``coverage`` is permille of the window. ``num``/``den`` is
    the CT·PT ratio of the installation entry ``installation`` (None: none on record). ``e0``..``e3`` are the entries
    read around both edges.
    """

    device: str
    channel: str
    installation: int | None
    start: int | None
    end: int | None
    energy: int | None
    coverage: int
    method: Method
    quality: int
    num: int
    den: int
    e0: int | None
    e1: int | None
    e2: int | None
    e3: int | None

    def document(self) -> list[int | str | None]:
        """As it stands in a settlement entry."""
        return [*self[:7], self.method.word, *self[8:]]

    @classmethod
    def from_document(cls, row: list[int | str | None]) -> "IntervalRow":
        """The row of a settlement entry."""
        device, channel, installation, start, end, energy, coverage, method, quality, num, den, *evidence = row
        return cls(
            str(device),
            str(channel),
            _whole(installation),
            _whole(start),
            _whole(end),
            _whole(energy),
            int(coverage or 0),
            METHODS[str(method)],
            int(quality or 0),
            int(num or 0),
            int(den or 0),
            *(_whole(each) for each in evidence),
        )


METHODS = {method.word: method for method in Method}


def _whole(value: int | str | None) -> int | None:
    """Integers beyond 2^53 stand in the journal as text."""
    return int(value) if isinstance(value, str) else value
