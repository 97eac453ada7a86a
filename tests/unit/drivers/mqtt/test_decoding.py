"""What becomes of messages: isolation of meters, time rules, retained and poison messages, refused values."""

from typing import Any

import pytest

from drivers.mqtt.plugin import PLUGIN
from gateway.domain.errors import ConfigurationError
from gateway.domain.quality import GOOD, Flag, Status, flags_of, status_of
from gateway.ports import PayloadDecoder
from tests.unit.drivers.mqtt.builders import PERIOD_US, RECEIVED_US, decoder, device, message, shipped, written

ENERGY = shipped("meterproof-mqtt/energy-meter-json")
CONCENTRATOR = shipped("meterproof-mqtt/concentrator-json")
CSV = shipped("meterproof-mqtt/energy-meter-csv")
VALUE = shipped("meterproof-mqtt/energy-meter-value")
TIME_S = RECEIVED_US // 1_000_000


@pytest.fixture
def plant() -> PayloadDecoder:
    return decoder(
        (device("kiln", ENERGY, topic="p/kiln"), ENERGY),
        (device("mill", ENERGY, topic="p/mill"), ENERGY),
        (device("a12", CONCENTRATOR, topic="p/con", meter="A12"), CONCENTRATOR),
        (device("a13", CONCENTRATOR, topic="p/con", meter="A13"), CONCENTRATOR),
        (device("b1", CONCENTRATOR, topic="p/con2", meter="B1"), CONCENTRATOR),
        (device("m7", CSV, topic="p/csv", meter="M7"), CSV),
        (device("pump", VALUE, topic="p/pump"), VALUE),
    )


def rules(findings: Any) -> list[str]:
    return [each.rule for each in findings]


def test_topics_are_exact_and_sorted(plant: PayloadDecoder) -> None:
    assert plant.topics() == ["p/con", "p/con2", "p/csv", "p/kiln", "p/mill", "p/pump/energy_kwh", "p/pump/power_kw"]


def test_one_topic_many_meters_each_its_own_sample(plant: PayloadDecoder) -> None:
    rows = f'{{"meter":"A13","t":{TIME_S}000,"wh":1005}},{{"meter":"A12","t":{TIME_S}000,"wh":1015,"w":1}}'
    body = f'{{"readings":[{rows}]}}'
    samples, findings = plant.decode(message("p/con", body))
    assert [(each.device, each.values) for each in samples] == [("a13", (100, None)), ("a12", (102, 1))]
    assert findings == ()
    assert status_of(samples[0].quality[1]) is Status.MISSING
    assert flags_of(samples[0].quality[1]) == Flag.NOT_READ


def test_a_meter_not_mapped_to_the_topic_is_refused(plant: PayloadDecoder) -> None:
    body = f'{{"readings":[{{"meter":"B1","t":{TIME_S}000,"wh":1}},{{"meter":"A12","t":{TIME_S}000,"wh":5}}]}}'
    samples, findings = plant.decode(message("p/con", body))
    assert [each.device for each in samples] == ["a12"]
    assert rules(findings) == ["message.unmapped"]
    assert findings[0].facts == {"meters": "B1", "count": 1}


@pytest.mark.parametrize("topic", ["p/kiln/", "P/kiln", "p", "p/kiln/x", "", "$SYS/x"])
def test_an_unmapped_topic_is_refused(plant: PayloadDecoder, topic: str) -> None:
    samples, findings = plant.decode(message(topic, '{"energy_import_kwh": 1}'))
    assert (samples, rules(findings)) == ((), ["message.unmapped"])


