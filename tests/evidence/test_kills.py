"""``kill -9`` at random instants: nothing acknowledged is missing, the tree continues what was handed out, projections
equal the journal."""

import base64
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from pathlib import Path

import pytest

from gateway.assembly.projecting import Projection, drop_projections
from gateway.journal.entry import Draft, leaf_hash
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report
from tests.born_folder import MovableClock
from tests.campaign import share
from tests.evidence.plant import PERIOD_US
from tests.evidence.writer import main as write

ROOT = Path(__file__).parents[2]
LIVES = 20  # kills that one folder survives before a new one is begun


def killed_writer(path: Path, rng: random.Random) -> list[list[str]]:
    """Run the writer in a process of its own, kill it at some instant, and give back the lines it had promised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w")
        try:
            write(path)
        except BaseException:  # noqa: BLE001  # the parent must see it, whatever it was
            traceback.print_exc(file=sys.__stderr__)
        os._exit(99)
    os.close(writing)
    with os.fdopen(reading, "rb") as promised:
        # a third dies before it is ready: in the middle of opening, mending, the first seal
        first = b"" if rng.random() < 0.3 else promised.readline()
        time.sleep(rng.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        rest = promised.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the writer ended by itself: {first!r} {rest[-500:]!r}"
    # the last line may be cut: a promise that was not made
    return [line.split() for line in (first + rest).decode().split("\n")[:-1] if line != "ready"]


def check(path: Path, promises: list[list[str]], handed_out: list[bytes]) -> None:
    acknowledged = [(int(line[1]), bytes.fromhex(line[2])) for line in promises if line[0] == "ack"]
    handed_out += [base64.b64decode(line[1]) for line in promises if line[0] == "sealed"]
    if not (path / "journal.sqlite").is_file():
        assert not acknowledged
        return
    report = Report()
    outside = [Signed("handed out", notes.parse_checkpoint(note), outside=True) for note in handed_out[-3:]]
    FolderCheck(path, report, Options(against=outside)).run()
    assert report.problems == []
    with Journal.open(path) as journal:
        for seq, leaf in acknowledged:
            assert leaf_hash(journal.entry(seq).body_bytes) == leaf, seq


def projected(path: Path) -> dict[str, list[tuple]]:
    """Every row of every projection."""
    found = {}
    for file in sorted([path / "registry.sqlite", path / "settlement.sqlite", *(path / "series").glob("*.sqlite")]):
        with sqlite3.connect(file) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in sorted(tables):
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()
                found[f"{file.name} {table}"] = sorted(rows, key=repr)
        connection.close()
    return found


def catch_up(folder: DataFolder, limit: int = 2_000) -> None:
    projection = Projection(folder, MovableClock())
    try:
        while projection.step(limit).applied:
            pass
    finally:
        projection.close()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path):
    rng = random.Random("kills")
    kills, acknowledged = share(1_000, 100), 0
    for life in range(-(-kills // LIVES)):
        path = tmp_path / f"plant-{life}"
        handed_out: list[bytes] = []
        for _ in range(LIVES):
            promises = killed_writer(path, rng)
            acknowledged += sum(line[0] == "ack" for line in promises)
            check(path, promises, handed_out)
        folder = DataFolder.open(path)
        catch_up(folder)
        live = projected(path)
        drop_projections(folder)
        catch_up(folder)
        assert projected(path) == live
        shutil.rmtree(path)
    assert acknowledged > kills  # it did get work done between the kills


def test_projections_do_not_depend_on_where_batches_end(tmp_path, capsys):
    write(tmp_path / "plant", rounds=12, seed=3)
    capsys.readouterr()
    folder = DataFolder.open(tmp_path / "plant")
    with Journal.open(folder) as journal:  # an event recorded by a clock that had stepped back behind the readings
        last = journal.entry(journal.head())
        polled = journal.latest("poll", "works/device/kiln")
        late = last.at_us + 10
        again = Draft("poll", polled.subject, late, {**polled.body, "slot": polled.body["slot"] + PERIOD_US})
        journal.append([again, Draft("event", folder.site_subject, folder.born_us, {"action": "late", "object": "x"})])
    found = []
    for limit in (3, 50, 10_000):
        drop_projections(folder)
        catch_up(folder, limit)
        found.append(projected(folder.path))
    assert found[0] == found[2]
    assert found[1] == found[2]
