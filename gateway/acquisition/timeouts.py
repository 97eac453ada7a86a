"""How long to wait for an answer: learned from the answers (Jacobson and Karels, RFC 6298).

The time-out is SRTT + 4 * RTTVAR between a floor and a cap. A time-out doubles it until the next answer (Karn), so that
a device slower than first thought is still learned; at the cap it begins again at the short end, so that a dead device
does not cost the longest wait every time. An answer that did not belong to the question is no sample.
"""

INITIAL_S = 1.0
FLOOR_S = 0.5
"""Longer than the first retransmission of a lost TCP segment (200 ms in Linux), which is no silence of the meter."""
CAP_S = 5.0
_GAIN = 1 / 8
_VARIATION_GAIN = 1 / 4


SIBLINGS_MARGIN = 4


class Siblings:
    """The slowest answers on one endpoint: a unit that was never heard is first given a few times as long."""

    __slots__ = ("slowest_s",)

    def __init__(self) -> None:
        self.slowest_s: float | None = None

    def answered(self, srtt_s: float) -> None:
        """A unit's smoothed round trip."""
        if self.slowest_s is None or srtt_s > self.slowest_s:
            self.slowest_s = srtt_s

    @property
    def initial_s(self) -> float:
        """The first time-out of a unit that was never heard."""
        return INITIAL_S if self.slowest_s is None else min(SIBLINGS_MARGIN * self.slowest_s, INITIAL_S)


class AdaptiveTimeout:
    """The estimator of one request to one unit."""

    __slots__ = ("_backoff", "_siblings", "silences", "srtt_s", "variation_s")

    def __init__(self, siblings: Siblings) -> None:
        self._siblings = siblings
        self.srtt_s: float | None = None
        self.variation_s = 0.0
        self.silences = 0  # how often in a row no usable answer came
        self._backoff = 1

    @property
    def timeout_s(self) -> float:
        """Seconds to wait for the next answer."""
        base_s = self._siblings.initial_s if self.srtt_s is None else self.srtt_s + 4 * self.variation_s
        return min(max(base_s, FLOOR_S) * self._backoff, CAP_S)

    def answered(self, rtt_s: float) -> None:
        """An answer came after ``rtt_s``."""
        self.silences = 0
        self._backoff = 1
        if self.srtt_s is None:
            self.srtt_s, self.variation_s = rtt_s, rtt_s / 2
            self._siblings.answered(rtt_s)
            return
        self.variation_s += _VARIATION_GAIN * (abs(self.srtt_s - rtt_s) - self.variation_s)
        self.srtt_s += _GAIN * (rtt_s - self.srtt_s)
        self._siblings.answered(self.srtt_s)

    def timed_out(self) -> None:
        """No answer came in time."""
        self._backoff = self._backoff * 2 if self.timeout_s < CAP_S else 1
