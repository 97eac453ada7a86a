"""What must hold after any world, and how well each fault was seen."""

import hashlib
import io
import json
import sqlite3
from base64 import b64decode
from collections import Counter, defaultdict
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gateway.verifier.__main__ import main as verify
from simulators.faults.fault import KINDS, Fault
from tests.simulation.network import Said
from tests.simulation.world import PERIOD_S, START_US, S, World

UNSEEN_ON_THE_WIRE = {"word_swap", "off_by_one"}
HARMLESS = {"slow", "split", "two_frames"}
"""Kinds whose honest answer does arrive: whatever is booked must be that answer, and the meter is not given up."""

SEEN_BY_OUTCOME = {
    "silence": {"timeout", "breaker"},
    "late": {"timeout", "breaker"},
    "partial": {"timeout", "frame_error", "foreign_answer", "breaker"},
    "garbage": {"timeout", "frame_error", "foreign_answer", "unreachable", "breaker"},
    "short": {"frame_error", "foreign_answer", "timeout", "breaker"},
    "exception": {"exception", "breaker"},
    "foreign_unit": {"foreign_answer", "breaker"},
    "foreign_transaction": {"foreign_answer", "timeout", "breaker"},
    "foreign_function": {"foreign_answer", "frame_error", "breaker"},
    "hang_up": {"unreachable", "timeout", "breaker"},
}
SEEN_BY_FINDING = {
    "zero": {"counter.glitch"},
    "jitter_back": {"counter.jitter"},
    "rollover": {"counter.rollover"},
    "reset": {"counter.reset"},
    "exchange": {"counter.exchange", "counter.reset", "counter.rollover", "identity.changed"},
    "sentinel": {"reading.no_value"},
    "range_changed": {"identity.changed"},
}
MIDNIGHT_US = START_US + 9 * 3_600 * S
NO_RULE = {"stuck", "drift", "ct_change", *UNSEEN_ON_THE_WIRE}
"""Kinds for which the gateway has no rule yet: how often another rule speaks is measured and printed, not demanded."""


@dataclass
class Score:
    """Per fault kind: how often planted, seen; and findings about meters that had no fault."""

    planted: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    meter_seconds: float = 0.0
    slots: int = 0

    def add(self, other: "Score") -> None:
        """Sum up."""
        self.planted += other.planted
        self.seen += other.seen
        self.false_alarms += other.false_alarms
        self.meter_seconds += other.meter_seconds
        self.slots += other.slots

    @property
    def meter_years(self) -> float:
        """Simulated time of all meters together."""
        return self.meter_seconds / (365.25 * 86_400)

    def table(self) -> str:
        """One line a kind."""
        lines = [f"{self.meter_years:.2f} meter-years, {self.slots} slots"]
        for kind in sorted(self.planted):
            planted, seen = self.planted[kind], self.seen[kind]
            note = "  (no rule of its own)" if kind in NO_RULE else ""
            lines.append(f"  {kind:20} planted {planted:6}  seen {seen:6}  {100 * seen / planted:6.2f} %{note}")
        lines.extend(f"  false alarm {rule}: {count}" for rule, count in sorted(self.false_alarms.items()))
        return "\n".join(lines)


@dataclass
class Journal:
    """The entries, read with nothing but SQLite and JSON."""

    bodies: list[dict[str, Any]]
    digest: str


def read_journal(world: World) -> Journal:
    """Every body; the digest leaves out the signing key, which is drawn by the machine."""
    digest = hashlib.sha256()
    bodies = []
    with closing(sqlite3.connect(world.folder / "journal.sqlite")) as database:
        for seq, (raw,) in enumerate(database.execute("SELECT body FROM entry ORDER BY seq"), 1):
            body = json.loads(raw)
            bodies.append(body | {"seq": seq})
            if body["kind"] != "key":
                digest.update(raw if isinstance(raw, bytes) else raw.encode())
    return Journal(bodies, digest.hexdigest())


def check(world: World, journal: Journal) -> None:
    """Every invariant; AssertionError names the seed."""
    one_outcome_a_slot(world, journal)
    nothing_foreign_is_booked(world, journal)
    the_seal_holds(world)


