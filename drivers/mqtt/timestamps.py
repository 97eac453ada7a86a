"""Device time: how it is written, and whether it is believed.

Formats: ``iso8601`` (an offset or ``Z``, or a declared zone), ``epoch_s``, ``epoch_ms``, ``epoch_us``, or a pattern
made of ``%Y %m %d %H %M %S %f`` and literal characters with a declared fixed zone such as ``+08:00``.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

from drivers.mqtt.numbers import Scale, parse_number
from gateway.domain.time import US_PER_S, from_datetime

_EPOCHS = {"epoch_s": Scale(US_PER_S, 1, 0), "epoch_ms": Scale(1_000, 1, 0), "epoch_us": Scale(1, 1, 0)}
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_PATTERN = re.compile(r"(?:%[YmdHMSf]|[^%\s]| )+")
_ZONE = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_MAX_TEXT = 64


class Trust(StrEnum):
    """What became of a device time stamp."""

    TRUSTED = "trusted"
    ABSENT = "absent"  # declared, but not in this message
    UNREADABLE = "unreadable"
    AHEAD = "ahead"  # later than the receive time by more than the tolerance
    TOO_OLD = "too_old"


def known_format(text: str) -> bool:
    """Whether a format can be read."""
    return text in {"iso8601", *_EPOCHS} or ("%Y" in text and _PATTERN.fullmatch(text) is not None)


def needs_zone(text: str) -> bool:
    """Whether the format carries no zone of its own, so that one has to be declared."""
    return text.startswith("%") or "%Y" in text


def zone_minutes(text: str) -> int | None:
    """Minutes east of UTC of ``+08:00``; None when it is no such text or beyond ±14 h."""
    match = _ZONE.fullmatch(text)
    if match is None or int(match[3]) > 59:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return None if minutes > 14 * 60 else minutes * (-1 if match[1] == "-" else 1)


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How to read a device's time stamps, and how far ahead of and behind receipt they are believed."""

    format: str
    zone_minutes: int | None
    max_ahead_us: int
    max_age_us: int

    def judge(self, raw: object, received_us: int) -> tuple[int | None, Trust]:
        """The device's instant (µs UTC) where it could be read, and whether it is believed."""
        if raw is None or raw == "":
            return None, Trust.ABSENT
        at_us = self._instant(raw)
        if at_us is None:
            return None, Trust.UNREADABLE
        if at_us > received_us + self.max_ahead_us:
            return at_us, Trust.AHEAD
        if at_us < received_us - self.max_age_us:
            return at_us, Trust.TOO_OLD
        return at_us, Trust.TRUSTED

    def _instant(self, raw: object) -> int | None:
        scale = _EPOCHS.get(self.format)
        if scale is not None:
            number = parse_number(raw[:_MAX_TEXT]) if isinstance(raw, str) else raw
            if isinstance(number, bool) or not isinstance(number, int | Decimal):
                return None
            instant = scale.apply(number)
            return instant if instant is not None and 0 <= instant < 2**53 else None
        if isinstance(raw, int) and not isinstance(raw, bool) and self.format != "iso8601":
            raw = str(raw) if abs(raw) < 10**20 else ""  # 20261122101500 written as a number
        if not isinstance(raw, str) or len(raw) > _MAX_TEXT:
            return None
        return self._from_text(raw.strip(" "))

    def _from_text(self, text: str) -> int | None:
        try:
            if self.format == "iso8601":
                if not text.isascii() or _ISO.fullmatch(text) is None:
                    return None
                moment = datetime.fromisoformat(text.replace(",", "."))
            else:
                if not text.isascii():
                    return None
                moment = datetime.strptime(text, self.format)  # noqa: DTZ007  # the zone is declared, see below
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            if self.zone_minutes is None:
                return None
            zone = UTC if self.zone_minutes == 0 else timezone(timedelta(minutes=self.zone_minutes))
            moment = moment.replace(tzinfo=zone)
        instant = from_datetime(moment)
        return instant if 0 <= instant < 2**53 else None
