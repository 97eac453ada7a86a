"""The words of an address that several views have in common, with their limits."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Path, Query

from api.asked import shown_day
from api.problems import UnreadableParameterError

Id = Annotated[str, Query(max_length=120)]
Word = Annotated[str, Query(max_length=120)]
Time = Annotated[str, Query(max_length=40)]
DayText = Annotated[str, Query(max_length=10)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]
Search = Annotated[str, Query(max_length=100)]
IdInPath = Annotated[str, Path(max_length=120)]
EntryNumber = Annotated[int, Path(ge=1, le=2**62)]


def civil_day(name: str, text: str, otherwise: date) -> date:
    """A civil date of an address; ``otherwise`` where it is left out."""
    if not text:
        return otherwise
    try:
        return shown_day(date.fromisoformat(text))
    except ValueError as error:
        raise UnreadableParameterError("'%(name)s' is no date such as 2026-03-01", name=name) from error


@dataclass(frozen=True, slots=True)
class Days:
    """The civil days that an address names, both included; where one is left out, each view has its own."""

    first: DayText = ""
    last: DayText = ""

    def first_or(self, otherwise: date) -> date:
        """The first day."""
        return civil_day("first", self.first, otherwise)

    def last_or(self, otherwise: date) -> date:
        """The last day."""
        return civil_day("last", self.last, otherwise)


DaysFor = Annotated[Days, Depends()]
