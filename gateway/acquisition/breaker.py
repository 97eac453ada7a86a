"""Keeping dead units from costing healthy ones their time: a circuit breaker a unit, a time budget a bus."""

from gateway.ports import Random

NS_PER_S = 1_000_000_000
FAILURES_TO_OPEN = 3
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
ENDPOINT_FIRST_PAUSE_S = 1.0
ENDPOINT_LONGEST_PAUSE_S = 30.0
GOOD_TURNS_TO_TRUST = 3
JITTER = 0.1
BUDGET_SHARE = 0.05
BUDGET_SAVED_FOR_S = 60.0
DEEPEST_DEBT = 10


class Breaker:
    """Closed: asked as scheduled. Open: not asked until a pause is over, then one probe; the pause doubles each time.

    The pause is forgotten only after several good turns in a row: a unit that answers once and dies again goes on
    where it was, with one failure, not three.
    """

    __slots__ = ("_failures", "_good", "_longest_s", "_pause_s", "_random", "_shortest_s", "open_until_ns")

    def __init__(self, random: Random, shortest_s: float = FIRST_PAUSE_S, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._random = random
        self._shortest_s = shortest_s
        self._longest_s = longest_s
        self._pause_s = 0.0
        self._failures = 0
        self._good = 0
        self.open_until_ns: int | None = None

    @property
    def suspicious(self) -> bool:
        """Whether the last turn failed."""
        return self._failures > 0

    def closed(self) -> bool:
        """Whether the unit is asked as scheduled."""
        return self.open_until_ns is None

    def may_ask(self, now_ns: int) -> bool:
        """Closed, or open with its pause over, so that a probe is due."""
        return self.open_until_ns is None or now_ns >= self.open_until_ns

    def good(self) -> None:
        """The unit answered."""
        self.open_until_ns = None
        self._failures = 0
        self._good += 1
        if self._good >= GOOD_TURNS_TO_TRUST:
            self._pause_s = 0.0

    def failed(self, now_ns: int) -> None:
        """The unit did not answer."""
        self._failures += 1
        self._good = 0
        if self._pause_s == 0.0 and self._failures < FAILURES_TO_OPEN:
            return
        self._pause_s = min(max(self._pause_s * 2, self._shortest_s), self._longest_s)
        jittered_s = self._pause_s * self._random.uniform(1 - JITTER, 1 + JITTER)
        self.open_until_ns = now_ns + int(jittered_s * NS_PER_S)


class TimeBudget:
    """What units that do not answer may cost: a share of the time, saved up to a limit, never paid in advance.

    Every second spent waiting in vain is charged. Probes and second attempts wait until the account is not overdrawn,
    so dead units together cost at most the share, plus one time-out.
    """

    __slots__ = ("_balance_ns", "_limit_ns", "_share", "_since_ns", "charged_ns")

    def __init__(self, now_ns: int, share: float = BUDGET_SHARE, saved_for_s: float = BUDGET_SAVED_FOR_S) -> None:
        self._share = share
        self._limit_ns = int(share * saved_for_s * NS_PER_S)
        self._balance_ns = 0
        self._since_ns = now_ns
        self.charged_ns = 0

    def available(self, now_ns: int) -> bool:
        """Whether something may be spent now."""
        self._accrue(now_ns)
        return self._balance_ns >= 0

    def charge(self, spent_ns: int, now_ns: int) -> None:
        """Book time that was spent in vain."""
        self._accrue(now_ns)
        self._balance_ns = max(self._balance_ns - spent_ns, -DEEPEST_DEBT * self._limit_ns)
        self.charged_ns += spent_ns

    def _accrue(self, now_ns: int) -> None:
        earned = int((now_ns - self._since_ns) * self._share)
        self._balance_ns = min(self._balance_ns + earned, self._limit_ns)
        self._since_ns = now_ns
