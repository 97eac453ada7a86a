"""mbpoll, a Modbus client that is not ours, reads the simulated meters to the expected values."""

import asyncio
import re
from collections.abc import AsyncIterator
from fractions import Fraction

import pytest

from simulators.demo.faults import Calendar
from simulators.demo.places import FITTED
from simulators.demo.plant import DemoPlant, build_plant
from simulators.instruments.electricity import ElectricityMeter
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.layout import Layout
from simulators.modbus.server import ModbusServer
from simulators.plant.rate import day_start_us
from simulators.profiles import shipped_profile
from tests.services import program

pytestmark = pytest.mark.integration

BORN_US = 1_795_300_123_456_789
NOW_US = BORN_US + 3_600_000_000
VALUE = re.compile(r"^\[(\d+)\]:\s+(0x[0-9A-Fa-f]+|-?[0-9.eE+-]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def plant() -> DemoPlant:
    return build_plant(3, Calendar(BORN_US, 4))


@pytest.fixture
async def port(plant: DemoPlant) -> AsyncIterator[int]:
    """Every Modbus meter of the works behind one serial server: units 1 to 61 at one port."""
    meters = [
        MeterOnTheWire(
            device=place.device,
            unit=place.unit,
            layout=Layout(shipped_profile(place.profile)),
            instrument=plant.instruments[place.device],
            silent=lambda at_us, device=place.device: plant.silent(device, at_us),  # type: ignore[misc]
        )
        for place in FITTED
        if place.unit
    ]
    server = ModbusServer(meters, lambda: NOW_US)
    yield await server.start("127.0.0.1", 0)
    await server.stop()


async def mbpoll(port: int, unit: int, kind: str, address: int, count: int, *more: str) -> list[str]:
    """The values mbpoll prints, in order; empty when it prints none."""
    arguments = [
        str(program("mbpoll")),
        "-m",
        "tcp",
        "-p",
        str(port),
        "-a",
        str(unit),
        "-t",
        kind,
        "-0",
        "-r",
        str(address),
    ]
    process = await asyncio.create_subprocess_exec(
        *arguments, "-c", str(count), "-o", "0.3", *more, "-1", "127.0.0.1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    return [found[1] for found in VALUE.findall(output.decode("utf-8", "replace"))]


def expected_index(plant: DemoPlant, device: str) -> Fraction:
    """kWh on the meter: its opening, and the true energy since, through the transformers and with its error."""
    meter = plant.instruments[device]
    assert isinstance(meter, ElectricityMeter)
    fitted = meter.fitted(NOW_US)
    joules = meter.rate.total(NOW_US) - meter.rate.total(max(fitted.from_us, day_start_us(plant.calendar.first_day)))
    ratio = Fraction(fitted.ct[0], fitted.ct[1]) * Fraction(fitted.pt[0], fitted.pt[1])
    seen = Fraction(joules, 3_600_000) * (1 + Fraction(fitted.error_ppm, 1_000_000)) / ratio
    return Fraction(fitted.opening_micro, 1_000_000) + seen


@pytest.mark.parametrize("device", ["crusher", "roller-press"])
async def test_a_counter_of_two_registers_high_word_first(plant: DemoPlant, port: int, device: str) -> None:
    unit = next(place.unit for place in FITTED if place.device == device)
    [value] = await mbpoll(port, unit, "4:int", 0, 1, "-B")
    index = expected_index(plant, device) % 1_000_000
    assert 0 <= index * 100 - int(value) < Fraction(101, 100)


async def test_a_float_low_word_first(plant: DemoPlant, port: int) -> None:
    [value] = await mbpoll(port, 21, "3:float", 20, 1)
    power_kw = plant.works.rates["kiln"].at(NOW_US) / 1_000 / (100 * 100)
    assert float(value) == pytest.approx(power_kw, rel=0.011)


async def test_a_counter_of_four_registers(plant: DemoPlant, port: int) -> None:
    words = [int(each) & 0xFFFF for each in await mbpoll(port, 1, "3", 0, 4)]
    value = sum(word << (16 * place) for place, word in enumerate(words))
    assert 0 <= expected_index(plant, "intake-35kv") * 1_000 - value < Fraction(101, 100)


async def test_texts_ratios_and_status(plant: DemoPlant, port: int) -> None:
    letters = [int(each, 16) for each in await mbpoll(port, 32, "3:hex", 200, 8)]
    serial = b"".join(each.to_bytes(2, "big") for each in letters).rstrip(b"\0").decode()
    assert serial == plant.instruments["cement-mill-1"].fitted(NOW_US).serial
    assert await mbpoll(port, 32, "3", 212, 2) == ["80", "100"]


async def test_packed_decimal_and_ten_thousands(plant: DemoPlant, port: int) -> None:
    shown = plant.instruments["diesel-meter"].quantity("diesel_volume", NOW_US)
    assert isinstance(shown, int)
    digits = "".join(f"{int(each, 16):04x}" for each in await mbpoll(port, 53, "4:hex", 0, 2))
    assert int(digits) == shown // 100_000
    groups = [int(each) for each in await mbpoll(port, 52, "4", 0, 3)]
    clinker = plant.instruments["clinker-scale"].quantity("product_mass", NOW_US)
    assert isinstance(clinker, int)
    assert (groups[0] * 10_000 + groups[1]) * 10_000 + groups[2] == clinker // 10_000


async def test_the_silent_meter_does_not_answer_and_unknown_registers_are_refused(port: int) -> None:
    assert await mbpoll(port, 15, "4", 0, 2) == []
    assert await mbpoll(port, 11, "4", 30_000, 2) == []
    assert len(await mbpoll(port, 11, "4", 0, 2)) == 2
