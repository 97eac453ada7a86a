"""Every vector of the formula table, the clinker vector, stoichiometry from atomic masses, IF97's own check values."""

from fractions import Fraction

import pytest

from config.accounting_catalogues import shipped_accounting
from gateway.accounting import formulas
from gateway.accounting.estimate import Estimate
from gateway.accounting.heat import HeatRule, SteamStateError, enthalpy, steam_heat, water_heat

AS_IT_IS = HeatRule(id="as-it-is", steam_reference_kj_per_kg=Fraction(0), water_reference_c=Fraction(20))
LESS = HeatRule(id="less", steam_reference_kj_per_kg=Fraction("83.74"), water_reference_c=Fraction(20))


def e(text: str) -> Estimate:
    return Estimate(Fraction(text))


def near(found: Estimate, wanted: str) -> bool:
    places = len(wanted.partition(".")[2])
    return abs(found.value - Fraction(wanted)) <= Fraction(1, 2 * 10**places)


def test_fuel_by_heat() -> None:
    assert near(formulas.fuel_by_heat(e("10"), e("0.02"), e("1")), "0.733333")


def test_fuel_by_volume() -> None:
    assert formulas.fuel_by_carbon(e("2"), e("0.015"), e("0.98")).value == Fraction("0.1078")


def test_fuel_by_mass() -> None:
    assert near(formulas.fuel_by_carbon(e("10"), e("0.02"), e("1")), "0.733333")


def test_heat_of_fuel() -> None:
    assert formulas.heat_of_fuel(e("2"), e("3")).value == 6
    assert formulas.heat_of_fuel(e("10"), e("3")).value == 30


def test_electricity_in() -> None:
    assert formulas.electricity(e("100"), e("0.5")).value == 50


def test_heat_in() -> None:
    taken = steam_heat(e("1"), e("2800"), AS_IT_IS)
    assert formulas.heat(taken, e("0.11")).value == Fraction("0.308")


def test_the_two_steam_rules_do_not_agree() -> None:
    assert steam_heat(e("1"), e("2800"), AS_IT_IS).value - steam_heat(e("1"), e("2800"), LESS).value == Fraction(
        "0.08374"
    )


def test_hot_water() -> None:
    assert water_heat(e("10"), e("70"), LESS).value == Fraction("10") * 50 * Fraction("4.1868") / 1000


def test_exports_and_both_totals() -> None:
    taken, delivered = e("50.308"), e("5.0616")
    assert formulas.with_indirect(e("0"), taken, delivered).value == Fraction("45.2464")
    assert formulas.with_indirect(e("19.3"), taken, delivered).value == Fraction("64.5464")


def test_desulphurisation() -> None:
    assert formulas.carbonate(e("10"), e("0.9"), e("0.44")).value == Fraction("3.96")


def test_clinker() -> None:
    found = formulas.clinker(e("1000"), e("0.65"), e("0"), e("0.015"), e("0"))
    assert near(found, "527.2143")
    less = formulas.clinker(e("1000"), e("0.65"), e("0.05"), e("0.015"), e("0"))
    assert found.value - less.value == 1000 * Fraction("0.05") * Fraction(44, 56)


def test_gas_at_zero_and_at_twenty_degrees_differ_by_seven_percent() -> None:
    flowing = {"pressure_kpa": e("201.325"), "temperature_k": e("293.15")}
    at_0c = formulas.gas_at_reference(e("100"), **flowing, reference_k=Fraction("273.15"))
    at_20c = formulas.gas_at_reference(e("100"), **flowing, reference_k=Fraction("293.15"))
    assert at_20c.value / at_0c.value == Fraction("293.15") / Fraction("273.15")
    assert at_20c.value == 100 * Fraction("201.325") / Fraction("101.325")


ATOMIC = {"H": 1.008, "C": 12.011, "O": 15.999, "Li": 6.94, "Na": 22.990, "Mg": 24.305, "K": 39.098, "Ca": 40.078}
ATOMIC |= {"Mn": 54.938, "Fe": 55.845, "Sr": 87.62, "Ba": 137.327}
CO2 = ATOMIC["C"] + 2 * ATOMIC["O"]
CARBONATES = {
    "caco3": ({"Ca": 1, "C": 1, "O": 3}, 1),
    "mgco3": ({"Mg": 1, "C": 1, "O": 3}, 1),
    "na2co3": ({"Na": 2, "C": 1, "O": 3}, 1),
    "nahco3": ({"Na": 1, "H": 1, "C": 1, "O": 3}, 1),
    "feco3": ({"Fe": 1, "C": 1, "O": 3}, 1),
    "mnco3": ({"Mn": 1, "C": 1, "O": 3}, 1),
    "baco3": ({"Ba": 1, "C": 1, "O": 3}, 1),
    "li2co3": ({"Li": 2, "C": 1, "O": 3}, 1),
    "k2co3": ({"K": 2, "C": 1, "O": 3}, 1),
    "srco3": ({"Sr": 1, "C": 1, "O": 3}, 1),
    "camgco32": ({"Ca": 1, "Mg": 1, "C": 2, "O": 6}, 2),
}


def test_carbonates_follow_from_atomic_masses() -> None:
    rows = {row.id: row for each in shipped_accounting().carbonates.values() for row in each.carbonates}
    assert set(rows) == set(CARBONATES)
    for name, (formula, carbons) in CARBONATES.items():
        mass = sum(ATOMIC[element] * count for element, count in formula.items())
        # the printed table rounds to three decimals; lithium's row is printed a unit low
        assert float(Fraction(rows[name].t_co2_per_t)) == pytest.approx(carbons * CO2 / mass, abs=0.0012), name


@pytest.mark.parametrize(
    ("pressure", "kelvin", "wanted"),
    [
        ("3", "300", 115.331273),  # region 1
        ("80", "300", 184.142828),
        ("3", "500", 975.542239),
        ("0.0035", "300", 2549.91145),  # region 2
        ("0.0035", "700", 3335.68375),
        ("30", "700", 2631.49474),
    ],
)
def test_if97_against_its_own_verification_values(pressure: str, kelvin: str, wanted: float) -> None:
    assert float(enthalpy(Fraction(pressure), Fraction(kelvin) - Fraction("273.15"))) == pytest.approx(wanted, abs=1e-4)


def test_saturated_steam_and_states_outside() -> None:
    assert float(enthalpy(Fraction(1))) == pytest.approx(2777.12, abs=0.01)
    for pressure, celsius in (("0", None), ("1000", "100"), ("1", "5000"), ("50", None)):
        with pytest.raises(SteamStateError):
            enthalpy(Fraction(pressure), None if celsius is None else Fraction(celsius))
