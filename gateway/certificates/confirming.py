"""计量确认: a calibration gives errors and no verdict; somebody holds it against the requirement of the use."""

from dataclasses import dataclass

from gateway.certificates.recording import Act, is_day
from gateway.certificates.refusal import CertificateRefusedError
from gateway.domain.ledger import CertificateKind
from gateway.journal import canonical
from gateway.journal.entry import Draft
from gateway.registry.importing import LedgerState
from gateway.registry.recording import object_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Requirement, conclusion (``pass`` or ``fail``), person and civil date; ``valid_until`` blank leaves it."""

    requirement: str
    conclusion: str
    person: str
    on: str
    valid_until: str = ""


def confirmation_draft(
    state: LedgerState, organisation: str, number: str, confirmation: Confirmation, act: Act
) -> Draft:
    """The certificate with its confirmation.

    Raises:
        CertificateRefusedError: not on record, a verification (which is a verdict already), or before it was performed.
    """
    if not state.has("certificate", number):
        raise CertificateRefusedError("no certificate '%(number)s' is on record", number=number)
    for name, day in (("confirmed_on", confirmation.on), ("valid_until", confirmation.valid_until)):
        if (day or name == "confirmed_on") and not is_day(day):
            raise CertificateRefusedError("'%(text)s' is not a date", text=day[:60])
    if confirmation.conclusion not in {"pass", "fail"}:
        raise CertificateRefusedError("a confirmation ends in pass or fail")
    version = state.versions["certificate", number][-1]
    kind = str(version.object.get("kind") or "")
    if kind not in {CertificateKind.CALIBRATION, CertificateKind.INTERNAL}:
        raise CertificateRefusedError("'%(number)s' is a verification; it needs no confirmation", number=number)
    if not confirmation.requirement.strip() or not confirmation.person.strip():
        raise CertificateRefusedError("a confirmation names the requirement and the person")
    performed = str(version.object.get("performed_on") or "")
    if confirmation.on < performed:
        facts = {"number": number, "on": performed}
        raise CertificateRefusedError("'%(number)s' was performed on %(on)s, after the confirmation", **facts)
    confirmed = {
        "confirmed_requirement": confirmation.requirement,
        "confirmed_result": confirmation.conclusion,
        "confirmed_by": confirmation.person,
        "confirmed_on": confirmation.on,
    }
    if confirmation.valid_until:
        confirmed["valid_until"] = confirmation.valid_until
    return object_draft(
        "certificate",
        organisation,
        number,
        canonical.plain({**version.object, **confirmed}),
        at_us=act.at_us,
        from_us=version.from_us,
        to_us=version.to_us,
        actor=act.actor,
        reason=act.reason,
        source=act.source,
    )
