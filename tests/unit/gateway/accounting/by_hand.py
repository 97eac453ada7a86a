"""The small plant's figures worked out by hand, and short ways to ask an account and to enter what it needs."""

from fractions import Fraction

from gateway.accounting.account import Account
from gateway.journal.entry import Draft
from tests.unit.gateway.accounting.conftest import PLAN, START

COAL_T, CLINKER_T, BOUGHT_MWH, SOLD_MWH = Fraction(192), Fraction(1344), Fraction(96), Fraction("9.6")
COAL_CO2 = COAL_T * 25 * Fraction("0.026") * Fraction("0.98") * 44 / 12
CLINKER_CO2 = CLINKER_T * (Fraction("0.65") * 44 / 56 + Fraction("0.015") * 44 / 40)


def value(made: Account, line: str) -> Fraction:
    found = made.lines[line].figure.value
    assert found is not None, made.lines[line].figure.reasons
    return found


def laboratory(number: str, ncv: str, unit: str = "GJ/t", point: str = "coal-lab", at: int = START) -> Draft:
    document = {"number": number, "point": point, "from_us": at, "to_us": at + 1, "values": {"ncv": [ncv, unit]}}
    body = {"action": "laboratory.recorded", "actor": "l", "object": document, "reason": "", "withdrawn": 0}
    return Draft("laboratory", f"o/point/{point}", START, body)


def heat_plan(parameters: dict[str, object], pack: str = "generic-1") -> dict[str, object]:
    source = {"id": "heat", "name": "heat", "kind": "heat_in", "amount": "coal-kiln", "parameters": parameters}
    return {**PLAN, "pack": pack, "sources": [source], "products": [], "virtual_points": []}


def stated(value: str, unit: str, u_percent: str | None = "1") -> dict[str, object]:
    given = {"value": value, "unit": unit, "reason": f"stated {value}"}
    return given if u_percent is None else {**given, "u_percent": u_percent}
