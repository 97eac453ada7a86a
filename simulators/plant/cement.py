"""A clinker line of 5 000 t a day with cement grinding and waste-heat power, invented, of ordinary proportions.

Electricity: one 35 kV intake, two transformers to 10 kV. On bus I: crusher, raw mill, kiln, coal mill, and the waste-
heat power that feeds in. On bus II: cement grinding, packing, compressed air, water pumps, lighting. What a parent
delivers is exactly what its children take, less what is generated, plus the loss of its own iron and copper.
"""

from dataclasses import dataclass

from simulators.noise import ripple
from simulators.plant.activity import Activity, Kiln, both, following, office, shifted
from simulators.plant.rate import Derived, Machine, Node, Rate

CLINKER_G_S = 58_000
COAL_PERMILLE_OF_CLINKER = 138
PROCESS_CO2_PERMILLE_OF_CLINKER = 530
COAL_CO2_PERMILLE = 2_290
STACK_AREA_M2 = 15.9
CO2_DENSITY_KG_NM3 = 1.977
STACK_CO2_SHARE = 0.182

_TRANSFORMER = {"fixed_loss_w": 15_000, "loss_divisor_w": 3_300_000_000}
_BUS = {"fixed_loss_w": 2_000, "loss_divisor_w": 6_000_000_000}
_FEEDER = {"fixed_loss_w": 400, "loss_divisor_w": 2_500_000_000}


@dataclass(frozen=True, slots=True)
class StackGas:
    """What flows in the stack at an instant."""

    co2_percent: float
    o2_percent: float
    moisture_percent: float
    temperature_c: float
    pressure_kpa: float
    velocity_m_s: float


