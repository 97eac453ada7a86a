"""A number changed in the ledger's or the intervals' file is named; what the journal gives is never called forged."""

import shutil
import sqlite3
from contextlib import closing
from datetime import date

import pytest
from click.testing import CliRunner

from gateway.assembly.rebuild_comparison import compare
from gateway.cli.rebuild import command
from gateway.domain.errors import DataFolderError
from gateway.journal.folder import DataFolder
from tests.plant_folder import build_folder
from tests.unit.gateway.projection.test_pruned import fill, prune

FIRST = "(series, start) = (SELECT series, start FROM %s WHERE %s LIMIT 1)"
CERTIFICATE = "(SELECT min(seq) FROM version WHERE kind = 'certificate')"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("compared") / "plant"
    build_folder(path)
    return path


@pytest.fixture
def plant(template, tmp_path):
    shutil.copytree(template, tmp_path / "plant")
    return tmp_path / "plant"


def differing(path, *, facts=False):
    _last, found = compare(DataFolder.open(path), lambda done, last: None, facts=facts)
    return {(each.file, each.table): (each.foreign, each.missing) for each in found}


def alter(path, statement):
    with closing(sqlite3.connect(path)) as db:
        changed = db.execute(statement).rowcount
        db.commit()
    assert changed == 1, "the forgery itself"


def everything(path):
    files = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix not in {".sqlite-shm", ".lock"})
    return {str(each.relative_to(path)): each.read_bytes() for each in files if "-wal" not in each.name}


@pytest.mark.parametrize("facts", [True, False])
def test_an_untouched_folder_is_what_its_journal_gives_and_stays_as_it_was(plant, facts):
    before = everything(plant)
    assert differing(plant, facts=facts) == {}
    assert everything(plant) == before


@pytest.mark.parametrize(
    ("file", "table", "statement"),
    [
        (
            "settlement",
            "interval",
            f"UPDATE interval SET energy = energy + 1 WHERE {FIRST % ('interval', 'energy > 0')}",
        ),
        (
            "settlement",
            "rollup",
            f"UPDATE rollup SET energy = 2 * energy WHERE kind = 3 AND {FIRST % ('rollup', 'kind = 3')}",
        ),
        ("settlement", "series", "UPDATE series SET decimals = decimals + 1 WHERE id = 1"),
        ("registry", "version", f"UPDATE version SET object = replace(object, '2', '3') WHERE seq = {CERTIFICATE}"),
        ("registry", "verdict", "DELETE FROM verdict WHERE seq = (SELECT min(seq) FROM verdict)"),
    ],
)
@pytest.mark.parametrize("facts", [True, False])
def test_a_forged_row_is_named(plant, file, table, statement, facts):
    alter(plant / f"{file}.sqlite", statement)
    found = differing(plant, facts=facts)
    assert set(found) == {(f"{file}.sqlite", table)}
    assert found[f"{file}.sqlite", table] in {(1, 1), (0, 1)}


def test_what_came_from_readings_is_compared_where_every_poll_is_looked_at(plant):
    alter(plant / "registry.sqlite", "UPDATE outcome SET count = count + 1 WHERE (device, grp,"
          " day, outcome) = (SELECT device, grp, day, outcome FROM outcome LIMIT 1)")  # fmt: skip
    assert differing(plant, facts=True) == {}
    assert differing(plant) == {("registry.sqlite", "outcome"): (1, 1)}


def test_the_command_names_the_row_in_one_line_and_ends_with_one(plant):
    alter(plant / "registry.sqlite", "UPDATE verdict SET severity = 'info' || char(10) || 'OK' WHERE seq ="
          " (SELECT min(seq) FROM verdict)")  # fmt: skip
    done = CliRunner().invoke(command, ["--data", str(plant), "--facts", "--compare"], obj="en")
    assert done.exit_code == 1
    assert "registry.sqlite, table verdict: rows that the journal does not give: 1; rows missing: 1" in done.output
    assert "severity=info�OK" in done.output
    assert "\nOK" not in done.output


def test_the_command_says_that_nothing_differs(plant):
    done = CliRunner().invoke(command, ["--data", str(plant), "--compare"], obj="en")
    assert done.exit_code == 0
    assert "everything is what the journal gives" in done.output


def test_what_was_learned_from_pruned_readings_is_no_forgery(works):
    fill(works)
    prune(works, date(2026, 10, 20))
    works.project()
    works.projection.close()
    works.projection = None
    assert differing(works.folder.path) == {}
    alter(works.folder.path / "settlement.sqlite", "UPDATE series SET unit = 'MWh'")
    assert differing(works.folder.path) == {("settlement.sqlite", "series"): (1, 1)}


def test_files_that_ended_apart_are_not_compared(plant):
    alter(plant / "settlement.sqlite", "UPDATE meta SET value = value - 1 WHERE name = 'applied'")
    with pytest.raises(DataFolderError):
        differing(plant)
