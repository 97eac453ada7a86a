"""Which slot of a pushed device was filled last outlives the process that saw it."""

from pathlib import Path

from gateway.domain.reading import Outcome
from gateway.registry.writing import RegistryProjection


def test_the_newest_slot_is_known_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    registry = RegistryProjection.open(path)
    registry.begin()
    for seq, slot_us in ((1, 900_000_000), (2, 600_000_000)):  # the second one is late
        registry.apply_reading(seq, "o", "d", "g", slot_us, Outcome.OK, ())
    registry.commit(2)
    registry.close()
    again = RegistryProjection.open(path)
    assert again.newest_slot("o", "d", "g") == 900_000_000
    assert again.newest_slot("o", "d", "other") == 0
    again.close()
