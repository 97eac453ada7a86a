"""Two decoders that share no code give the same values from any plan and any bytes: the driver's and the verifier's."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.profile import load_profile, profile_ids, shipped_profiles
from drivers.modbus.plan import load_plan
from drivers.modbus.plugin import PLUGIN
from gateway.domain.device import Channel, ChannelKind, RequestGroup
from gateway.verifier.decode import PlanError, decoder
from tests.campaign import share

LENGTHS = {"uint": range(1, 9), "int": range(1, 9), "magnitude": range(1, 9), "float": (4, 8), "bcd": range(1, 9)}
LENGTHS |= {"mod10k": (2, 4, 6, 8), "text": range(1, 17)}
TIMES = {1: 6, 2: 12, 3: 6, 4: 4, 5: 8, 6: 12}
MODBUS = [each for each in profile_ids(shipped_profiles()) if not each.startswith("meterproof-mqtt/")]


def order(draw: st.DrawFn, length: int) -> str:
    count = draw(st.sampled_from([each for each in range(1, min(length, 8) + 1) if length % each == 0]))
    return "".join(draw(st.permutations("ABCDEFGH"[:count])))


@st.composite
def fields(draw: st.DrawFn, number: int, scales: int) -> dict[str, Any]:
    kind = draw(st.sampled_from([*LENGTHS, "time", "object"]))
    field: dict[str, Any] = {"channel": f"c{number}", "request": draw(st.sampled_from([0, 1])), "type": kind}
    if kind == "object":
        return field | {"request": 2, "offset": draw(st.integers(0, 3)), "length": 0, "format": "text"}
    layout = draw(st.sampled_from(sorted(TIMES)))
    length = TIMES[layout] if kind == "time" else draw(st.sampled_from(sorted(LENGTHS[kind])))
    field |= {"offset": draw(st.integers(0, 20 - length)), "length": length, "order": order(draw, length)}
    if kind in {"time", "text"}:
        return field | {"format": "text"} | ({"shift": layout} if kind == "time" else {})
    if kind in {"uint", "int"}:
        shift = draw(st.integers(0, 8 * length - 1))
        field |= {"shift": shift, "width": draw(st.integers(1, 8 * length - shift))}
    if kind in {"uint", "bcd"}:
        field["format"] = draw(st.sampled_from(["number", "decimal", "digits", "hex"]))
    field["sentinels"] = draw(st.lists(st.sampled_from(["ff" * length, "00" * length]), max_size=1))
    if field.get("format", "number") == "number":
        field |= {
            "subtract": draw(st.sampled_from([0, 0, 7, -3])),
            "numerator": draw(st.sampled_from([1, 10, 7, -1])),
            "denominator": draw(st.sampled_from([1, 3, 1000])),
            "decimals": draw(st.integers(0, 9)),
            "scales": draw(st.lists(st.integers(0, scales - 1), max_size=2, unique=True)) if scales else [],
            "coarse": draw(st.sampled_from([None, 1])) if kind == "float" and length == 4 else None,
        }
    return field


@st.composite
def scales(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["power10", "multiply", "divide"]))
    length = 2 if kind == "power10" else 4
    type_ = draw(st.sampled_from(["uint", "int"] if kind == "power10" else ["uint", "int", "float"]))
    limits = {"minimum": -10, "maximum": 10} if kind == "power10" else {"minimum": None, "maximum": None}
    place = {"request": draw(st.sampled_from([0, 1])), "offset": draw(st.integers(0, 16)), "length": length}
    return place | limits | {"type": type_, "order": order(draw, length), "kind": kind}


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    factors = draw(st.lists(scales(), max_size=2))
    count = draw(st.integers(1, 4))
    return {
        "v": 1,
        "protocol": "modbus",
        "requests": [
            {"unit": 1, "function": 3, "address": 0, "count": 10},
            {"unit": 1, "function": 4, "address": 0, "count": 10},
            {"unit": 1, "function": 43, "address": 0, "count": 1},
        ],
        "scales": factors,
        "fields": [draw(fields(number, len(factors))) for number in range(count)],
    }


register = st.one_of(
    st.binary(min_size=20, max_size=20),
    st.lists(st.integers(0, 99), min_size=20, max_size=20).map(lambda each: bytes(int(str(n), 16) for n in each)),
    st.lists(st.integers(0, 12), min_size=20, max_size=20).map(bytes),
    st.binary(max_size=20),
    st.none(),
)
identification = st.one_of(
    st.none(),
    st.binary(max_size=30),
    st.lists(st.binary(max_size=5), max_size=4).map(
        lambda objects: (
            bytes([1, 1, 0, 0, len(objects)])
            + b"".join(bytes([at, len(each)]) + each for at, each in enumerate(objects))
        )
    ),
)


@given(plan=plans(), one=register, two=register, three=identification)
@settings(max_examples=share(6_000, 400), deadline=None)
def test_any_plan_and_any_bytes_decode_alike(plan, one, two, three):
    raw = [one, two, three]
    values, _, _ = load_plan(plan).decode(raw)
    assert tuple(decoder(plan)([None if each is None else b64encode(each).decode() for each in raw])) == values


@pytest.mark.parametrize("profile_id", MODBUS)
@settings(max_examples=share(60, 2), deadline=None)
@given(data=st.data())
def test_every_shipped_profile_decodes_alike(profile_id, data):
    profile, _, _ = load_profile(profile_id, [shipped_profiles()])
    document = profile.model_dump(mode="json", exclude_none=True)
    connection = {"transport": "tcp", "host": "127.0.0.1", "port": 502}
    for group in profile.groups:
        channels = tuple(
            Channel(id=each.id, measurand=each.measurand, unit="", kind=ChannelKind.CUMULATIVE, decimals=each.decimals)
            for each in group.channels
        )
        plan = PLUGIN.plan({"unit": 1}, document, RequestGroup(id=group.id, channels=channels), connection)
        sizes = [
            2 * request["count"] if request["function"] in {3, 4} else 40 for request in plan.document()["requests"]
        ]
        raw = [data.draw(st.one_of(st.none(), st.binary(min_size=size, max_size=size))) for size in sizes]
        encoded = [None if each is None else b64encode(each).decode() for each in raw]
        assert tuple(decoder(plan.document())(encoded)) == tuple(plan.decode(raw)[0])


def test_a_plan_of_another_kind_is_refused():
    for plan in ({}, {"v": 2, "protocol": "modbus"}, {"v": 1, "protocol": "mqtt"}, {"v": 1, "protocol": "modbus"}):
        with pytest.raises(PlanError):
            decoder(plan)
