"""Faults between a Modbus meter and whoever asks: what really goes over the wire instead of the honest answer."""

from collections.abc import Callable, Sequence

from simulators.faults.fault import Fault
from simulators.modbus.exchange import Exchange, Reaction


class WireFaults:
    """A ``Mischief`` that applies the wire faults of the devices behind one server, and remembers when it did.

    ``applied`` counts, by kind, the exchanges really spoilt: what a detector is measured against; ``latest`` is the
    kind of the last one.
    """

    def __init__(self, faults: Sequence[Fault], log: Callable[[Fault, Exchange], None] | None = None) -> None:
        self._faults = sorted((each for each in faults if each.place == "wire"), key=lambda each: each.from_us)
        self._turns: dict[int, int] = {}
        self._log = log
        self.applied: dict[str, int] = {}
        self.latest: str | None = None

    def __call__(self, exchange: Exchange) -> Reaction | None:
        """The reaction of the first acting fault whose turn it is; None when the answer stays honest."""
        for index, fault in enumerate(self._faults):
            if fault.device != exchange.device or not fault.active(exchange.at_us):
                continue
            turn = self._turns.get(index, 0)
            self._turns[index] = turn + 1
            if turn % fault.every:
                continue
            self.applied[fault.kind] = self.applied.get(fault.kind, 0) + 1
            self.latest = fault.kind
            if self._log is not None:
                self._log(fault, exchange)
            return _REACTIONS[fault.kind](fault, exchange)
        return None


def _now(frame: bytes) -> Reaction:
    return Reaction(((0.0, frame),))


def _delayed(fault: Fault, exchange: Exchange) -> Reaction:
    return Reaction(((fault.number("delay_s"), exchange.answer),))


def _framed(exchange: Exchange, unit: int, pdu: bytes) -> Reaction:
    return _now(exchange.framing.answer(exchange.request, unit, pdu))


def _unit(exchange: Exchange) -> int:
    return exchange.framing.unit(exchange.answer)


def _pdu(exchange: Exchange) -> bytes:
    return exchange.framing.pdu(exchange.answer)


def _foreign_unit(exchange: Exchange) -> Reaction:
    return _framed(exchange, (_unit(exchange) + 1) & 0xFF, _pdu(exchange))


def _foreign_function(exchange: Exchange) -> Reaction:
    pdu = _pdu(exchange)
    return _framed(exchange, _unit(exchange), bytes(((pdu[0] + 1) & 0xFF,)) + pdu[1:])


def _registers(exchange: Exchange) -> bytes:
    """The data of a register answer, empty for anything else."""
    pdu = _pdu(exchange)
    return pdu[2:] if pdu[0] in {3, 4} else b""


def _with_registers(exchange: Exchange, registers: bytes) -> Reaction:
    """The answer with other registers, its counts kept true."""
    if not _registers(exchange):
        return _now(exchange.answer)
    return _framed(exchange, _unit(exchange), bytes((_pdu(exchange)[0], len(registers))) + registers)


def _swapped(exchange: Exchange) -> Reaction:
    data = _registers(exchange)
    pairs = [data[i + 2 : i + 4] + data[i : i + 2] for i in range(0, len(data), 4)]
    return _with_registers(exchange, b"".join(pairs))


def _shifted(exchange: Exchange) -> Reaction:
    data = _registers(exchange)
    return _with_registers(exchange, data[2:] + data[:2])


def _exception(fault: Fault, exchange: Exchange) -> Reaction:
    function = exchange.framing.pdu(exchange.request)[0]
    return _framed(exchange, _unit(exchange), bytes((function | 0x80, int(fault.number("code")))))


def _split(fault: Fault, exchange: Exchange) -> Reaction:
    half = len(exchange.answer) // 2
    return Reaction(((0.0, exchange.answer[:half]), (fault.number("delay_s"), exchange.answer[half:])))


_REACTIONS: dict[str, Callable[[Fault, Exchange], Reaction]] = {
    "silence": lambda _fault, _exchange: Reaction(()),
    "late": _delayed,
    "slow": _delayed,
    "foreign_transaction": lambda _fault, exchange: _now(exchange.framing.foreign(exchange.request, exchange.answer)),
    "foreign_unit": lambda _fault, exchange: _foreign_unit(exchange),
    "foreign_function": lambda _fault, exchange: _foreign_function(exchange),
    "two_frames": lambda _fault, exchange: _now((exchange.earlier or exchange.answer) + exchange.answer),
    "partial": lambda _fault, exchange: _now(exchange.answer[: len(exchange.answer) // 2]),
    "split": _split,
    "short": lambda _fault, exchange: _with_registers(exchange, _registers(exchange)[:-2]),
    "exception": _exception,
    "word_swap": lambda _fault, exchange: _swapped(exchange),
    "off_by_one": lambda _fault, exchange: _shifted(exchange),
    "hang_up": lambda _fault, _exchange: Reaction((), close=True),
    "garbage": lambda _fault, exchange: _now(bytes(0xA5 ^ each for each in exchange.answer)),
}
