"""Energy between registers people read, over an exchange at the very instant of a reading."""

from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.domain.time import US_PER_DAY, Period
from gateway.registry.record import Record
from gateway.settlement.batches import HandReading, hand_energy


def fitted(seq: int, from_us: int, to_us: int | None, **said: str) -> Record:
    values = {"point": "P", "instrument": f"M{seq}", **said}
    return Record(seq, 0, "o", "installation", f"I{seq}", from_us, to_us, False, values, "", "", "")


def read(day: int, register: str) -> HandReading:
    return HandReading(day, day * US_PER_DAY, Decimal(register), "kWh", "li")


@pytest.mark.parametrize("at_exchange", [[], [read(30, "350")], [read(30, "5")], [read(30, "400")]])
def test_declared_indexes_stand_before_what_was_read_at_that_instant(at_exchange: list[HandReading]) -> None:
    """Whichever meter the reading at the exchange is of: both indexes are declared, so nothing is lost or doubled."""
    installed = [
        fitted(1, 0, 30 * US_PER_DAY, opening_index="0", closing_index="350"),
        fitted(2, 30 * US_PER_DAY, None, opening_index="5"),
    ]
    readings = [read(1, "100"), *at_exchange, read(60, "35")]
    shares, whole = hand_energy(readings, installed, Period(0, 60 * US_PER_DAY))
    assert [(each.installation, each.energy) for each in shares] == [(1, Fraction(350)), (2, Fraction(30))]
    assert whole
