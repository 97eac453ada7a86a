"""A few open readers of the data folder, handed to one request each."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.journal.folder import DataFolder

MAX_READERS = 4
WAIT_S = 30.0


class Readers:
    """At most ``MAX_READERS`` readers, opened when first needed; each serves one request at a time."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self._free: queue.LifoQueue[OpenFolder | None] = queue.LifoQueue()
        for _ in range(MAX_READERS):
            self._free.put(None)

    @contextmanager
    def borrowed(self, organisation: str | None = None) -> Iterator[OpenFolder]:
        """A reader for the time of one request; after a fault it is closed and opened anew next time.

        A reader sees one organisation, the folder's own unless another is named, whose readers are not kept.
        """
        if organisation is not None and organisation != self.folder.organisation:
            with open_for_reading(self.folder, organisation=organisation) as other:
                yield other
            return
        reader = self._free.get(timeout=WAIT_S)
        try:
            if reader is not None and not reader.is_current():
                reader.close()
                reader = None
            if reader is None:
                reader = open_for_reading(self.folder)
            yield reader
        except BaseException:
            if reader is not None:
                reader.close()
                reader = None
            raise
        finally:
            self._free.put(reader)

    def close(self) -> None:
        """Close every free reader; for shutdown."""
        for _ in range(self._free.qsize()):
            reader = self._free.get()
            if reader is not None:
                reader.close()
            self._free.put(None)
