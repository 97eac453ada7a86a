"""How to read polls of a configuration entry: the decode plan and what its channels are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
            plan_document=group.get("plan"),
            index={channel["id"]: position for position, channel in enumerate(channels)},
            identity=bool(group.get("identity")),
            texts=texts,
            said=said,
            counters=CounterGroup(organisation, device, name, int(group["period_us"]), seq, counters),
            ticket=_ticket_layout(channels),
        )
    return found


def _ticket_layout(channels: Sequence[Mapping[str, Any]]) -> TicketLayout | None:
    """Where a weighing ticket's parts stand, when the group brings tickets."""
    place = {str(channel["measurand"]): position for position, channel in enumerate(channels)}
    number, net = place.get("ticket_number"), place.get("ticket_net_mass")
    if number is None or net is None:
        return None
    decimals = {position: int(channel["decimals"]) for position, channel in enumerate(channels)}
    gross, tare = place.get("ticket_gross_mass"), place.get("ticket_tare_mass")
    return TicketLayout(number, net, gross, tare, place.get("vehicle_number"), decimals, str(channels[net]["unit"]))
