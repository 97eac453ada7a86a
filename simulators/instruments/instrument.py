"""What every simulated instrument can be asked."""

from typing import Protocol

from simulators.instruments.fitted import Fitted, Quantity


class Instrument(Protocol):
    """Anything with values to read."""

    def fitted(self, at_us: int) -> Fitted:
        """The physical meter at an instant."""
        ...

    def quantity(self, measurand: str, at_us: int) -> Quantity:
        """What the instrument would show for a measurand with unlimited digits; None when it does not measure it."""
        ...

    def true_micro(self, measurand: str, at_us: int) -> int | None:
        """The true total since the plant's first day, primary side, in millionths of the unit; None for other
        quantities."""
        ...


def identity_text(fitted: Fitted, measurand: str) -> str | None:
    """Serial number, firmware, model code as the meter tells them."""
    if measurand == "serial_number":
        return fitted.serial
    if measurand == "firmware_version":
        return fitted.firmware
    if measurand == "model_code":
        return "0"
    return None
