"""Tables out as people open them: XLSX workbooks, and CSV with a byte-order mark."""

import csv
import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

FORMULA_SIGNS = tuple("=+-@")
MAX_LIST_CHARACTERS = 255
"""What a spreadsheet program takes as a list of choices in one cell."""
MAX_TITLE = 31
TEMPLATE_ROWS = 2_000
Cell = str | int | None
Sheet = tuple[str, Sequence[Sequence[Cell]]]
"""Title, and rows of which the first is the header."""


def workbook_of(sheets: Sequence[Sheet], choices: Sequence[Sequence[Sequence[str]]] | None = None) -> bytes:
    """A workbook; ``choices``: for each sheet and column the words that may stand in it (none: anything)."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for number, (title, rows) in enumerate(sheets):
        sheet = book.create_sheet(title.replace("/", "、")[:MAX_TITLE])
        for row in rows:
            # text that begins like a formula stays text
            sheet.append([_text(cell) for cell in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
            sheet.column_dimensions[cell.column_letter].width = max(10, 2.2 * len(str(cell.value or "")))
        sheet.freeze_panes = "A2"
        for place, words in enumerate(choices[number] if choices else ()):
            listed = ",".join(words)
            if words and len(listed) <= MAX_LIST_CHARACTERS:
                rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
                letter = get_column_letter(place + 1)
                rule.add(f"{letter}2:{letter}{TEMPLATE_ROWS}")
                sheet.add_data_validation(rule)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def csv_of(rows: Sequence[Sequence[Cell]]) -> bytes:
    """CSV; the byte-order mark lets spreadsheet programs see that it is UTF-8."""
    lines = io.StringIO()
    csv.writer(lines).writerows([["" if cell is None else _text(cell) for cell in row] for row in rows])
    return lines.getvalue().encode("utf-8-sig")


def _text(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell[:1] in FORMULA_SIGNS and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
