"""Site file and profiles to domain objects: the one way from what is written to what runs.

All problems of all files are collected before anything is started; each names file, line and column.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from config.catalogues import measurands
from config.loading import FileProblem, KeyPath, LoadedFile
from config.profile import Profile, ProfileChannel, ProfileGroup, load_profile, profile_ids, shipped_profiles
from config.site import DeviceEntry, Endpoint, SiteFile, SiteParts, load_site, sound_parts
from gateway.assembly.file_problems import problem_line
from gateway.assembly.plugins import Driver, drivers, is_listening, is_polling
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.domain.errors import ConfigurationError, Problem
from gateway.domain.time import US_PER_S
from gateway.ports import Document, PayloadDecoder, ReadPlan

IDENTITY_PERIOD_S = 86_400


@dataclass(frozen=True, slots=True)
class AssembledDevice:
    """A device ready to run: its profile document, its read plans (polled), its configuration entry's fields."""

    device: Device
    profile: dict[str, Any]
    plans: dict[str, ReadPlan]
    configuration: Document


Polled = Sequence[tuple[Mapping[str, Any], ReadPlan, int]]
"""Profile document, read plan and period (µs) of every polled group of an endpoint."""


@runtime_checkable
class Timetabling(Protocol):
    """A polling driver that can predict how long its questions occupy the line."""

    def check_schedule(self, connection: Mapping[str, Any], polled: Polled) -> list[Problem]:
        """A schedule the line cannot keep; empty when it can."""
        ...

    def utilisation_permille(self, connection: Mapping[str, Any], polled: Polled) -> int:
        """The share of the line's time that the groups need."""
        ...


@runtime_checkable
class LineNaming(Protocol):
    """A driver that can say which line or session an endpoint occupies; two on the same one disturb each other."""

    def line(self, connection: Mapping[str, Any]) -> str | None:
        """The serial port, host and port, or session; None where nothing is occupied that another could want."""
        ...


def polled_groups(devices: Sequence[AssembledDevice]) -> Polled:
    """Every polled group of an endpoint's devices."""
    return [
        (each.profile, each.plans[group.id], group.period_us)
        for each in devices
        for group in each.device.groups
        if group.id in each.plans
    ]


@dataclass(frozen=True, slots=True)
class AssembledEndpoint:
    """An endpoint with its driver and devices; ``decoder`` for endpoints that listen."""

    id: str
    protocol: str
    connection: dict[str, Any]
    driver: Driver
    devices: tuple[AssembledDevice, ...]
    decoder: PayloadDecoder | None


@dataclass(frozen=True, slots=True)
class AssembledSite:
    """Everything a site file says, resolved. ``configuration`` is the site's own configuration entry."""

    file: SiteFile
    path: Path
    sha256: str
    endpoints: tuple[AssembledEndpoint, ...]
    configuration: Document

    @property
    def devices(self) -> tuple[AssembledDevice, ...]:
        """All devices of all endpoints, in file order."""
        return tuple(device for endpoint in self.endpoints for device in endpoint.devices)

    @property
    def data_folder(self) -> Path:
        """The data folder the file names; relative names stand beside the file."""
        return (self.path.parent / self.file.data).resolve()


def load_assembled_site(path: Path, *, language: str = "en", period_s: int | None = None) -> AssembledSite:
    """The assembled site, or ConfigurationError with every problem in the language.

    ``period_s`` overrides the period of every device and group that follows the site's schedule (back-fill of history).
    """
    assembled, problems = examine_site(path, period_s=period_s)
    if problems or assembled is None:
        raise ConfigurationError([problem_line(problem, language) for problem in problems])
    return assembled


def examine_site(path: Path, *, period_s: int | None = None) -> tuple[AssembledSite | None, list[FileProblem]]:
    """The assembled site (None when unusable) and every problem of the site file and the profiles it names."""
    file, loaded, problems = load_site(path)
    if loaded is None:
        return None, problems
    endpoints = _Examination(sound_parts(loaded), loaded, problems, period_s).endpoints()
    if problems or file is None:
        return None, sorted(problems, key=lambda each: (each.file != str(path), each.file, each.line, each.column))
    document = json.loads(file.model_dump_json(exclude_none=True, exclude={"endpoints", "devices"}))
    document["endpoints"] = [
        {"id": endpoint.id, "protocol": endpoint.protocol, "connection": endpoint.connection} for endpoint in endpoints
    ]
    configuration = _hashed({"site": journal_form(document)})
    return AssembledSite(file, path, loaded.sha256, tuple(endpoints), configuration), []


