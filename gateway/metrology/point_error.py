"""Error and uncertainty of a whole metering point: meter, current and voltage transformers, leads.

γ = γ_m + f_I + f_U + 0.0291·(δ_I − δ_U)·tan φ + γ_lead. Parts are independent and add in quadrature, except that parts
calibrated with one laboratory standard share its uncertainty and add linearly. All in percent; U is 2·u plus what is
known and not corrected.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum, hypot, sqrt
from typing import Any

from gateway.domain.ledger import InstallationRole, Instrument
from gateway.metrology.correction import (
    MINUTE_PERCENT,
    ErrorAt,
    ErrorPoint,
    TransformerError,
    error_of_total,
    mean_correction,
    point_error,
    uncorrected_u,
    worst_of_curve,
)
from gateway.metrology.ledger_view import DatedCertificate, Fitted
from gateway.metrology.limits import Limit, in_service_factor, limit_of
from gateway.metrology.loads import Covered, Register, amounts_in_window, rate_unit
from gateway.metrology.moment import DEFAULT_K, Moment, coverage_factor, failed, number
from gateway.metrology.policy import CURVE, MEAN

COVERAGE = 2.0
QUARTER_HOURS = Fraction(1, 4)
_SQRT3 = sqrt(3)


@dataclass(frozen=True, slots=True)
class Part:
    """What one instrument brings: ``error_percent`` is what a correction would take off, ``minutes`` a transformer's
    phase displacement, ``bias_percent`` what is known and not corrected; ``u_percent`` its own standard uncertainty and
    ``standard_u_percent`` that of the laboratory ``standard`` it shares with others; ``combined_u_percent`` of both."""

    name: str
    instrument: str
    basis: str
    confidence: str
    error_percent: float = 0.0
    minutes: float = 0.0
    u_percent: float = 0.0
    bias_percent: float = 0.0
    standard: str = ""
    standard_u_percent: float = 0.0
    combined_u_percent: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Both parts in quadrature: the standard's error and the instrument's own are independent."""
        object.__setattr__(self, "combined_u_percent", hypot(self.u_percent, self.standard_u_percent))


@dataclass(frozen=True, slots=True)
class Use:
    """How a meter was used while it counted a total: what its register counts, and (energy, amount in a quarter hour at
    which it was counted), both in the register's unit, meter side."""

    register: Register
    loads: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class PointUncertainty:
    """The point's error (0 where nothing is corrected) and expanded uncertainty (k = 2), with its parts.

    ``unstated`` names instruments of which neither a limit nor an error is known; where there are any, U is not known.
    """

    mode: str
    error_percent: float
    u_percent: float
    expanded_percent: float
    parts: Sequence[Part]
    unstated: Sequence[str]


def point_uncertainty(moment: Moment, use: Use | None = None) -> PointUncertainty:
    """The whole point at the moment's instant, by the point's correction mode.

    With ``use`` the curve mode corrects the meter at the loads it was used at, without it by the curve's mean with its
    worst uncertainty.
    """
    parts: list[Part] = []
    unstated: list[str] = []
    for role, fitted in _fitted(moment):
        part = _part(moment, role, fitted, use)
        if part is None:
            unstated.append(f"{role}:{fitted.installation.instrument}")
        else:
            parts.append(part)
    point = moment.point
    lead = number(point.lead_drop) if point is not None else None
    power_factor = (number(point.power_factor) if point is not None else None) or 1.0
    if lead:
        parts.append(Part("lead", "", "metering point", "", u_percent=abs(lead) / _SQRT3))
    error = 0.0
    if moment.policy.correction_mode in {CURVE, MEAN}:
        phases = {role: [each for each in parts if each.name == role] for role in ("meter", "ct", "pt")}
        error = point_error(
            fsum(each.error_percent for each in phases["meter"]),
            _transformer(phases["ct"]),
            _transformer(phases["pt"]),
            min(max(abs(power_factor), 0.01), 1.0),
        )
    shared: dict[str, float] = {}
    for each in parts:
        if each.standard:
            shared[each.standard] = shared.get(each.standard, 0.0) + each.standard_u_percent
    u = sqrt(fsum([*(each.u_percent**2 for each in parts), *(each**2 for each in shared.values())]))
    bias = fsum(abs(each.bias_percent) for each in parts)
    return PointUncertainty(moment.policy.correction_mode, error, u, COVERAGE * u + bias, parts, unstated)


def _fitted(moment: Moment) -> Iterator[tuple[str, Fitted]]:
    yield "meter", moment.fitted
    for other in moment.view.by_point.get(moment.fitted.installation.point, ()):
        role = other.installation.role
        if role in {InstallationRole.CT, InstallationRole.PT} and other.from_us <= moment.at_us < other.to_us:
            yield str(role), other


def _transformer(parts: Sequence[Part]) -> TransformerError:
    """Three single-phase transformers count as one of their mean error."""
    if not parts:
        return TransformerError(0.0, 0.0)
    return TransformerError(
        fsum(each.error_percent for each in parts) / len(parts), fsum(each.minutes for each in parts) / len(parts)
    )


