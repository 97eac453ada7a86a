"""``reading.frozen``: analogue values of a meter without an index repeat themselves to the last digit.

A running gas analyser or flow computer never shows two of its analogue values unchanged through twelve readings; one
that does is held, in maintenance, or cut off from its cell. Values with fewer than three significant digits say
nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.domain.device import ChannelKind, RequestGroup
from gateway.domain.finding import Finding
from gateway.validation.pack import finding

ANALOGUE = frozenset(
    {
        "co2_concentration",
        "o2_concentration",
        "gas_moisture",
        "gas_temperature",
        "gas_pressure",
        "gas_velocity",
        "temperature",
        "pressure",
        "water_flow",
        "gas_flow_standard",
        "belt_flow",
    }
)
LEAST_READINGS = 12
LEAST_CHANNELS = 2
LEAST_COUNTS = 100


@dataclass(slots=True)
class FrozenWatch:
    """The analogue channels of one group: ``places`` and ids; ``count`` readings in a row were ``last``."""

    places: Sequence[int]
    channels: Sequence[str]
    last: list[int | str | None] = field(default_factory=list)
    since_us: int = 0
    count: int = 0

    def judge(self, values: Sequence[int | str | None], observed_us: int) -> list[Finding]:
        """A finding per channel that stands still, from the twelfth equal reading on; the memory moves on."""
        shown = [values[place] for place in self.places]
        if shown != self.last:
            self.last, self.since_us, self.count = shown, observed_us, 1
            return []
        self.count += 1
        if self.count < LEAST_READINGS:
            return []
        telling = [
            (channel, value)
            for channel, value in zip(self.channels, shown, strict=True)
            if isinstance(value, int) and abs(value) >= LEAST_COUNTS
        ]
        if len(telling) < LEAST_CHANNELS:
            return []
        return [finding("reading.frozen", channel, value=value, since=self.since_us) for channel, value in telling]

    def state(self) -> list[object]:
        """What has to outlive a restart."""
        return [self.last, self.since_us, self.count]

    def restore(self, state: Sequence[object]) -> None:
        """Take up what ``state`` wrote."""
        last, since_us, count = state
        assert isinstance(last, list)
        assert isinstance(since_us, int)
        assert isinstance(count, int)
        self.last, self.since_us, self.count = list(last), since_us, count


def watch_of(group: RequestGroup) -> FrozenWatch | None:
    """The watch of a group without an index and with two analogue channels or more; None for any other."""
    if any(channel.kind is ChannelKind.CUMULATIVE for channel in group.channels):
        return None
    places = [place for place, channel in enumerate(group.channels) if channel.measurand in ANALOGUE]
    if len(places) < LEAST_CHANNELS:
        return None
    return FrozenWatch(places, [group.channels[place].id for place in places])
