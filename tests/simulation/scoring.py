"""How well each planted fault was seen, and what was said of meters that had none."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from gateway.validation import identical_series, node_residual, replayed_stretches
from simulators.faults.fault import KINDS, Fault
from tests.simulation.plan import AT_THE_NODE, HARMLESS, MIDNIGHT_SLOT, PERIOD_US, START_US, S
from tests.simulation.record import Record
from tests.simulation.site import ENDPOINTS, MEMBERS, device_name
from tests.simulation.world import World

CERTAIN = ("forged edit", "foreign_unit", "foreign_transaction", "foreign_function", "sentinel", "silence", "duplicate")
"""Demanded at 100 %; every other kind at 95 %."""
EXEMPT = ("drift (permissible)", "identical (equal loads)", "ct_change (not observable)", "drift (not observable)")
"""Measured and printed, not demanded: nobody could see them from these data."""
LIMIT_PERMILLE = 10.0

SEEN_BY_OUTCOME = {
    "silence": {"timeout", "breaker"},
    "late": {"timeout", "unreachable", "breaker"},
    "partial": {"timeout", "frame_error", "foreign_answer", "unreachable", "breaker"},
    "garbage": {"timeout", "frame_error", "foreign_answer", "unreachable", "breaker"},
    "short": {"frame_error", "foreign_answer", "timeout", "unreachable", "breaker"},
    "exception": {"exception", "breaker"},
    "foreign_unit": {"foreign_answer", "timeout", "unreachable", "breaker"},
    "foreign_transaction": {"foreign_answer", "timeout", "unreachable", "breaker"},
    "foreign_function": {"foreign_answer", "frame_error", "timeout", "unreachable", "breaker"},
    "hang_up": {"unreachable", "timeout", "breaker"},
    "no_message": {"silent"},
}
_FELL = {"counter.glitch", "counter.jitter", "counter.reset", "counter.rollover", "counter.exchange"}
SEEN_BY_FINDING = {
    "zero": {"counter.glitch"},
    "jitter_back": {"counter.jitter", "counter.glitch"},
    "rollover": {"counter.rollover"},
    "reset": {"counter.reset"},
    "exchange": {"counter.exchange", "counter.reset", "counter.rollover", "identity.changed"},
    "sentinel": {"reading.no_value"},
    "range_changed": {"identity.changed"},
    "stuck": {"counter.stuck"},
    "clock_step": {"time.device_clock", "reading.conflict", "device.silent"},
    "duplicate": {"message.duplicate"},
    "poison": {"message.undecodable"},
    "retained": {"message.retained"},
    "word_swap": _FELL | {"reading.range", "counter.stuck"},
    "off_by_one": _FELL | {"reading.range", "counter.stuck"},
}


@dataclass
class Score:
    """Per kind: how often planted so that it acted, and seen; findings about meters that had no fault."""

    planted: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    false_alarms: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    missed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    alarmed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    meter_seconds: float = 0.0
    clean_meter_seconds: float = 0.0
    slots: int = 0
    starts: int = 0
    healthy_slots: int = 0
    healthy_lost: int = 0

    def add(self, other: "Score") -> None:
        """Sum up."""
        for name in ("planted", "seen", "false_alarms", "happened", "checked"):
            getattr(self, name).update(getattr(other, name))
        for name in ("meter_seconds", "clean_meter_seconds", "slots", "starts", "healthy_slots", "healthy_lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in ((self.missed, other.missed), (self.alarmed, other.alarmed)):
            for kind, where in theirs.items():
                mine[kind] += where

    def alarm(self, rule: str, where: str) -> None:
        """Something was said of a meter nothing was wrong with."""
        self.false_alarms[rule] += 1
        self.alarmed[rule].append(where)

    @property
    def meter_years(self) -> float:
        """Simulated time of all meters together."""
        return self.meter_seconds / (365.25 * 86_400)

    @property
    def clean_meter_years(self) -> float:
        """Of those meters nothing was wrong with."""
        return self.clean_meter_seconds / (365.25 * 86_400)

    def rate(self, kind: str) -> float:
        """Share of the planted faults of a kind that were seen."""
        return self.seen[kind] / self.planted[kind] if self.planted[kind] else 1.0

    def table(self) -> str:
        """Everything, a line each."""
        lines = [
            f"{self.meter_years:.2f} meter-years, {self.slots} slots, {self.starts} starts of the gateway; "
            + ", ".join(f"{count} × {kind}" for kind, count in sorted(self.happened.items()))
        ]
        for kind in sorted(self.planted):
            note = "  (exempt)" if kind in EXEMPT else ""
            line = (
                f"  {kind:28} planted {self.planted[kind]:6}  seen {self.seen[kind]:6}  {100 * self.rate(kind):6.2f} %"
            )
            where = f"  missed: {', '.join(self.missed[kind][:4])}" if self.missed[kind] and not note else ""
            lines.append(line + note + where)
        alarms = sum(self.false_alarms.values())
        lines.append(f"  false alarms: {alarms} in {self.clean_meter_years:.2f} meter-years without a fault")
        lines += [f"    {rule}: {count}: {self.alarmed[rule][:6]}" for rule, count in sorted(self.false_alarms.items())]
        lost = 100 * self.healthy_lost / max(1, self.healthy_slots)
        lines.append(f"  healthy meters beside faulty ones: {lost:.3f} % of {self.healthy_slots} slots lost")
        lines += [f"  checked: {what}: {count}" for what, count in sorted(self.checked.items())]
        return "\n".join(lines)


def score(world: World, record: Record) -> Score:
    """How each planted fault fared."""
    result = Score(meter_seconds=world.hours * 3_600 * len(world.profiles), starts=world.starts)
    result.happened.update(each.kind for each in world.plan.happenings)
    result.slots = sum(len(each) for each in record.outcomes.values())
    for number, fault in enumerate(world.faults):
        verdict = _fared(world, record, fault)
        if verdict is None:
            continue
        kind = world.plan.labels.get(number, fault.kind)
        if fault.kind in AT_THE_NODE and kind == fault.kind and not _observable(world, record, fault):
            kind = f"{kind} (not observable)"
        result.planted[kind] += 1
        result.seen[kind] += verdict
        if not verdict:
            result.missed[kind].append(f"{world.seed}/{fault.device}")
    _spans_of_trouble(world, record, result)
    _false_alarms(world, record, result)
    return result


def _fared(world: World, record: Record, fault: Fault) -> bool | None:
    """Whether a fault was seen; None where it never came to act (the gateway was down, the slot had no reading)."""
    if fault.kind in AT_THE_NODE:
        return _at_the_node(record, fault)
    if KINDS[fault.kind].place == "wire" and fault.kind not in SEEN_BY_FINDING:
        return _on_the_wire(world, record, fault)
    if KINDS[fault.kind].place == "message" or fault.kind == "clock_step":
        return _in_messages(world, record, fault)
    outcomes = record.outcomes[fault.device]
    first = first_slot(fault)
    read = sorted(slot for slot, outcome in outcomes.items() if outcome == "ok")
    before, after = [slot for slot in read if slot < first], [slot for slot in read if slot >= first]
    if len(before) < 3 or len(after) < 16:
        return None
    if fault.kind == "identical":
        return _twins(world, record, fault)
    if fault.kind == "replay":
        return _replayed(world, record, fault)
    return _by_finding(world, record, fault, (before, after))


def first_slot(fault: Fault) -> int:
    """The first slot a fault acts in."""
    return -(-(fault.from_us - START_US) // PERIOD_US) * PERIOD_US + START_US


def _by_finding(world: World, record: Record, fault: Fault, read: tuple[list[int], list[int]]) -> bool | None:
    before, after = read
    first = first_slot(fault)
    if fault.kind in {"zero", "jitter_back", "sentinel"} and after[0] != first:
        return None
    if fault.kind == "jitter_back":
        late_s = [record.lateness_s[fault.device].get(slot, 1e9) for slot in (first - PERIOD_US, first)]
        if before[-1] != first - PERIOD_US or world.steps or abs(late_s[1] - late_s[0]) > 0.5:
            return None  # since the last reading the index has grown by more than the step back
    if fault.kind in {"word_swap", "off_by_one"} and not any(
        each.fault == fault.kind and each.device == fault.device for server in world.servers for each in server.said
    ):
        return None
    if fault.kind == "stuck":
        standing = [slot for slot in after if slot < fault.to_us]
        if len(standing) < 4:
            return None
    if fault.kind == "range_changed" and not _identity_read_after(record, fault):
        return None  # who a meter is and what it is set to is read at midnight and when the gateway starts
    expected = SEEN_BY_FINDING[fault.kind]
    return any(rule in expected and slot >= first - PERIOD_US for slot, rule in record.findings[fault.device])


def _identity_read_after(record: Record, fault: Fault) -> bool:
    midnight = START_US + MIDNIGHT_SLOT * PERIOD_US
    return any(
        body["group"] == "identity" and body["slot"] >= midnight and body["subject"].endswith(f"/{fault.device}")
        for body in record.of_kind("poll")
        if body["sent"] >= fault.from_us
    )


def _on_the_wire(world: World, record: Record, fault: Fault) -> bool | None:
    """By what became of the slots in which it really acted."""
    outcomes = record.outcomes[fault.device]
    said = [each for server in world.servers for each in server.said if each.device == fault.device]
    main = Counter(each.request for each in said).most_common(1)[0][0] if said else b""
    acted = [each.at_us for each in said if each.fault == fault.kind and each.request == main]
    if not acted or world.steps:
        return None
    ended = [outcomes.get(at_us // PERIOD_US * PERIOD_US) for at_us in acted]
    if fault.kind == "slow":
        # the time-out follows what a meter usually takes: a meter that slows down may cost its first slots
        return all(outcome in {"ok", "stopped", None} for outcome in ended[3:])
    if fault.kind in HARMLESS:
        # on RTU, which has no transaction numbers, a second frame may cost the slot, but never a wrong value
        rtu = {"timeout", "unreachable"} if fault.device[1] in "23" else set()
        return all(outcome in {"ok", "stopped", None, "foreign_answer", *rtu} for outcome in ended)
    if set(ended) <= {"stopped", None}:
        return None
    expected = SEEN_BY_OUTCOME[fault.kind]
    # a question that failed is asked once more in the same slot: a slot that ended well is one that was asked again
    asked = Counter(each.at_us // PERIOD_US for each in said if each.request == main)
    return any(outcome in expected for outcome in ended) or all(asked[at_us // PERIOD_US] > 1 for at_us in acted)


def _in_messages(world: World, record: Record, fault: Fault) -> bool | None:
    """Messages wait in the broker while the gateway is down; only a broker that is down loses them."""
    if world.steps:
        return None
    lost = [(began, ended) for kind, _, began, ended in world.spans if kind == "broker"]
    acted = [slot for slot in _slots_within(fault) if not any(began <= slot + 10 * S <= ended for began, ended in lost)]
    if not acted:
        return None
    if fault.kind == "no_message":
        ended_as = [record.outcomes[fault.device].get(slot) for slot in acted]
        told = [each for each in ended_as if each not in {"stopped", "unreachable", None}]
        return all(each == "silent" for each in told) if told else None
    last = acted[-1] + 4 * 3_600 * S  # what waited for the gateway is taken when it is back
    rules = SEEN_BY_FINDING[fault.kind]
    return any(acted[0] <= at <= last and rule in rules for at, rule in record.findings[fault.device]) or (
        fault.kind == "clock_step" and any(rule in rules for _, rule in record.findings[fault.device])
    )


def _slots_within(fault: Fault) -> list[int]:
    first = first_slot(fault)
    return list(range(first, min(fault.to_us, first + 400 * PERIOD_US), PERIOD_US))


# -- rules over settled intervals


def node_of(device: str) -> list[str]:
    """The meters of a device's node, the parent first."""
    return [device_name(f"e{device[1]}", member) for member in range(1, MEMBERS + 1)]