def test_a_retained_message_is_never_a_reading(plant: PayloadDecoder) -> None:
    samples, findings = plant.decode(message("p/kiln", '{"energy_import_kwh": 1}', retained=True))
    assert (samples, rules(findings)) == ((), ["message.retained"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff\xfe", "not_utf8"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"NaN", "not_json"),
        (b'{"power_kw": NaN}', "not_json"),
        (b'{"power_kw": 1} x', "not_json"),
        (b'{"power_kw": 1, "power_kw": 2}', "duplicate_key"),
        (b'{"power_kw": 1e99999999999999999999}', "not_json"),
        (b"[" * 100_000, "nested_too_deeply"),
        (b"1" * 5_000, "not_json"),
        (b" " * 300_000, "too_large"),
        (b"5", "not_an_object"),
        (b'{"other": 1}', "no_declared_value"),
        (b'{"power": 1}', "no_declared_value"),
    ],
)
def test_a_poison_message_says_why(plant: PayloadDecoder, body: bytes, reason: str) -> None:
    samples, findings = plant.decode(message("p/kiln", body))
    assert samples == ()
    assert [(each.rule, each.facts["reason"]) for each in findings] == [("message.undecodable", reason)]


def test_values_that_are_no_numbers_are_not_bent_into_one(plant: PayloadDecoder) -> None:
    body = (
        '{"energy_import_kwh": "1", "energy_export_kwh": true, "power_kw": null, "voltage_v": 1e30, "current_a": 1.005}'
    )
    ((sample,), _) = plant.decode(message("p/kiln", body))
    assert sample.values == (None, None, None, None, 100)
    assert [status_of(each) for each in sample.quality] == [
        Status.MISSING,
        Status.MISSING,
        Status.MISSING,
        Status.MISSING,
        Status.UNCERTAIN,
    ]
    assert rules(sample.findings) == [
        "reading.not_a_number",
        "reading.not_a_number",
        "reading.no_value",
        "reading.overflow",
        "time.device_clock",
    ]


def test_trusted_device_time_is_the_readings_time(plant: PayloadDecoder) -> None:
    ((sample,), findings) = plant.decode(message("p/kiln", '{"time": "2026-11-22T10:15:00+08:00", "power_kw": 1}'))
    assert sample.at_us == sample.device_time_us == RECEIVED_US - 1_000_000
    assert (sample.quality[2], sample.findings, findings) == (GOOD, (), ())


@pytest.mark.parametrize(
    ("stamp", "reason", "device_time"),
    [
        ('"2026-11-22T02:16:02Z"', "ahead", True),
        ('"2026-11-15T02:15:00Z"', "too_old", True),
        ('"yesterday"', "unreadable", False),
        ("null", "absent", False),
    ],
)
def test_an_unbelieved_clock_gives_the_receive_time_and_says_so(
    plant: PayloadDecoder, stamp: str, reason: str, device_time: bool
) -> None:
    ((sample,), _) = plant.decode(message("p/kiln", f'{{"time": {stamp}, "power_kw": 1}}'))
    assert sample.at_us == RECEIVED_US
    assert (sample.device_time_us is not None) is device_time
    assert status_of(sample.quality[2]) is Status.UNCERTAIN
    assert Flag.RECEIVE_TIME in flags_of(sample.quality[2])
    (finding,) = sample.findings
    assert (finding.rule, finding.facts["reason"]) == ("time.device_clock", reason)


