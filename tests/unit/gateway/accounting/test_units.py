"""Legal units and those accepted on input; what is unknown or cannot be compared is refused."""

from fractions import Fraction

import pytest

from config.accounting_catalogues import shipped_accounting
from gateway.accounting.units import Law, UnitError, Units
from gateway.assembly.accounting_loading import units_of

UNITS: Units = units_of(shipped_accounting())


@pytest.mark.parametrize(
    ("value", "source", "target", "wanted"),
    [
        ("1", "kcal", "kJ", "4.1868"),
        ("7000", "大卡", "kJ", "29307.6"),
        ("1", "kgf/cm2", "kPa", "98.0665"),
        ("1", "bar", "kPa", "100"),
        ("25", "degC", "K", "298.15"),
        ("1", "万Nm3", "m3@0C", "10000"),
        ("5000", "kcal/kg", "MJ/kg", "20.934"),
        ("1", "tCO2/GJ", "tCO2/MWh", "3.6"),
        ("2", "tce", "kgce", "2000"),
        ("3", "度", "MJ", "10.8"),
    ],
)
def test_converted_exactly(value: str, source: str, target: str, wanted: str) -> None:
    assert UNITS.convert(Fraction(value), source, target) == Fraction(wanted)
    assert UNITS.convert(Fraction(wanted), target, source) == Fraction(value)


@pytest.mark.parametrize(("source", "target"), [("m3@0C", "m3@20C"), ("m3", "m3@0C"), ("tce", "GJ"), ("t", "m3")])
def test_different_things_do_not_convert(source: str, target: str) -> None:
    with pytest.raises(UnitError):
        UNITS.convert(Fraction(1), source, target)


@pytest.mark.parametrize("name", ["furlong", "", "NM3", "Sm3", "kwh"])
def test_unknown_is_refused(name: str) -> None:
    assert not UNITS.knows(name)
    with pytest.raises(UnitError, match="is not known"):
        UNITS.unit(name)


def test_a_gas_volume_is_restated_by_name_only() -> None:
    assert UNITS.restate(Fraction("273.15"), "m3@0C", "m3@20C") == Fraction("293.15")
    assert UNITS.restate(Fraction("293.15"), "m3@20C", "Nm3") == Fraction("273.15")
    with pytest.raises(UnitError):
        UNITS.restate(Fraction(1), "m3", "m3@20C")


def test_what_is_legal() -> None:
    assert UNITS.unit("kcal").law is Law.FOREIGN
    assert UNITS.unit("tce").law is Law.STATISTICAL
    assert UNITS.unit("kW·h").law is Law.LEGAL