class CementWorks:
    """Every rate of the works by name (``rates``), from the first local day on, a function of the seed alone."""

    def __init__(self, seed: int, first_day: int) -> None:
        self.seed = seed
        self.first_day = first_day
        self.rates: dict[str, Rate] = {}
        self.kiln_course = Kiln(seed)
        self._materials()
        self._bus_one()
        self._bus_two()
        self._intake()

    def _machine(self, name: str, full: int, activity: Activity, unit: str = "W") -> Machine:
        machine = Machine(name, self.first_day, activity, full, unit)
        self.rates[name] = machine
        return machine

    def _node(self, name: str, *children: Rate, fixed_loss_w: int, loss_divisor_w: int) -> Node:
        node = Node(name, children, fixed_loss_w=fixed_loss_w, loss_divisor_w=loss_divisor_w)
        self.rates[name] = node
        return node

    def _following(self, name: str, full: int, power: float, rest: float) -> Machine:
        return self._machine(name, full, following(self.kiln_course, self.seed, name, power=power, rest=rest))

    def _shifted(self, name: str, full: int, *spans: tuple[float, float], rest: float = 0.0) -> Machine:
        return self._machine(name, full, shifted(self.seed, name, spans, rest=rest))

    def _beside_kiln(self, name: str, full: int, *spans: tuple[float, float]) -> Machine:
        return self._machine(name, full, both(shifted(self.seed, name, spans, rest=0.02), self.kiln_course))

    def _materials(self) -> None:
        clinker = self._machine("clinker", CLINKER_G_S, self.kiln_course.share, "g/s")
        coal_rule = lambda g: g * COAL_PERMILLE_OF_CLINKER // 1_000  # noqa: E731  # one line beside its sources
        self.rates["kiln-coal"] = Derived("kiln-coal", [clinker], coal_rule, "g/s")
        self.rates["stack-co2"] = Derived(
            "stack-co2",
            [clinker, self.rates["kiln-coal"]],
            lambda g, coal: (g * PROCESS_CO2_PERMILLE_OF_CLINKER + coal * COAL_CO2_PERMILLE) // 1_000,
            "g/s",
        )
        self._machine("water", 42_000, following(self.kiln_course, self.seed, "water", power=0.5, rest=0.2), "mL/s")
        self._machine("diesel", 14_000, shifted(self.seed, "diesel", ((6.5, 11.5), (13.0, 20.0))), "uL/s")
        self._machine("cement", 66_000, shifted(self.seed, "cement-out", ((7.0, 19.0),)), "g/s")

    def _bus_one(self) -> None:
        crusher = self._shifted("crusher", 920_000, (8.0, 11.75), (13.0, 18.0), rest=0.015)
        raw_main = self._beside_kiln("raw-mill-main", 3_850_000, (0.0, 17.75), (20.25, 24.0))
        raw_fan = self._beside_kiln("raw-mill-fan", 2_450_000, (0.0, 17.75), (20.25, 24.0))
        raw_rest = self._following("raw-mill-rest", 360_000, 0.5, 0.1)
        raw = self._node("raw-mill", raw_main, raw_fan, raw_rest, **_FEEDER)
        kiln_main = self._following("kiln-main", 470_000, 0.8, 0.03)
        ht_fan = self._following("kiln-ht-fan", 2_300_000, 2.0, 0.0)
        cooler = self._following("kiln-cooler-fans", 1_850_000, 1.5, 0.04)
        exhaust = self._following("kiln-exhaust-fan", 690_000, 1.8, 0.0)
        kiln_rest = self._following("kiln-rest", 540_000, 0.5, 0.35)
        kiln = self._node("kiln", kiln_main, ht_fan, cooler, exhaust, kiln_rest, **_FEEDER)
        coal_mill = self._beside_kiln("coal-mill", 860_000, (0.0, 9.5), (12.0, 17.75), (21.0, 24.0))
        gross = self._machine("whr-gross", 5_450_000, following(self.kiln_course, self.seed, "whr", power=2.2))
        own = self._machine("whr-own", 430_000, following(self.kiln_course, self.seed, "whr-own", power=1.0, rest=0.0))
        net = Derived("whr-net", [gross, own], lambda made, used: max(0, made - used))
        self.rates["whr-net"] = net
        self._node_with_generation("bus-1", [crusher, raw, kiln, coal_mill], net)

    def _node_with_generation(self, name: str, children: list[Rate], generator: Rate) -> None:
        self.rates[name] = Node(name, children, generators=[generator], **_BUS)

    def _bus_two(self) -> None:
        mill_1 = self._shifted("cement-mill-1", 3_600_000, (0.0, 9.75), (12.0, 17.75), (22.0, 24.0))
        mill_2 = self._shifted("cement-mill-2", 3_600_000, (0.0, 8.0), (12.25, 16.0), (22.5, 24.0))
        press = self._shifted("roller-press", 1_780_000, (0.0, 9.75), (12.0, 17.75), (22.0, 24.0), rest=0.01)
        grinding_rest = self._shifted("cement-mill-rest", 620_000, (0.0, 24.0), rest=0.3)
        grinding = self._node("cement-mill", mill_1, mill_2, press, grinding_rest, **_FEEDER)
        packing = self._shifted("packing", 430_000, (7.0, 19.0), rest=0.04)
        air = self._shifted("compressor", 690_000, (0.0, 24.0), rest=0.5)
        pumps = self._machine(
            "water-pumps", 340_000, following(self.kiln_course, self.seed, "pumps", power=0.5, rest=0.25)
        )
        lighting = self._machine("lighting", 240_000, office(self.seed, "lighting"))
        self._node("bus-2", grinding, packing, air, pumps, lighting, **_BUS)

    def _intake(self) -> None:
        feeders = []
        for number in (1, 2):
            bus = self.rates[f"bus-{number}"]
            feeders.append(self._node(f"transformer-{number}-primary", bus, **_TRANSFORMER))
        self._node("intake", *feeders, fixed_loss_w=600, loss_divisor_w=9_000_000_000)

    def voltage_share(self, at_us: int) -> float:
        """Bus voltage as a share of nominal, between 0.985 and 1.025."""
        minute = at_us // 60_000_000
        return 1.005 + 0.008 * ripple(self.seed, minute // 15) + 0.004 * ripple(self.seed + 1, minute)

    def frequency_hz(self, at_us: int) -> float:
        """Grid frequency, 50 Hz give or take 0.03."""
        return 50.0 + 0.03 * ripple(self.seed + 2, at_us // 10_000_000)

    def stack_gas(self, at_us: int) -> StackGas:
        """The stack: its CO2 is what the clinker and the coal give off, its volume follows."""
        co2_kg_s = self.rates["stack-co2"].at(at_us) / 1_000.0
        minute = at_us // 60_000_000
        share = STACK_CO2_SHARE * (1.0 + 0.02 * ripple(self.seed + 3, minute // 5)) if co2_kg_s else 0.0004
        temperature_c = 104.0 + 4.0 * ripple(self.seed + 4, minute // 20) if co2_kg_s else 42.0
        moisture = 0.078 + 0.006 * ripple(self.seed + 5, minute // 20) if co2_kg_s else 0.02
        dry_nm3_s = co2_kg_s / CO2_DENSITY_KG_NM3 / share if co2_kg_s else 8.0
        wet_m3_s = dry_nm3_s / (1.0 - moisture) * (273.15 + temperature_c) / 273.15
        return StackGas(
            co2_percent=100.0 * share,
            o2_percent=9.6 - 0.4 * ripple(self.seed + 3, minute // 5) if co2_kg_s else 20.8,
            moisture_percent=100.0 * moisture,
            temperature_c=temperature_c,
            pressure_kpa=-0.35 + 0.05 * ripple(self.seed + 6, minute),
            velocity_m_s=wet_m3_s / STACK_AREA_M2,
        )
