"""Whether a file has the digest another certificate gives of it. XML is loaded only where a digest is over XML: the
projection process asks here and should stay small."""

from base64 import b64encode
from hashlib import sha256
from importlib import import_module

XML_DIGESTS = frozenset({"c14n-sha256", "sha256-c14n"})
FILE_DIGESTS = frozenset({"sha256", "sha-256", "http://www.w3.org/2001/04/xmlenc#sha256"})


def digest_fits(procedure: str, digest: str, content: bytes) -> bool | None:
    """True or False; None for a procedure that is not known here. A file that is no XML has no digest over XML."""
    named = procedure.lower()
    said = digest.replace(" ", "")
    if named not in XML_DIGESTS | FILE_DIGESTS or not said:
        return None
    if named in XML_DIGESTS:
        canonical: bytes | None = import_module("gateway.certificates.xml_reading").canonical(content)
        if canonical is None:
            return False
        content = canonical
    found = sha256(content).digest()
    return said.lower() == found.hex() or said == b64encode(found).decode()
