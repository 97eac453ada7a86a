"""A document as JSON and as CSV."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from gateway.reports.document import Block, Boxes, Break, Document, Facts, Heading, Picture, Table, Text
from gateway.reports.showing import moment, number_text, plain_cell, shown

BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheet programs read UTF-8 as the local code page
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def plain_document(document: Document) -> dict[str, Any]:
    """The JSON form. Numbers are text, as everywhere; pictures are named, their tables hold what they show."""
    return {
        "id": document.id,
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.language,
        "organisation": document.organisation,
        "organisation_name": document.organisation_name,
        "site_name": document.site_name,
        "simulated": int(document.simulated),
        "time_zone": document.zone,
        "at": moment(document.at_us),
        "as_of": moment(document.as_of_us),
        "known_seq": document.known_seq,
        "from": moment(document.from_us) or None,
        "to": moment(document.to_us) or None,
        "extra": dict(sorted(document.extra.items())),
        "blocks": [_block(each) for each in document.blocks],
        "methods": [{"name": each.name, "text": each.text} for each in document.methods],
    }


def as_json(document: Document) -> bytes:
    """The JSON file, keys in a fixed order."""
    return json.dumps(plain_document(document), ensure_ascii=False, indent=1).encode()


def as_csv(document: Document) -> bytes:
    """Every table one under the other, each with its title line and its header; UTF-8 with byte-order mark."""
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    for number, table in enumerate(document.tables()):
        if number:
            writer.writerow([])
        writer.writerow([f"# {table.title}"])
        writer.writerow([safe(_titled(each.title, each.unit)) for each in table.columns])
        for row in table.rows:
            writer.writerow([number_text(cell) or safe(shown(cell)) for cell in row])
    if not any(True for _ in document.tables()):
        writer.writerow([safe(document.title)])
        for block in document.blocks:
            if isinstance(block, Facts):
                writer.writerows([safe(label), number_text(cell) or safe(shown(cell))] for label, cell in block.rows)
    return (BYTE_ORDER_MARK + made.getvalue()).encode()


def safe(text: str) -> str:
    """Text that a spreadsheet program does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _titled(title: str, unit: str) -> str:
    return f"{title} ({unit})" if unit else title


def _block(block: Block) -> Mapping[str, Any]:  # noqa: PLR0911  # one case a kind of block
    match block:
        case Heading():
            return {"type": "heading", "level": block.level, "text": block.text}
        case Text():
            return {"type": "text", "text": block.text, "editable": int(block.editable)}
        case Facts():
            return {"type": "facts", "rows": [[label, plain_cell(cell)] for label, cell in block.rows]}
        case Table():
            return {
                "type": "table",
                "id": block.id,
                "title": block.title,
                "columns": [{"title": each.title, "unit": each.unit} for each in block.columns],
                "rows": [[plain_cell(cell) for cell in row] for row in block.rows],
                "source": block.source,
                "notes": list(block.notes),
            }
        case Picture():
            return {"type": "picture", "id": block.id, "caption": block.caption}
        case Boxes():
            return {"type": "boxes", "signed": list(block.signed), "seals": list(block.seals)}
        case Break():
            return {"type": "break"}
