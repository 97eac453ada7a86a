"""The one model every report is made of, whatever file it becomes: blocks of text, tables, pictures, empty boxes.

A number stands in it once, as a ``Figure``; every medium writes the same digits of it (``gateway.reports.showing``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.domain.figure import Figure

MAX_ROWS = 20_000
"""Rows of one table; a longer one is refused, because nobody could check it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number in a table. ``id`` names the figure for the record, ``trace`` is the address that leads to its evidence.

    ``instead`` is what the cell says where there is no value.
    """

    id: str
    figure: Figure
    trace: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Expanded:
    """The cell of an amount's U (k as the figure says)."""

    amount: Amount


Cell = str | int | date | Amount | Expanded | None
"""Text, a count, a civil date, a number or its U; None is a dash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``title`` with the ``unit`` where all rows share one; ``weight`` is its share of the width."""

    title: str
    unit: str = ""
    weight: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph; ``editable`` marks what people complete in the DOCX file."""

    text: str
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels with their contents, as a cover has them. An empty content is a line to write on."""

    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``source`` says where the columns come from; ``notes`` stand under the table."""

    id: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    source: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if len(self.rows) > MAX_ROWS:
            raise ValueError(f"{self.id}: {len(self.rows)} rows")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.id}: {len(row)} cells under {len(self.columns)} columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A drawing by its Vega-Lite specification; the table that says the same stands beside it in the document."""

    id: str
    caption: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Empty boxes for signatures (``signed``: who) and seals (``seals``: whose). Nothing is ever drawn in them."""

    signed: Sequence[str]
    seals: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """What follows begins on a new page."""


Block = Heading | Text | Facts | Table | Picture | Boxes | Break


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How figures came about: a line of the sheet 方法与证据."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report. ``id`` is its kind, ``at_us`` the moment it is dated (µs UTC), ``known_seq`` the last journal
    entry that counted. ``landscape`` turns the page."""

    id: str
    title: str
    language: str
    organisation: str
    organisation_name: str
    site_name: str
    simulated: bool
    zone: str
    at_us: int
    as_of_us: int
    known_seq: int | None
    from_us: int | None = None
    to_us: int | None = None
    landscape: bool = False
    blocks: Sequence[Block] = ()
    methods: Sequence[Method] = ()
    subtitle: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def tables(self) -> Iterator[Table]:
        """Every table in order."""
        return (each for each in self.blocks if isinstance(each, Table))

    def pictures(self) -> Iterator[Picture]:
        """Every drawing in order."""
        return (each for each in self.blocks if isinstance(each, Picture))

    def amounts(self) -> dict[str, Amount]:
        """Every number by its id, in order of appearance; one that stands twice stands here once."""
        found: dict[str, Amount] = {}
        for block in self.blocks:
            rows: Sequence[Sequence[Cell]] = ()
            if isinstance(block, Table):
                rows = block.rows
            elif isinstance(block, Facts):
                rows = [[cell] for _label, cell in block.rows]
            for row in rows:
                for cell in row:
                    if isinstance(cell, Amount):
                        found.setdefault(cell.id, cell)
        return found
