"""Which registers are read together: the cheapest cover within the meter's limits, held against every other one."""

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.cost import LineCost, line_cost
from drivers.modbus.narrowing import narrowed
from drivers.modbus.plan import make_plan
from drivers.modbus.planning import Span, cover
from drivers.modbus.plugin import PLUGIN
from drivers.modbus.request import Request
from drivers.modbus.schema import Connection, Options
from gateway.domain.device import RequestGroup
from tests.conformance.modbus.rig import channel, plan_of

NETWORK = {"transport": "tcp", "host": "127.0.0.1"}


def requests(plan: Any) -> list[tuple[int, int, int]]:
    """(function, address, count) of every request."""
    return [(each.function, each.address, each.count) for each in plan.requests]


def two(gap: int) -> dict[str, dict[str, Any]]:
    """Two values with a gap between them."""
    return {"a": {"address": 0, "type": "u16"}, "b": {"address": 1 + gap, "type": "u16"}}


def test_a_network_reads_gaps_up_to_the_limit() -> None:
    assert requests(plan_of(two(100), connection=NETWORK)) == [(3, 0, 102)]
    assert requests(plan_of(two(200), connection=NETWORK)) == [(3, 0, 1), (3, 201, 1)]


@pytest.mark.parametrize(("baud", "merged_up_to"), [(9_600, 18), (19_200, 27)])
def test_the_gap_at_which_merging_pays_is_the_published_one(baud: int, merged_up_to: int) -> None:
    # 13 characters and two silences of 3.5, 20 ms turnaround, 11 bit a character: gap < that time / 2 characters
    serial = {"transport": "rtu", "path": "/dev/null", "baud": baud}
    assert len(requests(plan_of(two(merged_up_to), connection=serial))) == 1
    assert len(requests(plan_of(two(merged_up_to + 2), connection=serial))) == 2


