"""Beside an account: invoices against meters, stock against flow, formulas against the meter of the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.account import Account
from gateway.accounting.checks import NamedCheck, invoice_checks, stock_checks, virtual_checks
from gateway.accounting.quantities import Quantities
from gateway.audit.asking import Asking, Sources
from gateway.domain.figure import decimal_text


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFact:
    """A cross-check: ``metered`` held against ``recorded``, ``limit`` U of the metering; texts, empty where unknown."""

    kind: str
    name: str
    unit: str
    metered: str
    recorded: str
    difference: str
    limit: str
    agreement: str
    reasons: Sequence[str]


def crosschecks(sources: Sources, asking: Asking, made: Account) -> list[CheckFact]:
    """Invoices against meters and stock against flow over the account's time."""
    inputs = made.inputs
    found = [
        *invoice_checks(inputs, sources.registry, sources.settlement, asking.zone),
        *stock_checks(inputs, sources.registry, Quantities(inputs)),
        *virtual_checks(inputs, Quantities(inputs)),
    ]
    return [_check(each) for each in found]


def _check(named: NamedCheck) -> CheckFact:
    def said(value: Fraction | None) -> str:
        return "" if value is None else decimal_text(value, 6)

    check = named.check
    return CheckFact(
        kind=named.kind,
        name=named.name,
        unit=named.unit,
        metered=said(check.metered),
        recorded=said(check.other),
        difference=said(check.difference),
        limit=said(check.limit),
        agreement=str(check.agreement),
        reasons=check.reasons,
    )