def journal_form(value: Any) -> Any:  # any YAML value to what an entry may hold
    """Booleans to 0/1 and floats to their shortest text: entries hold integers, strings and null only."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): journal_form(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [journal_form(each) for each in value]
    return value


def _hashed(document: Document) -> Document:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return document | {"hash": hashlib.sha256(canonical).hexdigest()}


class _Examination:
    """One pass over a site file, collecting problems; objects are built only from parts without problems."""

    def __init__(self, parts: SiteParts, loaded: LoadedFile, problems: list[FileProblem], period_s: int | None) -> None:
        self._parts = parts
        self._loaded = loaded
        self._problems = problems
        self._period_s = period_s
        self._folders = [shipped_profiles()]
        if parts.profiles is not None:
            self._folders.insert(0, loaded.path.parent / parts.profiles)
        self._profiles: dict[str, tuple[Profile, LoadedFile] | None] = {}
        self._documents: dict[str, dict[str, Any]] = {}
        self._shared: dict[Channel, Channel] = {}
        self._lines: dict[str, str] = {}
        self._meters: dict[str, str] = {}

    def endpoints(self) -> list[AssembledEndpoint]:
        assembled = []
        for index, endpoint in self._parts.endpoints:
            driver = drivers().get(endpoint.protocol)
            if driver is None:
                facts = {"protocol": endpoint.protocol, "known": ", ".join(sorted(drivers()))}
                message = "no driver speaks '%(protocol)s'; known protocols: %(known)s"
                self._problems.append(self._loaded.problem(("endpoints", index, "protocol"), message, **facts))
                continue
            place: KeyPath = ("endpoints", index, "connection")
            found = driver.check_connection(endpoint.connection)
            self._place(found, self._loaded, place)
            if isinstance(driver, LineNaming) and not found:
                self._one_master(endpoint, driver.line(endpoint.connection), place)
            assembled.append(self._endpoint(place, endpoint, driver))
        for index, entry in self._parts.devices:
            self._profile(index, entry)  # those of an endpoint that could not be looked at name profiles too
        return [endpoint for endpoint in assembled if endpoint is not None]

    def _one_master(self, endpoint: Endpoint, line: str | None, place: KeyPath) -> None:
        """Units of one line belong to one endpoint: it alone owns the line's time."""
        if line is None:
            return
        first = self._lines.setdefault(line, endpoint.id)
        if first != endpoint.id:
            message = "endpoint '%(first)s' is on the same line (%(line)s); put the devices of both on one endpoint"
            self._problems.append(self._loaded.problem(place, message, first=first, line=line))

    def _endpoint(self, place: KeyPath, endpoint: Endpoint, driver: Driver) -> AssembledEndpoint | None:
        devices = [
            self._device(index, entry, endpoint, driver)
            for index, entry in self._parts.devices
            if entry.endpoint == endpoint.id
        ]
        usable = [device for device in devices if device is not None]
        if len(usable) < len(devices) or self._problems:
            return None
        decoder = None
        if is_listening(driver):
            decoder = driver.decoder(endpoint.connection, [(each.device, each.profile) for each in usable])
            documents = decoder.documents()
            usable = [_with_mapping(each, documents[each.device.id]) for each in usable]
        if isinstance(driver, Timetabling):
            self._place(driver.check_schedule(endpoint.connection, polled_groups(usable)), self._loaded, place)
        return AssembledEndpoint(endpoint.id, endpoint.protocol, endpoint.connection, driver, tuple(usable), decoder)

    def _device(self, index: int, entry: DeviceEntry, endpoint: Endpoint, driver: Driver) -> AssembledDevice | None:
        found = self._profile(index, entry)
        if found is None:
            return None
        profile, loaded = found
        document = self._document(profile)
        if profile.protocol != endpoint.protocol:
            facts = {"profile": profile.id, "protocol": profile.protocol, "endpoint": endpoint.id}
            message = "profile '%(profile)s' speaks '%(protocol)s', but endpoint '%(endpoint)s' does not"
            self._problems.append(self._loaded.problem(("devices", index, "profile"), message, **facts))
            return None
        before = len(self._problems)
        for problem in driver.check_device(entry.address, document):
            in_profile = bool(problem.path) and problem.path[0] in {"groups", "options"}
            place: KeyPath = () if in_profile else ("devices", index, "address")
            self._place([problem], loaded if in_profile else self._loaded, place)
        meter = json.dumps([endpoint.id, entry.profile, entry.address], sort_keys=True)
        first = self._meters.setdefault(meter, entry.id)
        if first != entry.id and is_polling(driver):
            message = "device '%(first)s' is the same meter: same endpoint, address and profile"
            self._problems.append(self._loaded.problem(("devices", index, "address"), message, first=first))
        if len(self._problems) > before:
            return None
        groups = tuple(self._group(profile, loaded, entry, group) for group in profile.groups)
        if len(self._problems) > before:
            return None
        device = Device(
            id=entry.id,
            organisation=self._parts.organisation,
            endpoint=endpoint.id,
            protocol=endpoint.protocol,
            profile=profile.id,
            address=entry.address,
            groups=groups,
            pushed=is_listening(driver),
        )
        plans = {}
        if is_polling(driver):
            if self._problems:
                return None  # a plan needs a sound connection block; the problems are already listed
            plans = {group.id: driver.plan(entry.address, document, group, endpoint.connection) for group in groups}
        identities = {group.id for group in profile.groups if group.identity}
        configuration = _configuration(device, loaded.sha256, plans, identities)
        return AssembledDevice(device, document, plans, configuration)

    def _profile(self, index: int, entry: DeviceEntry) -> tuple[Profile, LoadedFile] | None:
        if entry.profile not in self._profiles:
            profile, loaded, problems = load_profile(entry.profile, self._folders)
            self._problems.extend(problems)
            self._profiles[entry.profile] = (profile, loaded) if profile and loaded and not problems else None
            if profile is None and not problems:
                message = "there is no profile '%(profile)s'; `meterproof profile list` names them (%(count)s known)"
                known = {each for folder in self._folders for each in profile_ids(folder)}
                facts = {"profile": entry.profile, "count": str(len(known))}
                self._problems.append(self._loaded.problem(("devices", index, "profile"), message, **facts))
        return self._profiles[entry.profile]

    def _document(self, profile: Profile) -> dict[str, Any]:
        """The profile as its document: one for all its devices, so that a thousand meters do not keep a thousand."""
        if profile.id not in self._documents:
            self._documents[profile.id] = profile.model_dump(mode="json", exclude_none=True)
        return self._documents[profile.id]

    def _group(self, profile: Profile, loaded: LoadedFile, entry: DeviceEntry, group: ProfileGroup) -> RequestGroup:
        default_s = IDENTITY_PERIOD_S if group.identity else (self._period_s or self._parts.period_s)
        own_s = None if group.identity else entry.period_s
        period_s = own_s or group.period_s or default_s
        position = profile.groups.index(group)
        channels = []
        for index, channel in enumerate(group.channels):
            built = _channel(channel)
            if built is None:
                place: KeyPath = ("groups", position, "channels", index, "measurand")
                message = "'%(measurand)s' is not in the measurand catalogue"
                self._problems.append(loaded.problem(place, message, measurand=channel.measurand))
            else:
                channels.append(self._shared.setdefault(built, built))
        ids = [channel.id for channel in group.channels]
        for index, each in enumerate(ids):
            if each in ids[:index]:
                place = ("groups", position, "channels", index, "id")
                self._problems.append(loaded.problem(place, "the id '%(id)s' stands twice", id=each))
        offset_us = (entry.offset_s or 0) * US_PER_S % (period_s * US_PER_S)
        return RequestGroup(id=group.id, channels=tuple(channels), period_us=period_s * US_PER_S, offset_us=offset_us)

    def _place(self, found: list[Problem], loaded: LoadedFile, place: KeyPath) -> None:
        for problem in found:
            self._problems.append(loaded.problem((*place, *problem.path), problem.message, **problem.facts))


