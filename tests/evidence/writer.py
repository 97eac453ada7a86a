"""A gateway in small, for killing: appends polls, seals, closes days, projects; says on stdout what it has promised.

usage: python -m tests.evidence.writer FOLDER. Lines: ``ack <seq> <leaf>`` after a commit, ``sealed <base64 note>``
after a checkpoint was signed, ``ready`` when it begins.
"""

import base64
import random
import sys
from pathlib import Path

from gateway.assembly.projecting import Projection
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.archivist import Archivist
from gateway.sealing.sealer import Sealer
from tests.born_folder import START_US, MovableClock
from tests.evidence.plant import DEVICES, PERIOD_US, configuration, poll

JUMP_US = 6 * PERIOD_US


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(path: Path, *, rounds: int = 1_000_000, seed: int | None = None) -> None:
    rng = random.Random(seed)
    clock = MovableClock()
    folder = DataFolder.open_or_create(
        path, organisation="works", site="plant", time_zone="Asia/Shanghai", simulated=True, clock=clock
    )
    with folder.hold_lock("collect"), folder.hold_lock("project"), Journal.open(folder) as journal:
        last = journal.read(max(0, journal.head() - 1), 1)[0]
        clock.now_us = max(clock.now_us, last.at_us)
        sealer = Sealer(folder, clock)
        sealer.seal(journal)  # so that the virtual clock does not run far ahead of a key that a kill left unconfirmed
        projection = Projection(folder, clock)
        configurations = {}
        for unit, device in enumerate(DEVICES, 1):
            known = journal.latest("configuration", f"works/device/{device}")
            if known is None:
                (seq,) = journal.append([configuration(device, unit, clock.now_us)])
                known = journal.entry(seq)
            configurations[device] = known.seq
        say("ready")
        slot = (clock.now_us // PERIOD_US + 1) * PERIOD_US
        for number in range(rounds):
            drafts = []
            for _ in range(6):
                for device, cfg in configurations.items():
                    drafts.append(poll(device, cfg, slot, (slot - START_US) // PERIOD_US * 7, rng))
                slot += PERIOD_US
            clock.now_us = slot
            encoded = [draft.encode() for draft in drafts]
            seqs = journal.append_encoded(encoded)
            say(f"ack {seqs[-1]} {encoded[-1].leaf.hex()}")
            if number % 3 == 2:
                sealer.seal(journal)
                say("sealed " + base64.b64encode((folder.seal / "checkpoint").read_bytes()).decode())
            if number % 4 == 3:
                projection.step(200)
            if number % 8 == 7:
                with folder.hold_lock("archive"):
                    Archivist(folder, journal, clock).close_days()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
