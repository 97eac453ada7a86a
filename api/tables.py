"""The tables of exports: of each column its header beside where its cells come from, so that neither can drift."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.encoding import At

RowT = TypeVar("RowT")
_COLUMN = re.compile(r"(?:(?P<header>\w+)=)?(?P<path>[\w.]+)(?::(?P<form>\S+))?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column whose cells stand in the rows themselves: ``path`` leads from a row to the cell, attribute by attribute.

    The cell is empty where anything on the way is None. An attribute ``…_us`` is an instant, several values are joined,
    and a number is written by ``form``, a format as Python has it, where there is one.
    """

    header: str
    path: tuple[str, ...]
    form: str = ""

    def __call__(self, row: object) -> object:
        """The cell."""
        cell = row
        for name in self.path:
            cell = getattr(cell, name)
            if cell is None:
                return None
        if self.form:
            return format(cell, self.form)
        if self.path[-1].endswith("_us") and isinstance(cell, int):
            return At(cell)
        return "; ".join(map(str, cell)) if isinstance(cell, tuple | list) else cell


class Table(Generic[RowT]):
    """A table of such rows. ``columns``: words ``header=path:format``, where a header that is missing is the path, and
    pairs of a header and a function from the row to its cell."""

    def __init__(self, row: type[RowT], *columns: str | tuple[str, Callable[[RowT], object]]) -> None:
        self.row = row
        self.headers: list[str] = []
        self.cells: list[Callable[[RowT], object]] = []
        for each in columns:
            if isinstance(each, tuple):
                self.headers.append(each[0])
                self.cells.append(each[1])
                continue
            for word in each.split():
                found = _COLUMN.fullmatch(word)
                if found is None:
                    raise ValueError(f"'{word}' is no column")
                column = Column(found["header"] or found["path"], tuple(found["path"].split(".")), found["form"] or "")
                self.headers.append(column.header)
                self.cells.append(column)

    def rows(self, things: Iterable[RowT]) -> Iterable[list[object]]:
        """A row a thing."""
        return ([cell(each) for cell in self.cells] for each in things)
