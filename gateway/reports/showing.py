"""The digits of a number, once for every medium, and its journal form."""

from datetime import date
from typing import Any

from gateway.accounting.results import figure_document
from gateway.domain.figure import Figure, decimal_text
from gateway.domain.time import iso
from gateway.reports.document import Amount, Cell, Expanded

DASH = "—"
MAX_EVIDENCE = 20
MAX_SHEET_DIGITS = 15
"""A spreadsheet keeps no more digits of a number; longer ones are written as text."""


def shown(cell: Cell) -> str:
    """What stands in the cell on paper: plain decimal text, no thousands separators, so that it can be copied."""
    if cell is None or cell == "":
        return DASH
    if isinstance(cell, Amount):
        return cell.figure.displayed()[0] or cell.instead or DASH
    if isinstance(cell, Expanded):
        return cell.amount.figure.displayed()[1] or DASH
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def number_text(cell: Cell) -> str:
    """The decimal text of a cell that is a number; empty for every other."""
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, Amount | Expanded):
        text = shown(cell)
        return text if text and text[-1].isdigit() and text.lstrip("-").replace(".", "", 1).isdigit() else ""
    return ""


def fits_a_sheet(text: str) -> bool:
    """Whether a spreadsheet's number holds every digit of the text."""
    return 0 < len(text.lstrip("-").replace(".", "").lstrip("0") or "0") <= MAX_SHEET_DIGITS


def plain_cell(cell: Cell) -> Any:  # any JSON value
    """A cell as JSON: text, count, or a number with everything that belongs to it."""
    if isinstance(cell, Amount):
        return {"id": cell.id, **amount_document(cell)}
    if isinstance(cell, Expanded):
        return cell.amount.figure.displayed()[1] or None
    if isinstance(cell, date):
        return cell.isoformat()
    return cell


def amount_document(amount: Amount) -> dict[str, Any]:
    """A number's JSON form: what is shown, the exact value, U, coverage, quality, methods, evidence, its address."""
    figure = amount.figure
    return {
        **figure_document(figure),
        "k": decimal_text(figure.k),
        "rules": list(figure.rules),
        "factors": list(figure.factors),
        "evidence": list(figure.evidence[:MAX_EVIDENCE]),
        "evidence_count": len(figure.evidence),
        "trace": amount.trace,
        "instead": amount.instead if figure.value is None else "",
    }


def evidence_text(figure: Figure) -> str:
    """Journal entries behind a figure as text: the first of them, and how many there are."""
    listed = " ".join(str(each) for each in figure.evidence[:MAX_EVIDENCE])
    more = len(figure.evidence) - MAX_EVIDENCE
    return f"{listed} (+{more})" if more > 0 else listed


def moment(at_us: int | None) -> str:
    """RFC 3339, or empty."""
    return "" if at_us is None else iso(at_us)
