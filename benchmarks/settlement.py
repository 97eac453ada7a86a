"""Settlement and judging: a month of 500 meters asked for, projections rebuilt, verdicts, a large ledger imported."""

import base64
import csv
import random
import sqlite3
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from click.testing import CliRunner

from benchmarks.result import Result
from gateway.assembly.projecting import Projection, drop_projections
from gateway.cli.ledger import command as ledger
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_S, Period, parse_iso
from gateway.journal.entry import Draft, Entry
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.metrology.judge import Judge
from gateway.metrology.loads import Register
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.registry.writing import RegistryProjection
from gateway.settlement.query import DAY, HOUR, MONTH, Settlement
from gateway.settlement.store import CounterChannel, CounterGroup, SettlementProjection

METERS = 500
ZONE = ZoneInfo("Asia/Shanghai")
START = parse_iso("2026-09-01T00:00:00+08:00")
MONTH_SPAN = Period(START, START + 30 * US_PER_DAY)
REPEATS = 5
VALUES = 40
COUNTERS = 4
POLLS = 24_000
INSTRUMENTS = 5_000


class Fixed:
    """A clock that stands still: what is measured is work, not waiting."""

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def utc_us(self) -> int:
        return self.at_us

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


def best_ms(work: Callable[[], object]) -> tuple[float, float]:
    times = []
    for _ in range(REPEATS):
        # CPU time: everything lies in memory by then, and neighbours on the machine must not count
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return min(times), statistics.median(times)