def test_stored_samples_are_marked_and_keep_their_own_times_in_any_order(plant: PayloadDecoder) -> None:
    times = [RECEIVED_US - 3 * PERIOD_US, RECEIVED_US - 9 * PERIOD_US, RECEIVED_US - 1_000]
    rows = ",".join(f'{{"meter":"A12","t":{each // 1000},"wh":1{index}0}}' for index, each in enumerate(times))
    samples, findings = plant.decode(message("p/con", f'{{"readings":[{rows}]}}'))
    assert [each.at_us for each in samples] == [each // 1000 * 1000 for each in times]
    assert [Flag.BACKFILLED in flags_of(each.quality[0]) for each in samples] == [True, True, False]
    assert all(status_of(each.quality[0]) is Status.GOOD for each in samples)
    assert findings == ()


def test_several_records_without_believed_time_cannot_all_be_now(plant: PayloadDecoder) -> None:
    rows = f'{{"meter":"A12","wh":10}},{{"meter":"A12","t":{TIME_S}000,"wh":20}},{{"meter":"A13","wh":30}}'
    samples, findings = plant.decode(message("p/con", f'{{"readings":[{rows}]}}'))
    assert [(each.device, each.values[0]) for each in samples] == [("a12", 2), ("a13", 3)]
    (finding,) = findings
    assert finding.facts == {"device": "a12", "group": "main", "reason": "several_without_time", "refused": 1}


def test_a_device_without_clock_is_marked_but_good(plant: PayloadDecoder) -> None:
    ((sample,), _) = plant.decode(message("p/pump/power_kw", b"12.4\n"))
    assert (sample.group, sample.values, sample.at_us, sample.device_time_us) == ("power", (12_400,), RECEIVED_US, None)
    assert (status_of(sample.quality[0]), flags_of(sample.quality[0])) == (Status.GOOD, Flag.RECEIVE_TIME)
    assert sample.findings == ()


def test_csv_lines_are_samples_and_strange_lines_are_named(plant: PayloadDecoder) -> None:
    body = "M7,20261122101000,1.5,2\n\nM9,20261122101000,1,1\nM7,20261122101500,,x\n"
    samples, findings = plant.decode(message("p/csv", body))
    assert [each.values for each in samples] == [(150, 2_000), (None, None)]
    assert rules(samples[1].findings) == ["reading.no_value", "reading.not_a_number"]
    assert rules(findings) == ["message.unmapped"]
    assert rules(plant.decode(message("p/csv", 'M7,"20261122'))[1]) == ["message.undecodable"]


def test_texts_are_normal_short_and_without_controls() -> None:
    tickets = shipped("meterproof-mqtt/weighbridge-json")
    subject = decoder((device("w", tickets, topic="w"), tickets))
    body = '{"ticket": "e\\u0301", "vehicle": 7, "gross_kg": 1}'
    ((sample,), _) = subject.decode(message("w", body))
    assert sample.values[:2] == ("\u00e9", "7")
    for bad in ('"\\ud800"', '"a\\u0000b"', f'"{"x" * 201}"', "true", "[1]"):
        ((sample,), _) = subject.decode(message("w", f'{{"ticket": {bad}, "gross_kg": 1}}'))
        assert sample.values[0] is None
        assert status_of(sample.quality[0]) is Status.MISSING


CUSTOM = """
options: {payload: json, topic: "site/{meter}/data", time: {path: "h.t", format: epoch_s}}
groups:
  - id: g
    channels:
      - id: e
        measurand: active_energy_import
        decimals: 3
        source: {path: "v[1].x", unit: pulse, numerator: 1, denominator: 800}
"""


def test_a_topic_template_and_declared_pulses() -> None:
    profile = written(CUSTOM)
    subject = decoder((device("d", profile, meter="7"), profile))
    assert subject.topics() == ["site/7/data"]
    ((sample,), _) = subject.decode(message("site/7/data", f'{{"h":{{"t":{TIME_S}}},"v":[0,{{"x":1001}}]}}'))
    assert sample.values == (1_251,)  # 1001 / 800 = 1.25125 kWh


def test_units_without_a_known_factor_are_refused() -> None:
    text = CUSTOM.replace(", numerator: 1, denominator: 800", "")
    profile = written(text)
    with pytest.raises(ConfigurationError) as caught:
        decoder((device("d", profile, meter="7"), profile))
    assert "no factor from pulse to kWh" in caught.value.lines[0]
    wrong = written(CUSTOM.replace("pulse", "Wh"))
    with pytest.raises(ConfigurationError) as caught:
        decoder((device("d", wrong, meter="7"), wrong))
    assert "Wh to kWh is 1/1000, not 1/800" in caught.value.lines[0]


def test_devices_that_contradict_each_other_on_a_topic_are_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        decoder(
            (device("a", CONCENTRATOR, topic="t", meter="1"), CONCENTRATOR),
            (device("b", CONCENTRATOR, topic="t", meter="1"), CONCENTRATOR),
            (device("c", ENERGY, topic="t"), ENERGY),
        )
    assert "same meter" in caught.value.lines[0]
    assert "different forms" in caught.value.lines[1]


@pytest.mark.parametrize(
    ("address", "options", "source", "expected"),
    [
        ({}, {}, {}, "'%(key)s' is missing"),
        ({"topic": "a/#"}, {}, {}, "'%(topic)s' is not the topic of one meter: no wildcards, no leading $"),
        ({"topic": "a", "node": "n"}, {}, {}, "'%(key)s' is not a key that can stand here"),
        ({"topic": "a"}, {"payload": "xml"}, {}, "'%(key)s' must be one of %(expected)s"),
        (
            {"topic": "a"},
            {"samples": "x"},
            {},
            "'samples' needs a 'time' or a 'meter', otherwise its records cannot be told apart",
        ),
        ({"topic": "a"}, {"time": {"path": "t", "format": "%Y"}}, {}, "a time pattern needs a 'zone' such as +08:00"),
        (
            {"topic": "a"},
            {"time": {"path": "t", "format": "%Q"}},
            {},
            "'%(format)s' is no time format; write iso8601, epoch_s, epoch_ms, epoch_us or a pattern with %%Y",
        ),
        ({"topic": "a"}, {"time": {"column": 1}}, {}, "'%(key)s' needs exactly '%(wanted)s' here"),
        ({"topic": "a"}, {"meter": {"path": "m"}}, {}, "'%(key)s' is missing"),
        ({"topic": "a"}, {}, {"path": "a..b"}, "'%(path)s' is no path; example: meters[0].energy"),
        ({"topic": "a"}, {}, {"column": 1}, "'%(key)s' is not a key that can stand here"),
        ({"topic": "a"}, {}, {"unit": None}, "'%(key)s' must be text (put it in quotes if it looks like a number)"),
        ({"topic": "a"}, {}, {"numerator": 2}, "'numerator' and 'denominator' stand together or not at all"),
        ({"topic": "a"}, {}, {"surprise": 2}, "'%(key)s' is not a key that can stand here"),
        ({"group": "g"}, {"payload": "sparkplug"}, {"path": None, "metric": "m"}, "'%(key)s' is missing"),
    ],
)
def test_every_wrong_block_is_named(
    address: dict[str, Any], options: dict[str, Any], source: dict[str, Any], expected: str
) -> None:
    profile = {
        "options": {"payload": "json"} | options,
        "groups": [{"id": "g", "channels": [{"id": "c", "source": {"path": "p", "unit": "kWh"} | source}]}],
    }
    found = PLUGIN.check_device(address, profile)
    assert expected in [each.message for each in found]
    for each in found:
        assert each.message % each.facts


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({}, ("host",)),
        ({"host": "h", "prt": 1}, ("prt",)),
        ({"host": "h", "port": 0}, ("port",)),
        ({"host": "h", "protocol": "4"}, ("protocol",)),
        ({"host": "h", "password_env": "P"}, ()),
        ({"host": "h", "username": "u", "password_env": "P", "password_file": "f"}, ("password_file",)),
        ({"host": "h", "username": "u", "password": "secret"}, ("password",)),
        ({"host": "h", "tls": {"certificate_file": "c"}}, ("tls",)),
        ({"host": "h", "client_id": "a b"}, ("client_id",)),
    ],
)
def test_a_wrong_connection_is_named(block: dict[str, Any], path: tuple[str, ...]) -> None:
    assert [each.path for each in PLUGIN.check_connection(block)] == [path]


def test_a_right_connection_has_no_problem() -> None:
    block = {"host": "h", "tls": {"ca_file": "a"}, "username": "u", "password_env": "P", "protocol": "5", "window": 20}
    assert PLUGIN.check_connection(block) == []
