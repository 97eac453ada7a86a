"""现场核对: an instrument as found on site beside what ledger and gateway say of it for that very minute.

The index on the display is compared with the register interpolated to the minute's end and beginning: a reader writes
down a minute, so the register may stand anywhere between the two, and one step of the display and one of the register
come on top. What lies further off differs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.plant import ChannelFact, Fitted, Plant, plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import decimal_fraction, decimal_text
from gateway.domain.ledger import InstallationRole, Instrument, normal_serial
from gateway.domain.ratio import parse_ratio
from gateway.domain.time import US_PER_MINUTE, Period
from gateway.series.row import SeriesRow

AGREES, DIFFERS, NO_VALUE = "agrees", "differs", "no_value"
MAX_GAP_US = 60 * US_PER_MINUTE
"""Readings further apart than this say nothing about a minute between them."""
_NEIGHBOURS_US = 2 * MAX_GAP_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What ledger and gateway say of an instrument at a moment: what the sheet prints and the page shows beside.

    ``low``/``high``: the register at the beginning and the end of the minute, in ``unit``, as the meter shows it;
    None where no reading stands near. ``entries`` are the journal entries it was interpolated from.
    """

    instrument: Instrument
    point: str
    point_name_zh: str
    point_name_en: str
    device: str
    channel: str
    unit: str
    decimals: int
    seal: str
    ct_ratio: str
    pt_ratio: str
    minute_us: int
    low: Fraction | None
    high: Fraction | None
    entries: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``difference`` = index read − nearest register of the minute; ``tolerance`` is one step of the display and one of
    the register. ``differing`` names what on site is not as in the ledger."""

    agreement: str
    gateway_value: Fraction | None
    difference: Fraction | None
    tolerance: Fraction | None
    differing: Sequence[str]


def expected(sources: Sources, asking: Asking, instrument: str, at_us: int) -> Expected:
    """What should be found; UnknownObjectError when the ledger has no such instrument at that moment."""
    then = Asking(organisation=asking.organisation, as_of_us=at_us, known_seq=asking.known_seq, zone=asking.zone)
    there = plant(sources, then)
    card = there.instruments.get(instrument)
    if card is None:
        raise UnknownObjectError("the ledger has no instrument %(id)s at that moment", id=instrument)
    fitted = next((each for each in there.installations if each.installation.instrument == instrument), None)
    fact = there.points.get(fitted.installation.point) if fitted else None
    meter = fact.meter if fact else None
    is_meter = fitted is not None and fitted.installation.role == InstallationRole.METER
    channel = there.register(fact) if fact is not None and is_meter else None
    minute = at_us // US_PER_MINUTE * US_PER_MINUTE
    low, high, entries = (None, None, ()) if channel is None else _register(sources, channel, minute)
    return Expected(
        instrument=card,
        point=fact.point.id if fact else "",
        point_name_zh=fact.point.name_zh if fact else "",
        point_name_en=fact.point.name_en if fact else "",
        device=fitted.installation.device if fitted else "",
        channel=channel.id if channel else "",
        unit=channel.unit if channel else "",
        decimals=channel.decimals if channel else 0,
        seal=fitted.installation.seal if fitted else "",
        ct_ratio=_plate(there, meter, card, "ct"),
        pt_ratio=_plate(there, meter, card, "pt"),
        minute_us=minute,
        low=low,
        high=high,
        entries=entries,
    )


def _plate(there: Plant, meter: Fitted | None, card: Instrument, role: str) -> str:
    """The ratio a plate should show: a transformer's own, else the one its point's meter is multiplied by."""
    del there
    if card.kind == {"ct": "current_transformer", "pt": "voltage_transformer"}[role]:
        return f"{card.ratio_primary}/{card.ratio_secondary}" if card.ratio_primary else ""
    if meter is None or meter.installation.instrument != card.id:
        return ""
    return meter.installation.ct_ratio if role == "ct" else meter.installation.pt_ratio


def _register(
    sources: Sources, channel: ChannelFact, minute_us: int
) -> tuple[Fraction | None, Fraction | None, tuple[int, ...]]:
    low, first = register_at(sources, channel, minute_us)
    high, second = register_at(sources, channel, minute_us + US_PER_MINUTE)
    return low, high, tuple(sorted({*first, *second}))


def register_at(sources: Sources, channel: ChannelFact, at_us: int) -> tuple[Fraction | None, tuple[int, ...]]:
    """A counter as its meter shows it at an instant, interpolated between the readings around it, in its unit; None
    where they are missing, too far apart, or fell."""
    span = Period(at_us - _NEIGHBOURS_US, at_us + _NEIGHBOURS_US)
    before: tuple[SeriesRow, int] | None = None
    after: tuple[SeriesRow, int] | None = None
    for row in sources.series.rows(channel.device, channel.group, span):
        value = row.values[channel.position]
        if value is None or row.quality[channel.position] & 3 >= 2:
            continue
        if row.observed_us <= at_us:
            before = (row, value)
        elif after is None:
            after = (row, value)
    if before is None:
        return None, ()
    step = Fraction(1, 10**channel.decimals)
    (first, old), (second, new) = before, after or before
    if first.observed_us == at_us:
        return old * step, (first.seq,)
    gap = second.observed_us - first.observed_us
    if after is None or gap > MAX_GAP_US or new < old:
        return None, ()
    return (old + Fraction((new - old) * (at_us - first.observed_us), gap)) * step, (first.seq, second.seq)


def compare(found: Mapping[str, Any], against: Expected) -> Comparison:
    """What a reviewer found against what was expected. ``found``: ``serial``, ``number``, ``seal``, ``ct_plate``,
    ``pt_plate``, ``index`` (decimal text), ``label``, ``environment``, ``found`` (yes, no).

    Raises:
        ValueError: the index is no number.
    """
    differing = [name for name, is_same in _SAME.items() if not is_same(str(found.get(name) or ""), against)]
    differing += [name for name in ("label", "environment") if found.get(name) == "wrong"]
    if found.get("found") == "no":
        differing = ["found"]
    index = str(found.get("index") or "").strip()
    if not index or against.low is None or against.high is None:
        return Comparison(
            agreement=NO_VALUE, gateway_value=against.low, difference=None, tolerance=None, differing=differing
        )
    try:
        read = decimal_fraction(index)
    except ArithmeticError as error:
        raise ValueError(index) from error
    shown = Fraction(1, 10 ** len(index.partition(".")[2]))
    tolerance = shown + Fraction(1, 10**against.decimals)
    nearest = min(max(read, against.low), against.high)
    difference = read - nearest
    return Comparison(
        agreement=AGREES if abs(difference) <= tolerance else DIFFERS,
        gateway_value=nearest,
        difference=difference,
        tolerance=tolerance,
        differing=differing,
    )


def _same_serial(found: str, against: Expected) -> bool:
    wanted = against.instrument.serial
    return not found or not wanted or normal_serial(found) == normal_serial(wanted)


def _same_ratio(found: str, wanted: str) -> bool:
    if not found or not wanted:
        return True
    try:
        return parse_ratio(found) == parse_ratio(wanted)
    except ValueError:
        return False


_SAME: Mapping[str, Callable[[str, Expected], bool]] = {
    "serial": _same_serial,
    "number": lambda found, against: not found or found == against.instrument.id,
    "seal": lambda found, against: not found or not against.seal or found == against.seal,
    "ct_plate": lambda found, against: _same_ratio(found, against.ct_ratio),
    "pt_plate": lambda found, against: _same_ratio(found, against.pt_ratio),
}


def check_object(found: Mapping[str, Any], against: Expected, made: Comparison) -> dict[str, Any]:
    """The ``object`` of a check's act: what was found, what the gateway said, how it was judged."""
    return {
        **{name: str(value) for name, value in found.items() if value not in {None, ""}},
        "instrument": against.instrument.id,
        "minute": against.minute_us,
        "unit": against.unit,
        "gateway_low": _text(against.low),
        "gateway_high": _text(against.high),
        "gateway_value": _text(made.gateway_value),
        "difference": _text(made.difference),
        "tolerance": _text(made.tolerance),
        "agreement": made.agreement,
        "differing": list(made.differing),
        "entries": list(against.entries),
    }


def _text(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value, 4)