def the_seal_holds(world: World) -> None:
    """The stand-alone verifier, which shares nothing with the writer, finds nothing altered."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = verify([str(world.folder)])
    assert code == 0, f"seed {world.seed}: {said.getvalue()[-2_000:]}"


def one_outcome_a_slot(world: World, journal: Journal) -> None:
    """Each (device, group, slot) ends exactly once, and between first and last none is left out."""
    ended: Counter[tuple[str, str, int]] = Counter()
    periods = {
        (body["device"]["id"], group): each["period_us"]
        for body in journal.bodies
        if body["kind"] == "configuration" and "device" in body
        for group, each in body["groups"].items()
    }
    for body in journal.bodies:
        if body["kind"] not in {"poll", "miss"}:
            continue
        device = body["subject"].rpartition("/")[2]
        key = (device, body["group"])
        for slot in range(body["slot"], body.get("to", body["slot"] + 1), periods[key]):
            ended[*key, slot] += 1
    twice = [slot for slot, times in ended.items() if times != 1]
    assert not twice, f"seed {world.seed}: slots with several outcomes: {twice[:3]}"
    lines = defaultdict(list)
    for device, group, slot in ended:
        lines[device, group].append(slot)
    for key, slots in lines.items():
        steps = {later - earlier for earlier, later in pairwise(sorted(slots))}
        assert steps <= {periods[key]}, f"seed {world.seed}: slots of {key} left out"


def nothing_foreign_is_booked(world: World, journal: Journal) -> None:
    """Raw words in a poll are those the meter honestly said, to that very question, between asking and receiving."""
    said: dict[tuple[str, bytes], list[Said]] = defaultdict(list)
    for server in world.servers:
        for each in server.said:
            said[each.device, each.honest[2:]].append(each)
    for body in journal.bodies:
        if body["kind"] != "poll":
            continue
        device = body["subject"].rpartition("/")[2]
        for raw in body["raw"]:
            if raw is None:
                continue
            data = b64decode(raw)
            honest = [each for each in said[device, data] if body["sent"] - S <= each.at_us <= body["received"] + S]
            if honest or _spoilt_unseen(world, device, body["received"]):
                continue
            stepped = any(each.kind == "step" for each in world.happenings)
            booked = said[device, data] if stepped else None
            assert booked, f"seed {world.seed}: {device} slot {body['slot']} booked foreign words"


def _spoilt_unseen(world: World, device: str, at_us: int) -> bool:
    """Whether a fault acted that nobody can see on the wire: registers swapped or shifted inside a valid frame."""
    margin = 2 * PERIOD_S * S
    return any(
        fault.device == device
        and fault.kind in UNSEEN_ON_THE_WIRE
        and fault.from_us - margin <= at_us <= fault.to_us + margin
        for fault in world.faults
    )


def score(world: World, journal: Journal) -> Score:
    """How each planted fault fared."""
    result = Score(meter_seconds=world.hours * 3_600 * len(world.profiles))
    outcomes: dict[str, dict[int, str]] = defaultdict(dict)
    findings: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for body in journal.bodies:
        device = body["subject"].rpartition("/")[2]
        if body["kind"] in {"poll", "miss"} and body["group"] != "identity":
            result.slots += body.get("count", 1)
            outcomes[device][body["slot"]] = body["outcome"]
        for each in body.get("findings", ()):
            findings[device].append((body.get("slot", body["at"]), each[0]))
    spoilt = {device for device in world.profiles if any(fault.device == device for fault in world.faults)}
    for fault in world.faults:
        if (verdict := _fared(world, fault, outcomes[fault.device], findings[fault.device])) is not None:
            result.planted[fault.kind] += 1
            result.seen[fault.kind] += verdict
    for device in world.profiles:
        if device not in spoilt:
            result.false_alarms.update(rule for _, rule in findings[device])
    return result


def _fared(world: World, fault: Fault, outcomes: dict[int, str], findings: list[tuple[int, str]]) -> bool | None:
    """Whether a fault was seen; None where it never came to act (the gateway was down, the slot had no reading)."""
    if fault.kind in NO_RULE:
        return any(fault.from_us <= slot <= fault.to_us + 3 * PERIOD_S * S for slot, _ in findings)
    if KINDS[fault.kind].place == "wire":
        return _fared_on_the_wire(world, fault, outcomes)
    first = -(-(fault.from_us - START_US) // (PERIOD_S * S)) * PERIOD_S * S + START_US
    read = [slot for slot, outcome in outcomes.items() if outcome == "ok"]
    if fault.kind in {"zero", "jitter_back", "sentinel"} and first not in read:
        return None
    if fault.kind == "jitter_back" and first - PERIOD_S * S not in read:
        return None  # since the last reading the index has grown by more than the step back
    before, after = [slot for slot in read if slot < first], [slot for slot in read if slot >= first]
    if len(before) < 3 or len(after) < 16:
        return None
    if fault.kind == "range_changed" and fault.from_us > MIDNIGHT_US:
        return None  # who a meter is and what it is set to is read at midnight; the world ends before the next
    expected = SEEN_BY_FINDING.get(fault.kind, set())
    return any(rule in expected and slot >= first for slot, rule in findings)


def _fared_on_the_wire(world: World, fault: Fault, outcomes: dict[int, str]) -> bool | None:
    """By what became of the slots in which it really acted."""
    said = [each for server in world.servers for each in server.said if each.device == fault.device]
    main = Counter(each.request for each in said).most_common(1)[0][0] if said else b""
    acted = [each.at_us for each in said if each.fault == fault.kind and each.request == main]
    if not acted or any(each.kind == "step" for each in world.happenings):
        return None
    ended = [outcomes.get(at_us // (PERIOD_S * S) * PERIOD_S * S) for at_us in acted]
    if fault.kind == "slow":
        # the time-out follows what a meter usually takes: a meter that slows down may cost its first slots
        return all(outcome in {"ok", None} for outcome in ended[3:])
    if fault.kind in HARMLESS:
        return all(outcome in {"ok", None, "foreign_answer"} for outcome in ended)
    expected = SEEN_BY_OUTCOME.get(fault.kind, set())
    # a question that failed is asked once more in the same slot: a slot that ended well is one that was asked again
    again = all(any(at_us < each.at_us < at_us + 60 * S for each in said) for at_us in acted)
    return any(outcome in expected for outcome in ended) or (bool(expected) and again)
