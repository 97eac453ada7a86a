"""The start-up self-test: does the disk sync, and how long does it take."""

import os
from dataclasses import dataclass

from gateway.domain.errors import DataFolderError
from gateway.journal.folder import DataFolder
from gateway.ports import Clock

ROUNDS = 20
BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SyncLatency:
    """How long one write of 4 KiB with its sync took, microseconds. A median under 20 µs means nothing really syncs."""

    median_us: int
    worst_us: int
    rounds: int


def measure_sync_latency(folder: DataFolder, clock: Clock, rounds: int = ROUNDS) -> SyncLatency:
    """Write, sync and read back blocks beside the journal; DataFolderError when the disk refuses or alters them."""
    path = folder.state / "sync-test"
    durations = []
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for number in range(rounds):
                block = number.to_bytes(4, "big") * (BLOCK_BYTES // 4)
                begin = clock.monotonic_ns()
                os.pwrite(descriptor, block, number * BLOCK_BYTES)
                os.fdatasync(descriptor)
                durations.append((clock.monotonic_ns() - begin) // 1000)
                if os.pread(descriptor, BLOCK_BYTES, number * BLOCK_BYTES) != block:
                    raise DataFolderError("the disk under %(path)s returned other bytes than written", path=str(path))
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)
    except OSError as error:
        raise DataFolderError(
            "the disk under %(path)s cannot be written: %(reason)s", path=str(path), reason=error.strerror or str(error)
        ) from error
    durations.sort()
    return SyncLatency(durations[len(durations) // 2], durations[-1], rounds)
