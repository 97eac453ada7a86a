"""What the judge hears of the real stores: loads by day, temperatures, files."""

from base64 import b64encode
from collections.abc import Iterator
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.assembly.projecting import Projection
from gateway.assembly.witnessing import ProjectedWitness
from gateway.domain.time import US_PER_DAY
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.metrology.loads import Register
from gateway.metrology.witness import Outside
from gateway.series.store import SeriesStore
from gateway.settlement.load_shares import changed_windows
from tests.plant_folder import NOW, ORGANISATION, START, FixedClock, build_folder

LATER = NOW + 5 * US_PER_DAY


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[ProjectedWitness, Projection, DataFolder]]:
    folder = build_folder(tmp_path / "data")
    projection = Projection(folder, FixedClock(LATER))
    projection.projector.horizon_us = LATER
    with Journal.open(folder, read_only=True) as journal:
        yield ProjectedWitness(projection.projector, folder, journal), projection, folder
    projection.close()


def test_what_a_channel_counts(opened):
    witness, *_ = opened
    assert witness.register("intake", "active_energy_import") == Register("active_energy_import", "kWh")
    assert witness.register("intake", "") == Register("active_energy_import", "kWh")
    assert witness.register("intake", "active_power") is None
    assert witness.register("nobody", "") is None


@pytest.mark.parametrize(
    ("lower", "upper", "side"),
    [
        (None, Fraction(45), None),  # the intake counts 45 kWh a quarter hour, meter side
        (None, Fraction("44.99"), "above"),
        (Fraction(45), None, None),
        (Fraction("45.01"), None, "below"),
    ],
)
def test_days_are_held_against_a_range_on_the_meters_side(opened, lower, upper, side):
    witness, *_ = opened
    found = witness.load_outside("intake", "active_energy_import", lower, upper)
    # the day of 10 March is whole, of the next two hours were read; days without energy are not outside
    assert found == ([] if side is None else [Outside(START, START + 2 * US_PER_DAY, side)])
    assert witness.load_outside("intake", "active_energy_import", lower, upper) == found


def test_a_day_settled_again_is_asked_for_again(opened):
    witness, projection, _ = opened
    asked = ("intake", "active_energy_import", None, Fraction("44.99"))
    assert witness.load_outside(*asked)
    db = projection.projector.settlement.db
    newest, starts = changed_windows(db, ORGANISATION, 0)
    assert starts[0] == START
    db.execute("UPDATE interval SET energy = energy / 2")
    assert witness.load_outside(*asked)  # nothing was said about a change
    db.execute("INSERT INTO entry VALUES (?, ?, 9, 0, ?, 0, NULL)", (ORGANISATION, START, newest + 1))
    assert [each.from_us for each in witness.load_outside(*asked)] == [START + US_PER_DAY]


def test_days_of_a_temperature(opened):
    witness, projection, folder = opened
    store = SeriesStore(folder.series, organisation=ORGANISATION)
    store.close_hours(LATER, lambda _device, _group, _cfg: (1,))
    store.close()
    del projection
    # 180 kW stand for a temperature here: any instantaneous channel will do
    assert witness.ambient_outside("intake", "active_power", Fraction(0), Fraction(180)) == []
    assert witness.ambient_outside("intake", "active_power", Fraction(181), Fraction(200)) == [
        Outside(START, START + 2 * US_PER_DAY, "below")
    ]
    assert witness.ambient_outside("intake", "active_power", Fraction(0), Fraction("179.9")) == [
        Outside(START, START + 2 * US_PER_DAY, "above")
    ]
    assert witness.ambient_outside("intake", "unheard", Fraction(0), Fraction(1)) == ()


def test_whether_a_file_is_the_one_named(opened):
    witness, _, folder = opened
    content = b"paper"
    digest = sha256(content)
    (folder.blobs / digest.hexdigest()).write_bytes(content)
    held = digest.hexdigest()
    assert witness.file_fits("sha256", digest.hexdigest(), held) is True
    assert witness.file_fits("SHA-256", b64encode(digest.digest()).decode(), held) is True
    assert witness.file_fits("sha256", "00", held) is False
    assert witness.file_fits("analogue", "paper", held) is None
    assert witness.file_fits("sha256", digest.hexdigest(), "1" * 64) is None
    assert witness.file_fits("sha256", digest.hexdigest(), "../journal.sqlite") is None
