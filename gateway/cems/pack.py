"""A rule pack of stack monitoring: which hours count, what a test must show, how a gap is filled, and whose law it is.

Packs are data (``config/catalogue/cems``). A block that is None is a rule whose text has not been read: nothing is
assumed for it, and what hangs on it says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gateway.domain.figure import decimal_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class HourValidity:
    """When an hour's mean counts: ``share`` of the readings the schedule asked for, or a reading in every ``quadrants``
    of quarter hours.
    """

    least_permille: int | None
    quadrants: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLimits:
    """Zero and span checks: percent of span, or percent CO2 as an absolute difference; out of control beyond
    ``out_factor`` times it.
    """

    percent_of_span: Fraction | None
    absolute: Fraction | None
    out_factor: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearityLimits:
    """Each level: percent of the reference, or the absolute difference."""

    percent: Fraction
    absolute: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyLimits:
    """Relative accuracy test: least runs, limit in percent or as mean difference in percent CO2, and how many quarters
    until the next; ``reduced_*`` is what earns the longer term. ``bias`` names the parameters the bias test is for.
    """

    least_runs: int
    percent: Fraction
    absolute: Fraction | None
    reduced_percent: Fraction
    reduced_absolute: Fraction | None
    quarters: int
    reduced_quarters: int
    bias: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CemsPack:
    """One law's rules. ``chinese`` whether it is a Chinese rule; ``text`` ``read``, ``quoted`` or ``unread``."""

    id: str
    law: str
    name: Mapping[str, str]
    chinese: bool
    text: str
    standing: str
    source: str
    note: str
    validity: HourValidity | None
    substitution: Mapping[str, str]
    check: CheckLimits | None
    linearity: LinearityLimits | None
    accuracy: AccuracyLimits | None
    notice_days: int | None

    @property
    def empty(self) -> bool:
        """Whether no rule of it is at hand."""
        return self.validity is None and self.check is None and self.linearity is None and self.accuracy is None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "CemsPack":
        """From its journal form: numbers are decimal text."""
        return cls(
            id=str(document["id"]),
            law=str(document["law"]),
            name={str(key): str(value) for key, value in document["name"].items()},
            chinese=bool(document["chinese"]),
            text=str(document["text"]),
            standing=str(document["standing"]),
            source=str(document["source"]),
            note=str(document.get("note") or ""),
            validity=_validity(document.get("validity")),
            substitution={str(key): str(value) for key, value in (document.get("substitution") or {}).items() if value},
            check=_check(document.get("check")),
            linearity=_linearity(document.get("linearity")),
            accuracy=_accuracy(document.get("accuracy")),
            notice_days=None if document.get("notice_days") is None else int(document["notice_days"]),
        )


def _validity(block: Mapping[str, Any] | None) -> HourValidity | None:
    if not block:
        return None
    return HourValidity(least_permille=block.get("least_permille"), quadrants=block.get("quadrants"))


def _check(block: Mapping[str, Any] | None) -> CheckLimits | None:
    if not block:
        return None
    return CheckLimits(
        percent_of_span=_number(block.get("percent_of_span")),
        absolute=_number(block.get("absolute")),
        out_factor=_number(block.get("out_factor")) or Fraction(1),
    )


def _linearity(block: Mapping[str, Any] | None) -> LinearityLimits | None:
    if not block:
        return None
    return LinearityLimits(percent=decimal_fraction(str(block["percent"])), absolute=_number(block.get("absolute")))


def _accuracy(block: Mapping[str, Any] | None) -> AccuracyLimits | None:
    if not block:
        return None
    return AccuracyLimits(
        least_runs=int(block["least_runs"]),
        percent=decimal_fraction(str(block["percent"])),
        absolute=_number(block.get("absolute")),
        reduced_percent=decimal_fraction(str(block["reduced_percent"])),
        reduced_absolute=_number(block.get("reduced_absolute")),
        quarters=int(block["quarters"]),
        reduced_quarters=int(block["reduced_quarters"]),
        bias=tuple(str(each) for each in block.get("bias") or ()),
    )


def _number(text: object) -> Fraction | None:
    return None if text is None else decimal_fraction(str(text))


NO_LIMITS = CemsPack(
    id="",
    law="",
    name={},
    chinese=False,
    text="unread",
    standing="推断",
    source="",
    note="",
    validity=None,
    substitution={},
    check=None,
    linearity=None,
    accuracy=None,
    notice_days=None,
)
"""No rule at all: results without a verdict."""
