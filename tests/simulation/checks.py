"""What must hold after any world. Each check counts what it looked at, so that none passes by looking at nothing."""

import hashlib
import io
import shutil
import sqlite3
from base64 import b64decode
from collections import Counter, defaultdict
from contextlib import closing, redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path

from gateway.assembly.projecting import drop_projections
from gateway.journal.folder import DataFolder
from gateway.series.codec import decode as unpacked
from gateway.verifier.__main__ import main as verify
from simulators.modbus.framing import RTU
from tests.simulation import site
from tests.simulation.network import Said
from tests.simulation.plan import PERIOD_US, START_US, S
from tests.simulation.record import Record, device_of, raw_of
from tests.simulation.sink import Downstream
from tests.simulation.world import World

UNSEEN_ON_THE_WIRE = {"word_swap", "off_by_one"}
READING_MS = 1_000

Checked = Counter[str]


def check(world: World, record: Record, *, rebuild: bool = True, series: bool = True) -> Checked:
    """Every invariant; AssertionError names the seed. ``rebuild``: also build the projections anew; ``series``: let the
    verifier compare the series store as well."""
    checked: Checked = Counter()
    one_outcome_a_slot(world, record, checked)
    nothing_foreign_is_booked(world, record, checked)
    acknowledged_is_journaled(world, record, checked)
    the_sink_equals_the_journal(world, record, checked)
    settled_energy_is_what_the_meter_registered(world, record, checked)
    the_seal_holds(world, checked, series=series)
    if rebuild:
        rebuilt_equals_live(world, checked)
    return checked


def the_seal_holds(world: World, checked: Checked, *, series: bool) -> None:
    """The stand-alone verifier, which shares nothing with the writer, finds nothing altered: journal and series."""
    code, said = verified(world.folder, *([] if series else ["--no-series"]))
    assert code == 0, f"seed {world.seed}: {said[-2_000:]}"
    checked["folders verified"] += 1


