"""Findings a person has to see: open verdicts, and what readings showed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.judged import judgement_of, judgements
from gateway.audit.plant import Plant, PointFact, plant
from gateway.audit.questioned import Answer, answers
from gateway.audit.replacements import OPEN_ORDER, OrderView, replacements
from gateway.domain.finding import Severity
from gateway.domain.time import US_PER_DAY
from gateway.i18n.rules import RULES
from gateway.registry.record import FindingCount, Verdict

READING_DAYS = 40
MAX_FINDINGS = 2_000
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_RULE_AREAS = {
    "calibration": "certificates",
    "installation": "installation",
    "instrument": "installation",
    "replacement": "installation",
    "point": "installation",
    "identity": "installation",
    "counter": "readings",
    "reading": "readings",
    "time": "readings",
    "message": "readings",
    "device": "readings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding. ``source`` is ``verdict`` (a situation with a range) or ``reading`` (counted per UTC day and rule).

    ``entry_seq`` is the journal entry that opened it or showed it first; ``from_us``/``to_us`` µs UTC, None = still.
    Integers in the facts of a reading finding are scaled by ``decimals`` of its ``channel``, in ``unit``.
    ``decision``: of a verdict that puts readings in question, how a person answered it (``gateway.audit.questioned``);
    while it waits it is open, though its time may be over.
    """

    rule: str
    severity: str
    area: str
    source: str
    open: bool
    from_us: int
    to_us: int | None
    count: int
    point: str
    point_name_zh: str
    point_name_en: str
    device: str
    instrument: str
    installation: str
    certificate: str
    channel: str
    unit: str
    decimals: int
    facts: Mapping[str, Any]
    entry_seq: int
    decision: str = ""


def findings(
    sources: Sources,
    asking: Asking,
    *,
    area: str = "",
    severity: str = "",
    rule: str = "",
    point: str = "",
    device: str = "",
    instrument: str = "",
    only_open: bool = False,
) -> list[FindingView]:
    """Open verdicts and reading findings of the last ``READING_DAYS`` days, worst first, newest first within."""
    there = plant(sources, asking)
    verdicts = _verdicts(sources, asking, there)
    # what a verdict says with its range need not be said again by the readings that led to it
    said = {(each.rule, each.device) for each in verdicts if each.open}
    readings = [each for each in _readings(sources, asking, there) if (each.rule, each.device) not in said]
    orders = [_of_order(each) for each in replacements(sources, asking, only_open=True)]
    listed = [*verdicts, *readings, *orders]
    wanted = [
        each
        for each in listed
        if (not area or each.area == area)
        and (not severity or each.severity == severity)
        and (not rule or each.rule == rule)
        and (not point or each.point == point)
        and (not device or each.device == device)
        and (not instrument or each.instrument == instrument)
        and (not only_open or each.open)
    ]
    wanted.sort(key=lambda each: (not each.open, _ORDER[Severity(each.severity)], -each.from_us, each.rule))
    return wanted[:MAX_FINDINGS]


def _verdicts(sources: Sources, asking: Asking, there: Plant) -> list[FindingView]:
    verdicts = sources.registry.verdicts(asking.organisation, None, asking.known_seq)
    begun = [each for each in verdicts if each.from_us <= asking.as_of_us]
    answered = answers(sources, asking, begun)
    return [_of_verdict(each, there, answered.get(each.seq)) for each in begun]


def _of_verdict(verdict: Verdict, there: Plant, answer: Answer | None) -> FindingView:
    point = verdict.point or _point_of(there, verdict.device or "", verdict.instrument or "")
    known = there.points.get(point)
    return FindingView(
        rule=verdict.rule,
        severity=verdict.severity if verdict.severity in set(Severity) else Severity.WARNING,
        area=_RULE_AREAS.get(verdict.rule.split(".")[0], "readings"),
        source="verdict",
        open=verdict.to_us is None or (answer is not None and answer.waits),
        from_us=verdict.from_us,
        to_us=verdict.to_us,
        count=1,
        point=point,
        point_name_zh=known.point.name_zh if known else "",
        point_name_en=known.point.name_en if known else "",
        device=verdict.device or "",
        instrument=verdict.instrument or "",
        installation=verdict.installation or "",
        certificate=verdict.certificate or "",
        channel="",
        unit="",
        decimals=0,
        facts=verdict.facts,
        entry_seq=verdict.seq,
        decision="" if answer is None else answer.word,
    )