@pytest.mark.parametrize("limit", [16, 40, 100, 125])
def test_the_meters_longest_read_is_respected(limit: int) -> None:
    sources = {f"v{index}": {"address": 2 * index, "type": "f32"} for index in range(200)}
    got = requests(plan_of(sources, options={"max_registers": limit}))
    assert max(count for _, _, count in got) <= limit
    assert sum(count for _, _, count in got) == 400
    assert len(got) == -(-200 // (limit // 2))


def test_the_endpoint_can_be_narrower_than_the_meter() -> None:
    connection = NETWORK | {"max_registers": 10}
    sources = {f"v{index}": {"address": index, "type": "u16"} for index in range(30)}
    assert requests(plan_of(sources, connection=connection)) == [(3, 0, 10), (3, 10, 10), (3, 20, 10)]


def test_meters_behind_other_gateways_share_the_fields_of_their_profile() -> None:
    here = plan_of(two(3), connection=NETWORK)
    there = plan_of(two(3), connection={"transport": "tcp", "host": "192.0.2.7", "port": 1502})
    slow = plan_of(two(3), connection={"transport": "rtu", "path": "/dev/null", "baud": 9_600})
    assert there._decoding is here._decoding
    assert slow._decoding is not here._decoding


def test_gaps_are_not_read_where_the_meter_forbids_it() -> None:
    assert requests(plan_of(two(1), options={"gaps": False})) == [(3, 0, 1), (3, 2, 1)]
    assert requests(plan_of(two(0), options={"gaps": False})) == [(3, 0, 2)]


def test_spaces_are_read_apart_and_bits_share_bytes() -> None:
    sources = {
        "coil": {"address": 3, "type": "bit", "space": "coil"},
        "coil2": {"address": 20, "type": "bit", "space": "coil"},
        "in": {"address": 3, "type": "bit", "space": "discrete"},
        "reg": {"address": 3, "type": "u16", "space": "input"},
        "maker": {"address": 0, "type": "text", "space": "identification"},
        "model": {"address": 2, "type": "text", "space": "identification"},
        "own": {"address": 130, "type": "text", "space": "identification"},
    }
    plan = plan_of(sources)
    assert requests(plan) == [(1, 3, 18), (2, 3, 1), (4, 3, 1), (43, 0, 1), (43, 130, 3)]
    coils = bytes((0b1, 0, 0b10))  # items 3 and 20
    values, _, _ = plan.decode([coils, b"\x00", b"\x00\x07", None, None])
    assert values[:4] == (1, 1, 0, 7)


def test_parts_of_one_register_are_read_once() -> None:
    sources = {
        "low": {"address": 5, "type": "u16", "bit": 0, "width": 8},
        "high": {"address": 5, "type": "u16", "bit": 8, "width": 8},
        "alarm": {"address": 5, "type": "bit", "bit": 15},
    }
    plan = plan_of(sources)
    assert requests(plan) == [(3, 5, 1)]
    assert plan.decode([b"\x81\x02"])[0] == (2, 0x81, 1)


def test_scale_registers_are_read_with_what_they_scale() -> None:
    scale = {"address": 50, "type": "i16", "kind": "power10"}
    sources = {name: {"address": at, "type": "u16", "scale_by": [scale]} for name, at in (("a", 10), ("b", 12))}
    plan = plan_of(sources)
    assert requests(plan) == [(3, 10, 41)]
    assert len(plan.document()["scales"]) == 1
    data = bytearray(82)
    data[0:2], data[4:6], data[80:82] = b"\x00\x05", b"\x00\x06", b"\x00\x02"
    assert plan.decode([bytes(data)])[0] == (500, 600)


def test_the_base_address_shifts_the_whole_map() -> None:
    profile = {"groups": [{"id": "g", "channels": [{"id": "a", "source": {"address": 7, "type": "u16"}}]}]}
    group = RequestGroup(id="g", channels=(channel("a"),))
    plan = PLUGIN.plan({"unit": 4, "base": 1000}, profile, group, NETWORK)
    assert [(each.unit, each.address) for each in plan.requests] == [(4, 1007)]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), min_size=1, max_size=7, unique_by=lambda each: each[0]),
    st.integers(4, 40),
    st.sampled_from([300, 2_000, 30_000]),
)
@settings(max_examples=150, deadline=None)
def test_no_other_cover_is_cheaper(spans: list[tuple[int, int]], limit: int, byte_us: int) -> None:
    wanted = sorted(Span(3, first, first + length) for first, length in spans)
    cost = LineCost(40_000, byte_us / 10)
    chosen = cover(wanted, Options(max_registers=limit), 125, cost)
    assert all(span.end - span.first <= limit for span in chosen)
    assert all(any(each.first <= span.first and span.end <= each.end for each in chosen) for span in wanted)

    def price(cuts: tuple[int, ...]) -> float:
        edges = [0, *cuts, len(wanted)]
        total = 0.0
        for low, high in pairwise(edges):
            items = max(span.end for span in wanted[low:high]) - wanted[low].first
            if items > limit:
                return float("inf")
            total += cost.request_us + 2 * items * cost.byte_us
        return total

    best = min(price(cuts) for size in range(len(wanted)) for cuts in combinations(range(1, len(wanted)), size))
    assert sum(cost.request_us + 2 * (each.end - each.first) * cost.byte_us for each in chosen) == pytest.approx(best)


def test_five_hundred_channels_are_planned_in_no_time() -> None:
    sources = {f"v{index}": {"address": 37 * index % 60_000, "type": "u16"} for index in range(500)}
    plan = plan_of(sources)
    assert sum(each.count for each in plan.requests) >= 500


@given(st.sets(st.integers(0, 119), min_size=1, max_size=20), st.sets(st.integers(0, 119), max_size=6))
@settings(max_examples=150, deadline=None)
def test_cutting_refused_ranges_reads_everything_the_meter_has(held: set[int], absent: set[int]) -> None:
    """A meter that refuses every range touching a register it lacks: in the end only those values are missing."""
    sources = {f"r{address}": {"address": address, "type": "u16"} for address in sorted(held)}
    plan: Any = plan_of(sources)
    for _ in range(200):
        refused = [
            index
            for index, request in enumerate(plan.requests)
            if absent & set(range(request.address, request.address + request.count))
        ]
        smaller = next((each for each in (narrowed(plan, index) for index in refused) if each is not None), None)
        if smaller is None:
            break
        plan = smaller
    raw: list[bytes | None] = []
    for request in plan.requests:
        span = range(request.address, request.address + request.count)
        raw.append(None if absent & set(span) else b"".join(each.to_bytes(2, "big") for each in span))
    values, _, _ = PLUGIN.load_plan(plan.document()).decode(raw)
    assert values == tuple(None if address in absent else address for address in sorted(held))


