"""Filling what is missing, by rule: versioned packs, off unless somebody names one, and always said so.

A pack sees a stretch of windows without a known value and what is known around it, and gives each window a value in
thousandths of the resolution. Where the register says how much the whole stretch took, the values are scaled to it, so
totals never change; only their distribution is estimated.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean, pstdev

from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_HOUR

LINEAR_MOST_US = 2 * US_PER_HOUR
LIKE_DAYS = 4
LIKE_DAYS_SEARCHED = 35
LOOK_BACK_HOURS = 720


class RefusedGapError(Exception):
    """The pack does not fill this gap; the message says why (English text for translation)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive windows without a usable value. ``total`` (thousandths) is what the register says for all of them
    together, None when not known. ``workday`` tells workdays from others, by window start. ``step_us`` is a window's
    length: quarter hours of a register, hours of a stack."""

    first_us: int
    count: int
    total: int | None
    workday: Callable[[int], bool]
    step_us: int = SETTLEMENT_WINDOW_US

    @property
    def windows(self) -> range:
        """Starts of the windows."""
        return range(self.first_us, self.first_us + self.count * self.step_us, self.step_us)

    @property
    def duration_us(self) -> int:
        """Length of the gap."""
        return self.count * self.step_us


@dataclass(frozen=True, slots=True)
class Known:
    """What is known around a gap: window start → measured value, thousandths; ``highest`` the greatest possible one;
    ``running`` the windows in which the plant ran, None where every window counts."""

    values: Mapping[int, int]
    highest: int | None = None
    running: Collection[int] | None = None

    def before(self, at_us: int) -> list[int]:
        """Known values before an instant, oldest first."""
        starts = sorted(self.values)
        return [self.values[start] for start in starts[: bisect_left(starts, at_us)]]


Fill = Callable[[Gap, Known], list[int]]


@dataclass(frozen=True, slots=True)
class Pack:
    """A rule for filling gaps: where it comes from, how sure we are of its text, whether it is a Chinese rule."""

    id: str
    version: str
    law: str
    confidence: str
    chinese: bool
    fill: Fill


def substitute(pack: Pack, gap: Gap, known: Known) -> list[int]:
    """A value for each window of the gap. RefusedGapError when the pack does not apply to it."""
    values = pack.fill(gap, known)
    if gap.total is None:
        return values
    return _scaled(values, gap.total)


def _scaled(values: Sequence[int], total: int) -> list[int]:
    """The values in the same proportion, their sum exactly the total (evenly when they are all zero)."""
    weights = [max(value, 0) for value in values]
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(values), len(values)
    scaled, done, given = [], 0, 0
    for weight in weights:
        done += weight
        upto = round(Fraction(total * done, whole))
        scaled.append(upto - given)
        given = upto
    return scaled


def _linear(gap: Gap, known: Known) -> list[int]:
    if gap.duration_us > LINEAR_MOST_US:
        raise RefusedGapError("the gap is longer than two hours")
    low = known.values.get(gap.first_us - gap.step_us)
    high = known.values.get(gap.first_us + gap.duration_us)
    if low is None or high is None:
        raise RefusedGapError("the windows beside the gap are not measured")
    return [low + round(Fraction((high - low) * step, gap.count + 1)) for step in range(1, gap.count + 1)]


def _like_day(gap: Gap, known: Known) -> list[int]:
    return [_like_window(gap, known, window) for window in gap.windows]


def _like_window(gap: Gap, known: Known, window: int) -> int:
    wanted = gap.workday(window)
    like = []
    for days in range(1, LIKE_DAYS_SEARCHED + 1):
        other = window - days * US_PER_DAY
        if other in known.values and gap.workday(other) == wanted:
            like.append(known.values[other])
            if len(like) == LIKE_DAYS:
                break
    if not like:
        raise RefusedGapError("no measured like day within five weeks")
    return round(Fraction(sum(like), len(like)))


def _mean_two_sigma(gap: Gap, known: Known) -> list[int]:
    values = list(known.values.values())
    if len(values) < 2:
        raise RefusedGapError("too few measured values in the period")
    return [round(fmean(values) + 2 * pstdev(values))] * gap.count


def _part_75(gap: Gap, known: Known) -> list[int]:
    """The look-back counts hours, four quarter hours each where windows are those."""
    history = known.before(gap.first_us)[-LOOK_BACK_HOURS * (US_PER_HOUR // gap.step_us) :]
    low = known.values.get(gap.first_us - gap.step_us)
    high = known.values.get(gap.first_us + gap.duration_us)
    if not history:
        raise RefusedGapError("no measured values before the gap")
    beside = [value for value in (low, high) if value is not None]
    mean = round(fmean(beside)) if beside else history[-1]
    available = availability(gap, known)
    if available >= 95:
        value = mean if gap.duration_us <= 24 * US_PER_HOUR else max(mean, _percentile(history, 90))
    elif available >= 90:
        value = mean if gap.duration_us <= 8 * US_PER_HOUR else max(mean, _percentile(history, 95))
    elif available >= 80:
        value = max(history)
    elif known.highest is None:
        raise RefusedGapError("the greatest possible value must be given for this availability")
    else:
        value = known.highest
    return [value] * gap.count


def availability(gap: Gap, known: Known) -> float:
    """Percent of the windows before a gap that are measured: of the last year's, as far as the record goes back; where
    it is known when the plant ran, of the last 8 760 windows of an hour in which it did.
    """
    if known.running is not None:
        ran = sorted(start for start in known.running if start < gap.first_us)
        ran = ran[-(365 * US_PER_DAY // gap.step_us) :]
        return 100 * sum(1 for start in ran if start in known.values) / len(ran) if ran else 0.0
    starts = sorted(start for start in known.values if gap.first_us - 365 * US_PER_DAY <= start < gap.first_us)
    if not starts:
        return 0.0
    return 100 * len(starts) / ((gap.first_us - starts[0]) // gap.step_us)


def _percentile(values: Sequence[int], percent: int) -> int:
    """The value that ``percent`` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


PACKS: Mapping[str, Pack] = {
    pack.id: pack
    for pack in (
        Pack("linear-2h", "1", "VEE practice for energy intervals: up to two hours linearly", "转载", False, _linear),
        Pack(
            "like-day",
            "1",
            "VEE practice for energy intervals: like days, scaled to the register",
            "转载",
            False,
            _like_day,
        ),
        Pack(
            "eu-mean-2sigma",
            "1",
            "Regulation (EU) 2018/2066 Art. 45(3) and Annex VIII: mean plus two standard deviations",
            "转载",
            False,
            _mean_two_sigma,
        ),
        Pack("us-part-75", "1", "40 CFR 75.33(b): by availability of the monitor", "转载", False, _part_75),
    )
}
