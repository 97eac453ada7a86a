"""Sparkplug B of the simulator, read by the gateway's decoder, which shares no code with it."""

from gateway.domain.finding import Finding
from gateway.domain.reading import Message, Sample
from simulators.instruments.fitted import Quantity
from simulators.mqtt.payload import PayloadWriter, Shown
from simulators.mqtt.sparkplug import EdgeNode, NodeDevice, metric, payload, varint
from simulators.profiles import shipped_profile
from tests.unit.drivers.mqtt.builders import RECEIVED_US, decoder, device, shipped

PROFILE = "meterproof-mqtt/energy-meter-sparkplug"
SHOWN: dict[str, Quantity] = {"active_energy_import": 48_213_500_000, "active_power": 12.375}


def test_numbers_as_the_format_writes_them() -> None:
    # by hand: 300 is 0b10_0101100
    assert varint(300) == b"\xac\x02"
    assert payload(1_000, 3, []) == b"\x08\x01\x18\x03"
    # name "a", alias 2, 1 ms, double 1.5
    assert metric(1.5, 1_000, name="a", alias=2) == b"\x0a\x01a\x10\x02\x18\x01\x20\x0a\x69" + b"\0\0\0\0\0\0\xf8\x3f"
    assert metric(None, 1_000, alias=2).endswith(b"\x38\x01")


def test_the_gateway_reads_births_and_data_by_alias() -> None:
    writer = PayloadWriter(shipped_profile(PROFILE))
    node = EdgeNode("Plant", "Edge1", [NodeDevice("M7", "mill", writer, Shown(SHOWN))])
    reader = decoder((device("mill", shipped(PROFILE), group="Plant", node="Edge1", device="M7"), shipped(PROFILE)))
    at_us = RECEIVED_US - 1_000_000
    sent = [*node.births(at_us), node.data(node.devices[0], at_us, at_us)]
    assert [topic for topic, _, _ in sent] == [
        "spBv1.0/Plant/NBIRTH/Edge1",
        "spBv1.0/Plant/DBIRTH/Edge1/M7",
        "spBv1.0/Plant/DDATA/Edge1/M7",
    ]
    samples: list[Sample] = []
    findings: list[Finding] = []
    for topic, body, _ in sent:
        read, found = reader.decode(Message(endpoint="broker", topic=topic, payload=body, received_us=RECEIVED_US))
        samples += read
        findings += found
    assert findings == []
    assert samples[-1].values == (4_821_350, 12_375)
    assert samples[-1].at_us == at_us


def test_a_lost_message_is_a_gap_after_which_aliases_are_not_taken() -> None:
    writer = PayloadWriter(shipped_profile(PROFILE))
    node = EdgeNode("Plant", "Edge1", [NodeDevice("M7", "mill", writer, Shown(SHOWN))])
    reader = decoder((device("mill", shipped(PROFILE), group="Plant", node="Edge1", device="M7"), shipped(PROFILE)))
    at_us = RECEIVED_US - 1_000_000
    sent = [*node.births(at_us), *(node.data(node.devices[0], at_us, at_us) for _ in range(3))]
    del sent[3]
    rules = [
        each.rule
        for topic, body, _ in sent
        for each in reader.decode(Message(endpoint="b", topic=topic, payload=body, received_us=RECEIVED_US))[1]
    ]
    # and aliases are not taken until the next birth
    assert rules == ["message.sequence_gap", "message.undecodable"]


def test_the_sequence_goes_round_and_a_birth_begins_it_anew() -> None:
    writer = PayloadWriter(shipped_profile(PROFILE))
    node = EdgeNode("Plant", "Edge1", [NodeDevice(None, "mill", writer, Shown(SHOWN))])
    assert node.births(0)[0][1].endswith(b"\x18\x00")
    ends = [node.data(node.devices[0], 0, 0)[1][-3:] for _ in range(256)]
    assert ends[126].endswith(b"\x18\x7f")
    assert ends[-1].endswith(b"\x18\x00")
    assert node.births(0)[0][1].endswith(b"\x18\x00")