def _part(moment: Moment, role: str, fitted: Fitted, use: Use | None) -> Part | None:
    id_ = fitted.installation.instrument
    instrument = moment.view.instrument(id_, moment.at_us)
    dated = moment.dated if fitted is moment.fitted else moment.view.in_force(id_, moment.at_us)
    if dated is not None and failed(dated):
        dated = None  # what failed corrects nothing
    mode = moment.policy.correction_mode
    if dated is not None and mode in {CURVE, MEAN}:
        points = error_points(dated)
        if points:
            used = None if use is None or mode != CURVE else _along_curve(moment, fitted, dated, use)
            found = used or (worst_of_curve(points) if mode == CURVE else mean_correction(points))
            return _corrected(found, role, id_, dated, points)
    limit = None if instrument is None else limit_of(instrument, dated.certificate.accuracy_class if dated else "")
    if instrument is not None and limit is not None:
        return _by_limit(moment, role, instrument, limit)
    points = () if dated is None else error_points(dated)
    if dated is None or not points:
        return None
    # nothing says how large the error may be: it is not corrected, so it is added to U
    worst = max(points, key=lambda each: abs(each.error) + each.u)
    basis = f"certificate {dated.certificate.id}"
    return Part(role, id_, basis, "", u_percent=worst.u, bias_percent=abs(worst.error))


def _by_limit(moment: Moment, role: str, instrument: Instrument, limit: Limit) -> Part:
    factor = in_service_factor(moment.policy.jurisdiction, instrument.kind).value
    u = uncorrected_u(limit.value, factor)
    if role != "meter" and limit.minutes is not None and moment.point is not None:
        power_factor = number(moment.point.power_factor)
        if power_factor and 0 < power_factor < 1:
            # the permitted phase displacement errs within its own rectangle
            tan_phi = sqrt(1 / power_factor**2 - 1)
            u = sqrt(u**2 + (MINUTE_PERCENT * float(limit.minutes) * factor * tan_phi / _SQRT3) ** 2)
    return Part(role, instrument.id, limit.source, limit.confidence, u_percent=u)


def _along_curve(moment: Moment, fitted: Fitted, dated: DatedCertificate, use: Use) -> ErrorAt | None:
    """The error at the loads of use; None for other instruments than the meter, and where the curve's loads cannot be
    compared with the register or the limit beyond them is not known."""
    instrument = moment.instrument
    points, unit = _table(dated)
    if fitted is not moment.fitted or not use.loads or instrument is None or len(points) < 2:
        return None
    limit = limit_of(instrument, dated.certificate.accuracy_class)
    curve = []
    for each in points:
        placed = amounts_in_window(Covered(Fraction(each.at), None, unit), use.register, instrument, QUARTER_HOURS)
        if placed is None or placed[0] is None:
            return None
        curve.append(ErrorPoint(float(placed[0]), each.error, each.u))
    return None if limit is None else error_of_total(curve, use.loads, limit.value)


def _corrected(found: ErrorAt, role: str, id_: str, dated: DatedCertificate, points: Sequence[ErrorPoint]) -> Part:
    certificate = dated.certificate
    of_standard = max(each.u for each in points)
    return Part(
        role,
        id_,
        f"certificate {certificate.id}",
        "",
        error_percent=found.error,
        minutes=number(certificate.phase_minutes) or 0.0,
        # the laboratory's part is shared by everything it calibrated with that standard
        u_percent=sqrt(max(found.u**2 - of_standard**2, 0.0)),
        standard=certificate.standards or certificate.id,
        standard_u_percent=of_standard,
    )


def error_points(dated: DatedCertificate) -> tuple[ErrorPoint, ...]:
    """The errors in percent a certificate states, by load: its table where it is on record in percent, else the one
    error it prints. Standard uncertainties; empty when none is stated with an uncertainty."""
    found, _unit = _table(dated)
    if found:
        return found
    certificate = dated.certificate
    error, expanded = number(certificate.error_percent), number(certificate.uncertainty_percent)
    if error is None or expanded is None or expanded < 0:
        return ()
    return (ErrorPoint(0.0, error, expanded / coverage_factor(certificate.coverage_factor)),)


def _table(dated: DatedCertificate) -> tuple[tuple[ErrorPoint, ...], str]:
    """The as-left error curve on record and the unit of its loads (blank: not one of a load)."""
    tables = dated.record.object.get("tables")
    if not isinstance(tables, list):
        return (), ""
    for table in tables:
        try:
            found = _curve(table)
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError):
            continue  # what stands there is no table of errors
        if found is not None:
            return found
    return (), ""


def _curve(table: Mapping[str, Any]) -> tuple[tuple[ErrorPoint, ...], str] | None:
    error, reference = table.get("error") or {}, table.get("reference") or {}
    if table.get("stage") != "as_left" or error.get("unit") != r"\percent" or not error.get("expanded"):
        return None
    values, spread, k, at = (
        [float(Fraction(str(each))) for each in column or ()]
        for column in (error["values"], error["expanded"], error.get("k"), reference.get("values"))
    )
    if len(at) != len(values) or not values:
        return None
    count = len(values)
    us = [each / by for each, by in zip(_spread(spread, count), _spread(k or [DEFAULT_K], count), strict=True)]
    curve = tuple(sorted(map(ErrorPoint, at, values, us), key=lambda each: each.at))
    return curve, rate_unit(str(reference.get("unit")))


def _spread(values: Sequence[float], count: int) -> Sequence[float]:
    """A list of one value holds for all points."""
    return [values[0]] * count if len(values) == 1 else list(values)
