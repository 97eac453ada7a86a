"""One certificate file, judged: what it is, whether it is whole, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509

from gateway.certificates.dcc import read_certificate
from gateway.certificates.documents import check_ofd, kind_of
from gateway.certificates.model import DigitalCertificate
from gateway.certificates.pdf_signatures import check_pdf_apart
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.schema import SchemaCheck, check_schema
from gateway.certificates.signature import SignatureReport, check_signature
from gateway.certificates.xml_reading import parse


@dataclass(frozen=True, slots=True)
class Evidence:
    """A certificate file. ``certificate`` is None for PDF and OFD, which are kept but not read."""

    content: bytes
    sha256: str
    file_kind: str
    signature: SignatureReport
    schema: SchemaCheck
    certificate: DigitalCertificate | None

    def require_whole(self, *, keep_untrusted: bool) -> None:
        """CertificateRefusedError when the signature does not hold and the operator did not ask to keep it as such."""
        if self.signature.authenticity.is_refused and not keep_untrusted:
            found = str(self.signature.authenticity)
            raise CertificateRefusedError("its signature does not hold: %(found)s", found=found)


def examine(content: bytes, *, anchors: Sequence[x509.Certificate], schemas: Path | None, now_us: int) -> Evidence:
    """Look at a file.

    ``anchors``: whom the operator trusts; ``schemas``: folder of PTB's XSDs; ``now_us``: µs UTC, counts where a
    signature does not say when it was made.

    Raises:
        CertificateRefusedError: see the readers. A broken signature is no refusal here but part of what was found.
    """
    kind = kind_of(content)
    digest = sha256(content).hexdigest()
    if kind == "pdf":
        return Evidence(content, digest, kind, check_pdf_apart(content, anchors), SchemaCheck.NOT_CHECKED, None)
    if kind == "ofd":
        return Evidence(content, digest, kind, check_ofd(content), SchemaCheck.NOT_CHECKED, None)
    root = parse(content)
    schema = check_schema(root, schemas)
    signature, signed = check_signature(root, anchors, now_us)
    return Evidence(content, digest, kind, signature, schema, read_certificate(signed))
