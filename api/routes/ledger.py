"""``/api/v1``: objects of the ledger, certificates and their files, check orders."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.commands.replacing import OrderId
from api.questions.ledger import CertificatesFor, Digest, RegistryFor, file_reader, stored_file
from api.questions.words import Id, IdInPath, Word
from api.tables import Table
from gateway.audit.certificate_files import CertificateDetail, CertificateRow, certificate_detail
from gateway.audit.replacements import OrderView, replacement, replacements
from gateway.domain.errors import UnknownObjectError
from gateway.registry.exporting import cells_of
from gateway.registry.record import Record

router = APIRouter(prefix="/api/v1")
CERTIFICATES = Table(
    CertificateRow,
    "number=certificate.id kind=certificate.kind instrument=certificate.instrument serial=certificate.serial",
    "laboratory=certificate.laboratory performed_on=certificate.performed_on valid_until=certificate.valid_until",
    "result=certificate.result confirmed_result=certificate.confirmed_result signature=authenticity counts",
    "superseded_by document=certificate.document entry=seq",
)
ORDERS = Table(
    OrderView,
    "order=id point instrument state open outcome ordered=ordered_us",
    ("steps", lambda order: "; ".join(step.step for step in order.steps)),
    "evidence",
)


@router.get("/registry/{kind}", **tabled("RegistryAnswer", list[Record], "Objects of a kind."))
def get_registry(asked: AskedFor, reply: ReplyFor, wanted: RegistryFor) -> Response:
    """Every object of a kind as of the moment: organisations, sites, points, instruments, standards, certificates,
    installations, documents, people. CSV has the columns of its import file."""
    found = wanted.objects()
    if not reply.is_table:
        return reply.found(found)
    rows = (cells_of(wanted.file, each, asked.reader.zone) for each in found)
    headers = [column.field for column in wanted.file.columns]
    return reply.exported(headers, rows, f"{wanted.kind}-{asked.asking.today}")


@router.get("/registry/{kind}/{id:path}", **described("RegistryAnswer", list[Record], "Objects of a kind."))
def get_registry_object(asked: AskedFor, wanted: RegistryFor, id: IdInPath) -> Response:  # noqa: A002
    """Every recorded version of one object, oldest first, withdrawn ones too."""
    asking, kind = asked.asking, wanted.file.kind
    found = asked.reader.sources.registry.history(asking.organisation, kind, id, asking.known_seq)
    if not found:
        raise UnknownObjectError("'%(id)s' is not on record as a %(kind)s", id=id, kind=kind)
    return answered(asked, found)


@router.get("/certificates", **tabled("CertificatesAnswer", list[CertificateRow], "Certificates."))
def get_certificates(asked: AskedFor, reply: ReplyFor, wanted: CertificatesFor) -> Response:
    """Certificates, newest performance first, with the state of their files' signatures."""
    found = wanted.rows()
    return reply.table(found, CERTIFICATES, found, f"certificates-{asked.asking.today}")


@router.get("/certificates/{number:path}", **described("CertificateAnswer", CertificateDetail, "One certificate."))
def get_certificate(asked: AskedFor, number: IdInPath) -> Response:
    """One certificate: file, signature, confirmation, results, supersession, and the chain above it with its gaps."""
    return answered(asked, certificate_detail(asked.reader.sources, asked.asking, number, file_reader(asked)))


@router.get("/files/{digest}", response_model=None, responses={200: {"content": {"application/octet-stream": {}}}})
def get_stored_file(asked: AskedFor, digest: Digest) -> Response:
    """The stored file of that SHA-256, byte for byte, where a certificate or document names it."""
    return stored_file(asked, digest)


@router.get("/replacements", **tabled("ReplacementsAnswer", list[OrderView], "Check orders."))
def get_replacements(
    asked: AskedFor, reply: ReplyFor, state: Word = "", instrument: Id = "", point: Id = ""
) -> Response:
    """Check orders (失准更换), open ones first; ``state=open`` for these alone."""
    found = replacements(
        asked.reader.sources, asked.asking, only_open=state == "open", instrument=instrument, point=point
    )
    return reply.table(found, ORDERS, found, f"replacements-{asked.asking.today}")


@router.get("/replacements/{order}", **described("ReplacementAnswer", OrderView, "One check order."))
def get_replacement(asked: AskedFor, order: OrderId) -> Response:
    """One check order with its steps and what may come next."""
    return answered(asked, replacement(asked.reader.sources, asked.asking, order))
