"""Maximum permissible errors by instrument kind and class, and what a jurisdiction makes of them in service.

The rows stand in ``permissible_errors.csv`` and ``in_service_factors.csv`` beside this module, each with its source
and how sure it is (转载 quoted by a public text, 记忆 from memory, 推断 inferred; none was read in the official text).
An instrument's own papers come before a row, a row before the class number.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files

from gateway.domain.ledger import Instrument
from gateway.domain.ratio import class_rank

DEFAULT_JURISDICTION = "CN"
PERCENT_CLASS_KINDS = frozenset(
    {"electricity_meter", "current_transformer", "voltage_transformer", "flow_meter", "gas_meter", "belt_scale"}
)
"""Instrument kinds whose accuracy class is the permissible error in percent where no row says more."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest error an instrument may show, in percent of the reference; ``minutes`` of arc for transformers.

    ``load`` is where it holds (the class's reference load), ``source`` and ``confidence`` who says so; ``value`` is
    ``percent`` for computing with.
    """

    percent: Fraction
    minutes: Fraction | None
    load: str
    source: str
    confidence: str
    value: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.percent))


@dataclass(frozen=True, slots=True)
class InServiceFactor:
    """By how much the limit widens in service."""

    factor: Fraction
    source: str
    confidence: str
    value: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.factor))


def _rows(name: str) -> list[dict[str, str]]:
    text = files("gateway.metrology").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def permissible_errors() -> Mapping[tuple[str, str], tuple[Limit, ...]]:
    """The table: rows by (instrument kind, class), the one at reference load first."""
    found: dict[tuple[str, str], tuple[Limit, ...]] = {}
    for row in _rows("permissible_errors.csv"):
        minutes = Fraction(row["minutes"]) if row["minutes"] else None
        limit = Limit(Fraction(row["percent"]), minutes, row["load"], row["source"], row["confidence"])
        key = (row["kind"], row["class"])
        found[key] = (*found.get(key, ()), limit)
    return found


@cache
def in_service_factors() -> Mapping[tuple[str, str], InServiceFactor]:
    """Factors by (jurisdiction, instrument kind or ``*``)."""
    return {
        (row["jurisdiction"], row["kind"]): InServiceFactor(Fraction(row["factor"]), row["source"], row["confidence"])
        for row in _rows("in_service_factors.csv")
    }


def in_service_factor(jurisdiction: str, kind: str) -> InServiceFactor:
    """The factor of a jurisdiction for a kind of instrument; 1 where none is known (推断)."""
    table = in_service_factors()
    place = jurisdiction or DEFAULT_JURISDICTION
    found = table.get((place, kind)) or table.get((place, "*"))
    return found or InServiceFactor(Fraction(1), "no row for this jurisdiction", "推断")


def limit_of(instrument: Instrument, accuracy_class: str = "") -> Limit | None:
    """The permissible error of an instrument; ``accuracy_class`` (the certificate's) comes before the plate's.

    None where nothing is known: no class, or a kind whose classes are no percentage.
    """
    if instrument.mpe_percent:
        return _stated(instrument.mpe_percent, instrument.mpe_source)
    return _by_class(instrument.kind, accuracy_class or instrument.accuracy_class)


@lru_cache(maxsize=4_096)
def _stated(percent: str, source: str) -> Limit | None:
    try:
        number = Fraction(percent)
    except ValueError:
        return None
    # who entered edition and clause has read them; a bare number says nothing about where it comes from
    return Limit(number, None, "", source, "原文" if source else "推断") if number > 0 else None


@lru_cache(maxsize=4_096)
def _by_class(kind: str, accuracy_class: str) -> Limit | None:
    plain = accuracy_class.strip().upper().replace("级", "").replace("CLASS", "").replace("Ｓ", "S").strip()
    rows = permissible_errors().get((kind, plain))
    if rows:
        return rows[0]
    rank = class_rank(accuracy_class)
    if rank is None or rank[0] == 0 or kind not in PERCENT_CLASS_KINDS:
        return None
    return Limit(rank[0], None, "", f"class {plain} read as percent", "推断")
