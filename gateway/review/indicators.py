"""Indicators with everything needed to check them: numerator, denominator, the day, what was left out, every member.

配备率 by energy kind and level against the edition in force that day; class conformity; 受检率; 强检检定覆盖率;
数据完整率 (quarter hours with a value, slots answered); 在线率; share of instruments with unbroken traceability.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.audit.energy import begun_us, reached_us
from gateway.audit.equipping import Equipping, NetworkPoint
from gateway.audit.ledger import LedgerRow
from gateway.audit.traceability import DOES_NOT_COUNT, NO_CERTIFICATE, Chain, traceability
from gateway.domain.time import SETTLEMENT_WINDOW_US
from gateway.review.checklist import EquippingEdition, edition_in_force
from gateway.review.gathered import Gathered

FAMILIES = ("equipping", "class", "verified", "compulsory", "traceable", "completeness", "slots", "online")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One thing that was counted: how much of it counts for the numerator, of how much. ``why`` names a reason of
    ``gateway.i18n`` family ``indicator_reason``; ``kind`` is ``point``, ``instrument`` or ``device``."""

    kind: str
    id: str
    name_zh: str
    name_en: str
    part: int
    whole: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """One thing that was left out, and why."""

    kind: str
    id: str
    name_zh: str
    name_en: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """``numerator`` of ``denominator`` as of ``day``. ``required_percent`` is None where nothing is demanded; then
    ``edition`` says which edition was in force and ``edition_has_table`` whether its table was at hand.

    ``definition`` is an English sentence (translated where shown). ``meets`` is None where nothing can be judged.
    """

    id: str
    family: str
    energy_kind: str
    level: int
    numerator: int
    denominator: int
    day: date
    definition: str
    required_percent: int | None
    edition: str
    edition_has_table: bool | None
    edition_standing: str
    edition_source: str
    members: Sequence[Member]
    excluded: Sequence[Excluded]

    @property
    def permille(self) -> int | None:
        """The share in permille, rounded down: 999 means that something is missing. None of nothing."""
        return None if self.denominator == 0 else self.numerator * 1000 // self.denominator

    @property
    def meets(self) -> bool | None:
        """Whether the demand is met; None where there is none, or nothing was counted."""
        if self.required_percent is None or self.denominator == 0:
            return None
        return self.numerator * 100 >= self.required_percent * self.denominator

    @property
    def whole(self) -> bool:
        """Whether the numerator is the denominator."""
        return self.numerator == self.denominator


def indicators(gathered: Gathered, families: Iterable[str] = FAMILIES) -> list[Indicator]:
    """The indicators of the families named, in the order of ``FAMILIES``."""
    wanted = set(families)
    found: list[Indicator] = []
    for family in FAMILIES:
        if family in wanted:
            found += _MAKERS[family](gathered)
    return found


# -- instruments

EQUIPPING = (
    "Points with a meter, of the points of this energy kind and level that the ledger marks as to be measured and does "
    "not exempt."
)
CLASS = "Points whose meter has the accuracy class demanded of it or a better one, of the points where both are known."
VERIFIED = (
    "Instruments whose newest certificate is valid on the day and says no failure, of the instruments of the ledger "
    "that are not out of use."
)
COMPULSORY = (
    "Instruments under compulsory verification with a valid verification certificate, of all such instruments of the "
    "ledger that are not out of use. A calibration certificate does not count."
)
TRACEABLE = (
    "Instruments whose certificate counts and leads to standards on record that were valid when used, with nothing on "
    "record that breaks the chain above them, of the instruments of the ledger that are not out of use."
)
_BREAKS = {
    NO_CERTIFICATE: "no_certificate",
    "the certificate names no standard": "no_standard",
    "the standard is not on record": "standard_unknown",
    "the standard was not valid on the day of calibration": "standard_expired",
}
COMPLETENESS = "Quarter hours with a value, of the quarter hours that were over, since each point's first reading."
SLOTS = "Slots that ended with an answer, of the slots that were due, since the beginning of the first day (UTC)."
ONLINE = (
    "Points with a device whose newest reading is not older than three periods and a minute, of the points with a "
    "device."
)


def _equipping(gathered: Gathered) -> list[Indicator]:
    edition = edition_in_force(gathered.all_editions, gathered.asking.today)
    points = gathered.network.points
    keys = sorted({(each.point.energy_kind, each.point.level) for each in points})
    made = []
    for kind, level in keys:
        mine = [each for each in points if (each.point.energy_kind, each.point.level) == (kind, level)]
        demanded = [
            each
            for each in mine
            if each.point.must_measure and each.equipping in {Equipping.EQUIPPED, Equipping.LACKING}
        ]
        required = None if edition is None else edition.required(kind, level)
        made.append(
            _indicator(
                gathered,
                "equipping",
                EQUIPPING,
                members=[_point_member(each, each.equipping is Equipping.EQUIPPED, "no_meter") for each in demanded],
                excluded=[_point_excluded(each, _left_out(each)) for each in mine if each not in demanded],
                key=(kind, level),
                demand=(required, edition),
            )
        )
    return made


def _left_out(each: NetworkPoint) -> str:
    if each.equipping is Equipping.EQUIPPED:
        return "optional"
    return str(each.equipping)


def _class(gathered: Gathered) -> list[Indicator]:
    judged = [each for each in gathered.network.points if each.instrument and each.class_suffices is not None]
    rest = [each for each in gathered.network.points if each.instrument and each.class_suffices is None]
    return [
        _indicator(
            gathered,
            "class",
            CLASS,
            members=[_point_member(each, bool(each.class_suffices), "class_too_low") for each in judged],
            excluded=[_point_excluded(each, "class_unknown") for each in rest],
        )
    ]


