"""One seed from the first plan to the last check."""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from tests.simulation.checks import check, verified
from tests.simulation.forging import forge
from tests.simulation.record import Record
from tests.simulation.scoring import Score, score
from tests.simulation.world import World

HOURS = 26.3
FORGED_EVERY, REBUILT_EVERY, COMPARED_EVERY = 4, 3, 2
"""Every fourth folder is altered afterwards, every third built anew, of every second the series are compared with the
journal by the verifier too: each costs as much CPU as a tenth of a world."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What identifies a run, and what it cost."""

    seed: int
    digest: str
    cpu_s: float


def live(seed: int, memory: Path, hours: float = HOURS) -> tuple[Lived, Score]:
    """Live a world, check it, score it, forge it; nothing of it is left. AssertionError names the seed."""
    began_s = process_time()
    with _told(seed), _nothing_sought_for_reuse():
        world = World(seed, hours, memory / f"w{seed}").run()
        try:
            record = Record(world.folder)
            checked = check(world, record, rebuild=seed % REBUILT_EVERY == 1, series=seed % COMPARED_EVERY == 0)
            own = score(world, record)
            own.checked.update(checked)
            if seed % FORGED_EVERY == 0:
                what = forge(world.folder, random.Random(seed))
                code, _ = verified(world.folder)
                own.planted["forged edit"] += 1
                own.seen["forged edit"] += code == 1
                if code != 1:
                    own.missed["forged edit"].append(f"{seed}: {what}")
        finally:
            world.remove()
    return Lived(seed, record.digest, process_time() - began_s), own


@contextmanager
def _nothing_sought_for_reuse() -> Iterator[None]:
    """Nearly all that a world makes is needed to its end: looking for rubbish before costs a twentieth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _told(seed: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"seed {seed}: METERPROOF_SEED={seed} runs it alone")
        raise
