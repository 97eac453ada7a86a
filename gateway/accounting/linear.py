"""Linear formulas over metering points: ``el-gross - el-own``, ``0.5 * el-shop + el-yard``.

Words are set apart by spaces, because ids may hold dashes: a point id, a plain decimal, ``+``, ``-`` or ``*``.
Virtual points stand for their own formula; a ring of them is refused.
"""

import re
from collections.abc import Mapping
from fractions import Fraction

from gateway.domain.errors import MeterproofError

MAX_TERMS = 200
MAX_DEPTH = 10
_NUMBER = re.compile(r"^\d{1,12}(\.\d{1,12})?$")
# a point's id as the ledger has it, in any script; the signs and numbers of a formula are none
_POINT = re.compile(r"^[^\W_][\w./#:()（）-]*$")
_SHAPE = "'%(formula)s' is no formula: point ids, + and -, a factor as in 0.5 * point, all set apart by spaces"


class FormulaError(MeterproofError):
    """A formula that cannot be read, or virtual points that stand for each other in a ring."""


Terms = Mapping[str, Fraction]


def parse(formula: str) -> Terms:
    """Weights by point id; FormulaError when it is no linear formula."""
    terms: dict[str, Fraction] = {}
    sign, weight = Fraction(1), Fraction(1)
    expected = "term"
    for word in formula.split()[: 4 * MAX_TERMS]:
        if word in {"+", "-"} and expected in {"operator", "term"}:
            if expected == "term" and (terms or sign != 1):
                raise FormulaError(_SHAPE, formula=formula)
            sign, weight, expected = Fraction(1 if word == "+" else -1), Fraction(1), "first"
        elif word == "*" and expected == "times":
            expected = "point"
        elif _NUMBER.match(word) and expected in {"term", "first"}:
            weight, expected = Fraction(word), "times"
        elif _POINT.match(word) and expected in {"term", "first", "point"}:
            terms[word] = terms.get(word, Fraction(0)) + sign * weight
            sign, weight, expected = Fraction(1), Fraction(1), "operator"
        else:
            raise FormulaError(_SHAPE, formula=formula)
    if expected != "operator" or len(terms) > MAX_TERMS:
        raise FormulaError(_SHAPE, formula=formula)
    return terms


def resolved(formula: str, virtual: Mapping[str, str]) -> Terms:
    """Weights by real point; FormulaError for a ring of virtual points, and where one that stands in it is no
    formula.
    """
    return _resolved(parse(formula), virtual, ())


def _resolved(terms: Terms, virtual: Mapping[str, str], seen: tuple[str, ...]) -> Terms:
    found: dict[str, Fraction] = {}
    for name, weight in terms.items():
        if name in seen or len(seen) > MAX_DEPTH:
            raise FormulaError("the virtual points %(points)s stand for each other", points=", ".join((*seen, name)))
        parts = {name: Fraction(1)}
        if name in virtual:
            parts = dict(_resolved(parse(virtual[name]), virtual, (*seen, name)))
        for point, each in parts.items():
            found[point] = found.get(point, Fraction(0)) + weight * each
    return {point: weight for point, weight in found.items() if weight}
