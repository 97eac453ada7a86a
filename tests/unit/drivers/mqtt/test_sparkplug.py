"""Sparkplug B messages encoded by a library that is not ours: births, aliases, gaps, deaths, types, rebirth."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pysparkplug as sp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysparkplug import _protobuf as pb

from drivers.mqtt.client import Incoming
from drivers.mqtt.records import UndecodableError
from drivers.mqtt.sparkplug.payload import NOT_A_NUMBER, parse
from drivers.mqtt.sparkplug.session import filters
from drivers.mqtt.sparkplug.watcher import REBIRTH_PAUSE_US, RebirthWatcher
from gateway.domain.quality import Flag, Status, flags_of, status_of
from gateway.domain.reading import Sample
from gateway.ports import PayloadDecoder
from tests.unit.drivers.mqtt.builders import PERIOD_US, RECEIVED_US, decoder, device, message, shipped

PROFILE = shipped("meterproof-mqtt/energy-meter-sparkplug")
NOW_MS = RECEIVED_US // 1000 - 200
T = sp.DataType


@pytest.fixture
def subject() -> PayloadDecoder:
    return decoder(
        (device("m7", PROFILE, group="G", node="N", device="M7"), PROFILE),
        (device("node", PROFILE, group="G", node="N"), PROFILE),
    )


def metric(name: str | None, kind: sp.DataType, value: Any, alias: int | None = None, **more: Any) -> sp.Metric:
    return sp.Metric(**({"timestamp": NOW_MS, "name": name, "datatype": kind, "value": value, "alias": alias} | more))


def births(power: float = 1.5) -> list[tuple[str, bytes]]:
    bd_seq = sp.Metric(timestamp=NOW_MS, name="bdSeq", datatype=T.INT64, value=7)
    node = sp.NBirth(timestamp=NOW_MS, seq=0, metrics=(bd_seq,))
    meter = sp.DBirth(
        timestamp=NOW_MS,
        seq=1,
        metrics=(metric("Energy/Import", T.DOUBLE, 100.25, 1), metric("Power/Active", T.FLOAT, power, 2)),
    )
    return [
        ("spBv1.0/G/NBIRTH/N", node.encode(include_dtypes=True)),
        ("spBv1.0/G/DBIRTH/N/M7", meter.encode(include_dtypes=True)),
    ]


def ddata(seq: int, metrics: Iterable[sp.Metric]) -> tuple[str, bytes]:
    return "spBv1.0/G/DDATA/N/M7", sp.DData(timestamp=NOW_MS, seq=seq, metrics=tuple(metrics)).encode()


def by_alias(alias: int, kind: sp.DataType, value: Any, **more: Any) -> sp.Metric:
    return metric(None, kind, value, alias, **more)


def feed(subject: PayloadDecoder, messages: Iterable[tuple[str, bytes]]) -> tuple[list[Sample], list[str]]:
    samples: list[Sample] = []
    rules: list[str] = []
    for topic, payload in messages:
        got, findings = subject.decode(message(topic, payload))
        samples += got
        rules += [each.rule for each in findings]
    return samples, rules


def test_topics_leave_commands_out(subject: PayloadDecoder) -> None:
    assert list(subject.topics()) == sorted(filters("G", "N"))
    assert not any("CMD" in each for each in subject.topics())


def test_births_are_readings_and_aliases_follow(subject: PayloadDecoder) -> None:
    data = ddata(2, [by_alias(2, T.FLOAT, 2.5), by_alias(1, T.DOUBLE, 101.0)])
    samples, rules = feed(subject, [*births(), data])
    assert [each.values for each in samples] == [(10_025, 1_500), (10_100, 2_500)]
    assert {each.device for each in samples} == {"m7"}
    assert {each.at_us for each in samples} == {NOW_MS * 1000}
    assert rules == []


def test_what_was_not_sent_is_not_read(subject: PayloadDecoder) -> None:
    samples, _ = feed(subject, [*births(), ddata(2, [by_alias(2, T.FLOAT, 2.5)])])
    assert samples[1].values == (None, 2_500)
    assert flags_of(samples[1].quality[0]) == Flag.NOT_READ


def test_metrics_of_different_times_are_different_samples_and_historical_ones_are_marked(
    subject: PayloadDecoder,
) -> None:
    old_ms = NOW_MS - 10 * PERIOD_US // 1000
    data = ddata(
        2,
        [
            by_alias(1, T.DOUBLE, 90.0, timestamp=old_ms, is_historical=True),
            by_alias(1, T.DOUBLE, 91.0, timestamp=NOW_MS - 5, is_historical=True),
            by_alias(1, T.DOUBLE, 92.0),
        ],
    )
    samples, rules = feed(subject, [*births(), data])
    assert [each.values[0] for each in samples[1:]] == [9_000, 9_100, 9_200]
    assert [Flag.BACKFILLED in flags_of(each.quality[0]) for each in samples[1:]] == [True, True, False]
    assert rules == []


def test_after_a_gap_names_are_read_but_no_alias_until_the_next_birth(subject: PayloadDecoder) -> None:
    """A birth may have been among what was lost: an alias may mean another metric by now."""
    named = sp.DData(timestamp=NOW_MS, seq=5, metrics=(metric("Power/Active", T.FLOAT, 5.0),))
    samples, rules = feed(
        subject,
        [
            *births(),
            ddata(2, [by_alias(2, T.FLOAT, 2.0)]),
            ddata(4, [by_alias(2, T.FLOAT, 4.0)]),
            ("spBv1.0/G/DDATA/N/M7", named.encode(include_dtypes=True)),
            ddata(6, [by_alias(2, T.FLOAT, 6.0)]),
            *births(7.0),
            ddata(2, [by_alias(2, T.FLOAT, 8.0)]),
        ],
    )
    assert [each.values[1] for each in samples] == [1_500, 2_000, 5_000, 7_000, 8_000]
    assert rules == ["message.sequence_gap", "message.undecodable", "message.undecodable"]


def test_aliases_that_changed_in_a_birth_we_missed_are_never_mixed_up(subject: PayloadDecoder) -> None:
    """The node came back with its aliases the other way round while the gateway had no connection."""
    samples, rules = feed(subject, [*births(), ddata(7, [by_alias(1, T.DOUBLE, 55.5)])])
    assert [each.values for each in samples] == [(10_025, 1_500)]
    _, findings = subject.decode(message(*ddata(8, [by_alias(1, T.DOUBLE, 55.5)])))
    assert [each.facts["reason"] for each in findings] == ["no_birth"]
    assert rules == ["message.sequence_gap", "message.undecodable"]


def test_a_device_born_after_the_gap_is_trusted_again(subject: PayloadDecoder) -> None:
    again = sp.DBirth(timestamp=NOW_MS, seq=4, metrics=(metric("Power/Active", T.FLOAT, 4.0, 1),))
    reborn = ("spBv1.0/G/DBIRTH/N/M7", again.encode(include_dtypes=True))
    samples, rules = feed(subject, [*births(), reborn, ddata(5, [by_alias(1, T.FLOAT, 5.0)])])
    assert [each.values[1] for each in samples] == [1_500, 4_000, 5_000]
    assert rules == ["message.sequence_gap"]


def test_the_sequence_turns_over_after_255(subject: PayloadDecoder) -> None:
    messages = [ddata(seq % 256, [by_alias(2, T.FLOAT, 1.0)]) for seq in range(2, 300)]
    samples, rules = feed(subject, [*births(), *messages])
    assert (len(samples), rules) == (299, [])


def test_an_alias_without_birth_is_undecodable_a_named_metric_is_not(subject: PayloadDecoder) -> None:
    samples, rules = feed(subject, [ddata(9, [by_alias(2, T.FLOAT, 2.0)])])
    assert (samples, rules) == ([], ["message.undecodable"])
    named = sp.DData(timestamp=NOW_MS, seq=10, metrics=(metric("Power/Active", T.FLOAT, 3.0),))
    samples, rules = feed(subject, [("spBv1.0/G/DDATA/N/M7", named.encode(include_dtypes=True))])
    assert ([each.values for each in samples], rules) == ([(None, 3_000)], [])


def death(bd_seq: int) -> tuple[str, bytes]:
    will = sp.NDeath(timestamp=NOW_MS, bd_seq_metric=metric("bdSeq", T.INT64, bd_seq))
    return "spBv1.0/G/NDEATH/N", will.encode(include_dtypes=True)


def test_after_death_nothing_is_read_until_the_next_birth(subject: PayloadDecoder) -> None:
    data = ddata(2, [by_alias(2, T.FLOAT, 2.0)])
    samples, rules = feed(subject, [*births(), death(7), data])
    assert (len(samples), rules) == (1, ["message.death", "message.undecodable"])
    samples, rules = feed(subject, [*births(9.0), data])
    assert ([each.values[1] for each in samples], rules) == ([9_000, 2_000], [])


def test_the_will_of_an_earlier_session_kills_nobody(subject: PayloadDecoder) -> None:
    samples, rules = feed(subject, [*births(), death(6), ddata(2, [by_alias(2, T.FLOAT, 2.0)])])
    assert (len(samples), rules) == (2, [])


def test_a_dead_device_is_silent_while_its_node_lives(subject: PayloadDecoder) -> None:
    dead = "spBv1.0/G/DDEATH/N/M7", sp.DDeath(timestamp=NOW_MS, seq=2).encode()
    samples, rules = feed(subject, [*births(), dead, ddata(3, [by_alias(2, T.FLOAT, 2.0)])])
    assert (len(samples), rules) == (1, ["message.death", "message.undecodable"])


def test_devices_and_nodes_that_are_not_mapped_are_refused(subject: PayloadDecoder) -> None:
    _, payload = ddata(2, [metric("Power/Active", T.FLOAT, 1.0)])
    assert feed(subject, [*births(), ("spBv1.0/G/DDATA/N/M8", payload)])[1] == ["message.unmapped"]
    for topic in ("spBv1.0/G/DDATA/X/M7", "spBv1.0/H/DDATA/N/M7", "spBv1.0/G/DCMD/N/M7", "spBv1.0/G/NDATA/N/M7"):
        assert feed(subject, [(topic, payload)])[1] == ["message.unmapped"]


def test_a_retained_birth_is_no_birth(subject: PayloadDecoder) -> None:
    topic, payload = births()[1]
    samples, findings = subject.decode(message(topic, payload, retained=True))
    assert (samples, [each.rule for each in findings]) == ((), ["message.retained"])


def with_properties(value: float, properties: dict[str, int | str], kind: int = T.DOUBLE) -> bytes:
    payload = pb.Payload(timestamp=NOW_MS, seq=2)
    each = payload.metrics.add(name="Energy/Import", datatype=kind, timestamp=NOW_MS)
    if kind == T.FLOAT:
        each.float_value = value
    else:
        each.double_value = value
    for key, said in properties.items():
        each.properties.keys.append(key)
        if isinstance(said, str):
            each.properties.values.add(type=12, string_value=said)
        else:
            each.properties.values.add(type=3, int_value=said)
    return bytes(payload.SerializeToString())


@pytest.mark.parametrize(
    ("properties", "value", "status"),
    [
        ({"Quality": 192, "engUnit": "kWh"}, 1_000, Status.GOOD),
        ({"Quality": 500}, 1_000, Status.UNCERTAIN),
        ({"Quality": 0}, 1_000, Status.BAD),
        ({"engUnit": "MWh"}, None, Status.BAD),
    ],
)
def test_quality_and_unit_the_device_states(
    subject: PayloadDecoder, properties: dict[str, int | str], value: int | None, status: Status
) -> None:
    samples, _ = feed(subject, [*births(), ("spBv1.0/G/DDATA/N/M7", with_properties(10.0, properties))])
    assert samples[1].values[0] == value
    assert status_of(samples[1].quality[0]) is status


def test_the_unit_of_the_birth_holds_for_data_that_does_not_repeat_it(subject: PayloadDecoder) -> None:
    payload = pb.Payload(timestamp=NOW_MS, seq=1)
    for alias, (name, unit) in enumerate((("Energy/Import", "MWh"), ("Power/Active", "kW")), 1):
        each = payload.metrics.add(name=name, alias=alias, datatype=T.DOUBLE, timestamp=NOW_MS, double_value=3.0)
        each.properties.keys.append("engUnit")
        each.properties.values.add(type=12, string_value=unit)
    reborn = ("spBv1.0/G/DBIRTH/N/M7", bytes(payload.SerializeToString()))
    data = ddata(2, [by_alias(1, T.DOUBLE, 4.0), by_alias(2, T.DOUBLE, 5.0)])
    samples, _ = feed(subject, [births()[0], reborn, data])
    assert [each.values for each in samples] == [(None, 3_000), (None, 5_000)]
    for each in samples:
        assert [(found.rule, found.channel, found.facts["unit"]) for found in each.findings] == [
            ("message.undecodable", "energy_import", "MWh")
        ]


def test_a_coarse_float_counter_is_marked(subject: PayloadDecoder) -> None:
    payload = with_properties(16_777_216.0, {}, T.FLOAT)
    samples, _ = feed(subject, [*births(), ("spBv1.0/G/DDATA/N/M7", payload)])
    assert samples[1].values[0] == 1_677_721_600
    assert Flag.FLOAT32_COARSE in flags_of(samples[1].quality[0])
    (finding,) = samples[1].findings
    assert (finding.rule, finding.facts) == ("reading.float32_coarse", {"step": 200})


@given(
    st.one_of(
        st.tuples(st.just(T.INT8), st.integers(-(2**7), 2**7 - 1)),
        st.tuples(st.just(T.INT16), st.integers(-(2**15), 2**15 - 1)),
        st.tuples(st.just(T.INT32), st.integers(-(2**31), 2**31 - 1)),
        st.tuples(st.just(T.INT64), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(T.UINT8), st.integers(0, 2**8 - 1)),
        st.tuples(st.just(T.UINT32), st.integers(0, 2**32 - 1)),
        st.tuples(st.just(T.UINT64), st.integers(0, 2**64 - 1)),
        st.tuples(st.just(T.DOUBLE), st.floats(allow_nan=False, allow_infinity=False)),
        st.tuples(st.just(T.FLOAT), st.floats(width=32, allow_nan=False, allow_infinity=False)),
        st.tuples(st.just(T.STRING), st.text(max_size=50)),
    ),
    st.integers(0, 2**63),
    st.booleans(),
)
def test_every_value_the_other_library_encodes_is_read_back_exactly(
    typed: tuple[sp.DataType, Any], alias: int, with_type: bool
) -> None:
    kind, value = typed
    encoded = sp.NData(timestamp=NOW_MS, seq=3, metrics=(metric("x", kind, value, alias, is_historical=True),)).encode(
        include_dtypes=with_type
    )
    parsed = parse(encoded)
    assert (parsed.timestamp_ms, parsed.seq, len(parsed.metrics)) == (NOW_MS, 3, 1)
    got = parsed.metrics[0]
    assert (got.name, got.alias, got.timestamp_ms, got.historical) == ("x", alias, NOW_MS, True)
    assert got.datatype == (kind if with_type else None)
    assert got.value(kind) == (Fraction(value) if isinstance(value, float) else value)


def test_sign_extended_integers_are_read_too() -> None:
    payload = pb.Payload(timestamp=1, seq=1)
    payload.metrics.add(name="a", datatype=T.INT8, int_value=2**32 - 5)
    payload.metrics.add(name="b", datatype=T.INT16, long_value=2**64 - 5)
    payload.metrics.add(name="c", datatype=T.UINT8, int_value=256)
    payload.metrics.add(name="d", datatype=T.FLOAT, float_value=float("nan"))
    payload.metrics.add(name="e", datatype=T.INT32, string_value="5")
    values = [each.value(None) for each in parse(payload.SerializeToString()).metrics]
    assert values == [-5, -5, NOT_A_NUMBER, NOT_A_NUMBER, NOT_A_NUMBER]


@given(st.binary(max_size=200))
def test_what_the_reader_takes_the_reference_takes_too(body: bytes) -> None:
    try:
        parsed = parse(body)
    except UndecodableError:
        return
    reference = pb.Payload()
    try:
        reference.ParseFromString(body)
    except Exception:  # noqa: BLE001  # the reference also checks parts a reading does not need
        return
    assert [each.alias for each in parsed.metrics] == [
        each.alias if each.HasField("alias") else None for each in reference.metrics
    ]
    assert parsed.seq == (reference.seq if reference.HasField("seq") else None)


def incoming(topic: str, payload: bytes, *, duplicate: bool = False) -> Incoming:
    return Incoming(topic=topic, payload=payload, qos=0, retained=False, duplicate=duplicate, packet_id=0)


def test_a_rebirth_is_asked_for_at_connect_and_after_a_gap_but_not_too_often() -> None:
    watcher = RebirthWatcher(filters("G", "N"))
    ((topic, payload),) = watcher.connected(RECEIVED_US)
    assert topic == "spBv1.0/G/NCMD/N"
    command = sp.NCmd.decode(payload)
    (asked,) = command.metrics
    assert (asked.name, asked.datatype, asked.value) == ("Node Control/Rebirth", T.BOOLEAN, True)
    later_us = RECEIVED_US + REBIRTH_PAUSE_US
    for each in births():
        assert watcher.observe(incoming(*each), later_us) == []
    assert watcher.observe(incoming(*ddata(2, [])), later_us) == []
    assert watcher.observe(incoming(*ddata(2, []), duplicate=True), later_us) == []
    assert len(watcher.observe(incoming(*ddata(5, [])), later_us)) == 1
    assert watcher.observe(incoming(*ddata(9, [])), later_us + REBIRTH_PAUSE_US - 1) == []
    assert len(watcher.observe(incoming(*ddata(12, [])), later_us + REBIRTH_PAUSE_US)) == 1


def test_a_node_in_doubt_is_asked_until_it_was_born_again() -> None:
    watcher = RebirthWatcher(filters("G", "N"))
    watcher.connected(RECEIVED_US)
    for each in births():
        watcher.observe(incoming(*each), RECEIVED_US)
    assert watcher.observe(incoming(*ddata(5, [])), RECEIVED_US + 1) == []  # asked a moment ago
    assert len(watcher.observe(incoming(*ddata(6, [])), RECEIVED_US + REBIRTH_PAUSE_US)) == 1
    for each in births():
        assert watcher.observe(incoming(*each), RECEIVED_US + 2 * REBIRTH_PAUSE_US) == []
    assert watcher.observe(incoming(*ddata(2, [])), RECEIVED_US + 3 * REBIRTH_PAUSE_US) == []
    assert watcher.observe(incoming(*death(7)), RECEIVED_US + 4 * REBIRTH_PAUSE_US) == []


def test_a_node_heard_before_its_birth_is_asked() -> None:
    watcher = RebirthWatcher(filters("G", "N"))
    assert watcher.watches
    assert len(watcher.observe(incoming(*ddata(5, [])), RECEIVED_US)) == 1
    assert watcher.observe(incoming("spBv1.0/G/DDATA/N/M7", b"\xff"), RECEIVED_US + 2 * REBIRTH_PAUSE_US) == []
    assert not RebirthWatcher(["plant/kiln"]).watches
