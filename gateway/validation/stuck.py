"""``counter.stuck``: an index stands although the meter itself shows the flow that should move it.

A meter without load is not stuck. A finding needs three readings in a row with the same index and a flow in its
direction of at least ten counts each, and a span in which the smallest of these flows would have moved the index by
five steps; the step of a float32 index is that of its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.device import ChannelKind, RequestGroup
from gateway.domain.finding import Finding
from gateway.validation.counter import FLOAT32_MANTISSA_BITS
from gateway.validation.pack import finding

LEAST_READINGS = 3
LEAST_FLOW_COUNTS = 10
"""Below it the load may be under the meter's starting current, where no energy is registered."""
LEAST_STEPS = 5
US_PER_HOUR = 3_600_000_000

FLOW_OF = {
    "active_energy_import": ("active_power", 1),
    "active_energy_export": ("active_power", -1),
    "reactive_energy_import": ("reactive_power", 1),
    "reactive_energy_export": ("reactive_power", -1),
    "apparent_energy_total": ("apparent_power", 1),
    "active_energy_import_l1": ("active_power_l1", 1),
    "active_energy_import_l2": ("active_power_l2", 1),
    "active_energy_import_l3": ("active_power_l3", 1),
    "water_volume": ("water_flow", 1),
    "gas_volume_standard": ("gas_flow_standard", 1),
    "belt_mass": ("belt_flow", 1),
    "product_mass": ("belt_flow", 1),
}
"""Cumulative measurand: the flow per hour that moves it, and the sign that flow then has."""


@dataclass(slots=True)
class StuckWatch:
    """One index beside its flow. ``position`` and ``flow`` are places in the group's values.

    ``value`` is the index since ``since_us``; ``count`` readings with flow came since then, the smallest ``least``.
    """

    channel: str
    position: int
    flow: int
    sign: int
    steps_per_count_hour: float
    value: int | None = None
    since_us: int = 0
    least: int = 0
    count: int = 0

    def judge(self, values: Sequence[int | str | None], observed_us: int) -> Finding | None:
        """The finding of one reading; the memory moves on."""
        value = values[self.position]
        if value is None or value != self.value:
            self.value = value if isinstance(value, int) else None
            self.since_us, self.count = observed_us, 0
            return None
        flow = values[self.flow]
        moving = flow * self.sign if isinstance(flow, int) else 0
        if moving < LEAST_FLOW_COUNTS:
            self.since_us, self.count = observed_us, 0
            return None
        self.least = min(self.least, moving) if self.count else moving
        self.count += 1
        if self.count < LEAST_READINGS:
            return None
        expected = self.least * self.steps_per_count_hour * (observed_us - self.since_us) / US_PER_HOUR
        if expected < LEAST_STEPS * max(1, abs(self.value) >> FLOAT32_MANTISSA_BITS):
            return None
        facts = {"value": self.value, "since": self.since_us, "expected": int(expected)}
        return finding("counter.stuck", self.channel, **facts)

    def state(self) -> list[int | None]:
        """What has to outlive a restart."""
        return [self.value, self.since_us, self.least, self.count]

    def restore(self, state: Sequence[int | None]) -> None:
        """Take up what ``state`` wrote."""
        self.value = state[0]
        self.since_us, self.least, self.count = (each or 0 for each in state[1:])


def watches(group: RequestGroup) -> list[StuckWatch]:
    """A watch for each index whose flow is read in the same group and on the same side of the transformers."""
    places = {channel.measurand: place for place, channel in enumerate(group.channels)}
    found = []
    for place, channel in enumerate(group.channels):
        measurand, sign = FLOW_OF.get(channel.measurand, ("", 0))
        at = places.get(measurand)
        if at is None or channel.kind is not ChannelKind.CUMULATIVE or channel.primary != group.channels[at].primary:
            continue
        scale = 10.0 ** (channel.decimals - group.channels[at].decimals)
        found.append(StuckWatch(channel.id, place, at, sign, scale))
    return found
