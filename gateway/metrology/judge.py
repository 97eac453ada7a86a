"""Verdicts: which rules were broken from when to when, and the entries that make the record say so.

The situation of every installation and point is cut at the instants where an answer can change, judged on each piece,
and compared with the verdicts on record. Only differences become entries; while nothing changed and no boundary was
passed, nothing is computed at all.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.ledger import MeteringPoint
from gateway.domain.ratio import parse_ratio
from gateway.domain.time import US_PER_HOUR, local_date, local_midnight
from gateway.i18n.rules import RULES
from gateway.journal.entry import Draft
from gateway.metrology import rules, use
from gateway.metrology.ledger_view import FAR, Fitted, LedgerView, civil_day
from gateway.metrology.loads import Register, amounts_in_window
from gateway.metrology.moment import NOTHING_MEASURED, Broken, Facts, Measured, Moment
from gateway.metrology.rules import METROLOGY_RULES
from gateway.metrology.witness import NoWitness, Outside, Witness
from gateway.registry.record import Identity, Verdict
from gateway.registry.writing import RegistryProjection

IsPrimary = Callable[[str, str], bool]
"""(device, channel) → whether the meter multiplies by its transformer ratio itself."""
Key = tuple[str, str, str, int, str]
_Amounts = tuple[Fraction | None, Fraction | None]
WINDOW_HOURS = Fraction(1, 4)
SETTLING_US = 3 * US_PER_HOUR
"""How long after midnight a day is looked at: late readings and the roll-up of its hours are in by then."""
JUDGED_RULES = frozenset(
    {
        "calibration.none",
        "calibration.identity",
        "calibration.expired",
        "calibration.not_yet_valid",
        "calibration.failed",
        "calibration.not_verification",
        "calibration.unconfirmed",
        "calibration.untrusted",
        "calibration.conformity",
        "calibration.trace_broken",
        "calibration.look_back",
        "calibration.withdrawn",
        "calibration.quantity",
        "calibration.range",
        "point.uncertainty",
        "instrument.environment",
        "instrument.seal",
        "installation.ratio_mismatch",
        "instrument.class_too_low",
        "point.unequipped",
        "device.silent",
        "identity.serial_mismatch",
    }
)

FROM_READINGS = frozenset(
    {
        "device.silent",
        "identity.serial_mismatch",
        "installation.ratio_mismatch",
        "instrument.environment",
        "instrument.seal",
    }
)
"""Rules that look at raw readings: where those are past their retention and gone, what was judged stands."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A broken rule from ``from_us`` until ``to_us`` (None: as far as is known today)."""

    rule: str
    subject: str
    about: Mapping[str, str]
    from_us: int
    to_us: int | None
    facts: Facts

    @property
    def key(self) -> Key:
        """What makes two the same but for their end."""
        return (self.rule, self.subject, _text(dict(self.about)), self.from_us, _text(self.facts))


