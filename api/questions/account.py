"""The account of energy and carbon over civil days, and the stack's monitoring beside it."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query

from api.asked import Asked, AskedFor
from api.questions.words import DaysFor
from gateway.accounting.account import Account
from gateway.audit.accounts import account_of, settled_days, year_to_date
from gateway.audit.budgets import BudgetFact, budget_fact
from gateway.audit.carbon import CarbonAccount, carbon_account
from gateway.audit.energy_account import EnergyAccount, energy_account
from gateway.audit.stack_comparison import StackComparison, comparison
from gateway.domain.time import Period

Line = Annotated[str, Query(max_length=200)]
ResultId = Annotated[str, Query(max_length=120)]
Stack = Annotated[str, Query(max_length=64)]
CompareStep = Annotated[Literal["hour", "day", "month", "year"], Query()]


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    """An account of civil days, both included, and the span of them that is settled.

    Each answer raises UnknownObjectError where no plan is on record for these days.
    """

    asked: Asked
    first: date
    last: date
    period: Period

    @property
    def days(self) -> str:
        """The days, for the name of an export."""
        return f"{self.first}-{self.last}"

    def account(self) -> Account:
        """Every line."""
        return account_of(self.asked.reader.sources, self.asked.asking, self.period)

    def carbon(self) -> CarbonAccount:
        """The carbon account."""
        return carbon_account(self.asked.reader.sources, self.asked.asking, self.period)

    def energy(self) -> EnergyAccount:
        """The energy account."""
        return energy_account(self.asked.reader.sources, self.asked.asking, self.period)

    def budget(self, line: str, draws: int = 0) -> BudgetFact:
        """The uncertainty budget of a line."""
        return budget_fact(self.account(), line, draws=draws)


def account_question(asked: AskedFor, days: DaysFor) -> AccountQuestion:
    """This year's settled days that are over, where nothing is said."""
    sources, asking = asked.reader.sources, asked.asking
    since, until = (None, asking.today) if days.first and days.last else year_to_date(sources, asking)
    last = days.last_or(until)
    first = days.first_or(min(since, last) if since else last)
    last = min(last, asking.today)
    first = min(first, last)
    return AccountQuestion(asked, first, last, settled_days(sources, asking, first, last))


AccountFor = Annotated[AccountQuestion, Depends(account_question)]


@dataclass(frozen=True, slots=True)
class StackQuestion:
    """A stack against the fuel side: the days of the account by month where nothing is said."""

    account: AccountFor
    stack: Stack = ""
    step: CompareStep = "month"

    def comparison(self) -> StackComparison:
        """The comparison; UnknownObjectError where no plan of a stack is on record."""
        asked, days = self.account.asked, self.account
        return comparison(
            asked.reader.sources, asked.asking, first=days.first, last=days.last, step=self.step, stack=self.stack
        )


StackFor = Annotated[StackQuestion, Depends()]
