"""A document as PDF, set by typst: the same document and fonts give the same bytes.

The date in the file is the document's own; no clock is read and no number drawn. Pictures come as SVG from outside,
because drawing them needs the chart engine.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst

from gateway.domain.errors import MeterproofError
from gateway.domain.time import US_PER_S, to_datetime
from gateway.i18n import text
from gateway.reports.document import Block, Boxes, Break, Cell, Document, Facts, Heading, Picture, Table, Text
from gateway.reports.fonts import chinese_family
from gateway.reports.showing import number_text, shown

PICTURE_HEIGHT_MM = 130
PICTURE_HEIGHT_LANDSCAPE_MM = 128


class UnprintableError(MeterproofError):
    """The page setter refused the document."""


@cache
def _layout() -> bytes:
    return (files("gateway.reports") / "report.typ").read_bytes()


def as_pdf(document: Document, pictures: Mapping[str, bytes], fonts: Sequence[Path] = ()) -> bytes:
    """The PDF file. ``pictures`` holds the SVG of each picture by id; ``fonts`` are further folders of fonts.

    MissingFontError without a Chinese font, UnprintableError when the document cannot be set.
    """
    inputs = {"document": json.dumps(_printed(document, chinese_family(fonts)), ensure_ascii=False)}
    for picture in document.pictures():
        inputs[f"picture-{picture.id}"] = pictures[picture.id].decode()
    try:
        made = typst.compile(  # type: ignore[call-overload]  # its stub ties the fonts to the type of the input
            _layout(),
            font_paths=[str(each) for each in fonts],
            format="pdf",
            sys_inputs=inputs,
            timestamp=document.at_us // US_PER_S,
        )
    except typst.TypstError as error:
        raise UnprintableError("the report cannot be printed: %(reason)s", reason=str(error)[:300]) from error
    assert isinstance(made, bytes)
    return made


def _printed(document: Document, family: str) -> dict[str, Any]:
    language = document.language
    day = to_datetime(document.at_us).astimezone(ZoneInfo(document.zone))
    frame = [
        f"{text(language, 'Site')} {document.site_name}",
        f"{text(language, 'As of')} {_local(document.as_of_us, document.zone)}",
    ]
    if document.from_us is not None and document.to_us is not None:
        span = f"{_day(document.from_us, document.zone)} – {_day(document.to_us - 1, document.zone)}"
        frame.append(f"{text(language, 'Period')} {span}")
    if document.known_seq is not None:
        frame.append(f"{text(language, 'As recorded up to entry')} {document.known_seq}")
    footer = text(
        language, "Made %(moment)s (%(zone)s)", moment=_local(document.at_us, document.zone), zone=document.zone
    )
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "lang": language,
        "fonts": [family, "Libertinus Serif"],
        "organisation_name": document.organisation_name,
        "simulated": text(language, "SIMULATED DATA: not a record of any real plant") if document.simulated else "",
        "landscape": document.landscape,
        "date": [day.year, day.month, day.day],
        "frame": "    ".join(frame),
        "footer": footer,
        "words": {
            "empty": text(language, "nothing on record"),
            "date_line": text(language, "Date:            "),
            "methods": text(language, "Methods and evidence"),
        },
        "blocks": [_block(each, landscape=document.landscape) for each in document.blocks],
        "methods": [[each.name, each.text] for each in document.methods],
    }


def _local(at_us: int, zone: str) -> str:
    return f"{to_datetime(at_us).astimezone(UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _day(at_us: int, zone: str) -> str:
    return _local(at_us, zone)[:10]


def _block(block: Block, *, landscape: bool) -> dict[str, Any]:  # noqa: PLR0911  # one case a kind of block
    match block:
        case Heading():
            return {"type": "heading", "level": block.level, "text": block.text}
        case Text():
            return {"type": "text", "text": block.text}
        case Facts():
            return {
                "type": "facts",
                "rows": [[label, shown(cell) if cell != "" else " "] for label, cell in block.rows],
            }
        case Table():
            return {
                "type": "table",
                "title": block.title,
                "columns": [
                    {"title": f"{each.title} ({each.unit})" if each.unit else each.title, "weight": each.weight}
                    for each in block.columns
                ],
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
                "notes": [*block.notes, *([block.source] if block.source else [])],
            }
        case Picture():
            height = PICTURE_HEIGHT_LANDSCAPE_MM if landscape else PICTURE_HEIGHT_MM
            return {"type": "picture", "id": block.id, "caption": block.caption, "height": height}
        case Boxes():
            return {"type": "boxes", "signed": list(block.signed), "seals": list(block.seals)}
        case Break():
            return {"type": "break"}


def _cell(cell: Cell) -> dict[str, str]:
    return {"kind": "number" if number_text(cell) else "text", "text": shown(cell)}
