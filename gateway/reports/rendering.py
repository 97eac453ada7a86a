"""A document into the bytes of any of its files.

What sets pages and writes text documents is loaded when it is first needed: ``serve`` never needs it, because it lets a
child make those files, and would carry it for as long as it runs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.reports.document import Document
from gateway.reports.plain import as_csv, as_json


def rendered(document: Document, format_: str, pictures: Mapping[str, bytes], fonts: Sequence[Path] = ()) -> bytes:
    """The file of a format of ``gateway.reports.catalogue.FORMATS``; ``pictures`` (SVG by id) are needed for PDF."""
    match format_:
        case "csv":
            return as_csv(document)
        case "json":
            return as_json(document)
        case "xlsx":
            from gateway.reports.xlsx import as_xlsx  # noqa: PLC0415

            return as_xlsx(document)
        case "docx":
            from gateway.reports.docx import as_docx  # noqa: PLC0415

            return as_docx(document)
        case "pdf":
            from gateway.reports.pdf import as_pdf  # noqa: PLC0415

            return as_pdf(document, pictures, fonts)
    raise ValueError(format_)
