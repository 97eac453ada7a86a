"""A quarter hour changed in the intervals' file is no longer what its settlement entry says: its trace shows it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.assembly.reading import open_for_reading
from gateway.audit.trace import trace
from gateway.audit.trace_facts import Trace
from gateway.domain.time import US_PER_HOUR, Period
from gateway.journal.folder import DataFolder
from tests.plant_folder import NOW, QUARTER_KWH, START

WINDOW = START + 3 * US_PER_HOUR
OF_WINDOW = f"start = {WINDOW} AND series = (SELECT id FROM series WHERE device = 'intake')"


def walked(path: Path, statement: str) -> Trace:
    with closing(sqlite3.connect(path / "settlement.sqlite")) as db:
        assert db.execute(statement).rowcount == 1
        db.commit()
    with open_for_reading(DataFolder.open(path, read_only=True)) as opened:
        return trace(opened.sources, opened.asking(NOW), "P-01", Period(WINDOW, WINDOW + US_PER_HOUR), window_us=WINDOW)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE interval SET energy = energy + 1000, r1 = r1 + 1000 WHERE {OF_WINDOW}",
        f"UPDATE interval SET r0 = r0 + 1000, r1 = r1 + 1000 WHERE {OF_WINDOW}",
        f"UPDATE interval SET energy = energy + 1 WHERE {OF_WINDOW}",
        f"UPDATE interval SET num = num * 2 WHERE {OF_WINDOW}",
        f"UPDATE interval SET seq = seq - 1 WHERE {OF_WINDOW}",
        "UPDATE series SET decimals = decimals - 1 WHERE device = 'intake'",
    ],
)
def test_a_forged_quarter_hour_is_not_computed_again_to_the_same(
    folder: DataFolder, tmp_path: Path, statement: str
) -> None:
    shutil.copytree(folder.path, tmp_path / "plant")
    found = walked(tmp_path / "plant", statement)
    assert found.window is not None
    assert found.window.value is not None
    assert found.recomputed != found.window.value


def test_an_honest_one_is(folder: DataFolder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "plant")
    found = walked(tmp_path / "plant", f"UPDATE interval SET energy = energy WHERE {OF_WINDOW}")
    assert found.window is not None
    assert found.recomputed == found.window.value == QUARTER_KWH
