"""Plant files: signals against their integrals, files against their problems, and a served plant with its truth."""

import asyncio
import io
import json
import time
from itertools import pairwise
from pathlib import Path

import pytest

from simulators.described.format import CounterForm, SignalForm, load_plant
from simulators.described.measuring import MeasuringInstrument
from simulators.described.meter import DescribedMeter
from simulators.described.running import DescribedPlant
from simulators.described.signals import Constant, Ramp, Signal, Steps, Wave
from simulators.described.works import Works
from simulators.truth import TruthLog

TWICE = """
simulation: 1
servers:
  - id: s
    devices:
      - {id: a, unit: 1, profile: x/y}
      - {id: a, unit: 2, profile: x/y}
"""
EXAMPLE = Path(__file__).parents[3] / "config/examples/simulate/plant.yaml"


@pytest.mark.parametrize(
    "signal",
    [
        Constant(3.5),
        Ramp(1.0, 5.0, 40.0),
        Ramp(1.0, 5.0, 7.0, again=True),
        Wave(10.0, 4.0, 30.0, 5.0),
        Steps([1.0, 8.0, 0.0], 9.0),
    ],
    ids=lambda signal: type(signal).__name__,
)
def test_an_integral_is_the_area_under_its_signal(signal: Signal) -> None:
    step = 0.001
    area = 0.0
    for k in range(60_000):
        if k % 10_000 == 0:
            assert signal.integral(k * step) == pytest.approx(area, abs=0.02)
        area += signal.value((k + 0.5) * step) * step


def test_a_counter_follows_another_value() -> None:
    plant, problems = load_plant(EXAMPLE)
    assert problems == []
    assert plant is not None
    coal = next(device for device in plant.devices if device.id == "coal")
    meter = DescribedMeter("coal", coal.values, 1_000_000)
    index = [meter.quantity("belt_mass", 1_000_000 + k * 1_800_000_000) for k in range(4)]
    assert index[0] == 212_340_000_000
    assert [int(b) - int(a) for a, b in pairwise(index)] == [14_250_000] * 3  # type: ignore[arg-type]


def test_a_counter_that_follows_nothing_is_refused() -> None:
    plant, _ = load_plant(EXAMPLE)
    assert plant is not None
    values = {"belt_mass": next(each for each in plant.devices if each.id == "coal").values["belt_mass"]}
    with pytest.raises(ValueError, match="belt_flow"):
        DescribedMeter("coal", values, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("simulation: 1", "the plant has no devices"),
        ("simulation: 1\nservers:\n  - {id: s, devices: [{id: a, profile: x/y}]}", "'%(key)s' is missing"),
        (
            TWICE,
            "the id '%(id)s' stands twice",
        ),
        ("simulation: 2", "'%(key)s' must be one of %(expected)s"),
        ("servers: [", "not valid YAML: %(reason)s"),
    ],
)
def test_a_wrong_file_is_told_by_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(text, "utf-8")
    plant, problems = load_plant(path)
    assert plant is None
    assert problem in [each.message for each in problems]
    assert all(each.line >= 1 for each in problems)


async def test_a_plant_on_the_wire_and_its_truth(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(
        """
simulation: 1
truth_every_s: 0.05
servers:
  - id: s
    devices:
      - id: a
        unit: 7
        profile: meterproof/electricity-meter
        values: {active_energy_import: 12.34}
        faults: [{kind: zero}, {kind: foreign_unit, every: 2}]
""",
        "utf-8",
    )
    file, problems = load_plant(path)
    assert problems == []
    assert file is not None
    log = io.StringIO()
    plant = DescribedPlant(file, lambda: time.time_ns() // 1_000, TruthLog(log))
    plant.build()
    await plant.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", plant.ports["s"])
    answers = []
    for transaction in (1, 2):
        writer.write(bytes.fromhex(f"{transaction:04x}00000006070300000002"))
        answers.append(await asyncio.wait_for(reader.readexactly(13), 60))
    async with asyncio.timeout(60):
        while log.getvalue().count('"t":"truth"') < 2:  # noqa: ASYNC110  # the log is a file, nobody signals
            await asyncio.sleep(0.02)
    writer.close()
    await plant.stop()
    assert [answer[6] for answer in answers] == [8, 7], "every second answer comes from a foreign unit"
    assert all(answer[9:] == bytes(4) for answer in answers), "the counter shows zero"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["kind"] for line in lines if line["t"] == "fault"] == ["zero", "foreign_unit"]
    assert [(line["device"], line["kind"]) for line in lines if line["t"] == "applied"] == [("a", "foreign_unit")]
    truths = [line for line in lines if line["t"] == "truth"]
    assert len(truths) >= 2
    assert truths[0]["true"]["active_energy_import"] == 12.34
    assert truths[0]["shown"]["active_energy_import"] == 0
    assert truths[0]["faults"] == ["zero", "foreign_unit"]
    # instants that a busy machine misses are left out
    assert all(line["at"] % 50_000 == 0 for line in truths)
    assert all(first["at"] < second["at"] for first, second in pairwise(truths))


def test_an_instrument_errs_and_drifts_and_its_index_holds_half_the_drift() -> None:
    year_us = int(365.25 * 86_400 * 1e6)
    plant, _ = load_plant(EXAMPLE)
    assert plant is not None
    coal = next(device for device in plant.devices if device.id == "coal")
    true = DescribedMeter("coal", coal.values, 0)
    shown = MeasuringInstrument(
        true, 0, error_percent=0.5, drift_percent_a_year=1.0, clock_ppm=20.0, clock_offset_s=2.0
    )
    flow, index = (true.quantity(each, year_us) for each in ("belt_flow", "belt_mass"))
    start = true.quantity("belt_mass", 0)
    assert isinstance(flow, float)
    assert isinstance(index, int)
    assert isinstance(start, int)
    assert shown.quantity("belt_flow", year_us) == pytest.approx(flow * 1.015)
    assert shown.quantity("belt_mass", year_us) == pytest.approx(start + (index - start) * 1.010)
    assert shown.true_micro("belt_mass", year_us) == index
    assert shown.clock_us(year_us) - year_us == pytest.approx(2e6 + 20e-6 * year_us)
    assert shown.quantity("serial_number", year_us) == true.quantity("serial_number", year_us)


def test_values_come_from_the_works() -> None:
    start_us = 1_795_305_600_000_000
    works = Works(3, start_us)
    meter = DescribedMeter(
        "kiln",
        {
            "belt_flow": SignalForm(works="kiln-coal"),
            "belt_mass": SignalForm(counter=CounterForm(start=100, follows="belt_flow")),
            "co2_concentration": SignalForm(works="co2_percent"),
        },
        start_us,
        works,
    )
    hour_us = 3_600_000_000
    flows = [meter.quantity("belt_flow", start_us + n * hour_us // 60) for n in range(61)]
    masses = [meter.quantity("belt_mass", start_us + n * hour_us) for n in (0, 1)]
    assert masses[0] == 100_000_000
    trapezes = sum((float(a or 0) + float(b or 0)) / 120 for a, b in pairwise(flows))
    assert (int(masses[1] or 0) - 100_000_000) / 1e6 == pytest.approx(trapezes, rel=1e-3)
    gas = meter.quantity("co2_concentration", start_us)
    assert isinstance(gas, float)
    assert 0.0 < gas < 30.0


def test_what_the_works_has_not_is_named() -> None:
    with pytest.raises(ValueError, match=r"no 'unicorn'; it has .*kiln-coal"):
        Works(1, 1_795_305_600_000_000).signal("unicorn")
