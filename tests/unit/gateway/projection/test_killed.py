"""Killed at any moment, the projection process goes on where its stores stand and says nothing twice."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import pytest

from gateway.assembly.projecting import Projection, drop_projections
from gateway.domain.time import US_PER_DAY, US_PER_MINUTE, parse_iso
from tests.campaign import share
from tests.unit.gateway.projection.content import tables

T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE


def reached(works, moment, base):
    """The stores are open, the readings are projected, or the first settlement entries are in the journal."""
    if moment == 2:
        return works.journal.head() > base
    if not works.folder.settlement.is_file() or moment == 0:
        return works.folder.settlement.is_file()
    with closing(sqlite3.connect(works.folder.settlement)) as connection:
        try:
            return bool(connection.execute("SELECT value FROM meta WHERE name = 'applied'").fetchone())
        except sqlite3.OperationalError:
            return False


@pytest.mark.campaign
def test_killed_projections_end_where_an_undisturbed_one_ends(works):
    for name in "abcdef":
        works.device(name, modulus=10**6)
    fitted = {"point": "P", "instrument": "M", "device": "a", "channel": "e", "ct_ratio": "40"}
    works.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    drafts = []
    for k in range(1000):
        for place, name in enumerate("abcdef"):
            late = works.miss(name, T0 + k * STEP) if 300 < k < 340 + place * 20 else None
            drafts.append(late or works.poll(name, T0 + k * STEP, (999_000 + 7 * k + place) % 10**6))
    works.journal.append(drafts)
    base = works.journal.head()
    chance = random.Random(5)
    command = [sys.executable, "-m", "gateway.cli.main", "project", "--data", str(works.folder.path), "--once"]
    killed = 0
    for turn in range(share(30, 3)):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None and not reached(works, turn % 3, base):
            time.sleep(0.005)
        time.sleep(chance.random() * 0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait(timeout=30)
        base = max(base, works.journal.head())
    subprocess.run(command, check=True, timeout=60)
    assert killed, "every run was over before its kill"
    after_kills = tables(works.folder)
    said = Counter()
    for entry in works.journal.read(0, 10_000, kinds=("settlement",)):
        said.update((entry.body["from"], row[0], row[1], str(row[2:])) for row in entry.body["rows"])
    assert max(said.values()) == 1, "a window was settled twice with the same words"
    drop_projections(works.folder)
    works.projection = Projection(works.folder, works.clock)
    head = works.journal.head()
    works.project()
    assert works.journal.head() == head
    assert tables(works.folder) == after_kills
    assert len(after_kills["interval"]) > 1500
