"""One installation at one instant with everything the rules ask about it, looked up once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite

from gateway.domain.ledger import InstallationRole, Instrument, MeteringPoint
from gateway.metrology.conformity import Decision, decide
from gateway.metrology.ledger_view import DatedCertificate, Fitted, LedgerView
from gateway.metrology.limits import Limit, in_service_factor, limit_of
from gateway.metrology.loads import Register
from gateway.metrology.policy import Policy, policy_of
from gateway.metrology.witness import Outside

Facts = dict[str, int | str]
DEFAULT_K = 2.0


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule broken at an instant."""

    rule: str
    facts: Facts = field(default_factory=dict)
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured during a stretch of an installation: days outside, by the certificate or instrument they were
    held against; and what its main channel counts."""

    register: Register | None = None
    load: Sequence[Outside] = ()
    ambient: Sequence[Outside] = ()


NOTHING_MEASURED = Measured()


class Moment:
    """Where the rules stand: ``fitted`` at ``at_us``. ``said``: newest identity values of the device (``ct_ratio``,
    ``firmware_version`` …); ``primary``: the meter multiplies by its transformer ratio itself."""

    __slots__ = (
        "at_us",
        "dated",
        "duty",
        "fitted",
        "following",
        "instrument",
        "is_meter",
        "measured",
        "point",
        "policy",
        "primary",
        "said",
        "view",
    )

    def __init__(  # noqa: PLR0917  # one place makes them
        self,
        view: LedgerView,
        fitted: Fitted,
        at_us: int,
        said: Mapping[str, str],
        primary: bool,
        measured: Measured = NOTHING_MEASURED,
    ) -> None:
        named = fitted.installation
        self.view = view
        self.fitted = fitted
        self.at_us = at_us
        self.said = said
        self.primary = primary
        self.measured = measured
        self.is_meter = named.role == InstallationRole.METER
        self.instrument: Instrument | None = view.instrument(named.instrument, at_us)
        self.point: MeteringPoint | None = view.point(named.point, at_us)
        self.dated: DatedCertificate | None = view.in_force(named.instrument, at_us)
        self.following: DatedCertificate | None = view.following(named.instrument, at_us)
        self.policy: Policy = policy_of(self.point, view.site(at_us))
        self.duty = self.instrument is not None and bool(
            self.instrument.compulsory or (self.point is not None and self.point.compulsory and self.is_meter)
        )


def failed(dated: DatedCertificate) -> bool:
    """Whether a certificate, or the confirmation of it for its use (计量确认), says that the instrument failed."""
    certificate = dated.certificate
    return certificate.kind == "rejection_notice" or "fail" in {certificate.result, certificate.confirmed_result}


def number(text: str) -> float | None:
    """A decimal text of the ledger; None when blank or unreadable."""
    try:
        found = float(text) if text else None
    except ValueError:
        return None
    return found if found is not None and isfinite(found) else None


def decided(
    dated: DatedCertificate, instrument: Instrument, policy: Policy, *, as_found: bool = False
) -> tuple[Decision, Limit] | None:
    """A certificate's error and uncertainty against the instrument's limit, by the policy's rule; None when it prints
    no error with its uncertainty, or no limit is known. What was found before adjustment (``as_found``) is held against
    the limit in service."""
    certificate = dated.certificate
    error = number(certificate.as_found_error_percent if as_found else certificate.error_percent)
    expanded = number(certificate.as_found_uncertainty_percent if as_found else certificate.uncertainty_percent)
    limit = limit_of(instrument, certificate.accuracy_class)
    if error is None or expanded is None or expanded < 0 or limit is None:
        return None
    percent = limit.value
    if as_found:
        percent *= in_service_factor(policy.jurisdiction, instrument.kind).value
    k = coverage_factor(certificate.coverage_factor)
    return decide(error, expanded, k, percent, policy.decision_rule), limit


def coverage_factor(text: str) -> float:
    """k as the certificate prints it; 2 where it prints none, or none that can be."""
    found = number(text)
    return found if found is not None and found > 0 else DEFAULT_K


def plain(number_: Fraction) -> str:
    """A number as people write it: an integer, else six significant digits."""
    return str(number_.numerator) if number_.denominator == 1 else f"{float(number_):.6g}"
