"""The ledger: instruments, certificates and their files, objects of every kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.responses import Response

from api.asked import Asked, AskedFor
from api.encoding import download
from api.questions.words import Id, Search, Word
from gateway.audit.certificate_files import CertificateRow, certificate_rows, names_file
from gateway.audit.ledger import MAX_PAGE_ROWS, LedgerPage, LedgerRow, ledger
from gateway.certificates.traceability import FileOf
from gateway.certificates.xml_reading import MAX_FILE_BYTES
from gateway.domain.errors import UnknownObjectError
from gateway.registry.columns import LEDGER_FILES, LedgerFile
from gateway.registry.record import Record

MEDIA_TYPES = {"pdf": "application/pdf", "ofd": "application/ofd", "xml": "application/xml"}
DUTY = {"1": True, "0": False}
"""What ``compulsory`` may say; anything else: both."""
Digest = Annotated[str, Path(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class LedgerQuestion:
    """The instruments that the filters leave."""

    asked: AskedFor
    q: Search = ""
    due: Word = ""
    kind: Word = ""
    compulsory: Annotated[str, Query(max_length=1)] = ""

    def page(self, offset: int, limit: int) -> LedgerPage:
        """A page of them."""
        return ledger(
            self.asked.reader.sources,
            self.asked.asking,
            text=self.q,
            due=self.due,
            kind=self.kind,
            compulsory=DUTY.get(self.compulsory),
            offset=offset,
            limit=limit,
        )

    def rows(self) -> Iterator[LedgerRow]:
        """All of them."""
        offset = 0
        while rows := self.page(offset, MAX_PAGE_ROWS).rows:
            yield from rows
            offset += len(rows)


LedgerFor = Annotated[LedgerQuestion, Depends()]


@dataclass(frozen=True, slots=True)
class CertificatesQuestion:
    """The certificates that the filters leave."""

    asked: AskedFor
    instrument: Id = ""
    authenticity: Word = ""
    kind: Word = ""

    def rows(self) -> list[CertificateRow]:
        """The certificates, newest performance first."""
        return certificate_rows(
            self.asked.reader.sources,
            self.asked.asking,
            instrument=self.instrument,
            authenticity=self.authenticity,
            kind=self.kind,
        )


CertificatesFor = Annotated[CertificatesQuestion, Depends()]


@dataclass(frozen=True, slots=True)
class RegistryQuestion:
    """The objects of a kind of the ledger, which addresses name by its plural."""

    asked: AskedFor
    kind: Annotated[str, Path(max_length=30)]

    @property
    def file(self) -> LedgerFile:
        """The ledger's file of the kind; UnknownObjectError when there is none."""
        found = next((file for file in LEDGER_FILES if file.name == f"{self.kind}.csv"), None)
        if found is None:
            raise UnknownObjectError("the ledger has no kind '%(kind)s'", kind=self.kind)
        return found

    def objects(self) -> list[Record]:
        """The objects as of the moment."""
        asking = self.asked.asking
        return self.asked.reader.sources.registry.objects(
            asking.organisation, self.file.kind, asking.as_of_us, asking.known_seq
        )


RegistryFor = Annotated[RegistryQuestion, Depends()]


def file_reader(asked: Asked) -> FileOf:
    """From a hash to the bytes of a stored file; None where it is not held."""
    blobs = asked.reader.folder.blobs

    def read(digest: str) -> bytes | None:
        path = blobs / digest
        if len(digest) != 64 or not digest.isalnum() or not path.is_file():
            return None
        with path.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)

    return read


def stored_file(asked: Asked, digest: str) -> Response:
    """A stored file, as it was handed in: only one that a record of this organisation names."""
    id_ = names_file(asked.reader.sources.registry, asked.asking.organisation, digest)
    content = file_reader(asked)(digest) if id_ is not None else None
    if id_ is None or content is None:
        raise UnknownObjectError("no file of that hash is held")
    kind = _kind(content)
    answer = download(content, f"{id_}.{kind}", MEDIA_TYPES.get(kind, "application/octet-stream"))
    answer.headers.update(
        {
            "content-security-policy": "sandbox; default-src 'none'",
            "cache-control": "private, max-age=31536000, immutable",
            "etag": f'"{digest}"',
        }
    )
    return answer


def _kind(content: bytes) -> str:
    if content[:5] == b"%PDF-" or b"%PDF-" in content[:1024]:
        return "pdf"
    if content[:4] == b"PK\x03\x04":
        return "ofd"
    return "xml" if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "bin"