def _channel(channel: ProfileChannel) -> Channel | None:
    measurand = measurands().get(channel.measurand)
    if measurand is None:
        return None
    factor = 10**channel.decimals
    minimum = channel.minimum if channel.minimum is not None else measurand.minimum
    maximum = channel.maximum if channel.maximum is not None else measurand.maximum
    return Channel(
        id=channel.id,
        measurand=channel.measurand,
        unit=measurand.unit,
        kind=ChannelKind(measurand.kind),
        decimals=channel.decimals,
        modulus=channel.modulus,
        minimum=None if minimum is None else minimum * factor,
        maximum=None if maximum is None else maximum * factor,
        primary=channel.primary,
    )


def _configuration(device: Device, profile_sha256: str, plans: dict[str, ReadPlan], identities: set[str]) -> Document:
    groups: Document = {}
    for group in device.groups:
        groups[group.id] = {
            "period_us": group.period_us,
            "offset_us": group.offset_us,
            "identity": int(group.id in identities),
            "channels": [_channel_document(channel) for channel in group.channels],
            "plan": plans[group.id].document() if group.id in plans else None,
        }
    return _hashed(
        {
            "device": {
                "id": device.id,
                "endpoint": device.endpoint,
                "protocol": device.protocol,
                "profile": device.profile,
                "profile_sha256": profile_sha256,
                "address": journal_form(dict(device.address)),
                "pushed": int(device.pushed),
            },
            "groups": groups,
        }
    )


@lru_cache(maxsize=10_000)
def _channel_document(channel: Channel) -> Document:
    """The channel as it stands in an entry; equal channels share one, so nobody may change it."""
    return {
        "id": channel.id,
        "measurand": channel.measurand,
        "unit": channel.unit,
        "kind": str(channel.kind),
        "decimals": channel.decimals,
        "modulus": channel.modulus,
        "minimum": channel.minimum,
        "maximum": channel.maximum,
        "primary": int(channel.primary),
    }


def _with_mapping(assembled: AssembledDevice, mapping: Document) -> AssembledDevice:
    document = {key: value for key, value in assembled.configuration.items() if key != "hash"}
    return AssembledDevice(
        assembled.device, assembled.profile, assembled.plans, _hashed(document | {"mapping": mapping})
    )