def measure() -> list[Result]:
    """D3, D4 and D5 from settlement, D6, J1, J4."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        return [*asked(path / "asked"), rebuilt(path / "rebuilt"), *judged(path / "judged"), imported(path)]


def asked(path: Path) -> list[Result]:
    """A month of 500 meters in quarter hours, written as settlement entries are, then asked for."""
    store = SettlementProjection.open(path / "settlement.sqlite", ZONE)
    names = [f"meter-{number:03}" for number in range(METERS)]
    channel = CounterChannel("energy", 0, 2, None, False, "active_energy_import", "kWh")
    for name in names:
        store.configure(CounterGroup("o", name, "main", 300 * US_PER_S, 1, (channel,)))
    started = time.process_time()
    seq, count = 0, 0
    for place, window in enumerate(range(MONTH_SPAN.start_us, MONTH_SPAN.end_us, SETTLEMENT_WINDOW_US)):
        if place % 96 == 0:
            store.begin()
        for chunk in range(0, METERS, 200):
            seq += 1
            rows = [
                [name, "energy", 7, 1000 * place, 1000 * place + 1000, 1000, 1000, "measured", 0, 40, 1, 1, 2, 3, 4]
                for name in names[chunk : chunk + 200]
            ]
            body = {"from": window, "to": window + SETTLEMENT_WINDOW_US, "revision": 0, "registry": 7}
            store.apply(seq, "o", body | {"chunk": chunk // 200, "chunks": 3, "rows": rows})
            count += len(rows)
        if place % 96 == 95:
            store.commit(seq)
    applied_us = (time.process_time() - started) / count * 1e6
    store.close()
    RegistryProjection.open(path / "registry.sqlite").close()
    registry = Registry.open(path / "registry.sqlite")
    settlement = Settlement.open(path / "settlement.sqlite", registry)
    month = Period(START, START + 1)
    expected = 96 * 30 * 40 / 100

    def totals() -> None:
        found = settlement.totals("o", MONTH, month)
        assert len(found) == METERS
        assert all(float(each[0].energy) == expected for each in found.values())

    best, median = best_ms(totals)
    scan = sqlite3.connect(path / "settlement.sqlite")
    plain, _ = best_ms(lambda: scan.execute("SELECT series, sum(energy) FROM interval GROUP BY series").fetchall())
    scan.close()
    note = (
        f"{METERS} meters, {count:,} intervals, exact fractions with ratio; best of {REPEATS}, median {median:.1f} ms; "
    )
    note += "beside: summing the intervals in SQL"
    results = [Result("D3", "month of 500 meters, per meter", best, "ms", plain, 10.0, best <= 10.0, note)]

    def hourly() -> None:
        found = settlement.totals("o", HOUR, MONTH_SPAN)
        assert sum(len(each) for each in found.values()) == METERS * 720

    columns = "series, start, energy, num, den"
    query = f"SELECT {columns} FROM rollup WHERE kind = 1 AND start >= ? AND start < ?"
    plain_hours = sqlite3.connect(path / "settlement.sqlite")
    rows_only, _ = best_ms(lambda: plain_hours.execute(query, (START, MONTH_SPAN.end_us)).fetchall())
    plain_hours.close()
    started = time.process_time()
    hourly()
    objects_ms = (time.process_time() - started) * 1000
    note = f"energy, 360 000 hours as rows; as objects with exact fractions {objects_ms:.0f} ms"
    results.append(Result("D4", "hourly energy of 500 meters", rows_only, "ms", None, 300.0, rows_only <= 300.0, note))
    best, median = best_ms(lambda: settlement.rollups("o", "meter-007", "energy", DAY, MONTH_SPAN))
    results.append(
        Result("D5", "one meter, a month daily", best, "ms", None, 20.0, best <= 20.0, f"median {median:.2f} ms")
    )
    results.append(Result("D6", "a settlement row into the projection", applied_us, "µs", note="roll-ups included"))
    settlement.close()
    registry.close()
    return results


def rebuilt(path: Path) -> Result:
    """A folder of polls of 40 values, settled once; then dropped and rebuilt: series, registry, settlement."""
    clock = Fixed(START)
    folder = DataFolder.create(path, organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=clock)
    journal = Journal.open(folder)
    devices = [f"d{number}" for number in range(50)]
    cfg = {name: journal.append([configuration(name)])[0] for name in devices}
    chance = random.Random(1)
    drafts = []
    for index in range(POLLS):
        name, slot = devices[index % 50], START + index // 50 * 60 * US_PER_S
        values = [index // 50 * 7 + place if place < COUNTERS else chance.randrange(2**31) for place in range(VALUES)]
        raw = base64.b64encode(struct.pack(f">{VALUES}I", *values)).decode()
        body = {"group": "main", "slot": slot, "sent": slot, "received": slot + 40_000, "cfg": cfg[name]}
        body |= {"outcome": "ok", "raw": [raw], "findings": [], "rules": "1", "registry": 0}
        drafts.append(Draft("poll", f"o/device/{name}", slot + 40_000, body))
    journal.append(drafts)
    run(folder, clock)
    entries = journal.head()
    drop_projections(folder)
    spent = run(folder, clock)
    assert journal.head() == entries, "a rebuild says nothing new"
    journal.close()
    rate = POLLS * VALUES / spent
    note = f"{POLLS:,} polls of {VALUES} values ({COUNTERS} counters), series, registry and settlement rows; CPU time"
    return Result("D6", "rebuild of all projections", rate, "readings/s", None, 500_000, rate >= 500_000, note)


def run(folder: DataFolder, clock: Fixed) -> float:
    """CPU seconds until a folder is projected."""
    started = time.process_time()
    projection = Projection(folder, clock)
    while projection.step().applied:
        pass
    projection.close()
    return time.process_time() - started


def configuration(name: str) -> Draft:
    channels, fields = [], []
    for place in range(VALUES):
        counter = place < COUNTERS
        id_ = f"c{place}"
        measurand = "active_energy_import" if counter else "active_power"
        channels.append(
            {"id": id_, "measurand": measurand, "unit": "kWh", "kind": "cumulative" if counter else "instantaneous"}
            | {"decimals": 2, "modulus": None, "minimum": None, "maximum": None, "primary": 0}
        )
        fields.append(
            {"channel": id_, "request": 0, "offset": 4 * place, "length": 4, "type": "uint", "numerator": 1}
            | {"denominator": 100, "decimals": 2}
        )
    request = {"unit": 1, "function": 3, "address": 0, "count": 2 * VALUES}
    plan = {"v": 1, "protocol": "modbus", "requests": [request], "fields": fields}
    group = {"period_us": 60 * US_PER_S, "offset_us": 0, "identity": 0, "channels": channels, "plan": plan}
    device = {"id": name, "endpoint": "e", "protocol": "modbus", "profile": "a/b", "profile_sha256": "", "pushed": 0}
    body = {"device": device | {"address": {}}, "groups": {"main": group}, "hash": "", "software": "benchmark"}
    return Draft("configuration", f"o/device/{name}", START, body)


class Answering:
    """A witness with an answer to every question, all of them in order: what is measured is judging."""

    def register(self, _device: str, _channel: str) -> Register:
        return Register("active_energy_import", "kWh")

    def load_outside(self, *_asked: object) -> tuple[()]:
        return ()

    def ambient_outside(self, *_asked: object) -> tuple[()]:
        return ()

    def file_fits(self, *_asked: object) -> bool:
        return True


def judged(path: Path) -> list[Result]:
    """500 points, each with meter, three CTs, certificates and a standard; every rule has something to look at."""
    registry = RegistryProjection.open(path / "registry.sqlite")
    drafts = [draft for n in range(METERS) for draft in point_on_record(n)]
    registry.begin()
    for seq, draft in enumerate(drafts, 1):
        encoded = draft.encode()
        registry.apply_fact(Entry(seq, encoded.at_us, encoded.kind, encoded.subject, encoded.body_bytes))
    for n in range(METERS):
        said = {"serial_number": f"S{n}", "ct_ratio": "40", "firmware_version": "1.2"}
        registry.apply_identity(0, "o", f"d{n}", START, said)
    registry.commit(len(drafts))
    judge = Judge(
        registry,
        "o",
        ZONE,
        START,
        is_primary=lambda _d, _c: False,
        measured_since_us=lambda: START,
        witness=Answering(),
    )
    assert judge.round(START, START) == []
    polls = 200_000
    started = time.process_time()
    for number in range(polls):
        judge.round(START + number, START)
    unchanged = polls * VALUES / (time.process_time() - started)
    rounds = 10
    started = time.process_time()
    for _ in range(rounds):
        # as if a device had said something new: every situation is judged afresh
        registry.apply_identity(0, "o", "d0", START, {"ct_ratio": "40"})
        assert judge.round(START, START) == []
    full = rounds * METERS * FITTED / (time.process_time() - started)
    registry.close()
    note = "one check a poll of 40 readings; the projection checks once a batch"
    met = unchanged >= 500_000
    results = [Result("J1", "readings on the unchanged path", unchanged, "readings/s", None, 500_000, met, note)]
    note = f"C01 to C15 of {METERS} meters and {3 * METERS} transformers with certificates; one CPU core"
    results.append(Result("J1", "situations, all rules", full, "situations/s", None, 17_000, full >= 17_000, note))
    return results


PHASES = "ABC"
FITTED = 1 + len(PHASES)
"""Installations at each point of the judged plant: a meter and three current transformers."""


def point_on_record(n: int) -> list[Draft]:
    """A point with everything its rules can ask about."""
    said = {"at_us": START, "to_us": None, "actor": "a", "reason": "", "source": ""}
    always = {**said, "from_us": None}
    point = {"required_class": "1", "must_measure": 1, "target_uncertainty": "2", "power_factor": "0.9"}
    meter = {"serial": f"S{n}", "accuracy_class": "0.5S", "kind": "electricity_meter", "compulsory": 1}
    ambient = {"ambient_from": "-25", "ambient_to": "55", "rated_voltage": "230", "phases": 3}
    verified = {"kind": "verification", "performed_on": "2026-01-01", "valid_until": "2027-01-01", "result": "pass"}
    printed = {"error_percent": "0.1", "uncertainty_percent": "0.08", "coverage_factor": "2", "standards": f"R{n}"}
    covered = {"covered_from": "0.05", "covered_to": "6", "covered_unit": "A", "firmware": "1.2", "seal": "F1"}
    fitted = {"point": f"P{n}", "instrument": f"M{n}", "device": f"d{n}", "ct_ratio": "200/5", "seal": "F1"}
    drafts = [
        object_draft("point", "o", f"P{n}", point, **always),
        object_draft("standard", "o", f"R{n}", {"name": "x", "certificate_number": f"N{n}"}, **always),
        object_draft("instrument", "o", f"M{n}", {**meter, **ambient}, **always),
        object_draft(
            "certificate",
            "o",
            f"C{n}",
            {**verified, **printed, **covered, "instrument": f"M{n}", "serial": f"S{n}"},
            **always,
        ),
        object_draft("installation", "o", f"I{n}", {**fitted, "ambient": "room/t"}, **said, from_us=START),
    ]
    for phase in PHASES:
        id_ = f"T{n}{phase}"
        plate = {"kind": "current_transformer", "accuracy_class": "0.2S", "ratio_primary": "200"}
        drafts += [
            object_draft("instrument", "o", id_, {**plate, "ratio_secondary": "5", "serial": id_}, **always),
            object_draft("certificate", "o", f"C{id_}", {**verified, "instrument": id_, "serial": id_}, **always),
            object_draft(
                "installation",
                "o",
                f"I{id_}",
                {"point": f"P{n}", "instrument": id_, "role": "ct"},
                **said,
                from_us=START,
            ),
        ]
    return drafts


def imported(path: Path) -> Result:
    """A ledger of 5 000 instruments with certificates and installations: read, checked, put on record."""
    folder = path / "files"
    folder.mkdir()
    tables = {
        "points.csv": (["id", "name_zh", "energy_kind", "level"], lambda n: [f"P{n}", "计量点", "电力", 3]),
        "instruments.csv": (["id", "name", "kind", "serial"], lambda n: [f"M{n}", "电能表", "电能表", f"S{n}"]),
        "certificates.csv": (
            ["number", "kind", "instrument", "serial", "performed_on", "valid_until", "result"],
            lambda n: [f"C{n}", "检定证书", f"M{n}", f"S{n}", "2025年3月1日", "2027.3.1", "合格"],
        ),
        "installations.csv": (
            ["id", "point", "instrument", "device", "from"],
            lambda n: [f"I{n}", f"P{n}", f"M{n}", f"d{n}", "2025-03-01"],
        ),
    }
    for name, (header, row) in tables.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(header)
            out.writerows(row(n) for n in range(INSTRUMENTS))
    data = DataFolder.create(
        path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=Fixed(START)
    )
    started = time.process_time()
    seen = _ledger("import", folder, "--data", data.path, "--preview")
    previewed = time.process_time() - started
    assert "Nothing was written" in seen, seen[-500:]
    assert seen.count(": new ") == 4 * INSTRUMENTS
    said = _ledger("import", folder, "--data", data.path)
    spent = time.process_time() - started
    assert f"{4 * INSTRUMENTS} put on record" in said, said[-500:]
    note = (
        f"{4 * INSTRUMENTS:,} rows previewed with their doubts ({previewed:.1f} s), then checked again and put on "
        "record in one synced commit; CPU time"
    )
    title = "ledger of 5 000 instruments previewed and imported"
    return Result("J4", title, spent, "s", None, 10.0, spent <= 10.0, note)


def _ledger(*arguments: object) -> str:
    """What a ledger command prints."""
    said = CliRunner().invoke(ledger, [str(each) for each in arguments], obj="en", catch_exceptions=False)
    assert said.exit_code == 0, said.output[-500:]
    return said.output
