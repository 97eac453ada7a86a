"""A line: one request group of one device on its schedule, with the rules that judge it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.acquisition.limits import DeviceLimits
from gateway.acquisition.schedule import SlotGrid
from gateway.domain.device import Device, RequestGroup
from gateway.ports import ReadPlan
from gateway.validation import DeviceIdentity, GroupRules, InstalledInstruments


@dataclass(slots=True, eq=False)
class Line:
    """``next_slot_us``: first slot without an outcome; ``cfg``: seq of the configuration entry in force."""

    device: Device
    group: RequestGroup
    plan: ReadPlan | None
    rules: GroupRules
    identity: DeviceIdentity
    is_identity: bool
    cfg: int
    grid: SlotGrid
    next_slot_us: int | None = None
    serving_us: int | None = None  # the slot that is being served and has no outcome yet
    limits: DeviceLimits | None = None
    cut: tuple[ReadPlan, int] | None = None  # a cut plan and its configuration entry, in force from the next slot
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.index = self.group.index()

    def adopt_cut(self) -> bool:
        """Poll by the cut plan from now on, when there is one."""
        if self.cut is None:
            return False
        (self.plan, self.cfg), self.cut = self.cut, None
        return True

    @property
    def key(self) -> str:
        """``device/group``: names the line in the state file and in the tally."""
        return f"{self.device.id}/{self.group.id}"

    def state(self) -> dict[str, Any]:
        """What has to outlive a restart, JSON-shaped."""
        return {
            "next_slot_us": self.next_slot_us if self.serving_us is None else self.serving_us,
            "rules": self.rules.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state`` wrote."""
        self.next_slot_us = state["next_slot_us"]
        self.rules.restore(state["rules"])


def lines_of(
    device: Device,
    plans: Mapping[str, ReadPlan],
    configuration: Mapping[str, Any],
    *,
    registry: InstalledInstruments,
    cfg: int,
    limits: DeviceLimits | None = None,
) -> list[Line]:
    """The lines of one device; ``configuration`` is its configuration entry's body, ``cfg`` that entry's seq."""
    identity = DeviceIdentity()
    return [
        Line(
            device=device,
            group=group,
            plan=plans.get(group.id),
            rules=GroupRules(device, group, identity, registry),
            identity=identity,
            is_identity=configuration["groups"][group.id]["identity"] == 1,
            cfg=cfg,
            grid=SlotGrid(group.period_us, group.offset_us),
            limits=limits,
        )
        for group in device.groups
    ]
