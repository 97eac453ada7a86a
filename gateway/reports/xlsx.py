"""A document as XLSX: one sheet a table, a first sheet with the texts, a last one 方法与证据 for every number."""

import io
from datetime import UTC
from typing import Any

import xlsxwriter

from gateway.domain.figure import decimal_text
from gateway.domain.time import to_datetime
from gateway.i18n import text
from gateway.i18n.terms import quality_terms, term
from gateway.reports.document import Amount, Boxes, Cell, Document, Facts, Heading, Table, Text
from gateway.reports.showing import evidence_text, fits_a_sheet, moment, number_text, shown

METHODS_SHEET = "Methods and evidence"
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_MAX_SHEET_NAME = 31
_CHARACTERS_A_WEIGHT = 8


def as_xlsx(document: Document) -> bytes:
    """The workbook; the same document gives the same bytes."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties(
        {
            "title": document.title,
            "company": document.organisation_name,
            "created": to_datetime(document.at_us).astimezone(UTC).replace(tzinfo=None),
        }
    )
    writer = _Writer(book, document)
    writer.cover()
    for table in document.tables():
        writer.table(table)
    writer.methods()
    book.close()
    return made.getvalue()


class _Writer:
    """Writes the sheets of one document."""

    def __init__(self, book: Any, document: Document) -> None:  # XlsxWriter brings no types
        self._book = book
        self._document = document
        self._names: set[str] = set()
        self._numbers: dict[int, Any] = {}
        self._title = book.add_format({"bold": True, "font_size": 16})
        self._head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#EAF1EF", "border": 1}
        )
        self._cell = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
        self._plain = book.add_format({"text_wrap": True, "valign": "top"})
        self._note = book.add_format({"font_color": "#5F6D69", "italic": True})
        self._strong = book.add_format({"bold": True, "font_size": 12, "valign": "top"})
        self._box = book.add_format({"border": 1, "valign": "top"})

    def _t(self, message: str, **facts: object) -> str:
        return text(self._document.language, message, **facts)

    def _sheet(self, name: str) -> Any:
        wanted = name.translate(_FORBIDDEN).strip()[:_MAX_SHEET_NAME] or "sheet"
        made, number = wanted, 1
        while made.casefold() in self._names:
            number += 1
            made = f"{wanted[: _MAX_SHEET_NAME - 4]} {number}"
        self._names.add(made.casefold())
        sheet = self._book.add_worksheet(made)
        sheet.set_paper(9)
        if self._document.landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        return sheet

    def cover(self) -> None:
        """Title, frame, texts and empty boxes."""
        document = self._document
        sheet = self._sheet(document.title)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, document.title, self._title)
        at = 1
        if document.simulated:
            sheet.write_string(at, 0, self._t("SIMULATED DATA: not a record of any real plant"), self._strong)
            at += 1
        frame = [
            (self._t("Energy-using unit"), document.organisation_name),
            (self._t("Site"), document.site_name),
            (self._t("As of"), moment(document.as_of_us)),
            (self._t("As recorded up to entry"), "" if document.known_seq is None else str(document.known_seq)),
            (self._t("Made"), moment(document.at_us)),
        ]
        if document.from_us is not None:
            frame.append((self._t("Period"), f"{moment(document.from_us)} – {moment(document.to_us)}"))
        for label, content in frame:
            sheet.write_string(at, 0, label, self._plain)
            sheet.write_string(at, 1, content, self._plain)
            at += 1
        self._texts(sheet, at + 1)

    def _texts(self, sheet: Any, at: int) -> None:
        for block in self._document.blocks:
            if isinstance(block, Heading):
                sheet.write_string(at, 0, block.text, self._strong)
                at += 1
            elif isinstance(block, Text):
                sheet.merge_range(at, 0, at, 1, block.text, self._plain)
                sheet.set_row(at, 15 * (1 + len(block.text) // 45))
                at += 1
            elif isinstance(block, Facts):
                for label, cell in block.rows:
                    sheet.write_string(at, 0, label, self._cell)
                    self._write(sheet, at, 1, cell if cell != "" else None)
                    at += 1
                at += 1
            elif isinstance(block, Table):
                sheet.write_string(at, 0, self._t("Table"), self._plain)
                sheet.write_string(at, 1, block.title, self._plain)
                at += 1
            elif isinstance(block, Boxes):
                for label in (*block.signed, *block.seals):
                    sheet.write_string(at, 0, label, self._box)
                    sheet.write_blank(at, 1, None, self._box)
                    sheet.set_row(at, 36)
                    at += 1
                at += 1

    def table(self, table: Table) -> None:
        """One sheet: title, header, rows, notes."""
        sheet = self._sheet(table.title)
        sheet.write_string(0, 0, table.title, self._title)
        for index, column in enumerate(table.columns):
            title = f"{column.title} ({column.unit})" if column.unit else column.title
            sheet.write_string(1, index, title, self._head)
            sheet.set_column(index, index, max(6, _CHARACTERS_A_WEIGHT * column.weight))
        for number, row in enumerate(table.rows, start=2):
            for index, cell in enumerate(row):
                self._write(sheet, number, index, cell)
        sheet.freeze_panes(2, 0)
        sheet.repeat_rows(1)
        if table.rows:
            sheet.autofilter(1, 0, 1 + len(table.rows), len(table.columns) - 1)
        at = len(table.rows) + 3
        for note in (*table.notes, *([table.source] if table.source else [])):
            sheet.write_string(at, 0, note, self._note)
            at += 1

    def _write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        number = number_text(cell)
        if number and fits_a_sheet(number):
            places = len(number.partition(".")[2])
            sheet.write_number(row, column, float(number), self._number(places))
        else:
            sheet.write_string(row, column, shown(cell), self._cell)

    def _number(self, places: int) -> Any:
        if places not in self._numbers:
            pattern = "0" if places == 0 else "0." + "0" * places
            self._numbers[places] = self._book.add_format({"num_format": pattern, "valign": "top", "border": 1})
        return self._numbers[places]

    def methods(self) -> None:
        """Every number with its exact value, U, coverage, quality, methods, rules, factors, evidence, address."""
        document = self._document
        sheet = self._sheet(self._t(METHODS_SHEET))
        sheet.write_string(0, 0, self._t(METHODS_SHEET), self._title)
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 12, 18)
        at = 1
        for each in document.methods:
            sheet.write_string(at, 0, each.name, self._strong)
            sheet.write_string(at, 1, each.text, self._plain)
            at += 1
        heads = ("Figure", "Value", "Exact value", "Unit", "U", "k", "Coverage ‰", "Quality", "How known")
        for index, head in enumerate((*heads, "Rules", "Factors", "Reasons", "Journal entries", "Address")):
            sheet.write_string(at + 1, index, self._t(head), self._head)
        at += 2
        for amount in document.amounts().values():
            for index, cell in enumerate(self._evidence(amount)):
                sheet.write_string(at, index, cell, self._cell)
            at += 1

    def _evidence(self, amount: Amount) -> list[str]:
        figure = amount.figure
        language = self._document.language
        status, flags = quality_terms(language, figure.quality)
        shares = "; ".join(
            f"{term(language, 'method', name)} {decimal_text(100 * share, 3)} %"
            for name, share in figure.methods.items()
        )
        return [
            amount.id,
            shown(amount),
            "" if figure.value is None else decimal_text(figure.value),
            figure.unit,
            figure.displayed()[1],
            decimal_text(figure.k) if figure.u is not None else "",
            "" if figure.coverage_permille is None else str(figure.coverage_permille),
            " ".join([status, *flags]),
            shares,
            " ".join(figure.rules),
            " ".join(figure.factors),
            " ".join(figure.reasons[:12]),
            evidence_text(figure),
            amount.trace,
        ]
