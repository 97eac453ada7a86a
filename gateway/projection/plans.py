"""How to read polls of a configuration entry: the decode plan and what its channels are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.domain.device import ChannelKind
from gateway.ports import Document, ReadPlan
from gateway.registry.writing import split_subject
from gateway.settlement.entered import TicketLayout
from gateway.settlement.store import CounterChannel, CounterGroup

Plans = Callable[[str, Document], ReadPlan]
"""(protocol, plan as journaled) → the plan, from the protocol's driver."""

IDENTITY_MEASURANDS = frozenset({"ct_ratio", "ct_primary", "ct_secondary", "pt_ratio", "pt_primary", "pt_secondary"})
MAX_CACHED = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class GroupReading:
    """One request group of one configuration entry, ready to read its polls."""

    cfg: int
    organisation: str
    device: str
    group: str
    protocol: str
    plan_document: Document | None
    index: Mapping[str, int]
    identity: bool
    texts: tuple[int, ...]  # positions of text channels
    said: tuple[tuple[int, str, int], ...]  # (position, measurand, decimals) of what the device says of itself
    counters: CounterGroup
    ticket: TicketLayout | None

    @property
    def key(self) -> tuple[str, str, str]:
        """(organisation, device, group)."""
        return (self.organisation, self.device, self.group)


def group_readings(seq: int, subject: str, body: Mapping[str, Any]) -> dict[str, GroupReading]:
    """The groups of a device's configuration entry, by id."""
    organisation, _, device = split_subject(subject)
    protocol = str(body["device"]["protocol"])
    found = {}
    for name, group in body["groups"].items():
        channels = group["channels"]
        counters = tuple(
            CounterChannel(
                channel["id"],
                position,
                int(channel["decimals"]),
                None if channel.get("modulus") is None else int(channel["modulus"]),
                bool(channel.get("primary")),
                channel["measurand"],
                channel["unit"],
            )
            for position, channel in enumerate(channels)
            if channel["kind"] == ChannelKind.CUMULATIVE
        )
        texts = tuple(position for position, channel in enumerate(channels) if channel["kind"] == ChannelKind.TEXT)
        said = tuple(
            (position, channel["measurand"], int(channel["decimals"]))
            for position, channel in enumerate(channels)
            if channel["measurand"] in IDENTITY_MEASURANDS
            or (channel["kind"] == ChannelKind.TEXT and group.get("identity"))
        )
        found[name] = GroupReading(
            cfg=seq,
            organisation=organisation,
            device=device,
            group=name,
            protocol=protocol,
            plan_document=_shared_document(group.get("plan")),
            index=_shared_index(tuple(channel["id"] for channel in channels)),
            identity=bool(group.get("identity")),
            texts=texts,
            said=said,
            counters=CounterGroup(organisation, device, name, int(group["period_us"]), seq, _shared_counters(counters)),
            ticket=_ticket_layout(channels),
        )
    return found


class PlanCache:
    """Decode plans by content: meters of one profile share one."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._made: dict[tuple[str, int], tuple[Document, ReadPlan]] = {}

    def of(self, group: GroupReading) -> ReadPlan:
        """The plan that decodes a polled group."""
        document = group.plan_document
        assert document is not None, "a polled group has its plan in the journal"
        key = (group.protocol, id(document))  # the document is kept, so its id stays its own
        found = self._made.get(key)
        if found is None:
            if len(self._made) > MAX_CACHED:
                self._made.clear()
            found = self._made[key] = (document, self._plans(group.protocol, document))
        return found[1]


def _shared_document(plan: Document | None) -> Document | None:
    """Hundreds of meters of one profile have the same plan; one copy of it serves them all."""
    return None if plan is None else _document(json.dumps(plan, sort_keys=True))


@lru_cache(maxsize=1_000)
def _document(text: str) -> Document:
    document: Document = json.loads(text)
    return document


@lru_cache(maxsize=1_000)
def _shared_index(channels: tuple[str, ...]) -> Mapping[str, int]:
    return {channel: position for position, channel in enumerate(channels)}


@lru_cache(maxsize=1_000)
def _shared_counters(counters: tuple[CounterChannel, ...]) -> tuple[CounterChannel, ...]:
    return counters


def _ticket_layout(channels: Sequence[Mapping[str, Any]]) -> TicketLayout | None:
    """Where a weighing ticket's parts stand, when the group brings tickets."""
    place = {str(channel["measurand"]): position for position, channel in enumerate(channels)}
    number, net = place.get("ticket_number"), place.get("ticket_net_mass")
    if number is None or net is None:
        return None
    decimals = {position: int(channel["decimals"]) for position, channel in enumerate(channels)}
    gross, tare = place.get("ticket_gross_mass"), place.get("ticket_tare_mass")
    return TicketLayout(number, net, gross, tare, place.get("vehicle_number"), decimals, str(channels[net]["unit"]))
