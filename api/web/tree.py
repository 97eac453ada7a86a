"""The tree of metering points, grown from rows that come parents first and know their depth."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Deep(Protocol):
    """A row that knows how deep it hangs; 0 for the top."""

    @property
    def depth(self) -> int:
        """Levels above it."""
        ...


RowT = TypeVar("RowT", bound=Deep)


@dataclass(slots=True)
class Branch(Generic[RowT]):
    """A point with what hangs under it."""

    row: RowT
    children: list["Branch[RowT]"] = field(default_factory=list)


def nested(rows: Iterable[RowT]) -> list[Branch[RowT]]:
    """The tree from rows with depths, parents first."""
    roots: list[Branch[RowT]] = []
    open_at: list[Branch[RowT]] = []
    for row in rows:
        branch = Branch(row)
        del open_at[row.depth :]
        (open_at[-1].children if open_at else roots).append(branch)
        open_at.append(branch)
    return roots
