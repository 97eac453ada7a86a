"""What a seed plants: the meters' loads, one fault a meter at most, and what befalls the gateway."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from simulators.faults.fault import FOR_EVER, KINDS, Fault
from tests.simulation import site
from tests.simulation.loads import LoadMeter, steady, summed, wandering
from tests.simulation.site import ENDPOINTS, MEMBERS, PERIOD_S, device_name

S = 1_000_000
PERIOD_US = PERIOD_S * S
START_US = 1_795_305_600_000_000 - 9 * 3_600 * S
"""Nine hours before a UTC midnight, when identities are read."""
MIDNIGHT_SLOT = 36
PUBLISH_AFTER_US = 7 * S
"""How long after a slot's beginning pushed meters publish."""
WIRE = tuple(name for name, kind in KINDS.items() if kind.place == "wire")
MESSAGE = tuple(name for name, kind in KINDS.items() if kind.place == "message")
AT_THE_NODE = ("ct_change", "drift")
"""Seen only where parent and children are compared; nothing else disturbs their node."""
HARMLESS = ("slow", "split", "two_frames")
"""The honest answer does arrive: whatever is booked must be that answer, and the meter is not given up."""
UNTOUCHED, AT_NODES, STEADY_TWINS, SMALL_DRIFTS = 0.12, 0.2, 0.2, 0.25
LONG_AWAY = 0.25
"""Share of worlds in which a server is away over at least two slots, beside what else befalls the gateway there."""
HAPPENINGS = ("crash", "power", "stop", "full", "broken", "stall", "down", "taken", "broker", "sink", "step")
BREAKS = {"crash", "power", "stop", "full", "broken"}
"""The collector ends; the others happen while it runs on."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that befalls the gateway.

    ``crash``: killed where it stands; ``power``: killed, and what was not synced is torn; ``stop``; ``full`` and
    ``broken``: the disk refuses (ENOSPC, EIO); ``stall``: it hangs; ``down``: the server ``where`` vanishes; ``taken``:
    others hold the only socket of e1; ``broker``, ``sink``: away; ``step``: the wall clock is set forward.
    """

    at_s: float
    kind: str
    for_s: float
    where: int = 0