def _at_the_node(record: Record, fault: Fault) -> bool:
    parent, *children = (record.measured[each] for each in node_of(fault.device))
    found = node_residual(parent, children)
    return found is not None and START_US + found.start * PERIOD_US >= first_slot(fault) - 8 * PERIOD_US


def _observable(world: World, record: Record, fault: Fault) -> bool:
    """Whether the error moves the node's share by a fifth more than the limit in at least twelve windows that are known
    of all its meters, after a reference of 24 such windows."""
    members = node_of(fault.device)
    energies = [record.measured[each] for each in members]
    whole = [at for at in range(min(map(len, energies))) if all(each[at] is not None for each in energies)]
    first = (first_slot(fault) - START_US) // PERIOD_US
    if sum(at < first for at in whole) < 24 or world.steps:
        return False
    meters = [world.plan.meters[each] for each in members]
    own = meters[members.index(fault.device)]
    moved = 0
    for at in whole:
        start_us = START_US + at * PERIOD_US
        if at < first:
            continue
        share = (own.passed(start_us + PERIOD_US) - own.passed(start_us)) / max(
            1e-9, meters[0].passed(start_us + PERIOD_US) - meters[0].passed(start_us)
        )
        error = fault.number("factor") - 1.0 if fault.kind == "ct_change" else _drifted(fault, start_us)
        change = error / (1.0 + error) if own is meters[0] else error * share
        moved += abs(change) * 1_000 > 1.2 * LIMIT_PERMILLE
    return moved >= 12


