"""Withdrawing a certificate: its laboratory, or whoever recorded it, takes it back. What it said stays on record."""

from gateway.certificates.recording import Act
from gateway.certificates.refusal import CertificateRefusedError
from gateway.journal.entry import Draft
from gateway.registry.importing import LedgerState
from gateway.registry.recording import object_draft


def withdrawal_draft(state: LedgerState, organisation: str, number: str, act: Act) -> Draft:
    """The entry that withdraws a certificate.

    Raises:
        CertificateRefusedError: not on record (or withdrawn already), or no reason given.
    """
    if not state.has("certificate", number):
        raise CertificateRefusedError("no certificate '%(number)s' is on record", number=number)
    if not act.reason.strip():
        raise CertificateRefusedError("a withdrawal names its reason")
    version = state.versions["certificate", number][-1]
    return object_draft(
        "certificate",
        organisation,
        number,
        dict(version.object),
        at_us=act.at_us,
        from_us=version.from_us,
        to_us=version.to_us,
        actor=act.actor,
        reason=act.reason,
        source=act.source,
        withdrawn=True,
    )
