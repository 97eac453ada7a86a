"""Looking ahead: when an instrument may reach its limit, from its own history (ILAC-G24 / OIML D 10).

t = t_n + (L − |e_n| − U)/|d|. The drift d is what the error moved between the last as-left and what was found next.
Where there is no such pair there is no risk date; what assuming the whole limit in one interval gives (推断) stands
apart from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Cards, cards, civil
from gateway.domain.ledger import Instrument
from gateway.domain.time import local_date
from gateway.metrology.history import US_PER_YEAR, Check, drift_per_year, risk_date
from gateway.metrology.ledger_view import DatedCertificate
from gateway.metrology.limits import Limit, in_service_factor, limit_of
from gateway.metrology.moment import failed, number
from gateway.metrology.policy import policy_of

HISTORY, ASSUMED = "history", "class"
MAX_YEARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """When |error| + U may reach the limit in service. Errors in percent, ``drift`` in percent a year.

    ``basis``: ``history`` (two determinations of its own) or ``class`` (the whole limit in one interval assumed).
    ``risk_on`` only from its own history; None: it has none, does not drift, or needs more than ``MAX_YEARS``; in the
    past: it may have happened already. ``assumed_on``: by the assumed drift. ``due_on`` is the certificate's last day,
    ``act_by`` the earlier of risk and due date.
    """

    instrument: str
    certificate: str
    error: float
    expanded: float
    limit: float
    limit_source: str
    limit_confidence: str
    drift: float
    basis: str
    determinations: int
    risk_on: date | None
    assumed_on: date | None
    due_on: date | None

    @property
    def act_by(self) -> date | None:
        """The earlier of risk and due date."""
        return min((each for each in (self.risk_on, self.due_on) if each is not None), default=None)


def look_ahead(sources: Sources, asking: Asking) -> Mapping[str, LookAhead]:
    """By instrument, those whose newest certificate prints an error with its uncertainty and whose limit is known."""
    there = cards(sources, asking)
    found = {}
    for id_ in there.view.instruments:
        each = look_ahead_of(there, id_, asking)
        if each is not None:
            found[id_] = each
    return found


def look_ahead_of(there: Cards, instrument_id: str, asking: Asking) -> LookAhead | None:
    """One instrument's, as of the moment of asking; None where its papers do not say enough."""
    view = there.view
    instrument = view.instrument(instrument_id, asking.as_of_us)
    performed = [each for each in view.standing(instrument_id) if each.valid_from_us <= asking.as_of_us]
    newest = performed[-1] if performed else None
    if instrument is None or newest is None or failed(newest):
        return None
    limit = limit_of(instrument, newest.certificate.accuracy_class)
    left = _check(newest)
    if limit is None or left is None:
        return None
    policy = policy_of(None, view.site(asking.as_of_us))
    in_service = float(limit.percent * in_service_factor(policy.jurisdiction, instrument.kind).factor)
    drift, basis = _drift(instrument, performed, limit)
    risk_us = risk_date(left, in_service, drift) if drift else None
    far = risk_us is None or abs(risk_us - left.at_us) > MAX_YEARS * US_PER_YEAR
    reached = None if far or risk_us is None else local_date(risk_us, asking.zone)
    return LookAhead(
        instrument=instrument_id,
        certificate=newest.certificate.id,
        error=left.error,
        expanded=left.expanded,
        limit=in_service,
        limit_source=limit.source,
        limit_confidence=limit.confidence,
        drift=drift,
        basis=basis,
        determinations=len(_history(performed)),
        risk_on=reached if basis == HISTORY else None,
        assumed_on=reached if basis == ASSUMED else None,
        due_on=civil(newest.certificate.valid_until),
    )


def _drift(instrument: Instrument, performed: Sequence[DatedCertificate], limit: Limit) -> tuple[float, str]:
    """Percent a year, and what it is taken from; 0 where nothing can be said."""
    history = _history(performed)
    own = drift_per_year(history)
    if own is not None:
        return own, HISTORY
    months = instrument.cycle_months
    return (float(limit.percent) * 12 / months if months else 0.0), ASSUMED


def _history(performed: Sequence[DatedCertificate]) -> list[Check]:
    """Determinations for the drift: what was left, and what was found next; of the newest certificate what was found,
    because an adjustment is no drift."""
    checks: list[Check] = []
    for place, each in enumerate(performed):
        found = _check(each, as_found=True)
        left = _check(each)
        if found is not None:
            checks.append(found)
        if left is not None and (found is None or place < len(performed) - 1):
            checks.append(left)
    return checks


def _check(dated: DatedCertificate, *, as_found: bool = False) -> Check | None:
    certificate = dated.certificate
    error = number(certificate.as_found_error_percent if as_found else certificate.error_percent)
    expanded = number(certificate.as_found_uncertainty_percent if as_found else certificate.uncertainty_percent)
    if error is None or expanded is None:
        return None
    # what was left stands a moment after what was found on the same day
    at_us = dated.valid_from_us + (0 if as_found else 1)
    passed = certificate.as_found_result != "fail" if as_found else not failed(dated)
    return Check(at_us, error, expanded, passed, as_left=not as_found)
