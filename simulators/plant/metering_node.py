"""A node of a metering tree with known errors: loads, losses, registers, faults and unmetered load, from a seed.

What the drift watch is judged by. Hour by hour: every child has a daily course of its own with a wandering part, the
parent delivers the children, what nobody meters, copper loss growing with the square and a standing loss; each register
counts with its meter's error and steps of its own. Errors are relative (0.01 = 1 %).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HOURS_A_DAY = 24
COPPER_SHARE = 0.015
STANDING_SHARE = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWish:
    """What to make. ``fault`` is the size of each planted error, of either sign; ``onset`` the share of the time after
    which it is there (0: always); ``unmetered`` the mean share nobody meters; ``noise`` extra scatter of the parent, a
    share of its load.
    """

    children: int
    days: int = 60
    faults: int = 1
    fault: float = 0.04
    onset: float = 0.0
    step: float = 0.01
    unmetered: float = 0.0
    course: Literal["random", "daily", "blocks"] = "random"
    noise: float = 0.0
    parent_u: float = 0.002
    child_u: float = 0.003


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredNode:
    """What the registers say, and the truth: ``errors`` of the children at the end, ``faulty`` their positions."""

    hour: NDArray[np.float64]
    parent: NDArray[np.float64]
    children: NDArray[np.float64]
    errors: NDArray[np.float64]
    faulty: frozenset[int]
    parent_error: float


def metered_node(seed: int, wish: NodeWish) -> MeteredNode:
    """The node of a seed; the same seed and wish give the same registers."""
    chance = np.random.default_rng(seed)
    hours = wish.days * HOURS_A_DAY
    time = np.arange(hours, dtype=np.float64)
    loads = np.column_stack([_load(chance, time) for _ in range(wish.children)])
    delivered = loads.sum(axis=1)
    delivered = delivered + wish.unmetered * float(delivered.mean()) * _course(chance, time, wish.course)
    mean = float(delivered.mean())
    true = delivered + COPPER_SHARE * delivered**2 / mean + STANDING_SHARE * mean
    true *= 1 + wish.noise * chance.normal(size=hours)
    parent_error = float(wish.parent_u * chance.normal())
    errors = wish.child_u * chance.normal(size=wish.children)
    faulty = chance.choice(wish.children, wish.faults, replace=False)
    planted = np.zeros(wish.children)
    planted[faulty] = wish.fault * chance.choice([-1.0, 1.0], wish.faults)
    there = (time >= wish.onset * hours).astype(np.float64)
    counted = [
        _register(chance, loads[:, each] * (1 + errors[each] + planted[each] * there), wish.step)
        for each in range(wish.children)
    ]
    return MeteredNode(
        hour=time,
        parent=_register(chance, true * (1 + parent_error), wish.step),
        children=np.column_stack(counted),
        errors=errors + planted,
        faulty=frozenset(int(each) for each in faulty),
        parent_error=parent_error,
    )


def _load(chance: np.random.Generator, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """A consumer of 20 to 200 kWh an hour with a daily course and a wandering part."""
    base, swing, phase = chance.uniform(20, 200), chance.uniform(0.2, 0.8), chance.uniform(0, HOURS_A_DAY)
    fresh = chance.normal(size=len(time))
    wander = np.zeros(len(time))
    for at in range(1, len(time)):
        wander[at] = 0.8 * wander[at - 1] + 0.6 * fresh[at]
    daily = 1 + swing * np.sin(2 * np.pi * (time - phase) / HOURS_A_DAY)
    load: NDArray[np.float64] = np.maximum(base * daily * (1 + 0.2 * wander), 0.0)
    return load


def _course(chance: np.random.Generator, time: NDArray[np.float64], course: str) -> NDArray[np.float64]:
    """A course of mean one: switched at random hours, daily with chance, or in blocks of hours."""
    if course == "random":
        shape = np.abs(chance.normal(1.0, 0.7, len(time))) * (chance.random(len(time)) < 0.6)
    elif course == "daily":
        night = (time % HOURS_A_DAY < 6) | (time % HOURS_A_DAY >= 18)
        shape = night * (1 + 0.2 * chance.normal(size=len(time)))
    else:
        blocks = chance.random(len(time) // 8 + 1) < 0.4
        shape = np.repeat(blocks.astype(np.float64), 8)[: len(time)]
    mean = float(shape.mean())
    return shape / mean if mean else shape


def _register(chance: np.random.Generator, energy: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """What a register that counts in steps shows hour by hour."""
    index = np.concatenate([[0.0], np.cumsum(energy)]) + chance.uniform(0, step)
    shown: NDArray[np.float64] = np.diff(np.floor(index / step) * step)
    return shown
