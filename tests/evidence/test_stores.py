"""A value changed in the series store or in a real InfluxDB is named by the verifier, with its place."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.series.codec import decode, encode
from gateway.series.store import SeriesStore as Writer
from gateway.verifier.__main__ import main
from gateway.verifier.checkpoints import Options
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report
from gateway.verifier.series import series_comparison
from tests.campaign import share
from tests.plant_folder import NOW, ORGANISATION, build_folder


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "plant"
    build_folder(path)
    return path


def check(path: Path) -> Report:
    report = Report()
    comparison = series_comparison(report, path / "series")
    folder = FolderCheck(path, report, Options(), [comparison.take])
    folder.run()
    comparison.finish(folder.parsed_again)
    return report


@pytest.fixture
def plant(template, tmp_path) -> Path:
    shutil.copytree(template, tmp_path / "plant")
    return tmp_path / "plant"


def alter(plant: Path, statement: str, *values: object) -> None:
    (month,) = (plant / "series").glob("????-??.sqlite")
    with sqlite3.connect(month) as connection:
        connection.execute(statement, values)
    connection.close()


def test_hot_rows_and_packed_days_equal_the_entries(plant):
    assert check(plant).problems == []
    store = Writer(plant / "series", organisation=ORGANISATION)
    assert store.pack_days(NOW) > 0
    store.close()
    report = check(plant)
    assert report.problems == []
    assert report.counts["values"] > 1_000


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM hot WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1 OFFSET 100)", "value.missing"),
        (
            "UPDATE hot SET slot = slot + 1 WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1)",
            "value.foreign",
        ),
        ("UPDATE hot SET seq = seq + 2 WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1)", "value.foreign"),
        ("UPDATE hot SET q = NULL WHERE q IS NOT NULL", "value.differs"),
        ("UPDATE hot SET dt = dt + 1 WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1)", "value.differs"),
        ("INSERT INTO hot SELECT series, slot + 1, dt, seq, cfg, v, q FROM hot LIMIT 1", "value.foreign"),
        ("UPDATE hot SET v = x'00' WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1)", "store.damaged"),
    ],
)
def test_a_changed_row_is_named(plant, statement, code):
    alter(plant, statement)
    report = check(plant)
    assert code in {each.code for each in report.problems}
    assert all(each.where.startswith("series") for each in report.problems)


def test_a_day_of_a_meter_taken_out_whole_is_missed(plant):
    alter(plant, "DELETE FROM hot WHERE series = (SELECT min(id) FROM series)")
    found = check(plant).problems
    assert {each.code for each in found} == {"value.missing"}
    assert len(found) > 100


def test_a_folder_without_its_store_is_not_said_to_have_been_compared(plant, capsys):
    shutil.rmtree(plant / "series")
    assert main([str(plant), "--json"]) == 0
    assert "note.no_series" in {each["code"] for each in json.loads(capsys.readouterr().out)["notes"]}


def test_a_store_that_says_it_is_not_filled_yet_is_not_taken_for_whole(plant):
    (month,) = (plant / "series").glob("????-??.sqlite")
    with closing(sqlite3.connect(month)) as rows:
        (applied,) = rows.execute("SELECT max(seq) - 10 FROM hot").fetchone()
    with closing(sqlite3.connect(plant / "series" / "index.sqlite")) as index, index:
        index.execute("UPDATE cursor SET seq = ?", (applied,))
    alter(plant, "DELETE FROM hot WHERE seq > ?", applied)
    (note,) = [each for each in check(plant).notes if each.code == "note.behind"]
    assert note.facts["applied"] == str(applied)


@pytest.mark.campaign
def test_no_changed_value_of_the_series_store_is_missed(plant):
    (month,) = (plant / "series").glob("????-??.sqlite")
    rng = random.Random("series")
    connection = sqlite3.connect(month, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    rows = connection.execute("SELECT series, slot, v FROM hot").fetchall()
    for _ in range(share(1_000, 40)):
        series, slot, packed = rng.choice(rows)
        values = list(decode(packed))
        at = rng.randrange(len(values))
        kept = values[at]
        values[at] = None if kept is not None and rng.random() < 0.2 else (kept or 0) + rng.choice((-1, 1, 1000))
        connection.execute("UPDATE hot SET v = ? WHERE series = ? AND slot = ?", (encode(values), series, slot))
        report = check(plant)
        (problem,) = report.problems
        assert problem.code == "value.differs"
        assert str(slot) in problem.where
        connection.execute("UPDATE hot SET v = ? WHERE series = ? AND slot = ?", (packed, series, slot))
    connection.close()
    assert check(plant).problems == []
