"""How long to wait for an answer: learned from the answers (Jacobson and Karels, RFC 6298).

The time-out is SRTT + 4 * RTTVAR between a floor and a cap. A time-out doubles it until the next answer (Karn), so that
a device slower than first thought is still learned; an answer that did not belong to the question is no sample.
"""

INITIAL_S = 1.0
FLOOR_S = 0.2
CAP_S = 5.0
_GAIN = 1 / 8
_VARIATION_GAIN = 1 / 4


class AdaptiveTimeout:
    """The estimator of one kind of request to one unit."""

    __slots__ = ("_backoff", "_cap_s", "_floor_s", "_initial_s", "srtt_s", "variation_s")

    def __init__(self, initial_s: float = INITIAL_S, floor_s: float = FLOOR_S, cap_s: float = CAP_S) -> None:
        self._initial_s = initial_s
        self._floor_s = floor_s
        self._cap_s = cap_s
        self.srtt_s: float | None = None
        self.variation_s = 0.0
        self._backoff = 1

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for the next answer."""
        base_s = self._initial_s if self.srtt_s is None else self.srtt_s + 4 * self.variation_s
        return min(max(base_s, self._floor_s) * self._backoff, self._cap_s)

    def answered(self, rtt_s: float) -> None:
        """An answer came after ``rtt_s``."""
        self._backoff = 1
        if self.srtt_s is None:
            self.srtt_s, self.variation_s = rtt_s, rtt_s / 2
            return
        self.variation_s += _VARIATION_GAIN * (abs(self.srtt_s - rtt_s) - self.variation_s)
        self.srtt_s += _GAIN * (rtt_s - self.srtt_s)

    def timed_out(self) -> None:
        """No answer came in time."""
        if self.timeout_s < self._cap_s:
            self._backoff *= 2
