"""One quantity of an account: an estimate with its unit and everything a figure says beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from gateway.accounting.estimate import Effect, Estimate, total
from gateway.domain.figure import Figure
from gateway.domain.quality import GOOD, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An estimate with what a figure says beside it. ``defaults`` are the default factors it hangs on."""

    estimate: Estimate | None
    unit: str
    coverage_permille: int | None = None
    quality: int = GOOD
    methods: Mapping[str, Fraction] = field(default_factory=dict)
    factors: frozenset[str] = frozenset()
    defaults: frozenset[str] = frozenset()
    evidence: frozenset[int] = frozenset()
    reasons: frozenset[str] = frozenset()

    def figure(self, effects: Mapping[str, Effect], rules: tuple[str, ...] = ()) -> Figure:
        """The figure of it: U with k = 2, method shares of one."""
        whole = sum(self.methods.values(), Fraction(0))
        shares = {name: value / whole for name, value in sorted(self.methods.items())} if whole else {}
        reasons = set(self.reasons)
        if self.estimate is not None:
            reasons |= {f"no_uncertainty:{each}" for each in self.estimate.unstated}
        return Figure(
            value=None if self.estimate is None else self.estimate.value,
            unit=self.unit,
            u=None if self.estimate is None else self.estimate.u(effects),
            coverage_permille=self.coverage_permille,
            quality=self.quality,
            methods=shares,
            rules=rules,
            factors=tuple(sorted(self.factors)),
            evidence=tuple(sorted(self.evidence)),
            reasons=tuple(sorted(reasons)),
        )

    def times(self, other: "Quantity", unit: str) -> "Quantity":
        """The product; coverage, quality and methods are those of the amounts in it."""
        return self._with(other, _product(self.estimate, other.estimate), unit)

    def over(self, other: "Quantity", unit: str) -> "Quantity":
        """The quotient; unknown where the divisor is zero."""
        if self.estimate is None or other.estimate is None or other.estimate.value == 0:
            return self._with(other, None, unit)
        return self._with(other, self.estimate / other.estimate, unit)

    def become(self, estimate: Estimate | None, unit: str) -> "Quantity":
        """Another value resting on the same."""
        return replace(self, estimate=estimate, unit=unit)

    def _with(self, other: "Quantity", estimate: Estimate | None, unit: str) -> "Quantity":
        covers = [each.coverage_permille for each in (self, other) if each.coverage_permille is not None]
        return Quantity(
            estimate=estimate,
            unit=unit,
            coverage_permille=min(covers) if covers else None,
            quality=worst((self.quality, other.quality)),
            methods=self.methods or other.methods,
            factors=self.factors | other.factors,
            defaults=self.defaults | other.defaults,
            evidence=self.evidence | other.evidence,
            reasons=self.reasons | other.reasons,
        )


def added(parts: list[tuple[Quantity, Fraction]], unit: str) -> Quantity:
    """The weighted sum; unknown where any part is unknown, unless there is no part at all (then zero)."""
    estimates = [each.estimate.scaled(weight) for each, weight in parts if each.estimate is not None]
    covers = [each.coverage_permille for each, _ in parts if each.coverage_permille is not None]
    methods: dict[str, Fraction] = {}
    for each, weight in parts:
        for name, value in each.methods.items():
            methods[name] = methods.get(name, Fraction(0)) + abs(weight) * value
    return Quantity(
        estimate=total(estimates) if len(estimates) == len(parts) else None,
        unit=unit,
        coverage_permille=min(covers) if covers else None,
        quality=worst(each.quality for each, _ in parts),
        methods=methods,
        factors=frozenset().union(*(each.factors for each, _ in parts)),
        defaults=frozenset().union(*(each.defaults for each, _ in parts)),
        evidence=frozenset().union(*(each.evidence for each, _ in parts)),
        reasons=frozenset().union(*(each.reasons for each, _ in parts)),
    )


def unknown(unit: str, *reasons: str) -> Quantity:
    """A quantity that is not known, and why."""
    return Quantity(estimate=None, unit=unit, reasons=frozenset(reasons))


def _product(first: Estimate | None, second: Estimate | None) -> Estimate | None:
    return None if first is None or second is None else first * second
