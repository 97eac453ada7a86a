"""XML from strangers: what can make a parser fetch, expand or run out of memory is refused before a tree is built.

Two passes: expat walks the bytes and stops at the first thing that is not allowed (nothing has been expanded by then);
only then lxml builds the tree, without network, document types or entities.
"""

from collections.abc import Mapping
from xml.parsers import expat

from lxml import etree

from gateway.certificates.refusal import CertificateRefusedError

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 200_000
MAX_ATTRIBUTES = 64
XINCLUDE = "http://www.w3.org/2001/XInclude"
_ID_ATTRIBUTES = ("Id", "ID", "id", "http://www.w3.org/XML/1998/namespace id")


class _Watch:
    """The handlers of the first pass."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0
        self.ids: set[str] = set()

    def doctype(self, *_: object) -> None:
        raise CertificateRefusedError("the file declares a document type; entities and document types are refused")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise CertificateRefusedError("the file is nested deeper than %(limit)s elements", limit=str(MAX_DEPTH))
        if self.elements > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise CertificateRefusedError("the file holds more than %(limit)s elements", limit=str(MAX_ELEMENTS))
        if name.startswith(f"{XINCLUDE} "):
            raise CertificateRefusedError("the file wants another file to be included; that is refused")
        for each in {attributes[key] for key in _ID_ATTRIBUTES if key in attributes}:
            if each in self.ids:
                raise CertificateRefusedError("the id '%(id)s' stands twice in the file", id=each)
            self.ids.add(each)

    def end(self, _name: str) -> None:
        self.depth -= 1


def parse(content: bytes) -> etree._Element:
    """The root element of an XML file.

    Raises:
        CertificateRefusedError: too large or deep, not well formed, a document type, an inclusion, or an id twice.
    """
    if len(content) > MAX_FILE_BYTES:
        raise CertificateRefusedError("the file is larger than %(limit)s bytes", limit=str(MAX_FILE_BYTES))
    watch = _Watch()
    first = expat.ParserCreate(namespace_separator=" ")
    first.StartDoctypeDeclHandler = watch.doctype
    first.EntityDeclHandler = watch.doctype
    first.StartElementHandler = watch.start
    first.EndElementHandler = watch.end
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        first.Parse(content, True)
        root = etree.fromstring(content, parser)
    except (expat.ExpatError, etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise CertificateRefusedError("the file is not well-formed XML: %(reason)s", reason=str(error)) from error
    if root.getroottree().docinfo.doctype:  # the two parsers must agree that there is none
        watch.doctype()
    return root


def canonical(content: bytes) -> bytes | None:
    """The file in canonical form (C14N 1.0); None when it is refused."""
    try:
        found: bytes = etree.tostring(parse(content), method="c14n")
    except CertificateRefusedError:
        return None
    return found
