"""What is wrong with the demo's stack analyser: its span drifts away in the last third of the history."""

from collections.abc import Callable
from dataclasses import replace

from simulators.demo.faults import Calendar
from simulators.plant.cement import StackGas


def analyser_gas(gas: Callable[[int], StackGas], calendar: Calendar) -> Callable[[int], StackGas]:
    """The gas as the analyser sees it: its CO2 reads low once its span has drifted."""

    def seen(at_us: int) -> StackGas:
        found = gas(at_us)
        return replace(found, co2_percent=found.co2_percent * (1.0 + calendar.analyser_drift(at_us)))

    return seen
