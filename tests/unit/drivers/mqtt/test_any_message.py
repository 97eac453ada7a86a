"""The whole space of topics and payloads: samples or a finding, never an exception, never a guess."""

import json
import string
from fractions import Fraction
from typing import Any
from unicodedata import is_normalized

from hypothesis import given
from hypothesis import strategies as st

from drivers.mqtt.plugin import PLUGIN
from gateway.domain.quality import Status, status_of
from gateway.domain.reading import Message
from gateway.i18n.rules import RULES
from gateway.ports import PayloadDecoder
from tests.unit.drivers.mqtt.builders import RECEIVED_US, decoder, device, message, shipped

_ADDRESSES: dict[str, dict[str, str]] = {
    "energy-meter-json": {"topic": "p/a"},
    "weighbridge-json": {"topic": "p/b"},
    "lab-json": {"topic": "p/c"},
    "concentrator-json": {"topic": "p/d", "meter": "A12"},
    "energy-meter-csv": {"topic": "p/e", "meter": "M7"},
    "energy-meter-value": {"topic": "p/f"},
    "energy-meter-sparkplug": {"group": "G", "node": "N", "device": "D"},
}
DEVICES = [
    (device(name, profile, **address), profile)
    for name, address in _ADDRESSES.items()
    for profile in [shipped(f"meterproof-mqtt/{name}")]
]
WIDTHS = {(each.id, group.id): len(group.channels) for each, _ in DEVICES for group in each.groups}
STRANGE_DEVICES = st.text(max_size=20).map(lambda text: f"spBv1.0/G/DDATA/N/{text}")
TOPICS = ["p/a", "p/b", "p/c", "p/d", "p/e", "p/f/energy_kwh", "p/f/power_kw"] + [
    f"spBv1.0/G/{kind}/N{tail}"
    for kind, tail in (("NBIRTH", ""), ("DBIRTH", "/D"), ("DDATA", "/D"), ("NDEATH", ""), ("DDEATH", "/D"))
]
KEYS = sorted(
    {"time", "weighed_at", "sampled_at", "readings", "meter", "t", "wh", "w"}
    | {
        channel["source"]["path"]
        for _, profile in DEVICES
        for group in profile["groups"]
        for channel in group["channels"]
        if "path" in channel["source"]
    }
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["A12", "e\u0301", "2026-11-22T02:15:00Z", RECEIVED_US // 1000, 12.5, "M7"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)
PAYLOADS = st.one_of(
    st.binary(max_size=300),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.text(alphabet=string.digits + 'M7,.-+eE \r\n"', max_size=80).map(str.encode),
)


def build() -> PayloadDecoder:
    return decoder(*DEVICES)


def journal_safe(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        value.encode()  # raises on halves of characters
        return is_normalized("NFC", value)
    return value is None


def assert_accounted(subject: PayloadDecoder, each: Message) -> None:
    samples, findings = subject.decode(each)
    assert samples or findings or each.topic.startswith("spBv1.0/"), "a message vanished"
    for sample in samples:
        width = WIDTHS[sample.device, sample.group]
        assert len(sample.values) == len(sample.quality) == width
        assert 0 <= sample.at_us < 2**53
        for value, quality in zip(sample.values, sample.quality, strict=True):
            assert journal_safe(value)
            assert value is not None or status_of(quality) in {Status.MISSING, Status.BAD}
    for finding in (*findings, *(found for sample in samples for found in sample.findings)):
        assert finding.rule in RULES
        assert finding.severity == RULES[finding.rule].severity
        assert all(journal_safe(fact) for fact in finding.facts.values())


@given(
    st.one_of(st.sampled_from(TOPICS), st.text(max_size=30), STRANGE_DEVICES), PAYLOADS, st.booleans(), st.booleans()
)
def test_any_topic_and_any_bytes(topic: str, payload: bytes, retained: bool, duplicate: bool) -> None:
    assert_accounted(build(), message(topic, payload, retained=retained, duplicate=duplicate))


@given(st.lists(st.tuples(st.sampled_from(TOPICS), PAYLOADS), max_size=8))
def test_any_sequence_leaves_the_decoder_sound_and_its_journal_form_decodes_the_same(
    messages: list[tuple[str, bytes]],
) -> None:
    first = build()
    documents = json.loads(json.dumps(dict(first.documents())))
    second = PLUGIN.load_decoder(documents, [each for each, _ in DEVICES])
    for topic, payload in messages:
        each = message(topic, payload)
        assert_accounted(first, each)
    third = build()
    for topic, payload in messages:
        each = message(topic, payload)
        assert second.decode(each) == third.decode(each)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**8), max_value=10**8, places=5),
    st.sampled_from(["{}", "{:.5f}", "{:E}"]),
)
def test_a_number_is_read_exactly_however_it_is_written(value: Any, style: str) -> None:
    written = style.format(value)
    ((sample,), _) = build().decode(message("p/a", f'{{"power_kw": {written}}}'))
    assert sample.values[2] == round(Fraction(value) * 1000)
    ((sample,), _) = build().decode(message("p/f/power_kw", written))
    assert sample.values[0] == round(Fraction(value) * 1000)
