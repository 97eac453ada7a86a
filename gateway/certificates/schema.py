"""Checking a DCC against PTB's XSD, where the operator gives a folder that holds it (``v3.3.0/dcc.xsd`` and so on)."""

from enum import StrEnum
from pathlib import Path

from lxml import etree

from gateway.certificates.refusal import CertificateRefusedError

MAX_SHOWN = 5


class SchemaCheck(StrEnum):
    """``not_checked``: no folder was given, or it lacks the version; ``incomplete``: a further schema is missing."""

    VALID = "valid"
    NOT_CHECKED = "not_checked"
    INCOMPLETE = "incomplete"


def check_schema(root: etree._Element, folder: Path | None) -> SchemaCheck:
    """Check the certificate against the schema of its version.

    Raises:
        CertificateRefusedError: the schema says what is wrong; the first few sentences are passed on.
    """
    if folder is None:
        return SchemaCheck.NOT_CHECKED
    version = str(root.get("schemaVersion") or "")
    names = (f"v{version}/dcc.xsd", f"{version}/dcc.xsd", f"dcc-{version}.xsd")
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None or not version.replace(".", "").isdecimal():
        return SchemaCheck.NOT_CHECKED
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    try:
        schema = etree.XMLSchema(etree.parse(str(path), parser))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError):
        return SchemaCheck.INCOMPLETE
    if schema.validate(root):
        return SchemaCheck.VALID
    errors = [each for each in schema.error_log if "strict wildcard" not in each.message]
    if not errors:  # an element of another vocabulary whose schema is not in the folder
        return SchemaCheck.INCOMPLETE
    said = "; ".join(f"{each.line}: {each.message}" for each in errors[:MAX_SHOWN])
    raise CertificateRefusedError("the file breaks schema %(version)s: %(errors)s", version=version, errors=said)