@dataclass
class Plan:
    """Everything drawn for a seed."""

    seed: int
    hours: float
    meters: dict[str, LoadMeter] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    labels: dict[int, str] = field(default_factory=dict)  # by place in ``faults``: another name for the scorecard
    partners: set[str] = field(default_factory=set)  # meters that another one copies: not untouched, not faulty
    happenings: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self.slots = int(self.hours * 3_600 / PERIOD_S)
        for endpoint, _, profiles in ENDPOINTS:
            self._node(endpoint, profiles)
        self._plan_happenings()

    def _node(self, endpoint: str, profiles: tuple[str, ...]) -> None:
        chance = self._chance
        at_node = chance.random() < AT_NODES
        twins = not at_node and chance.random() < 0.3
        still = twins and chance.random() < STEADY_TWINS
        make = steady if still else lambda length_s, mean: wandering(chance, length_s, mean)
        children = [make(self.hours * 3_600, chance.uniform(4.0, 40.0)) for _ in range(MEMBERS - 1)]
        levels = [summed(children), *children]
        names = [device_name(endpoint, member) for member in range(1, MEMBERS + 1)]
        for name, profile, load in zip(names, profiles, levels, strict=True):
            self.meters[name] = self._meter(name, profile, load)
        if at_node:
            self._faults_at_a_node(names)
        else:
            self._faults_of_a_group(names, profiles, twins=twins, still=still)

    def _meter(self, name: str, profile: str, levels: list[float]) -> LoadMeter:
        kind = site.KINDS[profile]
        others: dict[str, int | float | str] = {}
        if kind.electric:
            others = {"frequency": 50.0, "power_factor": 0.9, "ct_ratio": 60.0, "pt_ratio": 100.0}
            others |= {"reactive_power": 0.0, "apparent_power": 9.0}
            others |= dict.fromkeys(("active_energy_export", "reactive_energy_import", "reactive_energy_export"), 0)
            others |= {f"voltage_l{n}": 57.7 for n in (1, 2, 3)} | {f"current_l{n}": 3.0 for n in (1, 2, 3)}
        return LoadMeter(
            name,
            levels,
            START_US,
            flow=kind.flow,
            index=kind.index,
            opening=float(self._chance.randrange(1_000, 90_000)),
            gain=1.0 + self._chance.uniform(-0.003, 0.003),
            others=others,
        )

    # -- faults

    def _faults_at_a_node(self, names: list[str]) -> None:
        """One meter of the node errs; the others have nothing, or what costs them no reading."""
        chance = self._chance
        member = chance.randrange(MEMBERS)
        name = names[member]
        if chance.random() < 0.5:
            self._plant("ct_change", name, chance.randrange(30, 80))
        else:
            first = chance.randrange(26, 34)
            share = sum(self.meters[name].levels) / sum(self.meters[names[0]].levels)
            small = chance.random() < SMALL_DRIFTS
            at_end = 0.003 if small else chance.uniform(2.5, 4.0) * 0.010 / share
            days = (self.slots - first) * PERIOD_S / 86_400
            self._plant("drift", name, first, percent_a_day=100.0 * at_end / days)
            if small:
                self.labels[len(self.faults) - 1] = "drift (permissible)"
        for other in names:
            if other != name and not other.startswith("m4") and chance.random() < 0.5:
                self._wire(chance.choice(HARMLESS), other)

    def _faults_of_a_group(self, names: list[str], profiles: tuple[str, ...], *, twins: bool, still: bool) -> None:
        chance = self._chance
        taken: set[str] = set()
        if twins:
            for one, other in ((3, 2), (2, 1), (1, 0)):
                if profiles[one] == profiles[other]:
                    taken = {names[one], names[other]}
                    self.partners.add(names[other])
                    self._plant("identical", names[one], chance.randrange(12, 50), other=names[other])
                    if still:
                        self.labels[len(self.faults) - 1] = "identical (equal loads)"
                    break
        for name, profile in zip(names, profiles, strict=True):
            if name not in taken and chance.random() > UNTOUCHED:
                self._any(name, profile)

    def _any(self, name: str, profile: str) -> None:
        chances = dict(_possible(profile))
        if len(set(self.meters[name].levels)) == 1:
            del chances["replay"]  # a steady load says nothing twice
        kind = self._chance.choices(list(chances), list(chances.values()))[0]
        if KINDS[kind].place == "wire":
            self._wire(kind, name)
        elif KINDS[kind].place == "message":
            first = self._chance.randrange(6, self.slots - 20)
            self._plant(kind, name, first, self._chance.randrange(2, 8))
        else:
            self._value(kind, name, profile)

    def _wire(self, kind: str, name: str) -> None:
        first, long = self._chance.randrange(6, self.slots - 20), self._chance.randrange(2, 8)
        self._plant(kind, name, first, long, self._chance.choice((1, 1, 2)))

    def _value(self, kind: str, name: str, profile: str) -> None:
        chance = self._chance
        first = chance.randrange(6, self.slots - 20)
        if kind == "rollover":
            modulus = site.KINDS[profile].modulus
            assert modulus is not None
            self._plant(kind, name, first, modulus=modulus)
        elif kind == "exchange":
            self._plant(kind, name, first, serial="NEW", index=3.0)
        elif kind == "jitter_back":
            self._plant(kind, name, first, step=self._just_below(name, profile, first))
        elif kind == "range_changed":
            self._plant(kind, name, chance.randrange(6, MIDNIGHT_SLOT - 2), ct_ratio=80.0)
        elif kind == "stuck":
            self._plant(kind, name, first, 10)
        elif kind == "replay":
            lag = chance.randrange(30, 38)
            self._plant(kind, name, chance.randrange(lag + 4, self.slots - 32), lag_s=float(lag * PERIOD_S))
        elif kind == "clock_step":
            seconds = float(chance.choice((3_600, -3_600, 86_400, -86_400)))
            self._plant(kind, name, first, chance.randrange(4, 12), seconds=seconds)
        else:
            self._plant(kind, name, first)

    def _just_below(self, name: str, profile: str, first: int) -> float:
        """The step back that puts the index a resolution and a fifth below what it was a slot before."""
        kind = site.KINDS[profile]
        after_us = PUBLISH_AFTER_US if profile == site.MESSAGE else 0
        at_us = START_US + first * PERIOD_US + after_us
        now, before = (self.meters[name].quantity(kind.index, at) for at in (at_us, at_us - PERIOD_US))
        assert isinstance(now, int)
        assert isinstance(before, int)
        return (now - before) / 1e6 + 1.2 * 10.0**-kind.decimals

    def _plant(self, kind: str, name: str, first: int, slots: int = 1, every: int = 1, **settings: float | str) -> None:
        """A fault from a minute before a slot on, for so many slots; one that is lasting stays."""
        from_us = START_US + first * PERIOD_US - 60 * S
        to_us = FOR_EVER if KINDS[kind].lasting or kind == "identical" else from_us + slots * PERIOD_US
        self.faults.append(Fault(kind=kind, device=name, from_us=from_us, to_us=to_us, every=every, settings=settings))

    # -- happenings

    def _plan_happenings(self) -> None:
        length_s = self.hours * 3_600
        for _ in range(self._chance.randrange(2, 6)):
            kind = self._chance.choice(HAPPENINGS)
            at_s = self._chance.uniform(0.1, 0.85) * length_s
            for_s = self._chance.choice((5.0, 70.0, 1_000.0, 4_000.0))
            if kind in {"taken", "sink"}:
                for_s = max(for_s, 2_000.0)
            where = self._chance.randrange(len(ENDPOINTS) - 1)
            self.happenings.append(Happening(at_s, kind, min(for_s, 60.0) if kind == "stall" else for_s, where))
        if self._chance.random() < LONG_AWAY:
            at_s, for_s = self._chance.uniform(0.1, 0.85) * length_s, self._chance.choice((2_000.0, 4_000.0))
            self.happenings.append(Happening(at_s, "down", for_s, self._chance.randrange(len(ENDPOINTS) - 1)))
        self.happenings.sort(key=lambda each: each.at_s)


def _possible(profile: str) -> Iterator[tuple[str, float]]:
    """The kinds a meter of a profile can have, each weighted so that all kinds come about equally often."""
    kind = site.KINDS[profile]
    pushed = profile == site.MESSAGE
    for name in ("zero", "jitter_back", "reset", "exchange", "stuck"):
        yield name, 1.0 / 20
    yield "replay", 1.0 / 8  # three in five lack the twenty-five timely windows
    if kind.modulus is not None:
        yield "rollover", 1.0 / 16
    if profile == site.FLOAT_METER:
        yield "sentinel", 1.0 / 2
    if kind.electric:
        yield "range_changed", 1.0 / 6
    if pushed:
        yield "clock_step", 1.0 / 4
    for name in MESSAGE if pushed else WIRE:
        yield name, 1.0 / 4 if pushed else 1.0 / 16
