"""The rules of a group together: range, counters, identity, and what is remembered between readings."""

import json
from dataclasses import dataclass, field

from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.domain.finding import Finding
from gateway.domain.quality import Flag, Status, flags_of, status_of
from gateway.i18n.rules import RULES
from gateway.validation import DeviceIdentity, GroupRules, Installed, NoRegistry, judged_quality
from gateway.validation.identity import OPEN_END, InstalledInstruments, same_serial
from gateway.validation.quality import EFFECT

ENERGY = Channel(id="e", measurand="active_energy_import", unit="kWh", kind=ChannelKind.CUMULATIVE, minimum=0)
POWER = Channel(id="p", measurand="active_power", unit="kW", kind=ChannelKind.INSTANTANEOUS, minimum=-100, maximum=100)
SERIAL = Channel(id="sn", measurand="serial_number", unit="1", kind=ChannelKind.TEXT)
VALUES = RequestGroup(id="values", channels=(ENERGY, POWER))
IDENTITY = RequestGroup(id="identity", channels=(SERIAL,))
DEVICE = Device(
    id="m1", organisation="o", endpoint="x", protocol="p", profile="a/b", address={}, groups=(VALUES, IDENTITY)
)


@dataclass
class Ledger:
    """Installations as (instrument, serial, from)."""

    stays: list[tuple[str, str, int]] = field(default_factory=list)
    generation: int = 0
    seq: int = 0

    def add(self, instrument: str, serial: str, from_us: int) -> None:
        self.stays.append((instrument, serial, from_us))
        self.generation += 1

    def installed(self, device: str, at_us: int) -> Installed:
        found, until_us = Installed(None, None, -OPEN_END, OPEN_END), OPEN_END
        for instrument, serial, from_us in sorted(self.stays, key=lambda stay: stay[2]):
            if from_us <= at_us:
                found = Installed(instrument, serial, from_us, OPEN_END)
            else:
                until_us = min(until_us, from_us)
        return Installed(found.instrument, found.serial, found.from_us, until_us)


class Meter:
    def __init__(self, ledger: InstalledInstruments | None = None) -> None:
        self.state = DeviceIdentity()
        registry = ledger or NoRegistry()
        self.values = GroupRules(DEVICE, VALUES, self.state, registry)
        self.identity = GroupRules(DEVICE, IDENTITY, self.state, registry)
        self.at_us = 0

    def read(self, energy: int | None, power: int | None = 0) -> list[str]:
        self.at_us += 100
        return names(self.values.judge((energy, power), self.at_us, self.at_us + 1))

    def say(self, serial: str | None) -> list[str]:
        return names(self.identity.judge((serial,), self.at_us, self.at_us + 2))


def names(findings: list[Finding]) -> list[str]:
    return [f"{each.rule}:{each.channel}" for each in findings]


def test_a_normal_meter_has_no_findings() -> None:
    meter = Meter()
    assert [meter.read(energy, power) for energy, power in ((1, 5), (2, -100), (2, 100), (9, 0))] == [[], [], [], []]


def test_range_names_the_limit() -> None:
    meter = Meter()
    assert meter.read(1, 101) == ["reading.range:p"]
    assert meter.read(2, -101) == ["reading.range:p"]
    assert meter.read(3, 100) == []
    found = meter.values.judge((4, 500), 900, 901)
    assert found[0].facts == {"value": 500, "maximum": 100}


def test_a_counter_out_of_range_is_not_compared() -> None:
    meter = Meter()
    assert meter.read(50) == []
    assert meter.read(-7) == ["reading.range:e"]
    assert meter.read(51) == []


def test_missing_values_are_no_findings_of_the_rules() -> None:
    meter = Meter()
    assert [meter.read(50), meter.read(None), meter.read(51, None), meter.read(52)] == [[], [], [], []]


def test_a_late_reading_is_not_compared_with_newer_ones() -> None:
    meter = Meter()
    meter.read(50)
    meter.read(60)
    assert names(meter.values.judge((10, 0), 50, 51)) == []
    assert meter.read(61) == []


def test_a_fall_asks_for_the_identity() -> None:
    meter = Meter()
    meter.read(5_000)
    assert not meter.state.wanted
    assert meter.read(7) == ["counter.glitch:e"]
    assert meter.state.wanted


