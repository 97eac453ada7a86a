"""J2: a year of 500 meters: energy, standard coal, every node's balance and carbon, each with its uncertainty."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Collection, Sequence
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.result import Result
from config.accounting_catalogues import shipped_accounting
from gateway.accounting.account import account
from gateway.accounting.inputs import Inputs, gather
from gateway.accounting.network import balances
from gateway.accounting.plan import FIELD, PLAN_ID
from gateway.accounting.quantities import Quantities
from gateway.assembly.accounting_loading import factor_sets, units_of
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, Period, parse_iso
from gateway.journal.entry import Entry
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.registry.writing import RegistryProjection
from gateway.settlement.query import DAY, MONTH, Settlement
from gateway.settlement.store import SettlementProjection

METERS = 500
SHARE = 50  # meters whose quarter hours are really there
ZONE = ZoneInfo("Asia/Shanghai")
YEAR = Period(parse_iso("2025-01-01T00:00:00+08:00"), parse_iso("2026-01-01T00:00:00+08:00"))
MONTHS = [parse_iso(f"2025-{month:02}-01T00:00:00+08:00") for month in range(1, 13)]
WINDOWS = YEAR.duration_us // SETTLEMENT_WINDOW_US
REPEATS = 3
KNOWN, LATER = 10**9, 10**9 + 1  # the entry a question is asked as of, and one after it
GRID = "grid/2023/average/全国"
ENERGY = 1_234  # thousandths of the resolution a quarter hour
_COLUMNS = "series, start, part, seq, installation, r0, r1, energy, coverage, method, quality, num, den"


def measure() -> list[Result]:
    """J2 from roll-ups and from quarter hours; and as known before a month was revised."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            _from_rollups(Path(folder) / "a"),
            _from_intervals(Path(folder) / "b"),
            _known_then(Path(folder) / "c"),
        ]


def _from_rollups(path: Path) -> Result:
    path.mkdir()
    with_rollups(path)
    spent, made = _timed(path, METERS, None)
    note = (
        f"{METERS} meters, 12 monthly roll-ups each; gathering, {made} lines, {METERS // 10} nodes; median of {REPEATS}"
    )
    return Result("J2", "a year from roll-ups", spent, "s", None, 2.0, spent <= 2.0, note)


def _from_intervals(path: Path) -> Result:
    path.mkdir()
    with_intervals(path, revised=range(12))
    spent, made = _timed(path, SHARE, KNOWN)
    whole = spent * METERS / SHARE
    note = f"{SHARE} meters × {WINDOWS:,} quarter hours measured in {spent:.2f} s ({made} lines), "
    note += f"taken times {METERS // SHARE}; median of {REPEATS}"
    return Result("J2", "a year from quarter hours", whole, "s", None, 30.0, whole <= 30.0, note)


def _known_then(path: Path) -> Result:
    path.mkdir()
    with_intervals(path, revised=[5])
    _revise(path, Period(MONTHS[5], MONTHS[6]))
    spent, made = _timed(path, SHARE, KNOWN)
    note = f"{SHARE} meters, all settled again in June after the entry asked for ({made} lines); median of {REPEATS}"
    return Result("J2", "a year as known before a month was revised", spent, "s", None, 1.0, spent <= 1.0, note)


def _timed(path: Path, meters: int, known_seq: int | None) -> tuple[float, int]:
    registry = Registry.open(path / "registry.sqlite")
    settlement = Settlement.open(path / "settlement.sqlite", registry)
    times, lines = [], 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        lines = _account(_gathered(registry, settlement, known_seq), meters)
        times.append(time.perf_counter() - started)
    settlement.close()
    registry.close()
    return statistics.median(times), lines


def _gathered(registry: Registry, settlement: Settlement, known_seq: int | None) -> Inputs:
    units = units_of(shipped_accounting())
    return gather(registry, settlement, "o", YEAR, units=units, zone=ZONE, known_seq=known_seq)


def _account(inputs: Inputs, meters: int) -> int:
    made = account(inputs)
    judged = dict(balances(Quantities(inputs)))
    assert len(judged) == meters // 10
    assert all(each.limit for each in judged.values())
    whole = made.lines["energy/p-000"].figure.value
    assert whole is not None
    assert whole == Fraction(ENERGY * WINDOWS * 40, 1000)
    assert made.lines["carbon/enterprise/total"].figure.u
    return len(made.lines)


