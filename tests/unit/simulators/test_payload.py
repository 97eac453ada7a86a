"""Messages as docs/mqtt.md shows them."""

import json
from decimal import Decimal

import pytest

from simulators.mqtt.payload import PayloadWriter, Shown
from simulators.profiles import shipped_profile

AT_US = 1_795_313_700_000_000  # 2026-11-22T02:15:00Z


def writer(name: str) -> PayloadWriter:
    return PayloadWriter(shipped_profile(f"meterproof-mqtt/{name}"))


METER = Shown(
    {
        "active_energy_import": 123_456_789_999,
        "active_power": 412.5,
        "voltage": 231.23,
        "current": 3.714,
        "water_flow": 1.0,
    }
)


def test_one_meter_a_topic() -> None:
    [(suffix, payload)] = writer("energy-meter-json").messages([("packing", AT_US, METER)])
    assert suffix == ""
    assert json.loads(payload, parse_float=Decimal) == {
        "time": "2026-11-22T10:15:00.000+08:00",
        "energy_import_kwh": Decimal("123456.78"),
        "power_kw": Decimal("412.5"),
        "voltage_v": Decimal("231.2"),
        "current_a": Decimal("3.71"),
    }


def test_many_meters_a_topic_in_the_units_of_the_message() -> None:
    entries = [("A12", AT_US, METER), ("A13", AT_US, Shown({"active_energy_import": 0}))]
    [(_, payload)] = writer("concentrator-json").messages(entries)
    assert json.loads(payload) == {
        "readings": [
            {"meter": "A12", "t": AT_US // 1000, "wh": 123_456_780, "w": 412_500},
            {"meter": "A13", "t": AT_US // 1000, "wh": 0},
        ]
    }


def test_plain_values_and_lines() -> None:
    assert writer("energy-meter-value").messages([("p", AT_US, METER)]) == [
        ("energy_kwh", b"123456.78"),
        ("power_kw", b"412.5"),
    ]
    assert writer("energy-meter-csv").messages([("M7", AT_US, METER)]) == [("", b"M7,20261122101500,123456.78,412.5")]


def test_tickets_carry_texts_and_kilograms() -> None:
    ticket = Shown({"ticket_number": "20261122-0042", "vehicle_number": "皖B12345", "ticket_gross_mass": 48.62})
    [(_, payload)] = writer("weighbridge-json").messages([("weighbridge", AT_US, ticket)])
    document = json.loads(payload)
    assert (document["ticket"], document["vehicle"], document["gross_kg"]) == ("20261122-0042", "皖B12345", 48_620)
    assert "tare_kg" not in document


def test_an_index_rolls_over_in_a_message_too() -> None:
    over = Shown({"active_energy_import": 1_000_001_230_000})
    [(_, payload)] = writer("energy-meter-json").messages([("packing", AT_US, over)])
    assert json.loads(payload)["energy_import_kwh"] == 1.23


def test_a_form_nobody_simulates_is_refused() -> None:
    profile = shipped_profile("meterproof-mqtt/energy-meter-json")
    unknown = profile.model_copy(update={"options": {**profile.options, "payload": "parquet"}})
    with pytest.raises(ValueError, match="parquet"):
        PayloadWriter(unknown)
