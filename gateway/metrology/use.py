"""What is wrong with how an instrument is used at an instant: class, ratio, serial number, quantity, load, uncertainty,
environment, firmware and seal. Pure questions, as in ``gateway.metrology.rules``."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

from gateway.domain.ledger import InstallationRole, MeteringPoint, normal_serial
from gateway.domain.ratio import class_rank, parse_ratio
from gateway.metrology.ledger_view import Fitted, LedgerView
from gateway.metrology.loads import KINDS, quantity_of, speaks_of
from gateway.metrology.moment import Broken, Facts, Moment, number, plain
from gateway.metrology.point_error import point_uncertainty
from gateway.metrology.witness import Outside

_ratio = lru_cache(maxsize=4_096)(parse_ratio)
_rank = lru_cache(maxsize=4_096)(class_rank)
_RECORDED = (("firmware", "firmware_version"), ("meter_constant", "meter_constant"))


def accuracy_class(moment: Moment) -> Iterator[Broken]:
    """The meter's class against the one its point demands; the certificate's class counts before the plate's (C08)."""
    point, instrument = moment.point, moment.instrument
    if point is None or instrument is None or not moment.is_meter or not point.required_class:
        return
    dated = moment.dated
    held = (dated.certificate.accuracy_class if dated is not None else "") or instrument.accuracy_class
    demanded_rank, held_rank = _rank(point.required_class), _rank(held)
    if demanded_rank is not None and held_rank is not None and held_rank > demanded_rank:
        yield Broken("instrument.class_too_low", {"required": point.required_class, "accuracy_class": held})


def ratios(moment: Moment) -> Iterator[Broken]:
    """Ledger ratio, transformer plates and the meter's own ratio registers agree (C07).

    A register of 1 in a meter that does not multiply is "not set" and says nothing.
    """
    if not moment.is_meter:
        return
    named = moment.fitted.installation
    for kind, declared in (("ct", named.ct_ratio), ("pt", named.pt_ratio)):
        ledger = _ratio(declared)
        facts: Facts = {"transformer": kind, "ledger": declared or "1"}
        for plate in _plates(moment, kind):
            if plate[1] != ledger:
                facts |= {"plate": str(plate[1]), "instrument": plate[0]}
        register = _register(moment.said, kind)
        if register is not None and not (register == 1 and not moment.primary) and not _close(register, ledger):
            facts["register"] = plain(register)
        if len(facts) > 2:
            yield Broken("installation.ratio_mismatch", facts)


def _plates(moment: Moment, kind: str) -> Iterator[tuple[str, Fraction]]:
    for other in moment.view.by_point.get(moment.fitted.installation.point, ()):
        if other.installation.role == kind and other.from_us <= moment.at_us < other.to_us:
            instrument = moment.view.instrument(other.installation.instrument, moment.at_us)
            if instrument is not None and instrument.ratio_primary and instrument.ratio_secondary:
                ratio = _quotient(instrument.ratio_primary, instrument.ratio_secondary)
                if ratio is not None:
                    yield instrument.id, ratio


def _register(said: Mapping[str, str], kind: str) -> Fraction | None:
    whole = said.get(f"{kind}_ratio")
    if whole is not None:
        return _quotient(whole, "1") or None
    primary, secondary = said.get(f"{kind}_primary"), said.get(f"{kind}_secondary")
    return (_quotient(primary, secondary) or None) if primary and secondary else None


@lru_cache(maxsize=4_096)
def _quotient(primary: str, secondary: str) -> Fraction | None:
    try:
        below = Fraction(secondary)
        return Fraction(primary) / below if below else None
    except ValueError:
        return None


def _close(one: Fraction, other: Fraction) -> bool:
    """Equal as far as a register of three digits can say."""
    return one == other or abs(one - other) * 1000 <= other


def serial(moment: Moment) -> Iterator[Broken]:
    """The serial number the device reports is the installed instrument's (C02)."""
    reported = moment.said.get("serial_number")
    instrument = moment.instrument
    if not reported or instrument is None or not instrument.serial or not moment.is_meter:
        return
    if reported != instrument.serial and normal_serial(reported) != normal_serial(instrument.serial):
        yield Broken("identity.serial_mismatch", {"reported": reported, "serial": instrument.serial})


