"""Power lost at any instant, unsynced and torn writes gone: nothing acknowledged is missing, and the log goes on."""

import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.archivist import Archivist
from gateway.sealing.sealer import Sealer
from tests.born_folder import MovableClock
from tests.campaign import share
from tests.evidence.power import Disk, Operation, read_trace
from tests.evidence.test_kills import ROOT, check
from tests.services import program

RUN = "import pathlib, sys; from tests.evidence.writer import main; main(pathlib.Path(sys.argv[1]), rounds=24, seed=7)"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> list[Operation]:
    """Everything a run of the writer did to the disk, with what it promised in between."""
    work = tmp_path_factory.mktemp("power")
    shim, root, trace = work / "disk_trace.so", work / "plant", work / "trace"
    source = Path(__file__).with_name("disk_trace.c")
    compiler = [program("gcc"), "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl", "-lpthread"]
    subprocess.run(compiler, check=True)
    root.mkdir()
    environment = os.environ | {"LD_PRELOAD": str(shim), "TRACE_ROOT": str(root), "TRACE_FILE": str(trace)}
    subprocess.run([sys.executable, "-c", RUN, root], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    found = read_trace(trace, root)
    kinds = {each.kind for each in found}
    assert {"W", "S", "D", "R", "U", "C", "M", "A", "T"} >= kinds >= {"W", "S", "D", "R", "C", "M", "A"}
    assert any(each.kind == "S" and each.name == "journal.sqlite-wal" for each in found)
    return found


def promised(operations: list[Operation]) -> list[list[str]]:
    text = b"".join(each.data for each in operations if each.kind == "A").decode()
    return [line.split() for line in text.split("\n")[:-1] if line != "ready"]


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_with_the_power(recorded, tmp_path):
    rng = random.Random("power")
    crashes = share(1_000, 60)
    # most crashes fall where names change and files are synced, because that is where order matters
    delicate = [at for at, each in enumerate(recorded) if each.kind in "SDRUCA"]
    instants = sorted(
        rng.choice(delicate) if rng.random() < 0.7 else rng.randrange(len(recorded)) for _ in range(crashes)
    )
    for number, instant in enumerate(instants):
        disk = Disk()
        for operation in recorded[:instant]:
            disk.do(operation)
        path = tmp_path / "plant"
        path.mkdir()
        disk.lose_power(random.Random(number), path)
        check(path, promised(recorded[:instant]), [])
        goes_on(path)
        shutil.rmtree(path)


def goes_on(path: Path) -> None:
    """After the power is back: append, seal, close a day; and everything still holds."""
    facts = {"organisation": "works", "site": "plant", "time_zone": "Asia/Shanghai", "simulated": True}
    folder = DataFolder.open_or_create(path, **facts, clock=MovableClock())
    with Journal.open(folder) as journal:
        last = journal.entry(journal.head())
        clock = MovableClock(last.at_us + 200_000_000_000)
        journal.append([_event(folder, clock)])
        Sealer(folder, clock).seal(journal)
        Archivist(folder, journal, clock).close_days()
        Sealer(folder, clock).seal(journal)
    check(path, [], [])


def _event(folder: DataFolder, clock: MovableClock):
    return Draft("event", folder.site_subject, clock.now_us, {"action": "power.back"})


def test_the_model_does_forget():
    """A disk that kept everything would prove nothing."""
    disk = Disk()
    for operation in (
        Operation("C", "a"),
        Operation("W", "a", at=0, data=b"x" * 600),
        Operation("D", "."),
        Operation("C", "b"),
        Operation("W", "b", data=b"y"),
        Operation("S", "b"),
    ):
        disk.do(operation)
    lost = {"content": 0, "name": 0, "torn": 0}
    for seed in range(200):
        fresh = Disk()
        fresh.__dict__.update(_copied(disk))
        with tempfile.TemporaryDirectory() as target:
            fresh.lose_power(random.Random(seed), Path(target))
            size = (Path(target) / "a").stat().st_size
            lost["content"] += size == 0
            lost["torn"] += size == 512
            lost["name"] += not (Path(target) / "b").exists()
    assert all(count > 10 for count in lost.values()), lost


def _copied(disk: Disk) -> dict:
    return copy.deepcopy(disk.__dict__)
