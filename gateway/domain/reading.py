"""What one poll or message brought, from the wire to the journal, as blocks: never one object per value."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.finding import Finding


class Outcome(StrEnum):
    """How a slot ended. Every slot ends in exactly one of these; whether its values are good is judged separately."""

    OK = "ok"
    PARTIAL = "partial"  # some requests of the group answered, some did not
    TIMEOUT = "timeout"
    EXCEPTION = "exception"  # the device refused; the code is in Arrival.code
    FRAME_ERROR = "frame_error"
    FOREIGN_ANSWER = "foreign_answer"
    UNREACHABLE = "unreachable"  # no link: refused, no route, closed while asking
    BREAKER = "breaker"  # not asked: the circuit breaker of this unit was open
    OVERRUN = "overrun"  # not asked: the slot before it was still running
    SILENT = "silent"  # a pushed device sent nothing
    STOPPED = "stopped"  # the gateway was not running

    @property
    def has_values(self) -> bool:
        """True when raw bytes were read, so that the slot is a poll entry and not a miss."""
        return self in {Outcome.OK, Outcome.PARTIAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The end of one polled slot: raw bytes per request of the plan (``None`` where one did not answer) and its times.

    ``sent_us`` and ``received_us`` bracket the whole group; ``code`` is the Modbus exception code or 0; ``detail`` is a
    short English diagnostic without secrets.
    """

    device: str
    group: str
    slot_us: int
    outcome: Outcome
    sent_us: int = 0
    received_us: int = 0
    raw: tuple[bytes | None, ...] = ()
    code: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One pushed message as the broker handed it over, before anything is made of it."""

    endpoint: str
    topic: str
    payload: bytes
    received_us: int
    qos: int = 1
    retained: bool = False
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One group of one pushed device out of a message. ``at_us`` is device time when trusted, else receive time."""

    device: str
    group: str
    at_us: int
    device_time_us: int | None
    values: tuple[int | str | None, ...]
    quality: tuple[int, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A decoded poll: values in the order of the group's channels, scaled integers, texts, or None for not known."""

    device: str
    group: str
    slot_us: int
    observed_us: int
    values: tuple[int | str | None, ...]
    quality: tuple[int, ...]
    findings: tuple[Finding, ...] = ()