def _verified(gathered: Gathered) -> list[Indicator]:
    return [_of_instruments(gathered, "verified", VERIFIED, gathered.rows, _due_reason)]


def _compulsory(gathered: Gathered) -> list[Indicator]:
    rows = [row for row in gathered.rows if row.compulsory]
    return [_of_instruments(gathered, "compulsory", COMPULSORY, rows, _due_reason)]


def _due_reason(row: LedgerRow) -> str:
    return "" if row.due.counts else str(row.due)


def _traceable(gathered: Gathered) -> list[Indicator]:
    rows = traceability(gathered.sources, gathered.asking).rows
    breaks = {each.instrument: _broken(each) for each in rows}
    return [
        _of_instruments(
            gathered, "traceable", TRACEABLE, gathered.rows, lambda row: breaks.get(row.instrument.id, "chain_broken")
        )
    ]


def _broken(each: Chain) -> str:
    """What breaks a chain first, in a word; blank when nothing does."""
    if each.unbroken:
        return ""
    first = each.breaks[0]
    return str(each.due) if first == DOES_NOT_COUNT else _BREAKS.get(first, "chain_broken")


def _of_instruments(
    gathered: Gathered, family: str, definition: str, rows: Sequence[LedgerRow], reason: Callable[[LedgerRow], str]
) -> Indicator:
    members, excluded = [], []
    for row in rows:
        card = row.instrument
        if not row.in_use:
            excluded.append(
                Excluded(kind="instrument", id=card.id, name_zh=card.name, name_en=card.name, why="stopped")
            )
            continue
        found = reason(row)
        members.append(
            Member(
                kind="instrument",
                id=card.id,
                name_zh=card.name,
                name_en=card.name,
                part=int(not found),
                whole=1,
                why=found,
            )
        )
    return _indicator(gathered, family, definition, members=members, excluded=excluded)


# -- data


def _completeness(gathered: Gathered) -> list[Indicator]:
    sources, asking, there = gathered.sources, gathered.asking, gathered.plant
    members, excluded = [], []
    for row in gathered.completeness.points:
        fact = there.points[row.point.id]
        register = there.register(fact)
        begun = 0 if register is None else begun_us(sources, asking, register)
        reached = 0 if register is None else min(reached_us(sources, asking, register), asking.settling_us)
        windows = missing = 0
        for day in row.days:
            start, end = max(day.start_us, begun), min(day.end_us, reached)
            if begun and end > start:
                windows += (end - start) // SETTLEMENT_WINDOW_US
                missing += day.missing
        if windows == 0:
            excluded.append(_excluded_point(row.point, "no_reading"))
            continue
        members.append(
            Member(
                kind="point",
                id=row.point.id,
                name_zh=row.point.name_zh,
                name_en=row.point.name_en,
                part=max(0, windows - missing),
                whole=windows,
                why="missing" if missing else "",
            )
        )
    return [_indicator(gathered, "completeness", COMPLETENESS, members=members, excluded=excluded)]


def _slots(gathered: Gathered) -> list[Indicator]:
    members = [
        Member(
            kind="device",
            id=each.device,
            name_zh=each.device,
            name_en=each.device,
            part=each.answered,
            whole=each.slots,
            why="" if each.answered == each.slots else "unanswered",
        )
        for each in gathered.completeness.devices
    ]
    return [_indicator(gathered, "slots", SLOTS, members=members, excluded=[])]


def _online(gathered: Gathered) -> list[Indicator]:
    rows = [each for each in gathered.live if each.device]
    rest = [each for each in gathered.live if not each.device]
    members = [
        Member(
            kind="point",
            id=each.point.id,
            name_zh=each.point.name_zh,
            name_en=each.point.name_en,
            part=int(not each.stale),
            whole=1,
            why="stale" if each.stale else "",
        )
        for each in rows
    ]
    return [
        _indicator(
            gathered,
            "online",
            ONLINE,
            members=members,
            excluded=[_excluded_point(each.point, "no_device") for each in rest],
        )
    ]


# -- making


def _point_member(each: NetworkPoint, counts: bool, otherwise: str) -> Member:
    return Member(
        kind="point",
        id=each.point.id,
        name_zh=each.point.name_zh,
        name_en=each.point.name_en,
        part=int(counts),
        whole=1,
        why="" if counts else otherwise,
    )


def _point_excluded(each: NetworkPoint, why: str) -> Excluded:
    return _excluded_point(each.point, why)


def _excluded_point(point: object, why: str) -> Excluded:
    name = {field: str(getattr(point, field)) for field in ("id", "name_zh", "name_en")}
    return Excluded(kind="point", why=why, **name)


def _indicator(
    gathered: Gathered,
    family: str,
    definition: str,
    *,
    members: Sequence[Member],
    excluded: Sequence[Excluded],
    key: tuple[str, int] = ("", 0),
    demand: tuple[int | None, EquippingEdition | None] = (None, None),
) -> Indicator:
    kind, level = key
    required, edition = demand
    return Indicator(
        id=f"{family}.{kind}.{level}" if kind else family,
        family=family,
        energy_kind=kind,
        level=level,
        numerator=sum(each.part for each in members),
        denominator=sum(each.whole for each in members),
        day=gathered.asking.today,
        definition=definition,
        required_percent=required,
        edition=edition.edition if edition else "",
        edition_has_table=edition.table if edition else None,
        edition_standing=edition.standing if edition else "",
        edition_source=edition.source if edition else "",
        members=members,
        excluded=excluded,
    )


_MAKERS: dict[str, Callable[[Gathered], list[Indicator]]] = {
    "equipping": _equipping,
    "class": _class,
    "verified": _verified,
    "compulsory": _compulsory,
    "traceable": _traceable,
    "completeness": _completeness,
    "slots": _slots,
    "online": _online,
}
