"""A document into the bytes of any of its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.reports.document import Document
from gateway.reports.docx import as_docx
from gateway.reports.pdf import as_pdf
from gateway.reports.plain import as_csv, as_json
from gateway.reports.xlsx import as_xlsx


def rendered(document: Document, format_: str, pictures: Mapping[str, bytes], fonts: Sequence[Path] = ()) -> bytes:
    """The file of a format of ``gateway.reports.catalogue.FORMATS``; ``pictures`` (SVG by id) are needed for PDF."""
    match format_:
        case "xlsx":
            return as_xlsx(document)
        case "docx":
            return as_docx(document)
        case "csv":
            return as_csv(document)
        case "json":
            return as_json(document)
        case "pdf":
            return as_pdf(document, pictures, fonts)
    raise ValueError(format_)
