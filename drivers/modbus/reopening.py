"""When to connect again, and when a unit may be asked again after it kept silent."""

from gateway.domain.reading import Outcome
from gateway.ports import Answer, Clock, Random

NS_PER_S = 1_000_000_000
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
JITTER = 1.2
MAX_UNITS = 256


def unreachable(clock: Clock, detail: str) -> Answer:
    """The answer when there is no way to the endpoint."""
    now_us = clock.utc_us()
    return Answer(outcome=str(Outcome.UNREACHABLE), sent_us=now_us, received_us=now_us, detail=detail)


class Backoff:
    """Pauses between attempts to connect: 0.5 s, doubling, at most 30 s. Only a good answer sets ``failures`` back."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._not_before_ns = 0
        self.failures = 0

    def failed(self) -> None:
        """An attempt failed, or a stream ended that never brought a good answer."""
        pause_s = min(FIRST_PAUSE_S * 2**self.failures, LONGEST_PAUSE_S)
        self.failures = min(self.failures + 1, 16)
        wait_s = pause_s * self._random.uniform(1.0, JITTER)
        self._not_before_ns = self._clock.monotonic_ns() + int(wait_s * NS_PER_S)

    async def wait(self, at_most_s: float) -> Answer | None:
        """Wait until the next attempt is allowed; when that is longer than the caller would wait, say so at once."""
        remaining_s = (self._not_before_ns - self._clock.monotonic_ns()) / NS_PER_S
        if remaining_s > at_most_s:
            return unreachable(self._clock, f"connecting again in {remaining_s:.1f} s")
        if remaining_s > 0:
            await self._clock.sleep(remaining_s)
        return None


class LateAnswers:
    """Units that kept silent on a stream without transaction ids, and until when their answer may still come."""

    def __init__(self, clock: Clock, worst_answer_s: float) -> None:
        self._clock = clock
        self._worst_ns = int(worst_answer_s * NS_PER_S)
        self._until_ns: dict[int, int] = {}

    def expect(self, unit: int) -> None:
        """The unit was asked just now and did not answer."""
        if len(self._until_ns) < MAX_UNITS:
            self._until_ns[unit] = self._clock.monotonic_ns() + self._worst_ns

    def expected(self, unit: int) -> bool:
        """Whether an answer of this unit was missed, and nothing of it asked since."""
        return unit in self._until_ns

    async def wait(self, unit: int, at_least_s: float = 0.0) -> None:
        """Wait until an old answer of this unit cannot come any more, ``at_least_s`` where one was missed at all."""
        until_ns = self._until_ns.pop(unit, None)
        if until_ns is None:
            return
        remaining_s = max((until_ns - self._clock.monotonic_ns()) / NS_PER_S, at_least_s)
        if remaining_s > 0:
            await self._clock.sleep(remaining_s)
