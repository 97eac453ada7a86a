"""What a broken rule makes of the readings it covers: every rule is evaluated, the worst word wins."""

from collections.abc import Iterable
from enum import StrEnum


class Word(StrEnum):
    """From good to worst."""

    GOOD = "good"
    CONDITIONAL = "conditional"  # usable with a larger uncertainty, or with a reservation
    OUT_OF_RANGE = "out_of_range"  # the certificate's errors do not reach it: the permissible error counts
    NOT_ADEQUATE = "not_adequate"  # measured, but not as well as its point demands
    TRACE_BROKEN = "trace_broken"
    QUESTIONED = "questioned"  # what was found later puts it in doubt
    EXPIRED = "expired"
    UNCALIBRATED = "uncalibrated"
    FAILED = "failed"
    INVALID = "invalid"  # another meter, another quantity, another ratio

    @property
    def rank(self) -> int:
        """0 for good, larger is worse."""
        return list(Word).index(self)


CODES = {
    "calibration.none": ("C01", Word.UNCALIBRATED),
    "point.unequipped": ("C01", Word.UNCALIBRATED),
    "calibration.identity": ("C02", Word.INVALID),
    "identity.serial_mismatch": ("C02", Word.INVALID),
    "calibration.expired": ("C03", Word.EXPIRED),
    "calibration.not_yet_valid": ("C03", Word.UNCALIBRATED),
    "calibration.failed": ("C04", Word.FAILED),
    "calibration.withdrawn": ("C04", Word.QUESTIONED),
    "calibration.quantity": ("C05", Word.INVALID),
    "calibration.range": ("C06", Word.OUT_OF_RANGE),
    "installation.ratio_mismatch": ("C07", Word.INVALID),
    "instrument.class_too_low": ("C08", Word.NOT_ADEQUATE),
    "calibration.not_verification": ("C08", Word.NOT_ADEQUATE),
    "calibration.conformity": ("C09", Word.CONDITIONAL),
    "point.uncertainty": ("C10", Word.NOT_ADEQUATE),
    "instrument.environment": ("C11", Word.CONDITIONAL),
    "calibration.trace_broken": ("C12", Word.TRACE_BROKEN),
    "calibration.untrusted": ("C13", Word.TRACE_BROKEN),
    "instrument.seal": ("C14", Word.QUESTIONED),
    "calibration.look_back": ("C15", Word.QUESTIONED),
    "calibration.unconfirmed": ("C04", Word.CONDITIONAL),
}
"""Rule → its number in the list of rules, and the word it leaves. Silence of a device is no word about a reading."""


def worst_word(rules: Iterable[str]) -> Word:
    """The worst word of broken rules; good when none of them is about readings."""
    return max((CODES[each][1] for each in rules if each in CODES), key=lambda each: each.rank, default=Word.GOOD)
