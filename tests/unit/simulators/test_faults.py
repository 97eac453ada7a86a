"""Each fault does what its label says, and nothing before it begins."""

import pytest

from simulators.described.format import CounterForm, SignalForm, ValueForm
from simulators.described.meter import DescribedMeter
from simulators.faults.fault import FOR_EVER, KINDS, Fault, of_device
from simulators.faults.messages import POISON, MessageFaults, Outgoing
from simulators.faults.values import FaultyInstrument
from simulators.faults.wire import WireFaults
from simulators.modbus.server import Exchange

START = 1_000_000_000
HOUR = 3_600_000_000
REQUEST = bytes.fromhex("0102 0000 0006 05 03 0000 0002".replace(" ", ""))
ANSWER = bytes.fromhex("0102 0000 0007 05 03 04 11223344".replace(" ", ""))


def meter(*faults: Fault) -> FaultyInstrument:
    """1 kW since START on an index of 100 kWh."""
    form: dict[str, ValueForm] = {"active_power": 1.0, "serial_number": "A1", "ct_ratio": 60, "voltage_l1": 230.0}
    index = SignalForm(counter=CounterForm(start=100, follows="active_power"))
    honest = DescribedMeter("m", form | {"active_energy_import": index}, START)
    other = DescribedMeter("o", {"active_power": 7.0}, START)
    return FaultyInstrument("m", honest, faults, {"o": other})


def kwh(shown: FaultyInstrument, at_us: int) -> float:
    value = shown.quantity("active_energy_import", at_us)
    assert isinstance(value, int)
    return value / 1_000_000


def fault(kind: str, from_h: float = 1, to_h: float | None = 2, **settings: float | str) -> Fault:
    end = FOR_EVER if to_h is None else START + int(to_h * HOUR)
    return Fault(kind=kind, device="m", from_us=START + int(from_h * HOUR), to_us=end, settings=settings)


@pytest.mark.parametrize(
    ("planted", "before", "during", "after"),
    [
        (fault("zero"), 100.5, 0.0, 103.0),
        (fault("jitter_back", step=0.5), 100.5, 101.0, 103.0),
        (fault("reset"), 100.5, 0.5, 2.0),
        (fault("exchange", serial="B2", index=7.0), 100.5, 7.5, 9.0),
        (fault("ct_change", factor=2.0), 100.5, 102.0, 105.0),
        (fault("stuck"), 100.5, 101.0, 103.0),
        (fault("drift", percent_a_day=24.0), 100.5, 101.0 + 0.5 * 1.0025, 101.0 + 2.0 * 1.01),
        (fault("rollover", modulus=1000.0), 999.5, 1000.5, 1002.0),
    ],
    ids=lambda each: each.kind if isinstance(each, Fault) else "",
)
def test_a_counter_under_each_fault(planted: Fault, before: float, during: float, after: float) -> None:
    shown = meter(planted)
    got = [kwh(shown, START + int(hour * HOUR)) for hour in (0.5, 1.5, 3.0)]
    assert got == pytest.approx([before, during, after], abs=2e-6)
    assert shown.true_micro("active_energy_import", START + 3 * HOUR) == 103_000_000


def test_values_beside_the_counter() -> None:
    at_us = START + HOUR + HOUR // 2
    assert meter(fault("sentinel")).quantity("active_power", at_us) is None
    assert meter(fault("identical", other="o")).quantity("active_power", at_us) == 7.0
    assert meter(fault("ct_change", factor=2.0)).quantity("active_power", at_us) == 2.0
    assert meter(fault("ct_change", factor=2.0)).quantity("voltage_l1", at_us) == 230.0
    assert meter(fault("range_changed", ct_ratio=80.0)).quantity("ct_ratio", at_us) == 80.0
    assert meter(fault("exchange", serial="B2")).quantity("serial_number", at_us) == "B2"
    assert meter(fault("exchange", serial="B2")).quantity("serial_number", START) == "A1"
    assert meter(fault("clock_step", seconds=-3600.0)).device_time_us(at_us) == at_us - HOUR
    assert meter(fault("zero"), fault("stuck")).labels(at_us) == ["zero", "stuck"]


