"""A document as DOCX, for texts that people complete: the same blocks, tables and empty boxes."""

import io
import zipfile
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC
from typing import Any

import docx
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from gateway.domain.time import to_datetime
from gateway.i18n import text
from gateway.reports.document import Block, Boxes, Break, Document, Facts, Heading, Picture, Table, Text
from gateway.reports.showing import moment, shown

CHINESE_FONT = "宋体"
_BOX_MM = 16


def as_docx(document: Document) -> bytes:
    """The file; the same document gives the same bytes. Pictures are named only: they belong to the PDF file."""
    made: Any = docx.Document()
    style = made.styles["Normal"]
    style.font.name = "Times New Roman"
    style.font.size = Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), CHINESE_FONT)
    day = to_datetime(document.at_us).astimezone(UTC).replace(tzinfo=None)
    properties = made.core_properties
    properties.title, properties.author = document.title, document.organisation_name
    properties.created = properties.modified = day
    properties.last_modified_by, properties.revision = "", 1
    section = made.sections[0]
    width, height = (Mm(297), Mm(210)) if document.landscape else (Mm(210), Mm(297))
    section.orientation = WD_ORIENT.LANDSCAPE if document.landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = width, height
    made.add_heading(document.title, level=0)
    if document.simulated:
        made.add_paragraph(text(document.language, "SIMULATED DATA: not a record of any real plant"))
    made.add_paragraph(
        f"{document.organisation_name}  {document.site_name}  "
        f"{text(document.language, 'As of')} {moment(document.as_of_us)}"
    )
    for block in document.blocks:
        _add(made, block)
    if document.methods:
        made.add_heading(text(document.language, "Methods and evidence"), level=2)
        for each in document.methods:
            made.add_paragraph(f"{each.name}: {each.text}")
    written = io.BytesIO()
    made.save(written)
    return _dated(written.getvalue())


def _add(made: Any, block: Block) -> None:
    match block:
        case Heading():
            made.add_heading(block.text, level=block.level)
        case Text():
            made.add_paragraph(block.text)
        case Facts():
            table = made.add_table(rows=0, cols=2, style="Table Grid")
            for label, cell in block.rows:
                row = table.add_row().cells
                row[0].text, row[1].text = label, shown(cell) if cell != "" else ""
        case Table():
            _add_table(made, block)
        case Picture():
            made.add_paragraph(f"[{block.caption}]")
        case Boxes():
            _add_boxes(made, block)
        case Break():
            made.add_page_break()


def _add_table(made: Any, block: Table) -> None:
    made.add_heading(block.title, level=3)
    table = made.add_table(rows=1, cols=len(block.columns), style="Table Grid")
    for cell, column in zip(table.rows[0].cells, block.columns, strict=True):
        cell.text = f"{column.title} ({column.unit})" if column.unit else column.title
    if block.rows:
        _add_rows(table, [[shown(cell) for cell in row] for row in block.rows])
    for note in (*block.notes, *([block.source] if block.source else [])):
        made.add_paragraph(note)


def _add_rows(table: Any, rows: Sequence[Sequence[str]]) -> None:
    """Rows as copies of one: cell by cell a list of a few thousand instruments takes half a minute."""
    first = table.add_row()
    for cell in first.cells:
        cell.text = "x"
    pattern = first._tr  # noqa: SLF001  # python-docx gives its element under no other name
    body = pattern.getparent()
    for row in rows:
        made = deepcopy(pattern)
        for place, content in zip(made.iter(qn("w:t")), row, strict=True):
            place.text = content
            place.set(qn("xml:space"), "preserve")
        body.append(made)
    body.remove(pattern)


def _add_boxes(made: Any, block: Boxes) -> None:
    labels = [*block.signed, *block.seals]
    if not labels:
        return
    made.add_paragraph()
    table = made.add_table(rows=1, cols=len(labels), style="Table Grid")
    table.rows[0].height = Mm(_BOX_MM)
    for cell, label in zip(table.rows[0].cells, labels, strict=True):
        cell.text = label


def _dated(content: bytes) -> bytes:
    """The same archive with a fixed time on every member: a file time would make two runs differ."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()
