"""Every payload written in docs/mqtt.md is read by its profile to the values a reader of the page expects."""

import re
from pathlib import Path

import pytest

from drivers.mqtt.plugin import PLUGIN
from gateway.assembly.site_loading import examine_site
from tests.unit.drivers.mqtt.builders import decoder, device, message, shipped

PAGE = (Path(__file__).parents[4] / "docs" / "mqtt.md").read_text()
TIME_US = 1_795_313_700_000_000  # 2026-11-22T10:15:00+08:00
EIGHT_US = 1_795_305_600_000_000  # 2026-11-22T08:00:00+08:00

EXPECTED = {
    "energy-meter-json": ("plant/kiln/energy", {}, TIME_US, (12_345_678, 0, 412_500, 2_312, 371)),
    "weighbridge-json": (
        "plant/weighbridge/tickets",
        {},
        TIME_US,
        ("20261122-0042", "皖B12345", 48_620, 15_340, 33_280),
    ),
    "lab-json": ("plant/lab/clinker", {}, EIGHT_US, (6_512, 184)),
    "coal-lab-json": ("plant/lab/coal", {}, EIGHT_US, (24_318,)),
    "concentrator-json": ("plant/concentrator", {"meter": "A12"}, TIME_US, (12_345_678, 412_500)),
}


def payload_after(profile: str) -> str:
    match = re.search(rf"`meterproof-mqtt/{profile}`.*?```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert match is not None
    return match[1]


@pytest.mark.parametrize("profile", sorted(EXPECTED))
def test_documented_json_payload(profile: str) -> None:
    topic, address, at_us, values = EXPECTED[profile]
    document = shipped(f"meterproof-mqtt/{profile}")
    subject = decoder((device("d", document, topic=topic, **address), document))
    samples, _findings = subject.decode(message(topic, payload_after(profile)))
    assert len(samples) == 1
    assert samples[0].values == values
    assert samples[0].at_us == at_us


def test_documented_plain_values_and_lines() -> None:
    value, csv = shipped("meterproof-mqtt/energy-meter-value"), shipped("meterproof-mqtt/energy-meter-csv")
    subject = decoder(
        (device("pump", value, topic="plant/pump"), value),
        (device("m7", csv, topic="plant/lines", meter="M7"), csv),
    )
    (energy,), findings = subject.decode(message("plant/pump/energy_kwh", "48213.5"))
    assert (energy.group, energy.values, findings) == ("energy", (4_821_350,), ())
    (line,), findings = subject.decode(message("plant/lines", "M7,20261122101500,48213.5,12.4\n"))
    assert (line.values, line.at_us, findings) == ((4_821_350, 12_400), TIME_US, ())


@pytest.mark.parametrize("page", ["mqtt.md", "mqtt.zh-CN.md"])
def test_the_documented_site_is_a_right_one(tmp_path: Path, page: str) -> None:
    text = (Path(__file__).parents[4] / "docs" / page).read_text()
    match = re.search(r"```yaml\n(.*?)\n```", text, re.DOTALL)
    assert match is not None
    head = "meterproof: 1\norganisation: {id: o, name: {zh: 甲, en: a}}\nsite: {id: s, name: {zh: 甲, en: a}}\n"
    site = tmp_path / "site.yaml"
    site.write_text(head + match[1])
    assembled, problems = examine_site(site)
    assert problems == []
    assert assembled is not None
    assert len(assembled.devices) == 3


def test_every_shipped_mqtt_profile_is_documented_and_loads_back() -> None:
    folder = Path(__file__).parents[4] / "config" / "profiles" / "meterproof-mqtt"
    for path in folder.glob("*.yaml"):
        assert f"`meterproof-mqtt/{path.stem}`" in PAGE
        document = shipped(f"meterproof-mqtt/{path.stem}")
        names = {"group": "g", "node": "n"} if document["options"]["payload"] == "sparkplug" else {"topic": "t"}
        meter = {"meter": "A12"} if document["options"].get("meter") else {}
        subject = device("d", document, **names, **meter)
        first = decoder((subject, document))
        again = PLUGIN.load_decoder(first.documents(), [subject])
        assert again.documents() == first.documents()
        assert again.topics() == first.topics()