def test_another_serial_makes_a_fall_an_exchange() -> None:
    meter = Meter()
    meter.say("A1")
    meter.read(5_000)
    assert meter.read(7) == ["counter.glitch:e"]
    assert meter.say("B2") == ["identity.changed:sn"]
    assert meter.read(9) == ["counter.exchange:e"]
    assert meter.read(12) == []


def test_a_serial_read_after_the_reset_was_decided_opens_no_second_break() -> None:
    meter = Meter()
    meter.say("A1")
    meter.read(5_000)
    assert [meter.read(7), meter.read(9)] == [["counter.glitch:e"], ["counter.reset:e"]]
    assert meter.say("B2") == ["identity.changed:sn"]
    assert meter.read(12) == []


def test_an_exchange_on_record_counts_even_when_the_new_index_is_higher() -> None:
    ledger = Ledger()
    ledger.add("I1", "A1", 0)
    meter = Meter(ledger)
    meter.read(5_000)
    ledger.add("I2", "B2", 150)
    assert meter.read(90_000) == ["counter.exchange:e"]
    assert meter.say("B2") == []
    assert meter.read(90_001) == []


def test_an_exchange_entered_after_the_first_reading_of_the_new_meter() -> None:
    ledger = Ledger()
    ledger.add("I1", "A1", 0)
    meter = Meter(ledger)
    meter.read(5_000)
    assert meter.read(7) == ["counter.glitch:e"]
    ledger.add("I2", "B2", 180)
    assert meter.read(9) == ["counter.exchange:e"]


def test_an_exchange_entered_long_afterwards_is_not_found_again() -> None:
    ledger = Ledger()
    ledger.add("I1", "A1", 0)
    meter = Meter(ledger)
    for energy in (1, 2, 3):
        meter.read(energy)
    ledger.add("I2", "B2", 150)
    assert meter.read(4) == []


def test_the_first_ledger_makes_no_exchange() -> None:
    ledger = Ledger()
    meter = Meter(ledger)
    meter.read(1)
    ledger.add("I1", "A1", 150)
    assert meter.read(2) == []


def test_a_counter_missing_at_the_exchange_is_told_when_it_is_back() -> None:
    ledger = Ledger()
    ledger.add("I1", "A1", 0)
    meter = Meter(ledger)
    meter.read(5_000)
    ledger.add("I2", "B2", 150)
    assert meter.read(None) == []
    assert meter.read(90_000) == ["counter.exchange:e"]


def test_serial_against_the_ledger() -> None:
    ledger = Ledger()
    ledger.add("I1", "00-4711", 0)
    meter = Meter(ledger)
    assert meter.say("4711") == []
    assert meter.say("4712") == ["identity.changed:sn", "identity.serial_mismatch:sn"]
    assert meter.say("4712") == ["identity.serial_mismatch:sn"], "as long as it lasts"
    assert meter.say(None) == []


def test_serial_numbers_as_people_write_them() -> None:
    assert same_serial("0012-34a", "1234A")
    assert same_serial("000", "000")
    assert not same_serial("12", "13")


def test_state_outlives_a_restart() -> None:
    first = Meter()
    for energy in (5_000, 5_010, 7):
        first.read(energy)
    state = json.loads(json.dumps(first.values.state()))
    second = Meter()
    second.at_us = first.at_us
    second.values.restore(state)
    assert second.read(9) == first.read(9) == ["counter.reset:e"]
    assert second.read(12) == []


def test_quality_of_findings() -> None:
    index = {"e": 0, "p": 1}
    words = judged_quality((0, 0), [("counter.glitch", "e", {}), ("reading.range", "p", {})], index)
    assert status_of(words[0]) is Status.BAD
    assert Flag.COUNTER_GLITCH in flags_of(words[0])
    assert Flag.RANGE in flags_of(words[1])
    assert judged_quality((0, 0), [("counter.glitch", "e", {"slot": 1}), ("device.silent", "", {})], index) == (0, 0)
    reset = judged_quality((0,), [("counter.reset", "e", {"width": 100_000})], index)[0]
    assert status_of(reset) is Status.UNCERTAIN
    assert flags_of(reset) == Flag.ROLLOVER_UNKNOWN_WIDTH | Flag.COUNTER_RESET


def test_every_rule_with_an_effect_is_a_rule() -> None:
    assert set(EFFECT) <= set(RULES)