@pytest.mark.parametrize(
    ("kind", "sent", "close"),
    [
        ("silence", [], False),
        ("late", [ANSWER], False),
        ("slow", [ANSWER], False),
        ("foreign_transaction", ["0103 0000 0007 05 03 04 11223344"], False),
        ("foreign_unit", ["0102 0000 0007 06 03 04 11223344"], False),
        ("foreign_function", ["0102 0000 0007 05 04 04 11223344"], False),
        ("two_frames", ["0101 0000 0007 05 03 04 55667788" + ANSWER.hex()], False),
        ("partial", [ANSWER[:6]], False),
        ("split", [ANSWER[:6], ANSWER[6:]], False),
        ("short", ["0102 0000 0005 05 03 02 1122"], False),
        ("exception", ["0102 0000 0003 05 83 06"], False),
        ("word_swap", ["0102 0000 0007 05 03 04 33441122"], False),
        ("off_by_one", ["0102 0000 0007 05 03 04 33441122"], False),
        ("hang_up", [], True),
    ],
)
def test_the_wire_under_each_fault(kind: str, sent: list[bytes | str], close: bool) -> None:
    logged: list[tuple[str, int]] = []
    spoiler = WireFaults([fault(kind)], lambda each, exchange: logged.append((each.kind, exchange.at_us)))
    earlier = bytes.fromhex("0101000000070503" + "0455667788")
    at_us = START + HOUR
    reaction = spoiler(Exchange("m", at_us, REQUEST, ANSWER, earlier))
    assert reaction is not None
    expected = [each if isinstance(each, bytes) else bytes.fromhex(each.replace(" ", "")) for each in sent]
    assert [piece for _, piece in reaction.pieces] == expected
    assert reaction.close is close
    assert logged == [(kind, at_us)]
    assert spoiler.applied == {kind: 1}
    assert spoiler(Exchange("m", at_us - 1, REQUEST, ANSWER, earlier)) is None
    assert spoiler(Exchange("another", at_us, REQUEST, ANSWER, earlier)) is None


def test_every_third_exchange() -> None:
    each_third = Fault(kind="silence", device="m", from_us=0, every=3)
    spoiler = WireFaults([each_third])
    spoilt = [spoiler(Exchange("m", k, REQUEST, ANSWER)) is not None for k in range(7)]
    assert spoilt == [True, False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("no_message", []),
        ("duplicate", [(b"x", False), (b"x", False)]),
        ("poison", [(POISON, False)]),
        ("retained", [(b"x", True)]),
    ],
)
def test_messages_under_each_fault(kind: str, sent: list[tuple[bytes, bool]]) -> None:
    spoiler = MessageFaults([fault(kind)])
    message = Outgoing(START + HOUR, "t", b"x", ("m", "n"))
    assert [(each.payload, each.retain) for each in spoiler.really_sent(message)] == sent
    assert spoiler.applied == {kind: 1}
    elsewhere = Outgoing(START + HOUR, "t", b"x", ("n",))
    assert list(spoiler.really_sent(elsewhere)) == [elsewhere]


def test_every_kind_is_told_in_both_languages_and_acts_somewhere() -> None:
    for name, kind in KINDS.items():
        assert kind.zh, name
        assert kind.en, name
        assert of_device([Fault(kind=name, device="m", from_us=0)], "m", kind.place)


def test_a_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault is named"):
        Fault(kind="gremlin", device="m", from_us=0)
    with pytest.raises(ValueError, match="no setting"):
        Fault(kind="zero", device="m", from_us=0, settings={"step": 1.0})
    with pytest.raises(ValueError, match="ends before"):
        Fault(kind="zero", device="m", from_us=5, to_us=5)
