"""Let a command wait until its entry is sealed: by the gateway at work, or by itself when none runs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from gateway.assembly.review_machine import Marker
from gateway.domain.errors import DataFolderError, JournalError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing.history import History, checkpoint_of
from gateway.sealing.sealer import SEAL_INTERVAL_S, Sealer

PATIENCE_S = 3 * SEAL_INTERVAL_S
STEP_S = 0.5


def sealed_up_to(folder: DataFolder, journal: Journal, clock: Clock) -> Callable[[int], None]:
    """A function that returns once a checkpoint covers an entry; JournalError when none comes within three minutes.

    DataFolderError for a package that a reviewer opened: it holds no key and no tree of its own.
    """
    marker = Marker.of(folder)
    if marker is not None:
        raise DataFolderError(
            "%(path)s is a reading copy of the package %(package)s and cannot be sealed or exported; export at the "
            "plant, or hand the package itself on",
            path=str(folder.path),
            package=marker.package,
        )

    def wait(seq: int) -> None:
        asyncio.run(_wait(seq))

    async def _wait(seq: int) -> None:
        deadline_ns = clock.monotonic_ns() + int(PATIENCE_S * 1e9)
        while clock.monotonic_ns() < deadline_ns:
            note = History(folder.seal).latest()
            if note is not None and checkpoint_of(note).size >= seq:
                return
            # the lock is held while a gateway collects; then it is the one to seal
            with suppress(DataFolderError), folder.hold_lock("collect"):
                Sealer(folder, clock).seal(journal)
                continue
            await clock.sleep(STEP_S)
        raise JournalError(
            "no checkpoint covered entry %(seq)s within %(seconds)s s; does the gateway still seal?",
            seq=str(seq),
            seconds=str(PATIENCE_S),
        )

    return wait
