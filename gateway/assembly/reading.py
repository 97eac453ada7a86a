"""Opens a data folder for queries: everything read-only, nothing created."""

from collections.abc import Mapping, Sequence
from typing import Any, Self
from zoneinfo import ZoneInfo

from gateway.assembly.accounting_loading import reference
from gateway.assembly.plugins import drivers, is_polling
from gateway.audit.asking import Asking, Decoded, Sources
from gateway.domain.errors import DataFolderError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore
from gateway.settlement.query import Settlement


def decode_again(protocol: str, plan: Mapping[str, Any], raw: Sequence[bytes | None]) -> Decoded | None:
    """Values and quality words of raw bytes, by the driver of the protocol; None when no driver knows the plan."""
    driver = drivers().get(protocol)
    if driver is None or not is_polling(driver):
        return None
    try:
        values, quality, _findings = driver.load_plan(dict(plan)).decode(raw)
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    return values, quality


class OpenFolder:
    """A data folder open for reading. One thread uses one of these at a time."""

    def __init__(self, folder: DataFolder, *, organisation: str | None = None) -> None:
        self.folder = folder
        self.organisation = organisation or folder.organisation
        self.zone = ZoneInfo(folder.time_zone)
        self._files = _identities(folder)
        self._journal = Journal.open(folder, read_only=True)
        try:
            self._registry = Registry.open(folder.registry)
            self._series = SeriesStore(folder.series, organisation=self.organisation, read_only=True)
            self._settlement = Settlement.open(folder.settlement, self._registry)
        except BaseException:
            self._journal.close()
            raise
        self.sources = Sources(
            journal=self._journal,
            registry=self._registry,
            series=self._series,
            settlement=self._settlement,
            decode=decode_again,
            seal=folder.seal,
            reference=reference,
        )

    def is_current(self) -> bool:
        """False once a projection file was dropped and made again, as ``rebuild`` does: then open the folder anew."""
        return self._files == _identities(self.folder)

    def asking(self, as_of_us: int, known_at_us: int | None = None) -> Asking:
        """The frame of a question about the organisation it was opened for: the folder's own, or the one named."""
        known = None if known_at_us is None else self._registry.known_seq(known_at_us)
        return Asking(organisation=self.organisation, as_of_us=as_of_us, known_seq=known, zone=self.zone)

    def close(self) -> None:
        """Close every file; idempotent."""
        self._settlement.close()
        self._series.close()
        self._registry.close()
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _identities(folder: DataFolder) -> tuple[tuple[int, int] | None, ...]:
    """Device and inode of the projection files; None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for path in (folder.registry, folder.settlement):
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return tuple(found)


def open_for_reading(folder: DataFolder, *, organisation: str | None = None) -> OpenFolder:
    """Open a folder for one organisation's eyes, its own unless named.

    DataFolderError with what to do while its projections are not there yet.
    """
    for path in (folder.registry, folder.settlement):
        if not path.is_file():
            raise DataFolderError(
                "%(path)s has no projections yet; start 'meterproof run' or 'meterproof project' and try again",
                path=str(folder.path),
            )
    return OpenFolder(folder, organisation=organisation)
