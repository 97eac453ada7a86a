"""The site file: acquisition only (endpoints, devices, schedule, sinks).

Metering points, instruments, installations and certificates are not here: they enter as dated records by command
(``meterproof ledger import``), because they change while the file stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeGuard, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from config.loading import FileProblem, LoadedFile, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Name, Text

MAX_DEVICES = 5_000
Part = TypeVar("Part", bound=BaseModel)


class Organisation(FileModel):
    """The energy-using unit (用能单位) whose meters these are."""

    id: Identifier
    name: Name
    unified_credit_code: str | None = Field(default=None, min_length=1, max_length=32)


class SiteIdentity(FileModel):
    """The place. Its time zone cuts days and months, and is fixed when the data folder is created."""

    id: Identifier
    name: Name
    time_zone: Text = "Asia/Shanghai"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise PydanticCustomError("unknown_time_zone", "unknown time zone", {"zone": value}) from error
        return value


class Endpoint(FileModel):
    """One way to devices: a serial port, a host and port, a broker. ``connection`` belongs to the protocol's driver."""

    id: Identifier
    protocol: Identifier
    connection: dict[str, Any]


class DeviceEntry(FileModel):
    """One addressed device. ``address`` belongs to the driver; ``profile`` is ``maker/model``."""

    id: Identifier
    endpoint: Identifier
    profile: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*$", max_length=130)
    address: dict[str, Any]
    period_s: int | None = Field(default=None, ge=1, le=86_400)
    offset_s: int | None = Field(default=None, ge=0, le=86_399)


class Schedule(FileModel):
    """The default period of the groups that a profile does not time itself."""

    period_s: int = Field(default=300, ge=1, le=86_400)


class HttpSink(FileModel):
    """What every sink over HTTP needs. Secrets are named, never written: an environment variable or a file."""

    url: str = Field(pattern=r"^https?://", max_length=500)
    username: str | None = Field(default=None, min_length=1, max_length=100)
    password_env: str | None = Field(default=None, min_length=1, max_length=100)
    password_file: str | None = Field(default=None, min_length=1, max_length=500)
    token_env: str | None = Field(default=None, min_length=1, max_length=100)
    token_file: str | None = Field(default=None, min_length=1, max_length=500)
    ca_file: str | None = Field(default=None, min_length=1, max_length=500)
    max_series: int = Field(default=100_000, ge=1)


class InfluxSink(HttpSink):
    """Where readings are also written. Secrets are named, never written: an environment variable or a file."""

    dialect: Literal["auto", "v1", "v2"] = "auto"
    database: str | None = Field(default=None, min_length=1, max_length=100)
    retention_policy: str | None = Field(default=None, min_length=1, max_length=100)
    org: str | None = Field(default=None, min_length=1, max_length=100)
    bucket: str | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.database is None and self.bucket is None:
            raise PydanticCustomError("no_influx_target", "neither database nor bucket")
        return self


class VictoriaSink(HttpSink):
    """A VictoriaMetrics that readings are also sent to, for dashboards: it cannot be asked whether it has them all."""


class SiteFile(FileModel):
    """The whole file. ``simulated: true`` gives birth to a data folder marked simulated for ever."""

    meterproof: Literal[1]
    organisation: Organisation
    site: SiteIdentity
    simulated: bool = False
    data: str = Field(default="data", min_length=1, max_length=500)
    profiles: str | None = Field(default=None, min_length=1, max_length=500)
    schedule: Schedule = Schedule()
    endpoints: list[Endpoint] = Field(min_length=1, max_length=1_000)
    devices: list[DeviceEntry] = Field(min_length=1, max_length=MAX_DEVICES)
    influxdb: InfluxSink | None = None
    victoriametrics: VictoriaSink | None = None


@dataclass(frozen=True, slots=True)
class SiteParts:
    """The parts of a site file that are sound in themselves, each with its index, so that a mistake elsewhere hides
    none of theirs. ``known`` are the ids of all endpoints written, sound or not; None where there is no list of them.
    """

    endpoints: tuple[tuple[int, Endpoint], ...]
    devices: tuple[tuple[int, DeviceEntry], ...]
    known: frozenset[str] | None
    profiles: str | None
    organisation: str
    period_s: int


def load_site(path: Path) -> tuple[SiteFile | None, LoadedFile | None, list[FileProblem]]:
    """The site file, where each part stands, and every problem that the file alone shows."""
    try:
        loaded = load_yaml(path)
    except UnusableFileError as error:
        return None, None, error.problems
    problems: list[FileProblem] = []
    site = validated(loaded, SiteFile, problems)
    problems.extend(_cross_checks(sound_parts(loaded), loaded))
    return (None if problems else site), loaded, problems


def sound_parts(loaded: LoadedFile) -> SiteParts:
    """What can be looked at further, whatever else is wrong with the file."""
    top = loaded.value if isinstance(loaded.value, dict) else {}
    listed = top.get("endpoints")
    known = frozenset(str(each.get("id")) for each in listed if isinstance(each, dict)) if _is_list(listed) else None
    schedule = _sound(Schedule, top.get("schedule")) or Schedule()
    organisation = _sound(Organisation, top.get("organisation"))
    profiles = top.get("profiles")
    return SiteParts(
        endpoints=tuple(_sound_ones(Endpoint, listed)),
        devices=tuple(_sound_ones(DeviceEntry, top.get("devices"))),
        known=known,
        profiles=profiles if isinstance(profiles, str) and profiles else None,
        organisation=organisation.id if organisation else "",
        period_s=schedule.period_s,
    )


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _sound(model: type[Part], value: object) -> Part | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def _sound_ones(model: type[Part], listed: object) -> Iterator[tuple[int, Part]]:
    for index, each in enumerate(listed if _is_list(listed) else ()):
        part = _sound(model, each)
        if part is not None:
            yield index, part


def _cross_checks(parts: SiteParts, loaded: LoadedFile) -> list[FileProblem]:
    problems = [
        *_duplicates(loaded, "endpoints", [(index, endpoint.id) for index, endpoint in parts.endpoints]),
        *_duplicates(loaded, "devices", [(index, device.id) for index, device in parts.devices]),
    ]
    for index, device in parts.devices:
        if parts.known is not None and device.endpoint not in parts.known:
            facts = {"device": device.id, "endpoint": device.endpoint}
            message = "device '%(device)s' names endpoint '%(endpoint)s', which is not in 'endpoints'"
            problems.append(loaded.problem(("devices", index, "endpoint"), message, **facts))
    return problems


def _duplicates(loaded: LoadedFile, section: str, ids: list[tuple[int, str]]) -> list[FileProblem]:
    seen: set[str] = set()
    problems = []
    for index, each in ids:
        if each in seen:
            problems.append(loaded.problem((section, index, "id"), "the id '%(id)s' stands twice", id=each))
        seen.add(each)
    return problems
