"""What a site file addresses, and what it can be asked for.

A *device* is an endpoint, an address and a profile under a stable id that is never reused. Which instrument hangs there
and which metering point it serves is the business of installations, which change over the years.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.time import US_PER_S


class ChannelKind(StrEnum):
    """How a channel's value behaves in time."""

    CUMULATIVE = "cumulative"  # an index that only grows, until its register rolls over
    INSTANTANEOUS = "instantaneous"
    TEXT = "text"  # serial numbers, firmware versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One measurand of one device.

    Values are scaled integers: value = integer * 10**-decimals in ``unit``, meter side (before CT/PT ratios).
    """

    id: str
    measurand: str
    unit: str
    kind: ChannelKind
    decimals: int = 0
    modulus: int | None = None  # the register rolls over to 0 after modulus - 1, in scaled integers; None: not declared
    minimum: int | None = None  # physical range, inclusive, in scaled integers
    maximum: int | None = None
    primary: bool = False  # True: the meter already multiplies by its CT/PT ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestGroup:
    """Channels of a device that are read together on one schedule; a slot is (device, group, slot time)."""

    id: str
    channels: tuple[Channel, ...]
    period_us: int = 300 * US_PER_S
    offset_us: int = 0

    def index(self) -> Mapping[str, int]:
        """Position of each channel id in a block's values."""
        return {channel.id: position for position, channel in enumerate(self.channels)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as acquisition sees it. ``address`` and ``endpoint`` mean something to its driver only."""

    id: str
    organisation: str
    endpoint: str
    protocol: str
    profile: str
    address: Mapping[str, object]
    groups: tuple[RequestGroup, ...]
    pushed: bool = False  # True: it sends by itself (MQTT) and a slot is ok when a sample falls into it

    @property
    def subject(self) -> str:
        """The journal subject of this device."""
        return f"{self.organisation}/device/{self.id}"

    def group(self, group_id: str) -> RequestGroup:
        """The group of that id; KeyError when the device has none."""
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)
