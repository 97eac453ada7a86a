"""Energy statistics, energy flow, and balances of nodes over civil days."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query

from api.asked import AskedFor
from api.questions.words import DaysFor, Id
from gateway.audit.accounts import settled_days
from gateway.audit.balance import Balance, RemainderTrend, balances, remainder_days
from gateway.audit.consumption import Consumption, consumption
from gateway.audit.flow import Flow, energy_flow
from gateway.domain.time import Period

Kind = Annotated[str, Query(max_length=60)]
Step = Annotated[Literal["hour", "day", "month"], Query()]
DEFAULT_DAYS = 30
TREND_DAYS = 30
LEAST_DAYS = 4


@dataclass(frozen=True, slots=True)
class EnergyQuestion:
    """A point step by step and every point's total; the last 30 days by day where nothing is said."""

    asked: AskedFor
    days: DaysFor
    point: Id = ""
    step: Step = "day"

    def statistics(self) -> Consumption:
        """The statistics; UnknownObjectError for a point that there is not."""
        first, last = self._days()
        return consumption(
            self.asked.reader.sources, self.asked.asking, first=first, last=last, step=self.step, point=self.point
        )

    def span(self) -> Period:
        """Its days, as far as they are over and settled."""
        first, last = self._days()
        last = min(last, self.asked.asking.today)
        return settled_days(self.asked.reader.sources, self.asked.asking, min(first, last), last)

    def flow(self, kind: str) -> Flow:
        """The energy flow of these days."""
        return energy_flow(self.asked.reader.sources, self.asked.asking, self.span(), kind or "electricity")

    def _days(self) -> tuple[date, date]:
        last = self.days.last_or(self.asked.asking.today)
        return self.days.first_or(last - timedelta(days=DEFAULT_DAYS - 1)), last


EnergyFor = Annotated[EnergyQuestion, Depends()]


@dataclass(frozen=True, slots=True)
class BalanceQuestion:
    """What points took against what the points under them took; yesterday where nothing is said."""

    asked: AskedFor
    days: DaysFor

    def balances(self) -> tuple[Period, list[Balance]]:
        """The balances of whole civil days, and the span of these days that is settled."""
        asking = self.asked.asking
        first, last = (asking.day(each) for each in self._days())
        period = Period(first.start_us, max(min(last.end_us, asking.settling_us), first.start_us))
        return period, balances(self.asked.reader.sources, asking, period)

    def trend(self, node: str) -> RemainderTrend | None:
        """A node's remainder day by day: the days of the address where they are enough, else the last thirty."""
        first, last = self._days()
        if (last - first).days + 1 < LEAST_DAYS:
            first = last - timedelta(days=TREND_DAYS - 1)
        return remainder_days(self.asked.reader.sources, self.asked.asking, first, last, node)

    def _days(self) -> tuple[date, date]:
        today = self.asked.asking.today
        last = min(self.days.last_or(today - timedelta(days=1)), today)
        return min(self.days.first_or(last), last), last


BalanceFor = Annotated[BalanceQuestion, Depends()]
