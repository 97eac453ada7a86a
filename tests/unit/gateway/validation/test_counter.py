"""What a fall of a counter means."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.finding import Finding
from gateway.validation.counter import Memory, Step, judge, usual_width

PERIOD = 300_000_000


def run(values: list[int], modulus: int | None = None, exchanged_at: int | None = None) -> list[Finding | None]:
    memory, found = Memory(), []
    for n, value in enumerate(values):
        step = Step("e", value, n * PERIOD, modulus)
        memory, finding = judge(memory, step, exchanged=n == exchanged_at)
        found.append(finding)
    return found


def rules(values: list[int], modulus: int | None = None, exchanged_at: int | None = None) -> list[str]:
    return ["" if each is None else each.rule.removeprefix("counter.") for each in run(values, modulus, exchanged_at)]


def energy(values: list[int], modulus: int | None = None) -> int:
    """What a settlement that trusts the findings would book: an oracle of how findings are to be used."""
    total, last = 0, None
    for value, finding in zip(values, run(values, modulus), strict=True):
        rule = finding.rule if finding else ""
        if rule == "counter.glitch" and finding is not None and "slot" not in finding.facts:
            continue
        if last is not None and rule == "counter.rollover":
            total += value + (modulus or 0) - last
        elif last is not None and rule not in {"counter.reset", "counter.exchange"}:
            total += value - last
        last = value
    return total


def test_steps_up_say_nothing() -> None:
    assert rules([5, 5, 6, 1000]) == ["", "", "", ""]


def test_a_step_back_within_noise_is_jitter_and_does_not_lower_the_level() -> None:
    assert rules([1000, 1001, 1000, 999, 1002]) == ["", "", "jitter", "jitter", ""]
    assert rules([2**30, 2**30 - 200]) == ["", "jitter"], "a float32 of that size moves in steps of 128"


def test_a_momentary_zero_is_a_glitch_however_often_it_shows() -> None:
    assert rules([5000, 5010, 0, 5020]) == ["", "", "glitch", ""]
    assert rules([5000, 5010, 0, 0, 0, 5020]) == ["", "", "glitch", "glitch", "glitch", ""]


def test_a_meter_that_stays_at_zero_was_reset() -> None:
    found = rules([5000, *[0] * 13])
    assert found == ["", *["glitch"] * 11, "reset", ""]


def test_a_fall_is_a_reset_only_once_the_next_reading_goes_on_from_there() -> None:
    assert rules([5000, 100, 105, 110]) == ["", "glitch", "reset", ""]
    reset = run([5000, 100, 105])[2]
    assert reset is not None
    assert reset.facts == {"previous": 5000, "value": 105, "since": PERIOD, "first": 100}


def test_a_stale_low_answer_is_no_energy() -> None:
    values = [5000, 5010, 4000, 5020, 5030]
    assert rules(values) == ["", "", "glitch", "", ""]
    assert energy(values) == 30


def test_a_spike_upwards_is_recognised_when_the_meter_is_back() -> None:
    found = run([5000, 5010, 900_000, 5020])[3]
    assert found is not None
    assert found.rule == "counter.glitch"
    assert found.facts == {"slot": 2 * PERIOD, "previous": 5010, "value": 900_000}


def test_rollover_needs_the_declared_modulus() -> None:
    assert rules([999_990, 5, 10], modulus=1_000_000) == ["", "rollover", ""]
    assert rules([999_990, 5, 10]) == ["", "glitch", "reset"]
    assert run([999_990, 5, 10])[2].facts["width"] == 1_000_000  # type: ignore[union-attr]  # seen above
    assert rules([500_000, 5, 10], modulus=1_000_000) == ["", "glitch", "reset"], "a fall from the middle is none"


def test_rollover_at_a_standstill_is_decided_at_zero() -> None:
    assert rules([999_999, 0, 0, 3], modulus=1_000_000) == ["", "rollover", "", ""]


def test_a_zero_near_the_top_that_goes_back_is_undone() -> None:
    values = [999_980, 999_990, 0, 999_992]
    assert rules(values, modulus=1_000_000) == ["", "", "rollover", "reset"]
    assert energy(values, modulus=1_000_000) == 20


def test_a_level_that_returns_after_a_reset_is_no_energy() -> None:
    values = [5000, 10, 11, 5010, 5020]
    assert rules(values) == ["", "glitch", "reset", "reset", ""]
    assert energy(values) == 10


def test_an_exchange_counts_whichever_way_the_register_stepped() -> None:
    assert rules([5000, 7, 9], exchanged_at=1) == ["", "exchange", ""]
    assert rules([5000, 90_000, 90_001], exchanged_at=1) == ["", "exchange", ""]
    assert rules([5000, 7, 9, 12], exchanged_at=2) == ["", "glitch", "exchange", ""]


def test_usual_widths() -> None:
    assert usual_width(2**32 - 5, 3) == 2**32
    assert usual_width(99_990, 3) == 100_000
    assert usual_width(50_000, 3) is None


steps = st.lists(st.integers(0, 2_000), min_size=3, max_size=60)


@given(start=st.integers(0, 10**12), steps=steps)
def test_growing_counters_never_find_anything(start: int, steps: list[int]) -> None:
    values = [start + sum(steps[:n]) for n in range(len(steps))]
    assert not any(run(values))


@given(start=st.integers(10_000, 10**9), steps=steps, data=st.data())
def test_momentary_zeros_leave_the_energy_as_it_is(start: int, steps: list[int], data: st.DataObject) -> None:
    truth = [start + sum(steps[:n]) for n in range(len(steps))]
    length = data.draw(st.integers(1, min(5, len(truth) - 2)))
    place = data.draw(st.integers(1, len(truth) - 1 - length))
    seen = [*truth[:place], *[0] * length, *truth[place + length :]]
    assert energy(seen) == truth[-1] - truth[0]
    assert {rule for rule in rules(seen) if rule} == {"glitch"}


@given(
    digits=st.integers(5, 12),
    before=st.integers(1, 1_000),
    steps=st.lists(st.integers(1, 1_000), min_size=2, max_size=30),
)
def test_a_rollover_leaves_the_energy_as_it_is(digits: int, before: int, steps: list[int]) -> None:
    modulus = 10**digits
    truth = [modulus - before + sum(steps[:n]) for n in range(len(steps))]
    seen = [value % modulus for value in truth]
    assert energy(seen, modulus) == truth[-1] - truth[0]
    assert [rule for rule in rules(seen, modulus) if rule] == ["rollover"] * (truth[-1] >= modulus)


@given(
    old=st.integers(10**6, 10**9),
    new=st.integers(1, 1_000),
    steps=st.lists(st.integers(1, 1_000), min_size=4, max_size=30),
)
def test_a_reset_books_only_what_the_register_shows(old: int, new: int, steps: list[int]) -> None:
    after = [new + sum(steps[:n]) for n in range(len(steps))]
    assert energy([old, old + 10, *after]) == 10 + after[-1] - after[1]


@given(
    values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40), modulus=st.one_of(st.none(), st.integers(2, 2**63))
)
def test_any_numbers_are_judged_and_energy_stays_within_them(values: list[int], modulus: int | None) -> None:
    memory = Memory()
    for n, value in enumerate(values):
        memory, finding = judge(memory, Step("e", value, n * PERIOD, modulus), exchanged=False)
        assert memory.last is not None
        assert memory.last in values
        if finding is not None:
            assert all(isinstance(fact, int) for fact in finding.facts.values())
            assert Fraction(finding.facts["previous"]) != Fraction(finding.facts["value"])
