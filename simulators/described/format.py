"""The plant file: what ``meterproof simulate`` serves. ``docs/simulate.md`` describes it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.loading import FileProblem, LoadedFile, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Text
from simulators.faults.fault import KINDS

Number = Annotated[int | float, Field(ge=-1e15, le=1e15)]
Seconds = Annotated[int | float, Field(gt=0, le=1e9)]
Port = Annotated[int, Field(ge=0, le=65_535)]
MAX_DEVICES = 2_000


class RampForm(FileModel):
    """``ramp: {from, to, over_s, again}``."""

    start: Number = Field(alias="from")
    to: Number
    over_s: Seconds
    again: bool = False


class WaveForm(FileModel):
    """``wave: {mean, amplitude, period_s, phase_s}``."""

    mean: Number
    amplitude: Number
    period_s: Seconds
    phase_s: Number = 0


class StepsForm(FileModel):
    """``steps: {levels, each_s}``."""

    levels: list[Number] = Field(min_length=1, max_length=1_000)
    each_s: Seconds


class CounterForm(FileModel):
    """``counter``: an index that grows with another measurand. ``per`` is the time unit of what it follows."""

    start: Number = 0
    follows: Identifier
    per: Literal["hour", "second"] = "hour"


class SignalForm(FileModel):
    """One value that moves; exactly one of its keys. ``works`` names a flow of the physical model."""

    ramp: RampForm | None = None
    wave: WaveForm | None = None
    steps: StepsForm | None = None
    counter: CounterForm | None = None
    works: Identifier | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.ramp, self.wave, self.steps, self.counter, self.works)) != 1:
            raise ValueError("name one of ramp, wave, steps, counter, works")
        return self


ValueForm = Number | Text | SignalForm
"""A constant, a text, or a value that moves."""


class FaultForm(FileModel):
    """One fault: its kind, when (seconds since the start), how often, and its settings."""

    kind: Identifier
    from_s: Annotated[int | float, Field(ge=0, le=1e9)] = 0
    to_s: Seconds | None = None
    every: int = Field(default=1, ge=1, le=1_000_000)
    settings: dict[str, Number | Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is named {self.kind!r}; known: {', '.join(KINDS)}")
        unknown = set(self.settings) - set(KINDS[self.kind].parameters)
        if unknown:
            raise ValueError(f"fault {self.kind!r} has no setting {', '.join(sorted(unknown))}")
        if self.to_s is not None and self.to_s <= self.from_s:
            raise ValueError(f"fault {self.kind!r} ends before it begins")
        return self


class InstrumentForm(FileModel):
    """How a meter measures: its error, how it drifts, and how its clock goes."""

    error_percent: Annotated[int | float, Field(gt=-100, le=1_000)] = 0
    drift_percent_a_year: Annotated[int | float, Field(ge=-1_000, le=1_000)] = 0
    clock_ppm: Annotated[int | float, Field(ge=-1e5, le=1e5)] = 0
    clock_offset_s: Number = 0


class DeviceForm(FileModel):
    """One meter. ``unit`` for Modbus, ``topic`` and ``meter`` for MQTT; ``values`` by measurand."""

    id: Identifier
    profile: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*$", max_length=130)
    unit: int | None = Field(default=None, ge=0, le=255)
    base: int = Field(default=0, ge=0, le=65_535)
    topic: Text | None = None
    meter: Text | None = None
    values: dict[str, ValueForm] = Field(default_factory=dict)
    instrument: InstrumentForm = Field(default_factory=InstrumentForm)
    faults: list[FaultForm] = Field(default_factory=list, max_length=100)


class ServerForm(FileModel):
    """One Modbus endpoint. ``tcp`` and ``rtu_over_tcp``: port 0 takes any free one. ``rtu``: a serial line at ``path``,
    a pseudo terminal unless a serial port is there."""

    id: Identifier
    transport: Literal["tcp", "rtu_over_tcp", "rtu"] = "tcp"
    path: str | None = Field(default=None, min_length=1, max_length=500)
    baud: Literal[1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200] = 9_600
    host: Text = "127.0.0.1"
    port: Port = 0
    turnaround_ms: int = Field(default=0, ge=0, le=10_000)
    connections: int = Field(default=64, ge=1, le=64)
    devices: list[DeviceForm] = Field(min_length=1, max_length=MAX_DEVICES)

    @model_validator(mode="after")
    def _line(self) -> Self:
        if (self.transport == "rtu") != (self.path is not None):
            raise ValueError("transport 'rtu' and 'path' go together")
        return self


class BrokerForm(FileModel):
    """Where meters push to; ``embedded`` starts a broker there."""

    id: Identifier
    host: Text = "127.0.0.1"
    port: Port = 0
    embedded: bool = True
    period_s: Seconds = 5
    devices: list[DeviceForm] = Field(min_length=1, max_length=MAX_DEVICES)


class PlantFile(FileModel):
    """The whole file."""

    simulation: Literal[1]
    profiles: str | None = Field(default=None, min_length=1, max_length=500)
    truth_every_s: Seconds = 5
    seed: int = Field(default=1, ge=0, le=2**32)
    servers: list[ServerForm] = Field(default_factory=list, max_length=200)
    brokers: list[BrokerForm] = Field(default_factory=list, max_length=20)

    @property
    def devices(self) -> list[DeviceForm]:
        """All devices, in file order."""
        return [device for _, _, place in self.places for device in place.devices]

    @property
    def places(self) -> list[tuple[str, int, ServerForm | BrokerForm]]:
        """Servers and brokers with the key and the number under which they stand in the file."""
        servers: list[tuple[str, int, ServerForm | BrokerForm]] = [
            ("servers", number, server) for number, server in enumerate(self.servers)
        ]
        return servers + [("brokers", number, broker) for number, broker in enumerate(self.brokers)]


def load_plant(path: Path) -> tuple[PlantFile | None, list[FileProblem]]:
    """The plant file and every problem in it; None where it cannot be used."""
    try:
        loaded = load_yaml(path)
    except UnusableFileError as error:
        return None, error.problems
    problems: list[FileProblem] = []
    plant = validated(loaded, PlantFile, problems)
    if plant is not None:
        problems += _cross_checks(plant, loaded)
    return (None if problems else plant), problems


def _cross_checks(plant: PlantFile, loaded: LoadedFile) -> list[FileProblem]:
    problems = []
    seen: set[str] = set()
    for section, number, place in plant.places:
        for index, device in enumerate(place.devices):
            at = (section, number, "devices", index)
            if device.id in seen:
                problems.append(loaded.problem((*at, "id"), "the id '%(id)s' stands twice", id=device.id))
            seen.add(device.id)
            wanted = "unit" if section == "servers" else "topic"
            if getattr(device, wanted) is None:
                problems.append(loaded.problem(at, "'%(key)s' is missing", key=wanted))
    if not plant.devices:
        problems.append(loaded.problem((), "the plant has no devices"))
    return problems