def quantity(moment: Moment) -> Iterator[Broken]:
    """What the main channel counts is what an instrument of its kind may count, and what its certificate speaks of:
    active or reactive, import or export (C05)."""
    register, instrument = moment.measured.register, moment.instrument
    if register is None or instrument is None or not moment.is_meter:
        return
    counted = quantity_of(register.unit)
    if counted is None:
        return  # a unit the table does not have is not judged
    facts: Facts = {"measurand": register.measurand, "unit": register.unit}
    may = KINDS.get(instrument.kind)
    if may is not None and counted not in may:
        yield Broken("calibration.quantity", {**facts, "instrument_kind": instrument.kind})
    elif moment.dated is not None and not speaks_of(moment.dated.quantities, register):
        id_ = moment.dated.certificate.id
        about = ";".join(sorted(moment.dated.quantities))
        yield Broken("calibration.quantity", {**facts, "certificate": id_, "about": about}, id_)


def load_range(moment: Moment) -> Iterator[Broken]:
    """The load of the day lay in what the certificate covers (C06); outside, its errors are not extended and the
    permissible error counts instead."""
    if not moment.measured.load or moment.dated is None or moment.dated.covered is None:
        return
    covered = moment.dated.covered
    for side in _sides(moment.measured.load, moment.at_us):
        facts: Facts = {"certificate": moment.dated.certificate.id, "side": side, "unit": covered.unit}
        for name, end in (("lower", covered.lower), ("upper", covered.upper)):
            if end is not None:
                facts[name] = plain(end)
        yield Broken("calibration.range", facts, moment.dated.certificate.id)


def environment(moment: Moment) -> Iterator[Broken]:
    """The temperature at the place stayed in the instrument's rated operating conditions (C11)."""
    instrument = moment.instrument
    if instrument is None or not moment.measured.ambient:
        return
    for side in _sides(moment.measured.ambient, moment.at_us):
        facts: Facts = {"side": side, "lower": instrument.ambient_from, "upper": instrument.ambient_to}
        yield Broken("instrument.environment", facts)


def _sides(outside: Sequence[Outside], at_us: int) -> Iterator[str]:
    for each in outside:
        if each.from_us <= at_us < each.to_us:
            yield each.side


def uncertainty(moment: Moment) -> Iterator[Broken]:
    """The relative expanded uncertainty of an amount at this point against the one its plan allows (C10)."""
    point = moment.point
    if point is None or not point.target_uncertainty or not moment.is_meter:
        return
    target = number(point.target_uncertainty)
    if target is None:
        return
    found = point_uncertainty(moment)
    facts: Facts = {"target_percent": point.target_uncertainty, "mode": moment.policy.correction_mode}
    if found.unstated:
        yield Broken("point.uncertainty", {**facts, "unstated": ";".join(found.unstated)})
    elif found.expanded_percent > target:
        largest = max(found.parts, key=lambda each: each.u_percent)
        facts |= {"expanded_percent": f"{found.expanded_percent:.2g}", "largest": largest.name}
        yield Broken("point.uncertainty", facts)


def seal(moment: Moment) -> Iterator[Broken]:
    """Firmware, meter constant and seal are as they were at the calibration (C14)."""
    dated = moment.dated
    if dated is None or not moment.is_meter:
        return
    certificate = dated.certificate
    for field, measurand in _RECORDED:
        recorded, reported = getattr(certificate, field), moment.said.get(measurand)
        if recorded and reported and recorded.strip() != reported.strip():
            facts: Facts = {"what": field, "recorded": recorded, "found": reported}
            yield Broken("instrument.seal", facts, certificate.id)
    fitted = moment.fitted.installation.seal
    if certificate.seal and fitted and normal_serial(certificate.seal) != normal_serial(fitted):
        yield Broken("instrument.seal", {"what": "seal", "recorded": certificate.seal, "found": fitted}, certificate.id)


def unequipped(view: LedgerView, point: MeteringPoint, at_us: int) -> bool:
    """Whether a point that must be measured has no meter at an instant."""
    if not point.must_measure or point.exemption:
        return False
    meters: Sequence[Fitted] = view.by_point.get(point.id, ())
    return not any(
        each.installation.role == InstallationRole.METER and each.from_us <= at_us < each.to_us for each in meters
    )
