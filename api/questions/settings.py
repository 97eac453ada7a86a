"""What runs here and how it is set up, as recorded."""

from typing import Any

from pydantic import BaseModel

from api.asked import Asked
from gateway.audit.delivery import SinkState, sink_states
from gateway.audit.record import SealState, seal_state
from gateway.journal.folder import software_version
from gateway.registry.schema import SCHEMA_VERSION as REGISTRY_VERSION
from gateway.series.month import SCHEMA_VERSION as SERIES_VERSION
from gateway.settlement.schema import SCHEMA_VERSION as SETTLEMENT_VERSION


class DeviceRow(BaseModel):
    """A device as its newest configuration entry has it."""

    id: str
    endpoint: str
    protocol: str
    profile: str
    groups: list[str]
    hash: str
    entry: int


class ProjectionState(BaseModel):
    """A store built from the journal: its schema's version, and how many entries it does not hold yet (null: counted
    with the others)."""

    store: str
    version: int
    behind: int | None


class Settings(BaseModel):
    """What runs here and how it is set up. ``site`` is the site's configuration entry, which holds no secrets."""

    organisation: str
    site: str
    time_zone: str
    simulated: bool
    software: str
    born_us: int
    folder: str
    journal_bytes: int
    head: int
    seal: SealState
    projections: list[ProjectionState]
    sinks: list[SinkState]
    configuration_entry: int | None
    configuration_hash: str
    configuration: dict[str, Any]
    devices: list[DeviceRow]


def settings_of(asked: Asked) -> Settings:
    """The settings as recorded at the moment asked for."""
    folder, sources, asking = asked.reader.folder, asked.reader.sources, asked.asking
    registry = sources.registry
    sites = registry.configurations(asking.organisation, "site", asking.known_seq)
    site = next((each for each in sites if each.id == folder.site), None)
    head = sources.journal.head()
    own = asking.organisation == folder.organisation
    return Settings(
        organisation=asking.organisation,
        site=folder.site,
        time_zone=folder.time_zone,
        simulated=folder.simulated,
        software=software_version(),
        born_us=folder.born_us,
        folder=str(folder.path) if own else "",
        journal_bytes=folder.journal.stat().st_size,
        head=head,
        seal=seal_state(sources),
        projections=[
            ProjectionState(store="registry", version=REGISTRY_VERSION, behind=max(0, head - registry.applied_seq())),
            ProjectionState(
                store="settlement", version=SETTLEMENT_VERSION, behind=max(0, head - sources.settlement.applied_seq())
            ),
            ProjectionState(store="series", version=SERIES_VERSION, behind=None),
        ],
        sinks=sink_states(folder.state, head) if own else [],
        configuration_entry=site.seq if site else None,
        configuration_hash=str(site.body.get("hash", "")) if site else "",
        configuration=dict(site.body.get("site") or {}) if site else {},
        devices=[
            DeviceRow(
                id=each.id,
                endpoint=str(each.body["device"].get("endpoint", "")),
                protocol=str(each.body["device"].get("protocol", "")),
                profile=str(each.body["device"].get("profile", "")),
                groups=sorted(each.body.get("groups") or {}),
                hash=str(each.body.get("hash", "")),
                entry=each.seq,
            )
            for each in registry.configurations(asking.organisation, "device", asking.known_seq)
        ],
    )
