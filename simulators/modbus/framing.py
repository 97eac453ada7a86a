"""How a PDU travels: behind an MBAP header (Modbus TCP), or between unit and CRC (RTU, on a line or through a socket).

Written from the Modbus specifications, shared with nothing that reads these bytes. Everything here works on whole
frames; an answer is built for the request it belongs to, because only an MBAP answer repeats a number of it.
"""

from typing import Protocol

MBAP_BYTES = 7
MAX_PDU = 253
_IDENTIFICATION = 0x2B


def crc16(frame: bytes) -> bytes:
    """The two CRC bytes of an RTU frame, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc = (crc >> 8) ^ _STEPS[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")


def _step(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_STEPS = tuple(_step(each) for each in range(256))


class Framing(Protocol):
    """One way to put a PDU on the wire."""

    name: str

    def unit(self, frame: bytes) -> int:
        """The unit a frame is for or from."""
        ...

    def pdu(self, frame: bytes) -> bytes:
        """The PDU in a frame."""
        ...

    def answer(self, request: bytes, unit: int, pdu: bytes) -> bytes:
        """The frame of an answer to a request frame."""
        ...

    def cut(self, received: bytes) -> tuple[bytes | None, bytes]:
        """The first whole request frame of what came, None while there is none, and the rest; ValueError when the
        bytes are no request."""
        ...

    def foreign(self, request: bytes, frame: bytes) -> bytes:
        """The answer as it looks when it belongs to another question: another transaction's number, or on RTU, which
        has none, another unit's."""
        ...


class MbapFraming:
    """Modbus TCP."""

    name = "tcp"

    def unit(self, frame: bytes) -> int:
        """See Framing."""
        return frame[6]

    def pdu(self, frame: bytes) -> bytes:
        """See Framing."""
        return frame[MBAP_BYTES:]

    def answer(self, request: bytes, unit: int, pdu: bytes) -> bytes:
        """See Framing."""
        return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu

    def cut(self, received: bytes) -> tuple[bytes | None, bytes]:
        """See Framing."""
        if len(received) < MBAP_BYTES:
            return None, received
        length = int.from_bytes(received[4:6], "big")
        if received[2:4] != b"\0\0" or not 2 <= length <= MAX_PDU + 1:
            raise ValueError("not Modbus TCP")
        size = 6 + length
        return (received[:size], received[size:]) if len(received) >= size else (None, received)

    def foreign(self, request: bytes, frame: bytes) -> bytes:
        """See Framing."""
        del request
        return frame[:1] + bytes(((frame[1] + 1) & 0xFF,)) + frame[2:]


class RtuFraming:
    """RTU: unit, PDU, CRC. Requests are cut by their function's length, as a slave that knows its functions does."""

    name = "rtu"

    def unit(self, frame: bytes) -> int:
        """See Framing."""
        return frame[0]

    def pdu(self, frame: bytes) -> bytes:
        """See Framing."""
        return frame[1:-2]

    def answer(self, request: bytes, unit: int, pdu: bytes) -> bytes:
        """See Framing."""
        del request
        frame = bytes((unit,)) + pdu
        return frame + crc16(frame)

    def cut(self, received: bytes) -> tuple[bytes | None, bytes]:
        """See Framing."""
        if len(received) < 2:
            return None, received
        size = 7 if received[1] == _IDENTIFICATION else 8
        if len(received) < size:
            return None, received
        frame = received[:size]
        if crc16(frame[:-2]) != frame[-2:]:
            raise ValueError("not Modbus RTU")
        return frame, received[size:]

    def foreign(self, request: bytes, frame: bytes) -> bytes:
        """See Framing."""
        return self.answer(request, (self.unit(frame) + 1) & 0xFF, self.pdu(frame))


MBAP = MbapFraming()
RTU = RtuFraming()
