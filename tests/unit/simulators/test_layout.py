"""Registers shown for a profile, read back here by hand from the profile's own words."""

import struct
from decimal import Decimal

import pytest

from config.profile import Profile, load_profile, profile_ids, shipped_profiles
from simulators.modbus.device import MeterOnTheWire, RefusalError
from simulators.modbus.layout import Layout
from simulators.mqtt.payload import Shown
from simulators.profiles import UnusableProfileError, shipped_profile

AT_US = 1_795_313_700_000_000


class Meter(Shown):
    """Quantities given by hand, with what the protocol of an instrument wants beside."""

    def fitted(self, at_us: int) -> object:
        raise AssertionError(at_us)

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        raise AssertionError((measurand, at_us))


def meter(profile: str, **values: int | float | str) -> MeterOnTheWire:
    return MeterOnTheWire("m", 1, Layout(shipped_profile(profile)), Meter(values))  # type: ignore[arg-type]


def test_an_index_is_cut_at_the_last_digit_and_starts_again() -> None:
    shown = meter("meterproof/electricity-meter", active_energy_import=1_000_012_349_999, active_power=12.34567)
    data = shown.data(3, 0, 10, AT_US)
    assert struct.unpack(">I", data[:4])[0] == 1_234, "1 000 012.349999 kWh on an 8-digit register of 0.01 kWh"
    assert struct.unpack(">i", data[16:20])[0] == 123_457


def test_low_word_first_floats_and_long_counters() -> None:
    shown = meter("meterproof/electricity-meter-float", active_energy_import=8_214_123_456, active_power=-1.5)
    data = shown.data(4, 0, 24, AT_US)
    w = struct.unpack(">24H", data)
    assert w[3] << 48 | w[2] << 32 | w[1] << 16 | w[0] == 8_214_123
    assert struct.unpack(">f", struct.pack(">2H", w[21], w[20]))[0] == -1.5
    assert struct.pack(">2H", w[23], w[22]).hex() == "7fc00000", "no reactive power: the profile's sign for no value"


def test_texts_and_decimal_registers() -> None:
    assert meter("meterproof/belt-scale", serial_number="202120272").data(4, 10, 8, AT_US)[:10] == b"202120272\0"
    assert meter("meterproof/diesel-flow-meter", diesel_volume=88_431_260_000).data(3, 0, 2, AT_US).hex() == "00884312"
    words = struct.unpack(">3h", meter("meterproof/clinker-scale", product_mass=1_520_771_250_000).data(3, 0, 3, AT_US))
    assert words == (1, 5207, 7125)


def test_what_a_meter_refuses() -> None:
    shown = meter("meterproof/electricity-meter")
    for arguments, code in {(5, 0, 1): 1, (3, 40_000, 2): 2, (3, 0, 0): 3, (3, 0, 65): 3, (3, 65_535, 2): 2}.items():
        with pytest.raises(RefusalError) as refusal:
            shown.data(*arguments, AT_US)
        assert refusal.value.code == code, arguments
    assert shown.answer(bytes.fromhex("0300000002"), AT_US).hex() == "030400000000"
    assert shown.answer(bytes.fromhex("0600000002"), AT_US).hex() == "8601"
    assert shown.answer(bytes.fromhex("03000000"), AT_US).hex() == "8303"


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(UnusableProfileError, match="nobody/nothing"):
        shipped_profile("nobody/nothing")


def _modbus_profiles() -> list[Profile]:
    found = (load_profile(each, [shipped_profiles()])[0] for each in profile_ids(shipped_profiles()))
    return [profile for profile in found if profile is not None and profile.protocol == "modbus"]


@pytest.mark.parametrize("profile", _modbus_profiles(), ids=lambda profile: profile.id)
def test_every_shipped_profile_can_be_shown(profile: Profile) -> None:
    layout = Layout(profile)
    values: dict[str, int | float | str] = {
        channel.measurand: "12345678" if "number" in channel.measurand or "version" in channel.measurand else 1.0
        for group in profile.groups
        for channel in group.channels
    }
    shown = Meter(values)
    for cell in layout.cells:
        encoded = cell.encode(shown, AT_US)  # type: ignore[arg-type]
        assert len(encoded) == cell.length or cell.function == 43, cell
        assert cell.end <= 65_536
    assert Decimal(len(layout.cells)) >= sum(len(group.channels) for group in profile.groups)