def test_cutting_coils_keeps_their_bits() -> None:
    sources = {f"c{at}": {"address": at, "type": "bit", "space": "coil"} for at in (3, 4, 40)}
    plan: Any = plan_of(sources)
    smaller = PLUGIN.narrowed(plan, 0)
    assert smaller is not None
    assert requests(smaller) == [(1, 3, 2), (1, 40, 1)]
    assert smaller.decode([b"\x02", b"\x01"])[0] == (0, 1, 1)
    again = PLUGIN.narrowed(smaller, 0)
    assert again is not None
    assert requests(again) == [(1, 3, 1), (1, 4, 1), (1, 40, 1)]
    assert PLUGIN.narrowed(again, 0) is None


def test_cost_of_a_serial_line_is_that_of_its_characters() -> None:
    cost = line_cost(Connection(transport="rtu", path="/dev/null", baud=9_600), turnaround_ms=20)
    # 93 characters of 11 bit at 9600 baud are 106.6 ms, two silences 8.0 ms, turnaround 20 ms
    assert cost.read_us(80) == pytest.approx(134_600, rel=0.01)
    ascii_line = line_cost(Connection(transport="ascii", path="/dev/null", baud=9_600), turnaround_ms=20)
    assert ascii_line.read_us(80) > 1.8 * cost.read_us(80) - 20_000
    assert line_cost(Connection(host="h"), 20).read_us(250) < 3_000


def test_a_measured_turnaround_counts_instead_of_the_profiles() -> None:
    slow = NETWORK | {"turnaround_ms": 120}
    plan = plan_of(two(100), connection=slow)
    assert PLUGIN.predicted_us(slow, {}, plan) == pytest.approx(120_102, rel=0.01)
    serial = {"transport": "rtu", "path": "/dev/null", "baud": 9_600, "turnaround_ms": 50}
    assert len(requests(plan_of(two(31), connection=serial))) == 1
    assert len(requests(plan_of(two(33), connection=serial))) == 2


def test_predicted_time_and_utilisation() -> None:
    connection = {"transport": "rtu", "path": "/dev/null", "baud": 9_600}
    sources = {f"v{index}": {"address": 2 * index, "type": "f32"} for index in range(40)}
    plan = plan_of(sources, connection=connection)
    predicted = PLUGIN.predicted_us(connection, {}, plan)
    assert predicted == pytest.approx(222_000, rel=0.05)
    minute: list[Any] = [({}, plan, 60_000_000)] * 32
    assert PLUGIN.utilisation_permille(connection, minute) == pytest.approx(119, abs=3)
    assert PLUGIN.check_schedule(connection, minute) == []
    second: list[Any] = [({}, plan, 1_000_000)] * 32
    refused = PLUGIN.check_schedule(connection, second)
    assert [each.message % each.facts for each in refused] == [
        "the schedule needs 724 % of this line's time; lengthen periods or split the line"
    ]


def test_a_plan_that_does_not_hold_together_is_refused() -> None:
    good = plan_of(two(1)).document()
    for change in (
        {"v": 2},
        {"protocol": "mqtt"},
        {"requests": []},
        {"requests": [{"unit": 1, "function": 6, "address": 0, "count": 1}]},
        {"requests": [{"unit": 1, "function": 3, "address": 0, "count": 126}]},
        {"requests": [{"unit": 1, "function": 3, "address": 0, "count": 1}] * 201},
        {"fields": [{"channel": "a", "request": 0, "offset": 0, "length": 2, "type": "uint", "scales": [0]}]},
        {"fields": [{"channel": "a", "request": 9, "offset": 0, "length": 2, "type": "uint"}]},
    ):
        with pytest.raises((ValueError, TypeError)):
            PLUGIN.load_plan(good | change)


def test_writing_functions_cannot_even_be_said() -> None:
    for function in (0, 5, 6, 15, 16, 22, 23, 255):
        with pytest.raises(ValueError, match="does not read"):
            Request(1, function, 0, 1)
    assert isinstance(make_plan([Request(1, 3, 0, 1)], []).document(), dict)
