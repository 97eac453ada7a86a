"""One Modbus question, with everything about it that never changes."""

from dataclasses import dataclass, field
from typing import Any

IDENTIFICATION = 43
MEI_DEVICE_ID = 14


@dataclass(frozen=True, slots=True)
class Request:
    """Read ``count`` items from ``address`` of ``unit``; for function 43 ``count`` is the read code.

    ``pdu`` is what is sent behind the unit identifier; ``size`` the data bytes a good answer carries (None: not known
    beforehand, function 43).
    """

    unit: int
    function: int
    address: int
    count: int
    pdu: bytes = field(init=False, repr=False, compare=False)
    size: int | None = field(init=False, repr=False, compare=False)
    tail: bytes = field(init=False, repr=False, compare=False)
    head: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (0 <= self.unit <= 255 and 0 <= self.address <= 65_535):
            raise ValueError("unit or address out of range")
        limit = {1: 2_000, 2: 2_000, 3: 125, 4: 125, IDENTIFICATION: 4}.get(self.function)
        if limit is None:
            raise ValueError(f"function {self.function} does not read")
        if not 1 <= self.count <= limit:
            raise ValueError(f"count {self.count} out of range for function {self.function}")
        if self.function == IDENTIFICATION:
            pdu = bytes((IDENTIFICATION, MEI_DEVICE_ID, self.count, self.address & 0xFF))
            size = None
        else:
            pdu = bytes((self.function,)) + self.address.to_bytes(2, "big") + self.count.to_bytes(2, "big")
            size = 2 * self.count if self.function in {3, 4} else (self.count + 7) // 8
        object.__setattr__(self, "pdu", pdu)
        object.__setattr__(self, "size", size)
        # MBAP behind the transaction id: protocol 0, length, unit, PDU
        object.__setattr__(self, "tail", bytes((0, 0, 0, len(pdu) + 1, self.unit)) + pdu)
        # ... and what the good answer's header must be there, up to the byte count
        head = (
            b"" if size is None else bytes((0, 0, (size + 3) >> 8, (size + 3) & 0xFF, self.unit, self.function, size))
        )
        object.__setattr__(self, "head", head)

    def document(self) -> dict[str, Any]:
        """The journal form (docs/decode-plan.md)."""
        return {"unit": self.unit, "function": self.function, "address": self.address, "count": self.count}
