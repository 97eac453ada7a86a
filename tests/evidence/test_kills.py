"""``kill -9`` at random instants: nothing acknowledged is missing, the tree continues what was handed out, projections
equal the journal."""

import base64
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.assembly.projecting import Projection, drop_projections
from gateway.journal.entry import leaf_hash
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report
from tests.campaign import share
from tests.evidence.plant import MovableClock

ROOT = Path(__file__).parents[2]
LIVES = 20  # kills that one folder survives before a new one is begun


def killed_writer(path: Path, rng: random.Random) -> list[list[str]]:
    """Run the writer, kill it some time after it is ready, and give back the lines it had promised."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.evidence.writer", str(path)], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ
    )
    assert child.stdout is not None
    try:
        # a fifth dies before it is ready, in the middle of opening, mending and sealing
        if rng.random() > 0.2:
            line = child.stdout.readline()
            assert line in {b"ready\n", b""}, line
            time.sleep(rng.uniform(0, 0.12))
        else:
            time.sleep(rng.uniform(0, 0.5))
        child.kill()
        rest = child.stdout.read()
    finally:
        child.kill()
        child.stdout.close()
        child.wait()
    # the last line may be cut: a promise that was not made
    return [line.split() for line in rest.decode().split("\n")[:-1] if line != "ready"]


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


def catch_up(folder: DataFolder) -> None:
    projection = Projection(folder, MovableClock())
    try:
        while projection.step().applied:
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
