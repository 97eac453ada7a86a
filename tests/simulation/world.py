"""One seeded world: a site of simulated meters, the real collector, and what befalls them. Same seed, same journal."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from gateway.acquisition import collector as collector_module
from gateway.acquisition.clock_evidence import ClockState
from gateway.assembly import collecting
from gateway.assembly.collecting import Machine, build_collector, open_collection
from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from simulators.described.format import CounterForm, SignalForm, ValueForm, WaveForm
from simulators.described.meter import DescribedMeter
from simulators.faults.fault import KINDS, Fault
from simulators.faults.values import FaultyInstrument
from simulators.faults.wire import WireFaults
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.layout import Layout
from simulators.profiles import shipped_profile
from tests.scenarios.acquisition_world import SeededRandom, WorldClock, run_virtual
from tests.simulation.network import SimulatedServer, SimulatedStreams

S = 1_000_000
PERIOD_S = 900
SLOW_WRITES = 0.15
SERVERS = 4
METERS_A_SERVER = 5
START_US = 1_795_305_600_000_000 - 9 * 3_600 * S  # nine hours before a UTC midnight, when identities are read
FLOAT_METER = "meterproof/electricity-meter-float"
COUNTERS = {
    "meterproof/electricity-meter": ("active_power", "active_energy_import"),
    FLOAT_METER: ("active_power", "active_energy_import"),
    "meterproof/belt-scale": ("belt_flow", "belt_mass"),
    "meterproof/clinker-scale": ("belt_flow", "product_mass"),
}
ELECTRIC = ("meterproof/electricity-meter", FLOAT_METER)
MODULUS = {"meterproof/electricity-meter": 1e6, "meterproof/belt-scale": 1e7, "meterproof/clinker-scale": 1e10}
WIRE = tuple(name for name, kind in KINDS.items() if kind.place == "wire")
VALUES = (
    "zero",
    "jitter_back",
    "rollover",
    "reset",
    "exchange",
    "sentinel",
    "stuck",
    "drift",
    "ct_change",
    "range_changed",
)


class SimulatedDiskError(OSError):
    """The disk is full, or broke."""


@dataclass
class SimulatedDisk:
    """Committer of gateway.ports: stalls, and refuses when the disk is full."""

    chance: random.Random
    stalled_until_s: float = 0.0
    full: bool = False
    commits: int = 0

    async def run(self, work: Callable[[], Any]) -> Any:
        """Do the work when the disk lets us."""
        loop = asyncio.get_running_loop()
        if (wait_s := self.stalled_until_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        if self.chance.random() < SLOW_WRITES:
            await asyncio.sleep(self.chance.uniform(0.0005, 0.2))
        if self.full:
            raise SimulatedDiskError(28, "no space left on the device")
        self.commits += 1
        return work()


@dataclass
class Happening:
    """One thing that befalls the gateway.

    ``crash`` (nothing uncommitted survives), ``stop``, ``full`` and ``stall`` (the disk), ``down`` (a server vanishes),
    ``step`` (the wall clock is set forward).
    """

    at_s: float
    kind: str
    for_s: float
    where: int = 0


@dataclass
class World:
    """The plan of a seed, and afterwards what happened."""

    seed: int
    hours: float
    folder: Path
    servers: list[SimulatedServer] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    instruments: dict[str, FaultyInstrument] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    starts: int = 0
    committed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = WorldClock(START_US)
        self._chance = random.Random(self.seed)
        self.disk = SimulatedDisk(random.Random(self.seed + 1))
        for number in range(SERVERS):
            self._server(number)
        self._plan_happenings()
        self.site = _site()

    def _server(self, number: int) -> None:
        meters = {}
        faults: list[Fault] = []
        for unit in range(1, METERS_A_SERVER + 1):
            device, profile = _device(number, unit), _profile(number, unit)
            honest = DescribedMeter(device, self._values(device, profile), START_US)
            own = list(self._plan_faults(honest, profile))
            faults += own
            shown = FaultyInstrument(device, honest, own)
            self.profiles[device], self.instruments[device] = profile, shown
            meters[unit] = MeterOnTheWire(device, unit, Layout(shipped_profile(profile)), shown)
        self.faults += faults
        chance = random.Random(self.seed * 100 + number)
        self.servers.append(SimulatedServer(f"e{number}", meters, WireFaults(faults), chance, self.clock.utc_us))

    def _values(self, device: str, profile: str) -> dict[str, ValueForm]:
        flow, index = COUNTERS[profile]
        mean = self._chance.uniform(1.0, 40.0)
        wave = WaveForm(mean=mean, amplitude=mean * 0.4, period_s=self._chance.uniform(2_000, 40_000))
        follows = CounterForm(start=self._chance.randrange(1_000, 90_000), follows=flow)
        values: dict[str, ValueForm] = {flow: SignalForm(wave=wave), index: SignalForm(counter=follows)}
        values |= {"serial_number": f"S{device}", "firmware_version": "1.0"}
        if profile in ELECTRIC:
            values |= {"frequency": 50.0, "power_factor": 0.9, "ct_ratio": 60, "pt_ratio": 100, "reactive_power": 1.0}
            values |= {f"voltage_l{phase}": 57.7 for phase in (1, 2, 3)} | {f"current_l{k}": 3.0 for k in (1, 2, 3)}
        return values

    def _plan_faults(self, honest: DescribedMeter, profile: str) -> Iterator[Fault]:
        """None, a wire fault for an hour or two, or one value fault; never two at once."""
        slots = int(self.hours * 3_600 / PERIOD_S)
        draw = self._chance.random()
        first = self._chance.randrange(6, slots - 20)
        from_us = START_US + first * PERIOD_S * S - 60 * S
        if draw < 0.25:
            return
        if draw < 0.6:
            kind = self._chance.choice(WIRE)
            to_us = from_us + self._chance.randrange(2, 8) * PERIOD_S * S
            every = self._chance.choice((1, 1, 2))
            yield Fault(kind=kind, device=honest.name, from_us=from_us, to_us=to_us, every=every)
            return
        kind = self._chance.choice(VALUES)
        yield self._value_fault(kind, honest, profile, from_us)

    def _value_fault(self, kind: str, honest: DescribedMeter, profile: str, from_us: int) -> Fault:
        settings: dict[str, float | str] = {}
        to_us = from_us + PERIOD_S * S
        if kind == "rollover" and profile not in MODULUS:
            kind = "reset"
        if kind == "sentinel" and profile != FLOAT_METER:
            kind = "zero"
        if kind == "range_changed" and profile not in ELECTRIC:
            kind = "exchange"
        if kind == "rollover":
            settings["modulus"] = MODULUS[profile]
        if kind == "exchange":
            settings |= {"serial": "NEW", "index": 3.0}
        if kind == "jitter_back":
            settings["step"] = _just_below(honest, profile, from_us + 60 * S)
        if kind == "range_changed":
            settings["ct_ratio"] = 80.0
        if kind in {"stuck", "drift"}:
            to_us = from_us + 10 * PERIOD_S * S
        return Fault(kind=kind, device=honest.name, from_us=from_us, to_us=to_us, settings=settings)

    def _plan_happenings(self) -> None:
        length_s = self.hours * 3_600
        for _ in range(self._chance.randrange(1, 5)):
            kind = self._chance.choice(("crash", "stop", "full", "stall", "down", "step"))
            at_s = self._chance.uniform(0.1, 0.85) * length_s
            for_s = self._chance.choice((5.0, 70.0, 1_000.0, 4_000.0))
            self.happenings.append(Happening(at_s, kind, min(for_s, 60.0) if kind == "stall" else for_s,
                                             self._chance.randrange(SERVERS)))  # fmt: skip
        self.happenings.sort(key=lambda each: each.at_s)

    def run(self) -> "World":
        """Live through it."""
        with _quiet_machine():
            run_virtual(self._live())
        return self

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        machine = Machine(self.clock, SeededRandom(self.seed), SimulatedStreams(self.servers), self.disk)
        end_s = self.hours * 3_600
        asides = [
            asyncio.create_task(self._aside(each), name="world") for each in self.happenings if each.kind in ASIDE
        ]
        breaks = [each for each in self.happenings if each.kind in BREAKS]
        for each in [*breaks, Happening(end_s, "stop", 0.0)]:
            if loop.time() < each.at_s:
                await self._collect(machine, each, loop)
                await asyncio.sleep(each.for_s)
        for task in asides:
            task.cancel()
        await asyncio.gather(*asides, return_exceptions=True)

    async def _collect(self, machine: Machine, until: Happening, loop: asyncio.AbstractEventLoop) -> None:
        """Run the collector until it is stopped, killed, or the disk is full."""
        self.starts += 1
        with open_collection(self.site, self.folder, self.clock) as collection:
            collector = build_collector(collection, machine)
            running = asyncio.create_task(collector.run())
            await asyncio.wait({running}, timeout=until.at_s - loop.time())
            assert not running.done(), running
            if until.kind == "crash":
                await _killed()
                for server in self.servers:
                    server.cut()
                return
            if until.kind == "full":
                self.disk.full = True
                try:
                    await asyncio.wait_for(running, 3_600)
                except SimulatedDiskError:
                    pass
                else:
                    raise AssertionError("a full disk must end collection loudly")
                self.disk.full = False
                return
            collector.stop()
            await running

    async def _aside(self, happening: Happening) -> None:
        """What happens while the gateway runs on."""
        await asyncio.sleep(happening.at_s)
        if happening.kind == "stall":
            self.disk.stalled_until_s = asyncio.get_running_loop().time() + happening.for_s
        elif happening.kind == "step":
            self.clock.wall_us += int(happening.for_s) * S
        else:
            server = self.servers[happening.where]
            server.down = True
            server.cut()
            await asyncio.sleep(happening.for_s)
            server.down = False


def _just_below(honest: DescribedMeter, profile: str, slot_us: int) -> float:
    """The step back that puts the index a resolution and a half below what it was a slot before."""
    resolution = 0.001 if profile == FLOAT_METER else 0.01
    now, before = (honest.quantity(COUNTERS[profile][1], at_us) for at_us in (slot_us, slot_us - PERIOD_S * S))
    assert isinstance(now, int)
    assert isinstance(before, int)
    return (now - before) / 1e6 + 1.2 * resolution


ASIDE = {"stall", "down", "step"}
BREAKS = {"crash", "stop", "full"}


async def _killed() -> None:
    """Every task of the collector ends where it stands; what was not committed is gone."""
    me = asyncio.current_task()
    victims = [task for task in asyncio.all_tasks() if task is not me and task.get_name() != "world"]
    for task in victims:
        task.cancel()
    await asyncio.gather(*victims, return_exceptions=True)


@contextmanager
def _quiet_machine() -> Iterator[None]:
    """The kernel's clock is not part of the world. Sealing and looking at the ledger less often saves half the time."""
    with (
        patch.object(collecting, "kernel_clock_state", lambda: ClockState(True, 0, "simulated")),
        patch.object(collector_module, "SEAL_S", float(PERIOD_S)),
        patch.object(collector_module, "REFRESH_S", 60.0),
    ):
        yield


@cache
def _site() -> AssembledSite:
    """The site of every world: the same devices, so it is assembled once."""
    endpoints = [
        {
            "id": f"e{number}",
            "protocol": "modbus",
            "connection": {"host": "sim", "port": number + 1, "timeout_ms": 1_000},
        }
        for number in range(SERVERS)
    ]
    devices = [
        {
            "id": _device(number, unit),
            "endpoint": f"e{number}",
            "profile": _profile(number, unit),
            "address": {"unit": unit},
        }
        for number in range(SERVERS)
        for unit in range(1, METERS_A_SERVER + 1)
    ]
    names = {"zh": "模拟世界", "en": "Simulated world"}
    document = {
        "meterproof": 1,
        "organisation": {"id": "o", "name": names},
        "site": {"id": "s", "name": dict(names)},
        "simulated": True,
        "schedule": {"period_s": PERIOD_S},
        "endpoints": endpoints,
        "devices": devices,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
        return load_assembled_site(path)


def _device(number: int, unit: int) -> str:
    return f"m{number}-{unit}"


def _profile(number: int, unit: int) -> str:
    return list(COUNTERS)[(number + unit) % len(COUNTERS)]
