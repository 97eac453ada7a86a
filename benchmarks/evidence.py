"""The trail: encode and hash, seal, prove, verify, and what a reading costs on disk, hot and archived.

One day of 500 meters, a poll a minute of 40 float32 values (5 registers, 35 instantaneous quantities that walk in steps
of a hundredth), through the real journal, sealer and archivist; the verifier runs as its own process.
"""

import json
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.result import Result
from gateway.journal.entry import Draft, EncodedDraft, leaf_hash
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.archivist import Archivist
from gateway.sealing.keys import create
from gateway.sealing.proof import Prover
from gateway.sealing.sealer import Sealer
from gateway.verifier import notes
from gateway.verifier.proof import check_proof
from gateway.verifier.report import Report
from tests.born_folder import MovableClock

METERS = 500
MINUTES = 1_440
CHANNELS = 40
REGISTERS = 5
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
START_US = 20_600 * DAY_US
SAMPLE = 20_000


class Meter:
    """Registers that count and quantities that walk."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.subject = f"works/device/meter-{number:03d}"
        self._registers = [rng.uniform(0, 1e5) for _ in range(REGISTERS)]
        self._quantities = [rng.uniform(0, 500) for _ in range(CHANNELS - REGISTERS)]
        self._pack = struct.Struct(f">{CHANNELS}f").pack

    def raw(self, rng: random.Random) -> bytes:
        self._registers = [each + rng.random() for each in self._registers]
        self._quantities = [each + 0.01 * rng.randrange(-20, 21) for each in self._quantities]
        values = [round(each, 2) for each in self._quantities]
        return self._pack(*[round(each, 1) for each in self._registers], *values)


def configuration(meter: Meter) -> Draft:
    channel = {"measurand": "x", "unit": "V", "kind": "instantaneous", "decimals": 2, "modulus": None}
    fields = [
        {"channel": f"c{at}", "request": 0, "offset": 4 * at, "length": 4, "type": "float", "decimals": 2}
        for at in range(CHANNELS)
    ]
    requests = [{"unit": 1, "function": 3, "address": 0, "count": 2 * CHANNELS}]
    plan = {"v": 1, "protocol": "modbus", "requests": requests, "fields": fields}
    channels = [channel | {"id": f"c{at}"} for at in range(CHANNELS)]
    groups = {"main": {"period_us": MINUTE_US, "offset_us": 0, "identity": 0, "channels": channels, "plan": plan}}
    return Draft("configuration", meter.subject, START_US, {"device": {}, "groups": groups, "hash": "", "software": ""})


def poll(meter: Meter, cfg: int, slot_us: int, rng: random.Random) -> Draft:
    body = {
        "group": "main",
        "slot": slot_us,
        "sent": slot_us + rng.randrange(200_000),
        "received": slot_us + 200_000 + rng.randrange(50_000),
        "cfg": cfg,
        "outcome": "ok",
        "raw": [meter.raw(rng)],
        "findings": [],
        "rules": "2026.1",
        "registry": 812,
    }
    return Draft("poll", meter.subject, slot_us + 300_000, body)


def measure() -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="evidence-", dir=os.environ.get("METERPROOF_BENCH_DIR")) as name:
        yield from _measure(Path(name))


def _measure(work: Path) -> Iterator[Result]:
    rng, clock = random.Random(1), MovableClock(START_US)
    folder = DataFolder.create(
        work / "plant", organisation="works", site="plant", time_zone="Asia/Shanghai", simulated=True, clock=clock
    )
    meters = [Meter(number, rng) for number in range(METERS)]
    with Journal.open(folder) as journal:
        sealer = Sealer(folder, clock)
        sealer.seal(journal)
        configurations = journal.append([configuration(meter) for meter in meters])
        yield _encoding([poll(meters[n % METERS], 3, START_US + n, rng) for n in range(SAMPLE)])
        appended, sealed, count = _fill(journal, sealer, clock, list(zip(meters, configurations, strict=True)), rng)
        note = f"n={count} polls of {CHANNELS} values, batches of {METERS}, each synced"
        yield Result("", "append an encoded poll: insert and synced commit", appended, "µs CPU/entry", note=note)
        yield Result("", "seal: leaf check, tree, tiles, signature a minute", sealed, "µs CPU/entry", note=note)
        yield from _proofs(folder, work)
        yield from _verifier(folder)
        yield from _disk(folder, journal, clock, count)


def _encoding(drafts: list[Draft]) -> Result:
    rounds = []
    for _ in range(5):
        begin = time.perf_counter()
        for draft in drafts:
            draft.encode()
        rounds.append((time.perf_counter() - begin) / len(drafts) * 1e6)
    bodies = [draft.encode().body_bytes for draft in drafts[:2_000]]
    begin = time.perf_counter()
    for body in bodies:
        leaf_hash(json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())
    baseline = (time.perf_counter() - begin) / len(bodies) * 1e6
    value = statistics.median(rounds)
    note = f"n={len(drafts)}, 5 rounds {min(rounds):.1f}–{max(rounds):.1f}; base64, canonical JSON, rules, SHA-256"
    return Result("E1", "encode and hash a poll", value, "µs", baseline, 20.0, value <= 20.0, note)


def _fill(
    journal: Journal,
    sealer: Sealer,
    clock: MovableClock,
    meters: list[tuple[Meter, int]],
    rng: random.Random,
) -> tuple[float, float, int]:
    append_s = seal_s = 0.0
    count = 0
    for minute in range(MINUTES):
        slot = START_US + (minute + 1) * MINUTE_US - 1_000_000
        clock.now_us = slot
        drafts: list[EncodedDraft] = [poll(meter, cfg, slot, rng).encode() for meter, cfg in meters]
        begin = time.process_time()
        journal.append_encoded(drafts)
        middle = time.process_time()
        sealer.seal(journal)
        seal_s += time.process_time() - middle
        append_s += middle - begin
        count += len(drafts)
    return append_s / count * 1e6, seal_s / count * 1e6, count


def _proofs(folder: DataFolder, work: Path) -> Iterator[Result]:
    key = create(work / "probe-key", "probe")
    text = Prover(folder).checkpoint.text()
    signing = _median_us(lambda: key.sign(text), 500)
    yield Result("E2", "sign a checkpoint", signing, "µs", None, 100.0, signing <= 100.0, "n=500, median")
    prover, rng = Prover(folder), random.Random(2)
    proving = _median_us(lambda: prover.prove(rng.randrange(1, prover.checkpoint.size)), 500)
    note = f"n=500, median, tree of {prover.checkpoint.size}, tiles read from disk"
    yield Result("E2", "prove an entry", proving, "µs", None, 1_000.0, proving <= 1_000.0, note)
    with Journal.open(folder, read_only=True) as journal:
        seq = prover.checkpoint.size // 2
        body, proof = journal.entry(seq).body_bytes, prover.prove(seq).encode()
    public = notes.parse_key((folder.seal / "key.pub").read_text("utf-8"))

    def check() -> None:
        report = Report()
        check_proof(report, proof, body, public)
        assert report.ok

    verifying = _median_us(check, 500)
    yield Result("E2", "verify a proof", verifying, "µs", None, 1_000.0, verifying <= 1_000.0, "n=500, median")


def _verifier(folder: DataFolder) -> Iterator[Result]:
    code = (
        "import resource, sys, time; begin = time.process_time(); from gateway.verifier.__main__ import main;"
        "code = main(['--json', '--no-series', sys.argv[1]]); u = resource.getrusage(resource.RUSAGE_SELF);"
        "print(code, time.process_time() - begin, u.ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder.path)], capture_output=True, text=True, check=True)
    exit_code, seconds, peak_kib = done.stderr.split()
    entries = json.loads(done.stdout)["counts"]["entries"]
    assert exit_code == "0"
    memory = int(peak_kib) / 1024
    note = f"n={entries} entries, one process, {float(seconds) / entries * 1e6:.1f} µs an entry, CPU"
    yield Result("E3", "verify a day of 500 meters", float(seconds), "s", None, 60.0, float(seconds) <= 60, note)
    yield Result("E3", "… its peak memory", memory, "MiB", None, 200.0, memory <= 200, note)


def _disk(folder: DataFolder, journal: Journal, clock: MovableClock, count: int) -> Iterator[Result]:
    readings = count * CHANNELS
    tiles = sum(path.stat().st_size for path in (folder.seal / "tile").rglob("*") if path.is_file())
    log = folder.journal.with_name("journal.sqlite-wal")
    log_bytes = log.stat().st_size if log.is_file() else 0
    hot = (log_bytes + folder.journal.stat().st_size + tiles) / readings
    yield Result(
        "E4",
        "disk per reading, hot, tree included",
        hot,
        "B",
        None,
        16.0,
        hot <= 16,
        f"n={readings} readings; log {log_bytes >> 20} MiB",
    )
    clock.now_us = START_US + DAY_US + 2 * 3_600_000_000
    journal.append([Draft("event", folder.site_subject, clock.now_us, {"action": "next day"})])
    Sealer(folder, clock).seal(journal)
    begin = time.process_time()
    closed = Archivist(folder, journal, clock).close_days()
    seconds = time.process_time() - begin
    assert len(closed) == 1
    packed = sum(path.stat().st_size for path in folder.archive.rglob("*") if path.is_file())
    archived = (packed + tiles) / readings
    note = f"n={readings} readings; tree {tiles / readings:.2f} B of it; closing the day took {seconds:.0f} s of CPU"
    yield Result("E4", "disk per reading, archived, tree included", archived, "B", None, 4.0, archived <= 4, note)
    again = subprocess.run(
        [sys.executable, "-m", "gateway.verifier", "--json", "--no-series", str(folder.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stdout[-2_000:]


def _median_us(work: Callable[[], object], count: int) -> float:
    durations = []
    for _ in range(count):
        begin = time.perf_counter()
        work()
        durations.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(durations)
