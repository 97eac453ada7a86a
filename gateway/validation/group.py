"""The rules of one request group, in the order syntax, range, counter, identity, with the memory they need."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter, le
from typing import Any

from gateway.domain.device import ChannelKind, Device, RequestGroup
from gateway.domain.finding import Finding
from gateway.validation import counter
from gateway.validation.counter import Memory, Step
from gateway.validation.frozen import watch_of
from gateway.validation.identity import (
    NOBODY,
    WATCHED_MEASURANDS,
    DeviceIdentity,
    Installed,
    InstalledInstruments,
    watch,
)
from gateway.validation.limits import bounds, out_of_range
from gateway.validation.stuck import watches

Values = Sequence[int | str | None]


def _picker(positions: Sequence[int]) -> Callable[[Values], tuple[Any, ...]]:
    """The values at some positions as a tuple."""
    if len(positions) >= 2:
        return itemgetter(*positions)
    return lambda values: tuple(values[position] for position in positions)


class GroupRules:
    """Judges the decoded polls or samples of one (device, group) one after the other.

    While every value is there, in range and no counter falls, a poll costs two comparisons a value; only what is not
    normal is looked at one by one.
    """

    def __init__(
        self, device: Device, group: RequestGroup, identity: DeviceIdentity, registry: InstalledInstruments
    ) -> None:
        self.device = device
        self.group = group
        self._identity = identity
        self._registry = registry
        channels = group.channels
        numeric = [n for n, channel in enumerate(channels) if channel.kind is not ChannelKind.TEXT]
        self._numbers = _picker(numeric) if len(numeric) < len(channels) else tuple
        limits = [bounds(channels[n]) for n in numeric]
        self._lows = tuple(low for low, _ in limits)
        self._highs = tuple(high for _, high in limits)
        self._counters = tuple(n for n in numeric if channels[n].kind is ChannelKind.CUMULATIVE)
        self._pick_counters = _picker(self._counters)
        self._watched = tuple(n for n, channel in enumerate(channels) if channel.measurand in WATCHED_MEASURANDS)
        self._pick_watched = _picker(self._watched)
        self._stuck = watches(group)
        self._frozen = watch_of(group)
        self._seen: tuple[Any, ...] | None = None
        self._memories = [Memory()] * len(self._counters)
        self._last: tuple[Any, ...] | None = None
        self._before: tuple[Any, ...] | None = None
        self._last_slot = 0
        self._observed_us = -(2**63)
        self._settled_us = -(2**63)  # the last reading without a fall that waits to be decided
        self._epoch = identity.epoch
        self._exchanged: set[int] = set()  # counters whose first reading of the new instrument is still to come
        self._installed = NOBODY
        self._instrument: str | None = None
        self._generation = -1

    def judge(self, values: Values, slot_us: int, observed_us: int) -> list[Finding]:
        """Findings of one reading; the memory moves on. Values older than the last ones are not compared with them."""
        installed = self._installed
        declared = False
        if self._generation != self._registry.generation or not installed.from_us <= observed_us < installed.until_us:
            declared = self._look_up(observed_us)
        if self._last is not None and not declared and self._epoch == self._identity.epoch and None not in values:
            numbers = self._numbers(values)
            counters = self._pick_counters(values)
            if (
                all(map(le, self._lows, numbers))
                and all(map(le, numbers, self._highs))
                and all(map(le, self._last, counters))
                and observed_us > self._observed_us
                and (not self._watched or self._pick_watched(values) == self._seen)
            ):
                self._before, self._last = self._last, counters
                self._last_slot = slot_us
                self._observed_us = self._settled_us = observed_us
                return self._standing(values, observed_us)
        return self._look_closely(values, slot_us, observed_us, declared)

    def identify(self, values: Values, at_us: int) -> list[Finding]:
        """Judge an identity read outside the slots: only who answers, no counters."""
        installed = self._registry.installed(self.device.id, at_us)
        return self._watch_identity(values, installed)

    def _look_closely(self, values: Values, slot_us: int, observed_us: int, declared: bool) -> list[Finding]:
        found = out_of_range(self.group.channels, values)
        found.extend(self._watch_identity(values, self._installed))
        if observed_us <= self._observed_us:
            return found  # late or repeated: its neighbours in time were judged already
        outside = {each.channel for each in found if each.rule == "reading.range"}
        if declared or self._epoch != self._identity.epoch:
            self._exchanged.update(range(len(self._counters)))
            self._epoch = self._identity.epoch
        memories = self._current_memories()
        fallen = False
        for place, position in enumerate(self._counters):
            channel, value = self.group.channels[position], values[position]
            if not isinstance(value, int) or channel.id in outside:
                continue
            step = Step(channel.id, value, slot_us, channel.modulus)
            memories[place], finding = counter.judge(memories[place], step, exchanged=place in self._exchanged)
            self._exchanged.discard(place)
            if finding is not None:
                found.append(finding)
                fallen = fallen or finding.rule in {"counter.glitch", "counter.reset"}
                self._identity.broken = self._identity.broken or finding.rule in {"counter.reset", "counter.exchange"}
        self._memories = memories
        self._last = self._before = None
        if all(memory.suspect is None for memory in memories):
            self._settled_us = observed_us
        if not self._exchanged and all(memory.last is not None and memory.settled for memory in memories):
            self._last = tuple(memory.last for memory in memories)
            self._before = tuple(memory.before for memory in memories)
        self._last_slot, self._observed_us = slot_us, observed_us
        self._identity.wanted = self._identity.wanted or fallen
        found.extend(self._standing(values, observed_us))
        return found

    def _standing(self, values: Values, observed_us: int) -> list[Finding]:
        """What stands still although it should move."""
        found = [each for watch in self._stuck if (each := watch.judge(values, observed_us)) is not None]
        if self._frozen is not None:
            found.extend(self._frozen.judge(values, observed_us))
        return found

    def _current_memories(self) -> list[Memory]:
        """The memories with what the quick way kept beside them."""
        if self._last is None or self._before is None:
            return list(self._memories)
        return [Memory(last, before, self._last_slot) for last, before in zip(self._last, self._before, strict=True)]

    def _watch_identity(self, values: Values, installed: Installed) -> list[Finding]:
        found: list[Finding] = []
        for position in self._watched:
            value = values[position]
            if value is not None:
                found.extend(watch(self._identity, self.group.channels[position], value, installed))
        if self._watched:
            mismatch = any(each.rule == "identity.serial_mismatch" for each in found)
            self._seen = None if mismatch else self._pick_watched(values)
        return found

    def _look_up(self, observed_us: int) -> bool:
        """Ask the registry again; True when another instrument is on record since the last reading."""
        former = self._instrument
        self._generation = self._registry.generation
        self._installed = installed = self._registry.installed(self.device.id, observed_us)
        self._seen = None
        if installed.instrument is None or installed.instrument == former:
            return False
        self._instrument = installed.instrument
        self._identity.declared_serial = installed.serial
        # an exchange entered afterwards was already seen in the readings; only one since the last reading is new
        return former is not None and installed.from_us > self._settled_us

    def state(self) -> dict[str, Any]:
        """What has to outlive a restart, JSON-shaped."""
        return {
            "counters": {
                self.group.channels[position].id: list(memory)
                for position, memory in zip(self._counters, self._current_memories(), strict=True)
            },
            "observed_us": self._observed_us,
            "settled_us": self._settled_us,
            "instrument": self._instrument,
            "stuck": {each.channel: each.state() for each in self._stuck},
            "frozen": None if self._frozen is None else self._frozen.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a state written by ``state``; channels that are no longer there are dropped."""
        counters = state["counters"]
        self._memories = [
            Memory(*counters[channel]) if channel in counters else Memory()
            for channel in (self.group.channels[position].id for position in self._counters)
        ]
        self._last = self._before = None
        self._observed_us = int(state["observed_us"])
        self._settled_us = int(state["settled_us"])
        self._instrument = state["instrument"]
        for each in self._stuck:  # a state written before there was this rule has none
            if (kept := state.get("stuck", {}).get(each.channel)) is not None:
                each.restore(kept)
        if self._frozen is not None and state.get("frozen") is not None:
            self._frozen.restore(state["frozen"])