def _drifted(fault: Fault, at_us: int) -> float:
    return fault.number("percent_a_day") / 100.0 * (at_us - fault.from_us) / (86_400 * S)


def _twins(world: World, record: Record, fault: Fault) -> bool | None:
    """None where the two were not read side by side for long enough."""
    other = fault.text("other")
    pair = {each: record.energies[each] for each in (fault.device, other)}
    first = (first_slot(fault) - START_US) // PERIOD_US
    run = longest = 0
    for one, two in list(zip(*pair.values(), strict=False))[first + 1 :]:
        run = run + 1 if one is not None and two is not None else 0
        longest = max(longest, run)
    if longest < 24 or world.steps:
        return None
    return any(each.end > first for each in identical_series(pair))


def _replayed(world: World, record: Record, fault: Fault) -> bool | None:
    """None where fewer than 25 windows in a row lie between readings made in time, then and the lag before."""
    energies = record.energies[fault.device]
    first = (first_slot(fault) - START_US) // PERIOD_US
    lag = int(fault.number("lag_s") * S) // PERIOD_US
    late_s = record.lateness_s[fault.device]

    def timely(at: int) -> bool:
        edges = [START_US + each * PERIOD_US for each in (at, at + 1, at - lag, at - lag + 1)]
        return at < len(energies) and all(late_s.get(each, 1e9) <= 30.0 for each in edges)

    run = longest = 0
    for at in range(first + 1, first + lag):
        run = run + 1 if timely(at) else 0
        longest = max(longest, run)
    if longest < 25 or world.steps:
        return None
    return any(each.end > first for each in replayed_stretches(energies))


