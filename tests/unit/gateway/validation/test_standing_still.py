"""An index or an analogue value that stands still although it should move."""

from collections.abc import Sequence

import pytest

from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.validation import DeviceIdentity, GroupRules, NoRegistry

S = 1_000_000
COUNTER, MOMENT = ChannelKind.CUMULATIVE, ChannelKind.INSTANTANEOUS


def rules(*channels: Channel) -> GroupRules:
    group = RequestGroup(id="g", channels=channels)
    device = Device(
        id="d", organisation="o", endpoint="e", protocol="p", profile="x/y", address={}, groups=(group,)
    )  # fmt: skip
    return GroupRules(device, group, DeviceIdentity(), NoRegistry())


def energy(**changed: object) -> Channel:
    facts = {"id": "e", "measurand": "active_energy_import", "unit": "kWh", "kind": COUNTER, "decimals": 2} | changed
    return Channel(**facts)  # type: ignore[arg-type]


POWER = Channel(id="p", measurand="active_power", unit="kW", kind=MOMENT, decimals=1)


def spoken(judge: GroupRules, values: Sequence[tuple[int | None, ...]], period_s: int = 900) -> list[list[str]]:
    return [
        [each.rule for each in judge.judge(row, n * period_s * S, n * period_s * S)] for n, row in enumerate(values)
    ]


def test_an_index_that_stands_under_load_is_stuck_from_the_third_reading() -> None:
    found = spoken(rules(energy(), POWER), [(100, 200), (600, 200), (600, 200), (600, 210), (600, 190), (1_900, 200)])
    assert found == [[], [], [], [], ["counter.stuck"], []]


def test_what_it_should_have_shown_stands_in_the_facts() -> None:
    judge = rules(energy(), POWER)
    found = []
    for n, row in enumerate([(600, 200)] * 4):
        found += judge.judge(row, n * 900 * S, n * 900 * S)
    # 20.0 kW for three quarters of an hour are 15.00 kWh
    assert [each.facts for each in found] == [{"value": 600, "since": 0, "expected": 1_500}]


@pytest.mark.parametrize("power", [0, 9, -200, None])
def test_no_load_is_not_stuck(power: int | None) -> None:
    assert spoken(rules(energy(), POWER), [(600, power)] * 8) == [[]] * 8


def test_an_export_index_follows_negative_power() -> None:
    export = energy(measurand="active_energy_export")
    assert spoken(rules(export, POWER), [(600, 200)] * 6) == [[]] * 6
    assert spoken(rules(export, POWER), [(600, -200)] * 4)[-1] == ["counter.stuck"]


def test_a_float32_index_stands_between_its_steps() -> None:
    # an index of 4e12 hundredths moves in steps of 476 837: at 20 kW that is 238 h a step
    assert spoken(rules(energy(), POWER), [(4_000_000_000_000, 200)] * 8) == [[]] * 8


def test_a_small_load_must_have_had_the_time() -> None:
    # 1.0 kW at 10 s: a hundredth of a kWh takes 36 s, five of them three minutes
    found = spoken(rules(energy(), POWER), [(600, 10)] * 30, period_s=10)
    assert found.index(["counter.stuck"]) == 18


def test_sides_of_the_transformer_are_not_mixed() -> None:
    assert spoken(rules(energy(primary=True), POWER), [(600, 200)] * 8) == [[]] * 8


def test_the_memory_outlives_a_restart() -> None:
    first, second = rules(energy(), POWER), rules(energy(), POWER)
    spoken(first, [(600, 200)] * 3)
    second.restore(first.state())
    assert [each.rule for each in second.judge((600, 200), 2_700 * S, 2_700 * S)] == ["counter.stuck"]


def test_a_state_from_before_the_rule_is_taken_up() -> None:
    judge = rules(energy(), POWER)
    old = {key: value for key, value in judge.state().items() if key not in {"stuck", "frozen"}}
    judge.restore(old)
    assert spoken(judge, [(600, 200)]) == [[]]


GAS = (
    Channel(id="co2", measurand="co2_concentration", unit="%", kind=MOMENT, decimals=2),
    Channel(id="t", measurand="gas_temperature", unit="°C", kind=MOMENT, decimals=1),
    Channel(id="s", measurand="device_status", unit="1", kind=MOMENT),
)


def test_an_analyser_that_repeats_itself_is_frozen_at_the_twelfth_reading() -> None:
    found = spoken(rules(*GAS), [(1_820, 1_040, 0)] * 13 + [(1_821, 1_040, 0)])
    assert found == [[]] * 11 + [["reading.frozen"] * 2] * 2 + [[]]


def test_an_analyser_at_zero_says_nothing() -> None:
    assert spoken(rules(*GAS), [(4, 420, 0)] * 20) == [[]] * 20


def test_frozen_outlives_a_restart() -> None:
    first, second = rules(*GAS), rules(*GAS)
    spoken(first, [(1_820, 1_040, 0)] * 11)
    second.restore(first.state())
    assert len(second.judge((1_820, 1_040, 0), 11 * 900 * S, 11 * 900 * S)) == 2
