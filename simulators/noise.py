"""Repeatable chance: every draw is a function of the seed and a name, so a plant can be asked about any instant in
any order."""

import random
import zlib

_SCALE = 2.0**-32


def stream(*name: object) -> random.Random:
    """A generator for one thing (a machine on a day, say): the same name gives the same numbers on every machine."""
    return random.Random(":".join(map(str, name)))  # noqa: S311  # repeatable by design; nothing here is secret


def hashed_fraction(*name: object) -> float:
    """One number in [0, 1) that belongs to a name."""
    return zlib.crc32(":".join(map(str, name)).encode()) * _SCALE


def ripple(salt: int, step: int) -> float:
    """A number in [-1, 1) for the ``step``-th sample of something: white, cheap, and the same whenever it is asked."""
    mixed = (step * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ (mixed >> 30)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed >> 11) * 2.0**-52 - 1.0


def slow_drift(generator: random.Random, count: int, *, persistence: float = 0.9) -> list[float]:
    """``count`` numbers of a wandering series around 0, about ±1 wide: each keeps ``persistence`` of the one before."""
    fresh = (1.0 - persistence * persistence) ** 0.5
    level = generator.gauss(0.0, 0.5)
    series = []
    for _ in range(count):
        level = persistence * level + fresh * generator.gauss(0.0, 0.5)
        series.append(max(-1.5, min(1.5, level)))
    return series
