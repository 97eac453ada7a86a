"""Who answers on a bus: every unit asked once, and those who answer asked who they are."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from drivers.modbus.request import IDENTIFICATION, Request
from gateway.domain.device import Device
from gateway.domain.reading import Outcome
from gateway.ports import Answer, Clock, Link

SILENT_GATEWAY = frozenset({10, 11})
OBJECT_NAMES = ("vendor", "product_code", "revision", "vendor_url", "product_name", "model_name", "application")
ATTEMPTS = 3
RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundUnit:
    """What one unit identifier brought. ``state``: answers, disturbed (two devices at once, or noise), silent."""

    unit: int
    state: str
    detail: str = ""
    elapsed_ms: float = 0.0
    identification: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "unit": self.unit,
            "state": self.state,
            "detail": self.detail,
            "elapsed_ms": self.elapsed_ms,
            "identification": dict(self.identification),
        }


async def scan(
    open_link: Callable[[], Link], units: Iterable[int], timeout_s: float, clock: Clock
) -> AsyncIterator[FoundUnit]:
    """Ask each unit for one holding register; a refusal is an answer too. OSError when the endpoint is out of reach."""
    link = open_link()
    try:
        for unit in units:
            answer = await _asked(link, Request(unit, 3, 0, 1), timeout_s)
            for _ in range(ATTEMPTS):
                if answer.outcome != Outcome.UNREACHABLE:
                    break
                # silent units make a link doubt its stream; a fresh one does not wait
                await link.close()
                await clock.sleep(RETRY_S)
                link = open_link()
                answer = await _asked(link, Request(unit, 3, 0, 1), timeout_s)
            if answer.outcome == Outcome.UNREACHABLE:
                raise OSError(answer.detail)
            found = _state(unit, answer)
            if found.state == "answers":
                identity = await _asked(link, Request(unit, IDENTIFICATION, 0, 1), timeout_s)
                found = _state(unit, answer, _identification(identity))
                # a device that does not know function 43 may take its rest for the next question's beginning
                await link.close()
                link = open_link()
            yield found
    finally:
        await link.close()


async def _asked(link: Link, request: Request, timeout_s: float) -> Answer:
    device = Device(
        id=f"unit-{request.unit}",
        organisation="",
        endpoint="",
        protocol="modbus",
        profile="",
        address={"unit": request.unit},
        groups=(),
    )
    return await link.exchange(device, request, timeout_s)


def _state(unit: int, answer: Answer, identification: dict[str, str] | None = None) -> FoundUnit:
    elapsed_ms = max(answer.received_us - answer.sent_us, 0) / 1_000
    if answer.outcome == Outcome.OK or (answer.outcome == Outcome.EXCEPTION and answer.code not in SILENT_GATEWAY):
        detail = "" if answer.outcome == Outcome.OK else f"exception {answer.code}"
        return FoundUnit(
            unit=unit,
            state="answers",
            detail=detail,
            elapsed_ms=elapsed_ms,
            identification=identification or {},
        )
    if answer.outcome in {Outcome.FRAME_ERROR, Outcome.FOREIGN_ANSWER}:
        return FoundUnit(unit=unit, state="disturbed", detail=answer.detail, elapsed_ms=elapsed_ms)
    return FoundUnit(unit=unit, state="silent", detail=f"exception {answer.code}" if answer.code else "")


def _identification(answer: Answer) -> dict[str, str]:
    data = answer.data
    result: dict[str, str] = {}
    if data is None or len(data) < 5:
        return result
    position = 5
    for _ in range(data[4]):
        if len(data) < position + 2:
            break
        number, length = data[position], data[position + 1]
        text = data[position + 2 : position + 2 + length].decode("ascii", "replace").strip("\x00 ")
        name = OBJECT_NAMES[number] if number < len(OBJECT_NAMES) else f"object_{number}"
        if text:
            result[name] = text
        position += 2 + length
    return result
