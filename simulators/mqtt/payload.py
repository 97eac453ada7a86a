"""Message bodies as a profile declares them, by code that shares nothing with the driver that reads them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Protocol

from config.catalogues import measurands
from config.profile import Profile, ProfileChannel
from simulators.instruments.fitted import Quantity

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_IN_BASE = {
    ("kWh", "Wh"): Decimal(1000),
    ("kW", "W"): Decimal(1000),
    ("t", "kg"): Decimal(1000),
    ("MWh", "kWh"): Decimal(1000),
    ("GJ", "MJ"): Decimal(1000),
    ("m3", "L"): Decimal(1000),
    ("GJ/t", "MJ/kg"): Decimal(1),
}


class Shows(Protocol):
    """Whatever has quantities to send."""

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """As in simulators.instruments.instrument."""
        ...


class Shown:
    """Fixed quantities, for a ticket or a laboratory result."""

    def __init__(self, values: Mapping[str, Quantity]) -> None:
        self._values = dict(values)

    def quantity(self, measurand: str, _at_us: int) -> Quantity:
        """The value given, None for any other."""
        return self._values.get(measurand)


class AsOf:
    """What somebody shows at an instant, whatever a clock beside it says."""

    def __init__(self, shows: Shows, at_us: int) -> None:
        self._shows = shows
        self._at_us = at_us

    def quantity(self, measurand: str, _at_us: int) -> Quantity:
        """The value of that instant."""
        return self._shows.quantity(measurand, self._at_us)


Entry = tuple[str, int, Shows]
"""Meter name within the topic, time of the sample, who shows the values."""


class PayloadWriter:
    """Writes the messages of one profile. ``messages`` gives (topic suffix, payload) pairs; the suffix is mostly
    empty."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._options: dict[str, Any] = profile.options
        self._channels = [channel for group in profile.groups for channel in group.channels]
        self._scale = {channel.id: _units_for(channel) for channel in self._channels}
        self.form = str(self._options["payload"])
        if self.form not in {"json", "value", "csv", "sparkplug"}:
            raise ValueError(f"payload form {self.form!r} of profile {profile.id} is not simulated")

    @property
    def channels(self) -> Sequence[ProfileChannel]:
        """Every channel, in the profile's order."""
        return self._channels

    def messages(self, entries: Sequence[Entry]) -> list[tuple[str, bytes]]:
        """The messages that carry these samples: one for all where the profile takes several, else one each."""
        if self.form == "csv":
            return [("", "\n".join(self._line(entry) for entry in entries).encode())]
        if self.form == "value":
            return [message for entry in entries for message in self._plain(entry)]
        samples = [self._object(entry) for entry in entries]
        array = self._options.get("samples")
        documents = [_placed({}, str(array), samples)] if array else samples
        return [("", json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode()) for each in documents]

    def value(self, channel: ProfileChannel, shows: Shows, at_us: int) -> int | float | str | None:
        """A channel's value in the unit the message uses, cut or rounded to the channel's digits."""
        quantity = shows.quantity(channel.measurand, at_us)
        if quantity is None or isinstance(quantity, str):
            return quantity
        steps = 10**channel.decimals
        if isinstance(quantity, int):
            scaled = quantity * steps // 1_000_000
            scaled = scaled % channel.modulus if channel.modulus else scaled
        else:
            scaled = round(quantity * steps)
        number = Decimal(scaled) / steps * self._scale[channel.id]
        return int(number) if number == number.to_integral_value() else float(number)

    def _object(self, entry: Entry) -> dict[str, Any]:
        meter, at_us, shows = entry
        document: dict[str, Any] = {}
        naming = self._options.get("meter")
        if naming:
            _placed(document, str(naming["path"]), meter)
        timing = self._options.get("time")
        if timing:
            _placed(document, str(timing["path"]), _time(timing, at_us))
        for channel in self._channels:
            value = self.value(channel, shows, at_us)
            if value is not None:
                _placed(document, str(channel.source["path"]), value)
        return document

    def _plain(self, entry: Entry) -> list[tuple[str, bytes]]:
        _meter, at_us, shows = entry
        values = ((str(each.source.get("topic", "")), self.value(each, shows, at_us)) for each in self._channels)
        return [(suffix, str(value).encode()) for suffix, value in values if value is not None]

    def _line(self, entry: Entry) -> str:
        meter, at_us, shows = entry
        cells: dict[int, str] = {}
        if "meter" in self._options:
            cells[int(self._options["meter"]["column"])] = meter
        if "time" in self._options:
            cells[int(self._options["time"]["column"])] = str(_time(self._options["time"], at_us))
        for channel in self._channels:
            value = self.value(channel, shows, at_us)
            cells[int(channel.source["column"])] = "" if value is None else str(value)
        separator = str(self._options.get("separator", ","))
        return separator.join(cells.get(column, "") for column in range(max(cells) + 1))


def _units_for(channel: ProfileChannel) -> Decimal:
    """How many of the message's units make one of the measurand's."""
    unit = measurands()[channel.measurand].unit
    sent = str(channel.source.get("unit", unit))
    if sent == unit:
        return Decimal(1)
    if (unit, sent) in _IN_BASE:
        return _IN_BASE[unit, sent]
    if (sent, unit) in _IN_BASE:
        return 1 / _IN_BASE[sent, unit]
    raise ValueError(f"{channel.id}: no simulated meter sends {unit} as {sent}")


def _placed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:  # any JSON value
    """Put a value at a dotted path, making the objects on the way."""
    *way, last = path.split(".")
    place = document
    for key in way:
        place = place.setdefault(key, {})
    place[last] = value
    return document


def _time(timing: Mapping[str, Any], at_us: int) -> str | int:
    form = str(timing["format"])
    if form == "epoch_ms":
        return at_us // 1_000
    if form == "epoch_s":
        return at_us // 1_000_000
    moment = (_EPOCH + timedelta(microseconds=at_us)).astimezone(_zone(timing))
    return moment.isoformat(timespec="milliseconds") if form == "iso8601" else moment.strftime(form)


def _zone(timing: Mapping[str, Any]) -> timezone:
    text = str(timing.get("zone", "+08:00"))
    if text in {"Z", "UTC"}:
        return UTC
    sign = -1 if text[0] == "-" else 1
    hours, minutes = text[1:].split(":")
    return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