# -- what surrounds the meters


def _spans_of_trouble(world: World, record: Record, result: Score) -> None:
    """Servers that vanish or are taken, a broker that is away: seen when the slots due then ended as unreachable."""
    if world.steps:
        return
    for kind, where, began_us, ended_us in world.spans:
        if kind not in {"down", "taken", "broker"}:
            continue
        endpoint = "e4" if kind == "broker" else world.servers[where].name
        members = [device_name(endpoint, member) for member in range(1, MEMBERS + 1)]
        due = [
            record.outcomes[each].get(slot)
            for each in members
            for slot in range(-(-began_us // PERIOD_US) * PERIOD_US, ended_us - 120 * S, PERIOD_US)
        ]
        told = [each for each in due if each not in {"stopped", None}]
        if not told or kind == "broker":
            continue
        name = "one_socket" if kind == "taken" else "server_away"
        result.planted[name] += 1
        seen = any(each in {"unreachable", "timeout", "breaker"} for each in told)
        result.seen[name] += seen
        if not seen:
            result.missed[name].append(f"{world.seed}/{endpoint}")


def _false_alarms(world: World, record: Record, result: Score) -> None:
    spoilt = {fault.device for fault in world.faults}
    untouched = [each for each in world.profiles if each not in spoilt]
    result.clean_meter_seconds = world.hours * 3_600 * len(untouched)
    away = {"e4" if kind == "broker" else world.servers[where].name for kind, where, *_ in world.spans if kind != "ran"}
    for device in untouched:
        for at, rule in record.findings[device]:
            # a meter behind a server that was away was silent indeed, and so was one whose slots the clock leapt over
            if rule != "device.silent" or (f"e{device[1]}" not in away and not world.steps):
                result.alarm(rule, f"{world.seed}/{device}/{(at - START_US) // PERIOD_US}")
        if replayed_stretches(record.energies[device]):
            result.alarm("series.replayed", f"{world.seed}/{device}")
    for twins in identical_series({each: record.energies[each] for each in untouched}):
        result.alarm("series.identical", f"{world.seed}/{twins.one}/{twins.other}")
    harmless = {*HARMLESS, "silence", "late", "exception", "hang_up", "foreign_unit", "no_message", "poison"}
    for endpoint, _, _ in ENDPOINTS:
        members = [device_name(endpoint, member) for member in range(1, MEMBERS + 1)]
        if all(fault.kind in harmless for fault in world.faults if fault.device in members) and not world.steps:
            parent, *children = (record.measured[each] for each in members)
            result.checked["undisturbed nodes"] += 1
            if node_residual(parent, children) is not None:
                result.alarm("node.residual", f"{world.seed}/{endpoint}")
    _healthy(world, record, untouched, result)


def _healthy(world: World, record: Record, untouched: list[str], result: Score) -> None:
    """What faulty meters cost the healthy ones on the same line, outside the times when all of it was away."""
    troubled = [(began - PERIOD_US, ended + PERIOD_US) for kind, _, began, ended in world.spans if kind != "ran"]
    for device in untouched:
        if device.startswith("m4") or world.steps:
            continue
        for slot, outcome in record.outcomes[device].items():
            if outcome == "stopped" or any(began <= slot <= ended for began, ended in troubled):
                continue
            result.healthy_slots += 1
            result.healthy_lost += outcome not in {"ok", "partial"}