def verified(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and words of the verifier."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = verify([str(folder), *options])
    return code, said.getvalue()


def one_outcome_a_slot(world: World, record: Record, checked: Checked) -> None:
    """Each (device, group, slot) ends exactly once, and between first and last none is left out. A pushed slot that was
    filled has no entry of its own: the sample stands for it."""
    ended: Counter[tuple[str, str, int]] = Counter()
    periods = {
        (body["device"]["id"], group): each["period_us"]
        for body in record.of_kind("configuration")
        if "device" in body
        for group, each in body["groups"].items()
    }
    for body in record.of_kind("poll", "miss"):
        key = (device_of(body), body["group"])
        for slot in range(body["slot"], body.get("to", body["slot"] + 1), periods[key]):
            ended[*key, slot] += 1
    twice = [slot for slot, times in ended.items() if times != 1]
    assert not twice, f"seed {world.seed}: slots with several outcomes: {twice[:3]}"
    lines = defaultdict(set)
    for device, group, slot in ended:
        lines[device, group].add(slot)
    for body in record.of_kind("message"):
        for sample in body["samples"]:
            lines[sample["device"], sample["group"]].add(sample["slot"])
    for key, slots in lines.items():
        spoilt = any(fault.device == key[0] and fault.kind == "clock_step" for fault in world.faults)
        steps = {later - earlier for earlier, later in pairwise(sorted(slots))}
        # a device whose clock is off puts samples where no slot was due
        assert spoilt or steps <= {periods[key]}, f"seed {world.seed}: slots of {key} left out"
        checked["slots with one outcome"] += len(slots)


def nothing_foreign_is_booked(world: World, record: Record, checked: Checked) -> None:
    """Raw words in a poll are those the meter honestly said, to that very question, between asking and receiving. RTU
    has no transaction numbers: there an answer that comes too late to the first asking may end the second of its slot,
    because nothing in it tells one from the other."""
    said: dict[tuple[str, bytes], list[Said]] = defaultdict(list)
    for server in world.servers:
        for each in server.said:
            said[each.device, each.honest[2:]].append(each)
    early = {m.device: 5 * S if each.framing is RTU else S for each in world.servers for m in each.meters.values()}
    for body in record.of_kind("poll"):
        device = device_of(body)
        for data in raw_of(body):
            checked["answers booked"] += 1
            from_us, to_us = body["sent"] - early[device], body["received"] + S
            honest = any(from_us <= each.at_us <= to_us for each in reversed(said[device, data]))
            if honest or _spoilt_unseen(world, device, body["received"]):
                continue
            booked = said[device, data] if world.steps else None
            assert booked, f"seed {world.seed}: {device} slot {body['slot']} booked foreign words"


def _spoilt_unseen(world: World, device: str, at_us: int) -> bool:
    """Whether a fault acted that nobody can see on the wire: registers swapped or shifted inside a valid frame."""
    margin = 2 * PERIOD_US
    return any(
        fault.device == device
        and fault.kind in UNSEEN_ON_THE_WIRE
        and fault.from_us - margin <= at_us <= fault.to_us + margin
        for fault in world.faults
    )


def acknowledged_is_journaled(world: World, record: Record, checked: Checked) -> None:
    """Every message the broker may forget stands in the journal, whatever was killed or torn; none that was never
    published does."""
    kept: set[tuple[str, bytes]] = set()
    hashes = set()
    for body in record.of_kind("message"):
        kept.add((body["topic"], b64decode(body["payload"])))
        hashes |= {each[2]["sha256"] for each in body["findings"] if each[0] == "message.duplicate"}
    for topic, payload in world.broker.acknowledged:
        assert (topic, payload) in kept, f"seed {world.seed}: acknowledged and lost: {topic} {payload[:80]!r}"
        checked["messages acknowledged"] += 1
    for topic, payload in kept:
        assert not payload or (topic, payload) in world.broker.published, f"seed {world.seed}: nobody said {payload!r}"
    known = {hashlib.sha256(payload).hexdigest() for _, payload in world.broker.published}
    assert hashes <= known, f"seed {world.seed}: a repetition of what nobody said"


def the_sink_equals_the_journal(world: World, record: Record, checked: Checked) -> None:
    """After its outages the sink holds exactly the rows that stand in the series store, and each row's entry exists."""
    expected = {}
    rows = 0
    with closing(sqlite3.connect(world.folder / "series" / "index.sqlite")) as index:
        refused = {tuple(row) for row in index.execute("SELECT device, grp, slot FROM conflict")}
    seqs = {body["seq"] for body in record.of_kind("poll", "message")}
    for month in sorted((world.folder / "series").glob("????-??.sqlite")):
        with closing(sqlite3.connect(month)) as database:
            for device, group, slot, seq in database.execute(
                "SELECT s.device, s.grp, h.slot, h.seq FROM hot h JOIN series s ON s.id = h.series"
            ):
                rows += 1
                expected[device, group, slot // READING_MS] = seq
                assert seq in seqs, f"seed {world.seed}: a row without its entry"
    sent = {}
    readings = {series: _tags(series) for series, _ in world.influx.points if series.startswith("reading,")}
    for (series, at), fields in world.influx.points.items():
        if series in readings:
            (seq,) = (each[4:].rstrip("i") for each in fields.split(",") if each.startswith("seq="))
            sent[readings[series]["device"], readings[series]["group"], at] = int(seq)
    texts = {key for key in expected if key[1] == "identity" and key not in sent}
    missing = expected.keys() - sent.keys() - texts
    assert not missing, f"seed {world.seed}: {len(missing)} of {rows} rows are not in the sink: {sorted(missing)[:3]}"
    assert not sent.keys() - expected.keys(), f"seed {world.seed}: the sink has what the journal has not"
    differing = [key for key, seq in sent.items() if expected[key] != seq]
    assert not differing, f"seed {world.seed}: {differing[:3]} differ, refused: {len(refused)}"
    checked["points in the sink"] += len(sent)


def _tags(series: str) -> dict[str, str]:
    return dict(each.split("=") for each in series.split(",")[1:])


def settled_energy_is_what_the_meter_registered(world: World, record: Record, checked: Checked) -> None:
    """For meters nothing is wrong with, while the clock was not set: each window between readings made in time is what
    truly passed, times the meter's own error, to two steps of its register and what the load may change while they
    were late."""
    if world.steps:
        return
    spoilt = {fault.device for fault in world.faults}
    for device, energies in record.energies.items():
        if device in spoilt:
            continue
        meter, kind = world.plan.meters[device], site.KINDS[world.profiles[device]]
        late_s = record.lateness_s[device]
        for at, energy in enumerate(energies):
            start_us = START_US + at * PERIOD_US
            near = [start_us + each * PERIOD_US for each in (-1, 0, 1, 2)]
            if energy is None or any(late_s.get(each, 1e9) > 30.0 for each in near):
                continue
            shown = [meter.quantity(kind.index, each) for each in (start_us, start_us + PERIOD_US)]
            assert isinstance(shown[0], int)
            assert isinstance(shown[1], int)
            passed = (shown[1] - shown[0]) / 10  # thousandths of 0.01
            margin = 2_000 + max(meter.levels) * 2 * max(late_s[each] for each in near) / 3_600 * 1e5
            assert abs(energy - passed) <= margin, f"seed {world.seed}: {device} window {at}: {energy} for {passed}"
            checked["windows against the truth"] += 1


def rebuilt_equals_live(world: World, checked: Checked) -> None:
    """The projections built anew from the journal alone are, row by row, those that grew beside it."""
    live = _tables(world.folder)
    copy = world.folder.with_name(f"{world.folder.name}-rebuilt")
    shutil.copytree(world.folder, copy, ignore=shutil.ignore_patterns("series", "archive", "seal"))
    (copy / "series").mkdir()
    (copy / "archive").mkdir()
    (copy / "seal").mkdir()
    try:
        drop_projections(DataFolder.open(copy))
        Downstream(copy, world.influx, world.clock, world.random).project()
        rebuilt = _tables(copy)
        for table in live.keys() | rebuilt.keys():
            assert live.get(table) == rebuilt.get(table), f"seed {world.seed}: {table} differs when rebuilt"
            checked["projected rows rebuilt"] += live[table].total()
    finally:
        shutil.rmtree(copy)


def _tables(folder: Path) -> dict[str, Counter[tuple[object, ...]]]:
    """Every row of every projection, in any order. Numbers a store gives its series depend on the order in which it met
    them, so the series' names stand in their place."""
    found = {}
    for path in (
        folder / "registry.sqlite",
        folder / "settlement.sqlite",
        *sorted((folder / "series").glob("*.sqlite")),
    ):
        with closing(sqlite3.connect(path)) as database:
            names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            known = {}
            if "series" in names:
                known = {row[0]: row[1:4] for row in database.execute("SELECT * FROM series")}
            for name in names:
                cursor = database.execute(f"SELECT * FROM {name}")  # our own names
                columns = [each[0] for each in cursor.description]
                place = _place(columns, name) if known else None
                rows = [
                    row if place is None else (*row[:place], known[row[place]], *row[place + 1 :])
                    for row in cursor.fetchall()
                ]
                if name == "hot":  # how wide integers are packed depends on what was written together
                    at = columns.index("v")
                    rows = [(*row[:at], *unpacked(row[at]), *row[at + 1 :]) for row in rows]
                found[f"{path.name}/{name}"] = Counter(rows)
    return found


def _place(columns: list[str], table: str) -> int | None:
    column = "id" if table == "series" else "series"
    return columns.index(column) if column in columns else None
