"""档案: what the record of each instrument must hold, what it holds, and what is missing.

Demanded of every instrument: its manual, its factory certificate, and its last two consecutive certificates (JJF 1356
as pages quote it, 转载). Repairs are listed where there were any; none is demanded of an instrument never repaired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import cards, civil
from gateway.domain.ledger import LedgerDocument
from gateway.metrology.ledger_view import DatedCertificate
from gateway.registry.record import Record

PIECES = ("manual", "factory_certificate", "last_certificate", "certificate_before", "consecutive")
"""说明书, 出厂合格证, 最近一次证书, 上一次证书, 两次证书连续."""
GRACE = timedelta(days=1)  # valid until the 4th, the next performed on the 5th: nothing lies between


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """What is on record about one instrument. ``held`` maps each piece to the entry that holds it."""

    instrument: str
    name: str
    held: Mapping[str, int]
    missing: Sequence[str]
    repairs: Sequence[int]
    files_missing: Sequence[str]

    @property
    def complete(self) -> bool:
        """Whether nothing demanded is missing."""
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossiers:
    """All instruments: ``complete`` of ``instruments`` hold everything; ``by_piece`` counts what each piece lacks."""

    rows: Sequence[Dossier]
    complete: int
    instruments: int
    by_piece: Mapping[str, int]


def dossiers(sources: Sources, asking: Asking, *, instrument: str = "", only_missing: bool = False) -> Dossiers:
    """The dossiers as of the moment; of one instrument when it is named. Rates count instruments on record then."""
    documents = _documents(sources, asking)
    certificates = cards(sources, asking).view.certificates
    rows = [
        _dossier(asking, record, documents.get(record.id, []), certificates.get(record.id, []))
        for record in sources.registry.objects(asking.organisation, "instrument", asking.as_of_us, asking.known_seq)
        if not instrument or record.id == instrument
    ]
    return Dossiers(
        rows=[each for each in rows if not only_missing or each.missing],
        complete=sum(each.complete for each in rows),
        instruments=len(rows),
        by_piece={piece: sum(piece in each.missing for each in rows) for piece in PIECES},
    )


def _documents(sources: Sources, asking: Asking) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in sources.registry.objects(asking.organisation, "document", asking.as_of_us, asking.known_seq):
        found.setdefault(str(record.object.get("instrument") or ""), []).append(record)
    return found


def _dossier(
    asking: Asking,
    card: Record,
    documents: Sequence[Record],
    certificates: Sequence[DatedCertificate],
) -> Dossier:
    by_kind: dict[str, list[Record]] = {}
    for record in documents:
        by_kind.setdefault(record.read_as(LedgerDocument).kind, []).append(record)
    performed = [each for each in certificates if each.valid_from_us <= asking.as_of_us]
    replaced = {each.certificate.supersedes for each in performed if each.certificate.substitution}
    standing = [each for each in performed if each.certificate.id not in replaced]
    held: dict[str, int] = {kind: by_kind[kind][0].seq for kind in ("manual", "factory_certificate") if kind in by_kind}
    if standing:
        held["last_certificate"] = standing[-1].record.seq
    if len(standing) > 1:
        held["certificate_before"] = standing[-2].record.seq
        if _consecutive(standing[-2], standing[-1]):
            held["consecutive"] = standing[-2].record.seq
    return Dossier(
        instrument=card.id,
        name=str(card.object.get("name") or ""),
        held=held,
        missing=[each for each in PIECES if each not in held],
        repairs=[each.seq for each in by_kind.get("repair_record", [])],
        files_missing=[
            *(each.id for each in documents if not each.object.get("file")),
            *(each.certificate.id for each in standing[-2:] if not each.certificate.document),
        ],
    )


def _consecutive(before: DatedCertificate, last: DatedCertificate) -> bool:
    """Whether the certificate before reached to the day of the last one (the day after its end is the next day)."""
    ended, performed = civil(before.certificate.valid_until), civil(last.certificate.performed_on)
    return performed is not None and (ended is None or ended + GRACE >= performed)
