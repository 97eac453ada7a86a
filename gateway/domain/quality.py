"""The quality of a value: one integer word, good / uncertain / bad / missing plus the tests that said so.

The word is ``status | flags << 2``. Words are journaled and stored, so a bit, once given, keeps its meaning for ever;
new flags take new bits. Export maps (OPC UA, IEC 61850-7-3, HJ 212) read the same word.
"""

from collections.abc import Iterable
from enum import IntEnum, IntFlag


class Status(IntEnum):
    """How far a value may be used; a larger number is worse."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2
    MISSING = 3


class Flag(IntFlag):
    """Which test spoke, each with a fixed bit."""

    NO_VALUE = 1 << 0  # the meter answered with its "no value" sentinel
    NOT_A_NUMBER = 1 << 1  # NaN or infinity in a float register
    OVERFLOW = 1 << 2  # does not fit the scaled 64-bit integer
    FLOAT32_COARSE = 1 << 3  # a float32 counter moves in steps coarser than the resolution
    RANGE = 1 << 4  # outside the physical or declared range
    COUNTER_JITTER = 1 << 5  # a step back within noise
    COUNTER_GLITCH = 1 << 6  # a momentary zero
    COUNTER_ROLLOVER = 1 << 7  # passed the register width
    COUNTER_RESET = 1 << 8  # fell and stayed
    COUNTER_EXCHANGE = 1 << 9  # another meter answers
    RATE = 1 << 10  # faster than the rating allows
    STUCK = 1 << 11  # unchanged while a related quantity moves
    CROSS_CHANNEL = 1 << 12  # disagrees with another channel of the same meter
    IDENTITY = 1 << 13  # the device says it is another one
    RECEIVE_TIME = 1 << 14  # device time absent or not trusted
    BACKFILLED = 1 << 15  # sent later from the device's own memory
    CONFLICT = 1 << 16  # a differing second value for the same key
    NOT_READ = 1 << 17  # its block of a partial poll did not answer
    CALIBRATION_EXPIRED = 1 << 18
    UNCALIBRATED = 1 << 19
    QUESTIONED = 1 << 20  # look-back, withdrawn certificate, seal or firmware
    INTERPOLATED = 1 << 21
    SUBSTITUTED = 1 << 22
    MANUAL = 1 << 23
    ROLLOVER_UNKNOWN_WIDTH = 1 << 24  # a fall that would be a rollover, but the register width is not declared


GOOD = 0


def word(status: Status, flags: int = 0) -> int:
    """Pack a status and flags into the stored integer."""
    return status | flags << 2


def status_of(quality: int) -> Status:
    """The status of a stored word."""
    return Status(quality & 3)


def flags_of(quality: int) -> Flag:
    """The flags of a stored word."""
    return Flag(quality >> 2)


def worst(words: Iterable[int]) -> int:
    """The word of a thing made of parts: the worst status and every flag of theirs; good when there are none."""
    status, flags = 0, 0
    for each in words:
        status = max(status, each & 3)
        flags |= each >> 2
    return status | flags << 2
