"""Out-of-control windows: from a test that failed until one of the same kind passes, a monitor's hours do not count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.cems.assurance import AccuracyResult, CheckResult, LevelResult, check, linearity, relative_accuracy
from gateway.cems.pack import CemsPack

MAX_TESTS = 100_000
TYPES = ("zero", "span", "linearity", "rata")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTest:
    """A test on record. ``parameter`` is what was tested (``co2``, ``o2``, ``flow``, ``moisture``); ``pairs`` are
    (reference, reading), of a linearity check three a level; ``span`` for zero and span checks; ``seq`` its entry.
    """

    seq: int
    stack: str
    parameter: str
    type: str
    at_us: int
    pairs: tuple[tuple[Fraction, Fraction], ...]
    span: Fraction | None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTest:
    """A test with its result, one of the three; ``passed`` None where the pack says nothing; ``out`` puts the monitor
    out of control.
    """

    test: QualityTest
    passed: bool | None
    out: bool
    check: CheckResult | None = None
    levels: tuple[LevelResult, ...] = ()
    accuracy: AccuracyResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfControl:
    """A window (µs UTC, half open; ``to_us`` None: still). ``opened`` and ``closed`` are entries of the tests."""

    parameter: str
    type: str
    from_us: int
    to_us: int | None
    opened: int
    closed: int | None

    def covers(self, at_us: int) -> bool:
        """Whether an instant lies in it."""
        return self.from_us <= at_us and (self.to_us is None or at_us < self.to_us)

    def touches(self, start_us: int, end_us: int) -> bool:
        """Whether a span has a part in it."""
        return self.from_us < end_us and (self.to_us is None or start_us < self.to_us)


def judged(test: QualityTest, pack: CemsPack) -> JudgedTest:
    """A test by a pack's limits; ValueError where its data do not make such a test."""
    if test.type in {"zero", "span"}:
        if test.span is None or len(test.pairs) != 1:
            raise ValueError("a check has one reading and a span")
        found = check(*test.pairs[0], test.span, pack.check)
        return JudgedTest(test=test, passed=found.passed, out=bool(found.out_of_control), check=found)
    if test.type == "linearity":
        levels = linearity(_levels(test.pairs), pack.linearity)
        passed = None if pack.linearity is None else all(each.passed for each in levels)
        return JudgedTest(test=test, passed=passed, out=passed is False, levels=tuple(levels))
    if test.type == "rata":
        accuracy = relative_accuracy(test.pairs, pack.accuracy, parameter=test.parameter)
        return JudgedTest(test=test, passed=accuracy.passed, out=accuracy.passed is False, accuracy=accuracy)
    raise ValueError(f"no test is a {test.type!r}")


def _levels(pairs: Sequence[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, list[Fraction]]]:
    by_reference: dict[Fraction, list[Fraction]] = {}
    for reference, reading in pairs:
        by_reference.setdefault(reference, []).append(reading)
    return sorted(by_reference.items())


def windows(tests: Iterable[JudgedTest]) -> list[OutOfControl]:
    """Out-of-control windows of one stack, by their beginning. A passing test closes what one of its kind opened."""
    open_: dict[tuple[str, str], JudgedTest] = {}
    found = []
    for each in sorted(tests, key=lambda one: (one.test.at_us, one.test.seq)):
        key = (each.test.parameter, each.test.type)
        if each.out:
            open_.setdefault(key, each)
        elif each.passed is not False and key in open_:
            found.append(_window(open_.pop(key), each))
    found += [_window(each, None) for each in open_.values()]
    return sorted(found, key=lambda one: (one.from_us, one.parameter, one.type))


def _window(opened: JudgedTest, closed: JudgedTest | None) -> OutOfControl:
    return OutOfControl(
        parameter=opened.test.parameter,
        type=opened.test.type,
        from_us=opened.test.at_us,
        to_us=None if closed is None else closed.test.at_us,
        opened=opened.test.seq,
        closed=None if closed is None else closed.test.seq,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Zero and span over the time: newest error in percent of span, and its slope a month by least squares."""

    parameter: str
    type: str
    count: int
    newest: Fraction
    slope_per_month: float | None


def drifts(tests: Iterable[JudgedTest]) -> list[Drift]:
    """The drift record of every parameter's zero and span checks, signed (reading − reference over span)."""
    series: dict[tuple[str, str], list[tuple[int, Fraction]]] = {}
    for each in tests:
        if each.check is not None and each.test.span:
            signed = each.check.difference / each.test.span * 100
            series.setdefault((each.test.parameter, each.test.type), []).append((each.test.at_us, signed))
    found = []
    for (parameter, type_), values in sorted(series.items()):
        values.sort()
        found.append(
            Drift(
                parameter=parameter,
                type=type_,
                count=len(values),
                newest=values[-1][1],
                slope_per_month=_slope(values),
            )
        )
    return found


def _slope(values: Sequence[tuple[int, Fraction]]) -> float | None:
    if len(values) < 3:
        return None
    month_us = 86_400e6 * 365.25 / 12
    times = [(at - values[0][0]) / month_us for at, _ in values]
    middle = sum(times) / len(times)
    spread = sum((each - middle) ** 2 for each in times)
    if not spread:
        return None
    return sum((at - middle) * float(value) for at, (_, value) in zip(times, values, strict=True)) / spread
