"""The stack gas analyser: concentrations and the state of the gas, nothing cumulative."""

from collections.abc import Callable

from simulators.instruments.fitted import MICRO, Fitted, Quantity
from simulators.instruments.instrument import identity_text
from simulators.plant.cement import StackGas

_FIELDS = {
    "co2_concentration": "co2_percent",
    "o2_concentration": "o2_percent",
    "gas_moisture": "moisture_percent",
    "gas_temperature": "temperature_c",
    "gas_pressure": "pressure_kpa",
    "gas_velocity": "velocity_m_s",
}


class StackAnalyser:
    """Reads the stack with one error on the concentration."""

    def __init__(self, name: str, gas: Callable[[int], StackGas], fitted: Fitted) -> None:
        self.name = name
        self._gas = gas
        self._fitted = fitted
        self._last: tuple[int, StackGas] | None = None

    def fitted(self, _at_us: int) -> Fitted:
        """The analyser."""
        return self._fitted

    def true_micro(self, _measurand: str, _at_us: int) -> int | None:
        """Nothing cumulative here."""
        return None

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """One property of the gas; None for what it does not measure."""
        field = _FIELDS.get(measurand)
        if field is None:
            return 0.0 if measurand == "device_status" else identity_text(self._fitted, measurand)
        if self._last is None or self._last[0] != at_us:
            self._last = (at_us, self._gas(at_us))
        value: float = getattr(self._last[1], field)
        return value * (1.0 + self._fitted.error_ppm / MICRO) if measurand == "co2_concentration" else value
