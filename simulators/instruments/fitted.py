"""The physical meter that sits at a place from one instant to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Quantity = int | float | str | None
"""What a meter shows: millionths of the unit for a cumulative index, a float for an instantaneous one, a text, or
nothing."""

MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """One meter's stay at one place.

    ``opening_micro`` is its index at ``from_us`` in millionths of the unit, meter side. ``error_ppm`` is the error of
    the whole chain, transformers included. ``ct`` and ``pt`` are the transformers really there, as (primary,
    secondary); a meter that is told another ratio shows ``programmed_ct`` in its registers.
    """

    serial: str
    from_us: int
    to_us: int | None = None
    opening_micro: int = 0
    error_ppm: int = 0
    ct: tuple[int, int] = (1, 1)
    pt: tuple[int, int] = (1, 1)
    programmed_ct: tuple[int, int] | None = None
    firmware: str = "2.14"

    @property
    def ratio(self) -> Fraction:
        """CT times PT ratio really in the circuit."""
        return Fraction(self.ct[0] * self.pt[0], self.ct[1] * self.pt[1])

    @property
    def shown_ct(self) -> tuple[int, int]:
        """The CT ratio the meter's registers show."""
        return self.programmed_ct or self.ct


def fitted_at(stays: Sequence[Fitted], at_us: int) -> Fitted:
    """The meter there at an instant; the first one for any time before."""
    for stay in reversed(stays):
        if stay.from_us <= at_us:
            return stay
    return stays[0]
