"""What accounting needs beside the records of a plant: the units it reads and the tiers a law grades by."""

from dataclasses import dataclass

from gateway.accounting.tiers import TierTable
from gateway.accounting.units import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Units of input, and tiers of uncertainty by the laws that grade it."""

    units: Units
    tiers: tuple[TierTable, ...] = ()
