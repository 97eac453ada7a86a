"""The signatures of a PDF, checked in a short-lived process with little memory and time.

A PDF from a stranger can ask its reader to unpack gigabytes or to walk in circles. Whatever it does here, it does to a
process that may use ``MAX_MEMORY_BYTES`` and ``MAX_CPU_S`` and then ends; the answer is "not checked", which is no
statement about the file.
"""

import json
import subprocess
import sys
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.certificates.documents import check_pdf
from gateway.certificates.signature import Authenticity, SignatureReport

MAX_MEMORY_BYTES = 1_500 * 2**20
MAX_CPU_S = 20
MAX_WAIT_S = 120.0
UNREADABLE = "the PDF cannot be read by the signature check"
_LENGTH_BYTES = 8


def check_pdf_apart(content: bytes, anchors: Sequence[x509.Certificate]) -> SignatureReport:
    """``check_pdf`` in a process of its own; not checked where that ended without an answer."""
    trusted = b"".join(each.public_bytes(Encoding.PEM) for each in anchors)
    question = len(trusted).to_bytes(_LENGTH_BYTES, "big") + trusted + content
    try:
        done = subprocess.run(  # noqa: S603  # this module itself
            [sys.executable, "-m", "gateway.certificates.pdf_signatures", str(MAX_MEMORY_BYTES), str(MAX_CPU_S)],
            input=question,
            capture_output=True,
            check=False,
            timeout=MAX_WAIT_S,
        )
        said = json.loads(done.stdout)
        return SignatureReport(Authenticity(said[0]), *(str(each) for each in said[1:4]))
    except (subprocess.TimeoutExpired, OSError, ValueError, TypeError, IndexError, KeyError):
        return SignatureReport(Authenticity.NOT_CHECKED, note=UNREADABLE)


def main() -> None:
    """Read the question from standard input, answer on standard output, within the limits."""
    _limit(int(sys.argv[1]), int(sys.argv[2]))
    question = sys.stdin.buffer.read()
    length = int.from_bytes(question[:_LENGTH_BYTES], "big")
    trusted, content = question[_LENGTH_BYTES : _LENGTH_BYTES + length], question[_LENGTH_BYTES + length :]
    anchors = x509.load_pem_x509_certificates(trusted) if trusted else []
    report = check_pdf(content, anchors)
    sys.stdout.write(json.dumps([str(report.authenticity), report.signer, report.signed_at, report.note]))


def _limit(memory_bytes: int, cpu_s: int) -> None:
    import resource  # noqa: PLC0415  # there is none on every system; a check without limits is not made

    for what, most in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
        resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