class Judge:
    """Keeps the ledger view and what it judged last."""

    def __init__(
        self,
        registry: RegistryProjection,
        organisation: str,
        zone: ZoneInfo,
        born_us: int,
        *,
        is_primary: IsPrimary,
        measured_since_us: Callable[[], int],
        witness: Witness | None = None,
    ) -> None:
        self._registry = registry
        self._organisation = organisation
        self._zone = zone
        self._born_us = born_us
        self._is_primary = is_primary
        self._measured_since_us = measured_since_us
        self._witness: Witness = witness or NoWitness()
        self._view: LedgerView | None = None
        self._amounts: dict[tuple[int, int, str], _Amounts | None] = {}
        self._generation = -1
        self._next_us = -FAR

    def round(self, horizon_us: int, at_us: int) -> list[Draft]:
        """Entries that bring the verdicts on record to what holds at ``horizon_us``; empty when nothing changed.

        ``at_us`` is their time of record. Entries close by number, so the record must contain all earlier ones.
        """
        generation = self._registry.generation
        if generation == self._generation and horizon_us < self._next_us:
            return []
        if self._view is None or self._view.seq != self._registry.ledger_seq():
            self._view = LedgerView.read(self._registry, self._organisation, self._zone)
            self._amounts.clear()
        self._next_us = FAR
        wanted = {
            each.key: each
            for each in self._situations(self._view, horizon_us)
            # what ended before anything was measured touches no reading
            if each.to_us is None or each.to_us > self._measured_since_us()
        }
        drafts = list(self._differences(wanted, at_us))
        # while entries are on their way the record does not say yet what was judged
        self._generation = generation if not drafts else -1
        return drafts

    # -- what holds

    def _situations(self, view: LedgerView, horizon_us: int) -> Iterator[Situation]:
        said = self._said()
        for fitted in view.fitted:
            yield from self._installation(view, fitted, said.get(fitted.installation.device, []), horizon_us)
        for point in view.points:
            yield from self._point(view, point, horizon_us)
        for silence in self._registry.silences(self._organisation):
            about = {"device": silence.device}
            subject = f"{self._organisation}/device/{silence.device}"
            yield Situation("device.silent", subject, about, silence.from_us, silence.to_us, {"last": silence.last_us})

    def _said(self) -> dict[str, list[Identity]]:
        """What each device said of itself, by time."""
        found: dict[str, list[Identity]] = {}
        for each in self._registry.identity_spans(self._organisation):
            found.setdefault(each.device, []).append(each)
        for values in found.values():
            values.sort(key=lambda each: each.from_us)
        return found

    def _installation(
        self, view: LedgerView, fitted: Fitted, said: Sequence[Identity], horizon_us: int
    ) -> Iterator[Situation]:
        installation = fitted.installation
        primary = bool(installation.device) and self._is_primary(installation.device, installation.channel)

        measured = self._measured(view, fitted, primary=primary, horizon_us=horizon_us)
        file_fits = self._witness.file_fits

        def broken(at_us: int) -> list[Broken]:
            # what was last said before this installation was said by another meter
            known = {
                each.measurand: each.value for each in said if each.from_us <= at_us and each.last_us >= fitted.from_us
            }
            moment = Moment(view, fitted, at_us, known, primary, measured)
            return [
                *rules.calibration(moment),
                *rules.look_back(moment),
                *rules.trace(moment, file_fits),
                *rules.conformity(moment),
                *use.accuracy_class(moment),
                *use.ratios(moment),
                *use.serial(moment),
                *use.quantity(moment),
                *use.load_range(moment),
                *use.uncertainty(moment),
                *use.environment(moment),
                *use.seal(moment),
            ]

        about = {"instrument": installation.instrument, "installation": installation.id, "point": installation.point}
        if installation.device:
            about["device"] = installation.device
        cuts = view.boundaries(fitted)
        more = {each.from_us for each in said}
        for outside in (measured.load, measured.ambient):
            more.update(end for days in outside for end in (days.from_us, days.to_us))
        if more - cuts:
            cuts = cuts | {each for each in more if fitted.from_us <= each < fitted.to_us}
        yield from self._pieces(
            sorted(cuts),
            fitted.to_us,
            horizon_us,
            broken,
            f"{self._organisation}/instrument/{installation.instrument}",
            about,
        )

    def _measured(self, view: LedgerView, fitted: Fitted, *, primary: bool, horizon_us: int) -> Measured:
        """What was measured while an installation stood; asked again each day where something is held against it."""
        installation = fitted.installation
        if not installation.device:
            return NOTHING_MEASURED
        register = self._witness.register(installation.device, installation.channel)
        load = list(self._loads(view, fitted, register, primary=primary)) if register is not None else []
        ambient: Sequence[Outside] = ()
        instrument = view.instrument(installation.instrument, min(horizon_us, fitted.to_us - 1))
        watched = bool(load) or any(each.covered for each in view.certificates.get(installation.instrument, ()))
        if installation.ambient and instrument is not None:
            lower, upper = _fraction(instrument.ambient_from), _fraction(instrument.ambient_to)
            if lower is not None and upper is not None:
                device, _, channel = installation.ambient.partition("/")
                ambient = self._witness.ambient_outside(device, channel, lower, upper)
                watched = True
        if watched and fitted.to_us > horizon_us:
            today = local_date(horizon_us - SETTLING_US, self._zone)
            next_us = local_midnight(today + timedelta(days=1), self._zone) + SETTLING_US
            self._next_us = min(self._next_us, next_us)
        return Measured(register, load, ambient)

    def _loads(self, view: LedgerView, fitted: Fitted, register: Register, *, primary: bool) -> Iterator[Outside]:
        """Days outside what the certificates in force then cover, each for its own time."""
        installation = fitted.installation
        ratio = parse_ratio(installation.ct_ratio) * parse_ratio(installation.pt_ratio) if primary else None
        course = view.course(installation.instrument)
        ends = [*course.starts[1:], FAR][: len(course.starts)]
        for start, end, dated in zip(course.starts, ends, course.in_force, strict=True):
            instrument = view.instrument(installation.instrument, start)
            if dated is None or dated.covered is None or instrument is None:
                continue
            # the view keeps one object for each record, so these name what was asked
            asked = (dated.record.seq, id(instrument), register.unit)
            if asked not in self._amounts:
                self._amounts[asked] = amounts_in_window(dated.covered, register, instrument, WINDOW_HOURS)
            amounts = self._amounts[asked]
            if amounts is None:
                continue
            lower, upper = amounts
            if ratio is not None:
                lower, upper = (None if each is None else each * ratio for each in amounts)
            for days in self._witness.load_outside(installation.device, installation.channel, lower, upper):
                if days.from_us < end and days.to_us > start:
                    yield Outside(max(days.from_us, start), min(days.to_us, end), days.side)

    def _point(self, view: LedgerView, id_: str, horizon_us: int) -> Iterator[Situation]:
        cuts = {self._born_us}
        for record in view.points[id_]:
            cuts |= {each for each in (record.from_us, record.to_us) if each is not None}
            commissioned = civil_day(str(record.object.get("commissioned_on") or ""))
            if commissioned is not None:
                cuts.add(local_midnight(commissioned, self._zone))
        for fitted in view.by_point.get(id_, ()):
            cuts |= {each for each in (fitted.from_us, fitted.to_us) if abs(each) < FAR}

        def broken(at_us: int) -> list[Broken]:
            point = view.point(id_, at_us)
            if point is None or self._planned(point, at_us) or not use.unequipped(view, point, at_us):
                return []
            return [Broken("point.unequipped", {"equipment": point.main_equipment})]

        instants = sorted(each for each in cuts if each >= self._born_us or self._starts_point(view, id_, each))
        yield from self._pieces(instants, FAR, horizon_us, broken, f"{self._organisation}/point/{id_}", {"point": id_})

    def _starts_point(self, view: LedgerView, id_: str, at_us: int) -> bool:
        """Before the folder was born a point is judged only from a day the ledger names for it."""
        return any(record.from_us is not None and record.from_us <= at_us for record in view.points[id_])

    def _planned(self, point: MeteringPoint, at_us: int) -> bool:
        commissioned = civil_day(point.commissioned_on)
        return commissioned is not None and at_us < local_midnight(commissioned, self._zone)

    def _pieces(  # noqa: PLR0917  # the two callers differ in these
        self,
        instants: Sequence[int],
        end_us: int,
        horizon_us: int,
        broken: Callable[[int], list[Broken]],
        subject: str,
        about: Mapping[str, str],
    ) -> Iterator[Situation]:
        """Judge every piece that has begun; pieces in a row that break a rule in the same way are one situation."""
        running: dict[tuple[str, str | None, str], tuple[int, Broken]] = {}
        for start in instants:
            if start > horizon_us:
                break
            found = {(each.rule, each.certificate, _text(each.facts)): each for each in broken(start)}
            for key in [key for key in running if key not in found]:
                since, each = running.pop(key)
                yield self._situation(each, subject, about, (since, start))
            for key, each in found.items():
                running.setdefault(key, (start, each))
        self._next_us = min([self._next_us, *(each for each in (*instants, end_us) if each > horizon_us)])
        ended = end_us if end_us <= horizon_us else None
        for since, each in running.values():
            yield self._situation(each, subject, about, (since, ended))

    def _situation(
        self, each: Broken, subject: str, about: Mapping[str, str], span: tuple[int, int | None]
    ) -> Situation:
        from_us = self._born_us if span[0] <= -FAR else span[0]
        certificate = {"certificate": each.certificate} if each.certificate else {}
        return Situation(each.rule, subject, {**about, **certificate}, from_us, span[1], each.facts)

    # -- what the record says

    def _differences(self, wanted: Mapping[Key, Situation], at_us: int) -> Iterator[Draft]:
        # a situation that ended where it began (a sample that came late fills the very slot) never was: the record does
        # not list it, so it would be opened and closed again for ever
        left = {key: each for key, each in wanted.items() if each.to_us is None or each.to_us > each.from_us}
        for verdict in self._registry.verdicts(self._organisation):
            if verdict.rule not in JUDGED_RULES:
                continue
            situation = left.get(_key_of(verdict))
            if situation is None:
                if verdict.rule in FROM_READINGS and verdict.from_us < self._registry.pruned_us:
                    continue
                yield self._closing(verdict, verdict.from_us, at_us)
            elif situation.to_us is None and verdict.to_us is not None:
                # what seemed to have ended goes on: the old verdict never was, a new one opens
                yield self._closing(verdict, verdict.from_us, at_us)
            else:
                del left[situation.key]
                if situation.to_us is not None and situation.to_us != verdict.to_us:
                    yield self._closing(verdict, situation.to_us, at_us)
        for situation in left.values():
            yield self._opening(situation, at_us)

    def _opening(self, situation: Situation, at_us: int) -> Draft:
        return self._draft(situation.subject, at_us, "open", situation, {"opens": None, "to": None})

    def _closing(self, verdict: Verdict, to_us: int, at_us: int) -> Draft:
        situation = _as_situation(verdict)
        return self._draft(verdict.subject, at_us, "closed", situation, {"opens": verdict.seq, "to": to_us})

    def _draft(
        self, subject: str, at_us: int, state: str, situation: Situation, end: Mapping[str, int | None]
    ) -> Draft:
        body: dict[str, Any] = {
            "rule": situation.rule,
            "state": state,
            "severity": RULES[situation.rule].severity,
            "about": dict(situation.about),
            "from": situation.from_us,
            "facts": dict(situation.facts),
            "registry": self._view.seq if self._view is not None else 0,
            "rules": METROLOGY_RULES,
            **end,
        }
        return Draft("verdict", subject, at_us, body)


@lru_cache(maxsize=1_024)
def _fraction(text: str) -> Fraction | None:
    """A decimal of the ledger; None when it is none."""
    try:
        return Fraction(text) if text else None
    except (ValueError, ZeroDivisionError):
        return None


def _text(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def _about(verdict: Verdict) -> dict[str, str]:
    names = ("point", "device", "instrument", "installation", "certificate")
    return {name: value for name in names if (value := getattr(verdict, name)) is not None}


def _as_situation(verdict: Verdict) -> Situation:
    return Situation(
        verdict.rule, verdict.subject, _about(verdict), verdict.from_us, verdict.to_us, dict(verdict.facts)
    )


def _key_of(verdict: Verdict) -> Key:
    return _as_situation(verdict).key
