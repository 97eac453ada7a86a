"""Units of input: legal ones and those that are accepted and converted; what is unknown is refused.

Gas volumes at 0 °C and at 20 °C are two dimensions and never convert into each other; ``restate`` does it as a named
act.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gateway.domain.errors import MeterproofError


class UnitError(MeterproofError):
    """A unit that is not known, or two that measure different things."""


class Law(StrEnum):
    """法定计量单位, 统计折算单位, or accepted on input only."""

    LEGAL = "legal"
    STATISTICAL = "statistical"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit; value in its dimension's base unit = value · ``factor`` + ``offset``."""

    id: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    law: Law = Law.LEGAL
    aliases: tuple[str, ...] = ()


class Units:
    """The units an installation knows."""

    def __init__(self, units: Iterable[Unit], *, gas_0c: str, gas_20c: str, gas_factor: Fraction) -> None:
        self._units: dict[str, Unit] = {}
        for unit in units:
            for name in (unit.id, *unit.aliases):
                if name in self._units:
                    raise ValueError(f"two units are written {name!r}")
                self._units[name] = unit
        self._gas = (gas_0c, gas_20c, gas_factor)

    def unit(self, name: str) -> Unit:
        """The unit a text names, by id or alias; UnitError when none does."""
        found = self._units.get(name.strip())
        if found is None:
            raise UnitError("the unit '%(unit)s' is not known; it is refused rather than guessed", unit=name)
        return found

    def knows(self, name: str) -> bool:
        """Whether a text names a unit."""
        return name.strip() in self._units

    def convert(self, value: Fraction, source: str, target: str) -> Fraction:
        """A value in another unit of the same dimension, exactly; UnitError otherwise."""
        first, second = self.unit(source), self.unit(target)
        if first.dimension != second.dimension:
            raise UnitError(
                "'%(source)s' and '%(target)s' measure different things (%(first)s, %(second)s)",
                source=first.id,
                target=second.id,
                first=first.dimension,
                second=second.dimension,
            )
        return (value * first.factor + first.offset - second.offset) / second.factor

    def factor(self, source: str, target: str) -> Fraction:
        """What a difference in one unit is multiplied by to stand in another."""
        return self.convert(Fraction(1), source, target) - self.convert(Fraction(0), source, target)

    def restate(self, value: Fraction, source: str, target: str) -> Fraction:
        """A gas volume at the other reference temperature: ideal gas, same pressure. UnitError for anything else."""
        cold, warm, factor = self._gas
        first, second = self.unit(source).dimension, self.unit(target).dimension
        at_0c, at_20c = self.unit(cold).dimension, self.unit(warm).dimension
        if (first, second) == (at_0c, at_20c):
            return self.convert(self.convert(value, source, cold) * factor, warm, target)
        if (first, second) == (at_20c, at_0c):
            return self.convert(self.convert(value, source, warm) / factor, cold, target)
        raise UnitError("'%(source)s' to '%(target)s' is no restatement of a gas volume", source=source, target=target)