def _plant(path: Path, meters: int) -> None:
    """Every tenth point is a node above the nine that follow; each has a meter of class 1."""
    registry = RegistryProjection.open(path / "registry.sqlite")
    registry.begin()
    seq = 0

    def put(kind: str, id_: str, document: dict[str, object]) -> None:
        nonlocal seq
        seq += 1
        said = {"actor": "a", "reason": "r", "source": "s"}
        draft = object_draft(kind, "o", id_, document, at_us=seq, from_us=None, to_us=None, **said)
        registry.apply_fact(Entry(seq, seq, kind, draft.subject, draft.encode().body_bytes))

    store = SettlementProjection.open(path / "settlement.sqlite", ZONE)
    store.close()
    db = sqlite3.connect(path / "settlement.sqlite")
    for number in range(meters):
        name, head = f"p-{number:03}", number % 10 == 0
        parent = "" if head else f"p-{number // 10 * 10:03}"
        level = 1 if head else 2
        put(
            "point",
            name,
            {"energy_kind": "electricity", "level": level, "parent": parent, "process": f"w{number // 10}"},
        )
        put("instrument", f"m-{name}", {"accuracy_class": "1"})
        put("installation", f"i-{name}", {"point": name, "instrument": f"m-{name}", "device": name, "channel": "e"})
        db.execute(
            "INSERT INTO series VALUES (?, 'o', ?, 'e', 0, 'active_energy_import', 'kWh', 0)", (number + 1, name)
        )
    for id_, document in factor_sets(shipped_accounting()).items():
        put("factor_set", id_, document)
    heads = " + ".join(f"p-{number:03}" for number in range(0, meters, 10))
    bought = {"id": "bought", "kind": "electricity_in", "amount": heads, "parameters": {"factor": {"factor": GRID}}}
    plan = {
        "pack": "generic-1",
        "coefficients": "gbt2589-2020",
        "sources": [bought],
        "uncertainties": [{"factor": GRID, "u_percent": "5"}],
    }
    put("document", PLAN_ID, {"title": "plan", FIELD: plan})
    registry.commit(seq)
    registry.close()
    db.commit()
    db.close()


def with_rollups(path: Path) -> None:
    """A year of months of 500 meters."""
    _plant(path, METERS)
    db = sqlite3.connect(path / "settlement.sqlite")
    for number in range(METERS):
        _roll(db, number, MONTH, MONTHS, [KNOWN] * 12)
    db.commit()
    db.close()


def _roll(db: sqlite3.Connection, number: int, kind: int, starts: Sequence[int], seqs: Sequence[int]) -> None:
    """A meter's roll-ups of one kind, each with the newest entry in it."""
    rows = []
    for start, end, seq in zip(starts, [*starts[1:], YEAR.end_us], seqs, strict=True):
        windows = (end - start) // SETTLEMENT_WINDOW_US
        energy = ENERGY * windows
        sums = (windows, 0, 1000 * windows, 0, energy, energy, 0, 0, 0, 0)
        rows.append((number + 1, kind, start, 3 * number + 3, 40, 1, *sums, seq))
    db.executemany(f"INSERT INTO rollup VALUES ({', '.join('?' * 17)})", rows)


def with_intervals(path: Path, revised: Collection[int]) -> None:
    """A year of quarter hours of the share of meters, with days and months; those of some months say that there is
    something newer than ``KNOWN`` in them, so that quarter hours are read.
    """
    _plant(path, SHARE)
    days = list(range(YEAR.start_us, YEAR.end_us, US_PER_DAY))
    seqs = {each: LATER if place in revised else KNOWN for place, each in enumerate(MONTHS)}
    daily = [seqs[max(each for each in MONTHS if each <= day)] for day in days]
    db = sqlite3.connect(path / "settlement.sqlite")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("INSERT INTO entry VALUES ('o', ?, 0, 0, ?, 1, NULL)", (YEAR.end_us - SETTLEMENT_WINDOW_US, KNOWN))
    for number in range(SHARE):
        values = "?1, ?2 + n * ?3, 0, ?7, ?4, n * ?5, (n + 1) * ?5, ?5, 1000, 0, 0, 40, 1"
        db.execute(
            f"WITH RECURSIVE k(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM k WHERE n < ?6 - 1) "
            f"INSERT INTO interval ({_COLUMNS}) SELECT {values} FROM k",
            (number + 1, YEAR.start_us, SETTLEMENT_WINDOW_US, 3 * number + 3, ENERGY, WINDOWS, KNOWN),
        )
        _roll(db, number, MONTH, MONTHS, list(seqs.values()))
        _roll(db, number, DAY, days, daily)
    db.commit()
    db.close()


def _revise(path: Path, month: Period) -> None:
    """Every quarter hour of a month settled again after ``KNOWN``, to the same energy."""
    db = sqlite3.connect(path / "settlement.sqlite")
    span = (LATER, month.start_us, month.end_us)
    db.execute("INSERT INTO superseded SELECT *, ? FROM interval WHERE start >= ? AND start < ?", span)
    db.execute("UPDATE interval SET seq = ? WHERE start >= ? AND start < ?", span)
    db.commit()
    db.close()
