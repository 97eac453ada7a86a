"""An account and what stands beside it as JSON: the one form the command line and the interface give."""

from typing import Any
from zoneinfo import ZoneInfo

from gateway.accounting.account import Account
from gateway.accounting.checks import costs, invoice_checks, stock_checks, virtual_checks
from gateway.accounting.laboratory import doubts
from gateway.accounting.quantities import Quantities
from gateway.accounting.results import figure_document
from gateway.domain.figure import decimal_text
from gateway.domain.time import iso
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement


def beside_document(made: Account, registry: Registry, settlement: Settlement, zone: ZoneInfo) -> dict[str, Any]:
    """Invoices and stock against metering, and cost by time of use, as JSON."""
    inputs = made.inputs
    found = [
        *invoice_checks(inputs, registry, settlement, zone),
        *stock_checks(inputs, registry, Quantities(inputs)),
        *virtual_checks(inputs, Quantities(inputs)),
    ]
    return {
        "checks": [
            {
                "kind": each.kind,
                "name": each.name,
                "unit": each.unit,
                "metered": None if each.check.metered is None else decimal_text(each.check.metered, 6),
                "recorded": None if each.check.other is None else decimal_text(each.check.other, 6),
                "limit": None if each.check.limit is None else decimal_text(each.check.limit, 6),
                "agreement": str(each.check.agreement),
                "reasons": list(each.check.reasons),
            }
            for each in found
        ],
        "costs": [
            {
                "tariff": tariff,
                "point": point,
                "currency": currency,
                "total": decimal_text(spent.total, 4),
                "by_slot": {name: decimal_text(money, 4) for name, money in sorted(spent.money.items())},
                "unpriced": spent.unpriced,
            }
            for (tariff, point), (currency, spent) in costs(inputs, registry, settlement, zone).items()
        ],
    }


def account_document(made: Account) -> dict[str, Any]:
    """An account as JSON: every line's figure, default exposure, doubts about laboratory values."""
    return {
        "from": iso(made.inputs.period.start_us),
        "to": iso(made.inputs.period.end_us),
        "inputs": made.inputs.digest(),
        "pack": made.inputs.plan.pack,
        "figures": {
            name: {**figure_document(line.figure), "factors": list(line.figure.factors), "parts": list(line.parts)}
            for name, line in made.lines.items()
        },
        "exposure": {name: decimal_text(tonnes, 6) for name, tonnes in sorted(made.exposure.items())},
        "doubts": [
            {"rule": each.rule, "number": each.number, "facts": dict(each.facts)}
            for each in doubts(made.inputs.laboratory)
        ],
    }
