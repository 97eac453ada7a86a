"""A meter as a Modbus server shows it: its layout, its instrument, and what is wrong with it at a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulators.instruments.instrument import Instrument
from simulators.modbus.layout import BIT_FUNCTIONS, IDENTIFICATION, CompiledRequest, Layout

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
_REMEMBERED = 256

Silence = Callable[[int], bool]


class RefusalError(Exception):
    """The meter answers with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


@dataclass(slots=True)
class MeterOnTheWire:
    """One unit id behind a server. ``silent`` says whether it is dead at an instant."""

    device: str
    unit: int
    layout: Layout
    instrument: Instrument
    silent: Silence = lambda _at_us: False
    _requests: dict[tuple[int, int, int], CompiledRequest] = field(default_factory=dict)

    def data(self, function: int, address: int, count: int, at_us: int) -> bytes:
        """The data bytes of an answer, or RefusalError."""
        if function not in {1, 2, 3, 4, IDENTIFICATION}:
            raise RefusalError(ILLEGAL_FUNCTION)
        if function != IDENTIFICATION:
            most = 2_000 if function in BIT_FUNCTIONS else min(125, self.layout.maximum)
            if not 1 <= count <= most:
                raise RefusalError(ILLEGAL_VALUE)
            if address + count > 0x10000:
                raise RefusalError(ILLEGAL_ADDRESS)
        key = (function, address, count)
        request = self._requests.get(key)
        if request is None:
            request = self.layout.request(function, address, count)
            if len(self._requests) < _REMEMBERED:
                self._requests[key] = request
        if not request.known:
            raise RefusalError(ILLEGAL_ADDRESS)
        return request.answer(self.instrument, at_us)

    def answer(self, pdu: bytes, at_us: int) -> bytes:
        """The answer PDU to a request PDU: data, or the exception."""
        try:
            return self._honest(pdu, at_us)
        except RefusalError as refusal:
            return bytes((pdu[0] | 0x80, refusal.code))

    def _honest(self, pdu: bytes, at_us: int) -> bytes:
        function = pdu[0]
        if function == IDENTIFICATION:
            if len(pdu) < 4 or pdu[1] != 14:
                raise RefusalError(ILLEGAL_FUNCTION)
            return bytes((function, 14)) + self.data(function, pdu[3], pdu[2], at_us)
        if function not in {1, 2, 3, 4}:
            raise RefusalError(ILLEGAL_FUNCTION)
        if len(pdu) != 5:
            raise RefusalError(ILLEGAL_VALUE)
        data = self.data(function, int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big"), at_us)
        return bytes((function, len(data))) + data


def by_unit(meters: Sequence[MeterOnTheWire]) -> dict[int, MeterOnTheWire]:
    """Meters of one endpoint by unit id."""
    units = {meter.unit: meter for meter in meters}
    if len(units) != len(meters):
        raise ValueError("two meters of one endpoint share a unit id")
    return units
