"""One certificate with its file: what was found about the file's signature, who confirmed it, what replaced it.

A signature by SM2 is "not checked", never "invalid": no library here can check it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import cards
from gateway.audit.traceability import certificate_chain
from gateway.certificates.traceability import FileOf, Step
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Certificate
from gateway.metrology.ledger_view import UNTRUSTED, LedgerView
from gateway.registry.record import Record
from gateway.registry.registry import Registry

NO_FILE = "no_file"
_FILE_FIELDS = (("certificate", "document"), ("document", "file"))
_SHOWN_TABLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A certificate in a list. ``authenticity``: the signature's state, ``no_file`` where none was looked at."""

    certificate: Certificate
    seq: int
    recorded_us: int
    authenticity: str
    counts: bool
    superseded_by: str
    void: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDetail:
    """A certificate in full. ``fields``: what its file said beside the columns; ``tables``: its results."""

    row: CertificateRow
    file_sha256: str
    file_kind: str
    signer: str
    signed_at: str
    signature_note: str
    schema_check: str
    qr_address: str
    fields: Mapping[str, str]
    tables: Sequence[Mapping[str, Any]]
    chain: Sequence[Step]
    breaks: Sequence[str]
    versions: Sequence[Record]
    instrument_name: str


def certificate_rows(
    sources: Sources, asking: Asking, *, instrument: str = "", authenticity: str = "", kind: str = ""
) -> list[CertificateRow]:
    """All certificates as known then, newest performance first; filtered by instrument, signature state and kind."""
    there = cards(sources, asking)
    records = sources.registry.objects(asking.organisation, "certificate", None, asking.known_seq)
    rows = [
        _row(there.view, record, asking)
        for record in records
        if not instrument or record.object.get("instrument") == instrument
    ]
    wanted = [
        each
        for each in rows
        if (not authenticity or each.authenticity == authenticity) and (not kind or each.certificate.kind == kind)
    ]
    return sorted(wanted, key=lambda each: (each.certificate.performed_on, each.seq), reverse=True)


def certificate_detail(sources: Sources, asking: Asking, number: str, file_of: FileOf) -> CertificateDetail:
    """One certificate; UnknownObjectError when none of that number was on record then."""
    registry = sources.registry
    record = registry.object(asking.organisation, "certificate", number, None, asking.known_seq)
    if record is None:
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number)
    said = record.object
    steps, breaks = certificate_chain(sources, asking, number, file_of)
    card = registry.object(asking.organisation, "instrument", str(said.get("instrument") or ""), asking.as_of_us)
    return CertificateDetail(
        row=_row(cards(sources, asking).view, record, asking),
        file_sha256=str(said.get("document") or ""),
        file_kind=str(said.get("file_kind") or ""),
        signer=str(said.get("signer") or ""),
        signed_at=str(said.get("signed_at") or ""),
        signature_note=str(said.get("signature_note") or ""),
        schema_check=str(said.get("schema_check") or ""),
        qr_address=str(said.get("qr_address") or ""),
        fields={name: str(value) for name, value in said.items() if isinstance(value, str | int) and value != ""},
        tables=[each for each in said.get("tables") or [] if isinstance(each, Mapping)][:_SHOWN_TABLES],
        chain=steps,
        breaks=breaks,
        versions=registry.history(asking.organisation, "certificate", number, asking.known_seq),
        instrument_name=str(card.object.get("name") or "") if card is not None else "",
    )


def names_file(registry: Registry, organisation: str, digest: str) -> str | None:
    """The id of a certificate or document of the organisation that names a stored file; None when none ever did.

    Only such a file is given out: a hash somebody else's record names is nothing to this organisation's people.
    """
    for kind, field in _FILE_FIELDS:
        for id_, versions in registry.versions(organisation, kind).items():
            if any(each.object.get(field) == digest for each in versions):
                return id_
    return None


def _row(view: LedgerView, record: Record, asking: Asking) -> CertificateRow:
    certificate = record.read_as(Certificate)
    siblings = view.certificates.get(certificate.instrument, ())
    replaced_by = [each for each in siblings if each.certificate.supersedes == certificate.id]
    in_force = view.in_force(certificate.instrument, asking.as_of_us)
    voids = [each for each in replaced_by if each.certificate.substitution]
    return CertificateRow(
        certificate=certificate,
        seq=record.seq,
        recorded_us=record.at_us,
        authenticity=certificate.authenticity or NO_FILE,
        counts=in_force is not None and in_force.certificate.id == certificate.id,
        superseded_by=replaced_by[-1].certificate.id if replaced_by else "",
        void=any(each.certificate.authenticity not in UNTRUSTED for each in voids),
    )
