"""Laboratory values that analysers and laboratories send by themselves, as records beside those entered from files.

A sample's record stands at its own time and rests on the message it came in; its number is ``device@time``. Uncertain
and bad values are left out: a laboratory value is used or it is not.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from gateway.accounting.laboratory import LaboratoryRecord
from gateway.domain.ledger import Installation, InstallationRole
from gateway.domain.quality import Status, status_of
from gateway.domain.time import Period, iso
from gateway.registry.registry import Registry
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore

PROPERTIES = {"net_calorific_value": "ncv", "cao_content": "cao", "mgo_content": "mgo"}
"""Measurands of the catalogue that are laboratory properties."""
MAX_SAMPLES = 50_000
_Channel = tuple[int, str, str, int]  # position in a row, property, unit, decimals


def online_records(
    registry: Registry, series: SeriesStore, organisation: str, period: Period, known_seq: int | None = None
) -> list[LaboratoryRecord]:
    """Every usable sample in the period that was recorded by then, by point and time; at most ``MAX_SAMPLES`` each."""
    fitted = _fitted(registry, organisation, known_seq)
    layouts: dict[int, Mapping[str, list[_Channel]]] = {}
    found = []
    groups = _groups(registry, organisation, known_seq)
    for device, spans in sorted(fitted.items()):
        for group in groups.get(device, ()):
            for row in islice(series.rows(device, group, period), MAX_SAMPLES):
                if known_seq is not None and row.seq > known_seq:
                    continue
                point = next((each for each, span in spans if row.slot_us in span), "")
                if row.cfg_seq not in layouts:
                    layouts[row.cfg_seq] = _layout(registry, row.cfg_seq)
                values = _values(row, layouts[row.cfg_seq].get(group, []))
                if point and values:
                    found.append(_record(row, point, values))
    return sorted(found, key=lambda each: (each.point, each.period.start_us, each.number))


def _fitted(registry: Registry, organisation: str, known_seq: int | None) -> dict[str, list[tuple[str, Period]]]:
    """Devices with the points they served and when."""
    found: dict[str, list[tuple[str, Period]]] = {}
    for record in registry.objects(organisation, "installation", None, known_seq):
        installation = record.read_as(Installation)
        if installation.role == InstallationRole.METER and installation.device:
            span = Period(record.from_us or 0, 2**62 if record.to_us is None else record.to_us)
            found.setdefault(installation.device, []).append((installation.point, span))
    return found


def _groups(registry: Registry, organisation: str, known_seq: int | None) -> dict[str, list[str]]:
    """The groups that bring laboratory properties, by device and its newest configuration."""
    found = {}
    for each in registry.configurations(organisation, "device", known_seq):
        groups = sorted(name for name, channels in _channels(each.body).items() if channels)
        if groups:
            found[each.id] = groups
    return found


def _layout(registry: Registry, cfg_seq: int) -> Mapping[str, list[_Channel]]:
    configuration = registry.configuration(cfg_seq)
    return {} if configuration is None else _channels(configuration.body)


def _channels(body: Mapping[str, Any]) -> dict[str, list[_Channel]]:
    return {
        str(group): [
            (
                position,
                PROPERTIES[str(channel["measurand"])],
                str(channel.get("unit") or ""),
                int(channel.get("decimals") or 0),
            )
            for position, channel in enumerate(described.get("channels") or ())
            if str(channel.get("measurand") or "") in PROPERTIES
        ]
        for group, described in (body.get("groups") or {}).items()
    }


def _values(row: SeriesRow, channels: list[_Channel]) -> dict[str, tuple[Fraction, str]]:
    found = {}
    for position, name, unit, decimals in channels:
        value = row.values[position] if position < len(row.values) else None
        if value is not None and status_of(row.quality[position]) == Status.GOOD:
            found[name] = (Fraction(value, 10**decimals), unit)
    return found


def _record(row: SeriesRow, point: str, values: Mapping[str, tuple[Fraction, str]]) -> LaboratoryRecord:
    return LaboratoryRecord(
        seq=row.seq,
        recorded_us=row.observed_us,
        number=f"{row.device}@{iso(row.slot_us)}",
        point=point,
        period=Period(row.slot_us, row.slot_us + 1),
        chain={"taken_us": row.slot_us},
        values=dict(values),
        online=True,
    )
