"""Clock entries: what the gateway knew about its own clock, once a minute, and every step of it."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.journal.entry import Draft, EncodedDraft
from gateway.ports import Clock

STEP_US = 100_000
"""A change of wall time against monotonic time larger than this within a minute is a step, not a correction of rate."""
NS_PER_US = 1_000


@dataclass(frozen=True, slots=True)
class ClockState:
    """Whether the clock is disciplined, its offset from the reference as the kernel estimates it, and who says so."""

    synchronised: bool | None
    offset_us: int | None
    source: str


class ClockEvidence:
    """Makes the clock entries of one gateway."""

    def __init__(self, subject: str, clock: Clock, state: Callable[[], ClockState]) -> None:
        self._subject = subject
        self._clock = clock
        self._state = state
        self._apart_us = self._wall_minus_monotonic()
        self.last_step_us = 0

    def _wall_minus_monotonic(self) -> int:
        return self._clock.utc_us() - self._clock.monotonic_ns() // NS_PER_US

    def entry(self) -> EncodedDraft:
        """The clock entry of now; ``step_us`` is how far the wall clock was set since the last one, 0 when not."""
        apart_us = self._wall_minus_monotonic()
        step_us = apart_us - self._apart_us
        self._apart_us = apart_us
        self.last_step_us = step_us if abs(step_us) > STEP_US else 0
        state = self._state()
        body = {
            "synchronised": None if state.synchronised is None else int(state.synchronised),
            "offset_us": state.offset_us,
            "step_us": self.last_step_us,
            "source": state.source,
        }
        return Draft("clock", self._subject, self._clock.utc_us(), body).encode()