def _of_order(order: OrderView) -> FindingView:
    """An open check order (失准更换): until it is closed somebody has something to do."""
    return FindingView(
        rule=OPEN_ORDER,
        severity=RULES[OPEN_ORDER].severity,
        area="installation",
        source="order",
        open=True,
        from_us=order.ordered_us,
        to_us=None,
        count=1,
        point=order.point,
        point_name_zh=order.point_name_zh,
        point_name_en=order.point_name_en,
        device="",
        instrument=order.instrument,
        installation=order.installation,
        certificate="",
        channel="",
        unit="",
        decimals=0,
        facts={"order": order.id},
        entry_seq=order.steps[0].seq,
    )


def _readings(sources: Sources, asking: Asking, there: Plant) -> list[FindingView]:
    first_day = asking.as_of_us // US_PER_DAY - READING_DAYS
    counted = sources.registry.findings(asking.organisation, from_day=first_day, limit=MAX_FINDINGS * 5)
    merged: dict[tuple[str, str, str], list[FindingCount]] = {}
    for each in counted:
        recorded = asking.known_seq is None or each.first_seq <= asking.known_seq
        if each.first_us <= asking.as_of_us and recorded:
            merged.setdefault((each.rule, each.device, each.channel), []).append(each)
    serials = {
        device: value
        for device, measurand, _since, _seq, value in sources.registry.identities(asking.organisation)
        if measurand == "serial_number"
    }
    decided = judgements(sources, asking)
    found = [_of_readings(key, days, there, serials) for key, days in merged.items()]
    return [replace(each, open=False) if judgement_of(each, decided) else each for each in found]


def _of_readings(
    key: tuple[str, str, str], days: list[FindingCount], there: Plant, serials: Mapping[str, str]
) -> FindingView:
    rule, device, channel = key
    severity = RULES[rule].severity if rule in RULES else Severity.WARNING
    first = min(days, key=lambda each: each.first_us)
    point = _point_of(there, device, "")
    known = there.points.get(point)
    described = next((each for each in there.channels.get(device, ()) if each.id == channel), None)
    return FindingView(
        rule=rule,
        severity=severity,
        area=_RULE_AREAS.get(rule.split(".")[0], "readings"),
        source="reading",
        open=_unresolved(rule, severity, device, known, serials),
        from_us=first.first_us,
        to_us=max(each.last_us for each in days),
        count=sum(each.count for each in days),
        point=point,
        point_name_zh=known.point.name_zh if known else "",
        point_name_en=known.point.name_en if known else "",
        device=device,
        instrument=known.meter.installation.instrument if known and known.meter else "",
        installation=known.meter.id if known and known.meter else "",
        certificate="",
        channel=channel,
        unit=described.unit if described else "",
        decimals=described.decimals if described else 0,
        facts=first.facts,
        entry_seq=first.first_seq,
    )


def _unresolved(rule: str, severity: str, device: str, known: PointFact | None, serials: Mapping[str, str]) -> bool:
    """Faults stay open until somebody judges them; a serial number until ledger and device agree again."""
    if rule == "identity.serial_mismatch" and known and known.meter and known.meter.instrument:
        return serials.get(device, "") != known.meter.instrument.serial
    return severity == Severity.ERROR


def _point_of(there: Plant, device: str, instrument: str) -> str:
    for each in there.installations:
        joined = each.installation
        if (device and joined.device == device) or (instrument and joined.instrument == instrument):
            return joined.point
    return ""
