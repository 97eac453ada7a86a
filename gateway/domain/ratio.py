"""Transformer ratios and accuracy classes as they are written on plates and in ledgers."""

import re
from fractions import Fraction

_RATIO = re.compile(r"^\s*(\d{1,9}(?:\.\d{1,6})?)\s*(?:[/:：／]\s*(\d{1,9}(?:\.\d{1,6})?))?\s*$")
_CLASS = re.compile(r"^(\d{1,3}(?:\.\d{1,4})?)\s*(S?)$")
# IEC 62053-2x against EN 50470-3 / OIML R 46 letters; confidence 转载
_LETTER_CLASSES = {"A": "2", "B": "1", "C": "0.5", "D": "0.2"}


def parse_ratio(text: str) -> Fraction:
    """``200/5`` → 40, ``35000/100`` → 350, ``40`` → 40, blank → 1; ValueError when it is no positive ratio."""
    if not text.strip():
        return Fraction(1)
    match = _RATIO.match(text)
    if match is None:
        raise ValueError(f"not a ratio: {text!r}")
    primary, secondary = Fraction(match[1]), Fraction(match[2] or 1)
    if primary <= 0 or secondary <= 0:
        raise ValueError(f"not a positive ratio: {text!r}")
    return primary / secondary


def class_rank(text: str) -> tuple[Fraction, int] | None:
    """Sort key of an accuracy class, smaller is better: ``0.2S`` < ``0.2`` < ``0.5S``; None when it is not comparable.

    ``级`` and ``class`` around the number are ignored; letters A to D of electricity meters count as 2, 1, 0.5, 0.2.
    """
    plain = text.strip().upper().replace("级", "").replace("CLASS", "").replace("Ｓ", "S").strip()
    match = _CLASS.match(_LETTER_CLASSES.get(plain, plain))
    return None if match is None else (Fraction(match[1]), 0 if match[2] else 1)
