"""The data folder: its birth, its paths, its locks."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gateway.domain.errors import DataFolderError
from gateway.journal import canonical, schema
from gateway.journal.entry import Draft
from gateway.ports import Clock

BIRTH_ACTION = "folder.born"
LOCKS = ("collect", "project", "archive", "registry")


def software_version() -> str:
    """The program's name and version as it stands in entries: ``meterproof 0.1.0``."""
    try:
        return f"meterproof {version('meterproof')}"
    except PackageNotFoundError:
        return "meterproof (not installed)"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """One data folder: one log, of one site, simulated or real for ever."""

    path: Path
    organisation: str
    site: str
    time_zone: str
    simulated: bool
    origin: str
    born_us: int
    read_only: bool = False

    @property
    def journal(self) -> Path:
        """The hot journal."""
        return self.path / "journal.sqlite"

    @property
    def archive(self) -> Path:
        """Closed days as compressed segments."""
        return self.path / "archive"

    @property
    def seal(self) -> Path:
        """Tiles, checkpoints, public key; ``seal/key`` is opened by the sealer only."""
        return self.path / "seal"

    @property
    def blobs(self) -> Path:
        """Documents by the hash of their bytes."""
        return self.path / "blobs"

    @property
    def series(self) -> Path:
        """Monthly series files (projection)."""
        return self.path / "series"

    @property
    def registry(self) -> Path:
        """The registry (projection)."""
        return self.path / "registry.sqlite"

    @property
    def settlement(self) -> Path:
        """Intervals and roll-ups (projection)."""
        return self.path / "settlement.sqlite"

    @property
    def state(self) -> Path:
        """Cursors, learned limits, locks: local, no evidence."""
        return self.path / "state"

    def subject(self, kind: str, identifier: str) -> str:
        """``<organisation>/<type>/<id>``."""
        return f"{self.organisation}/{kind}/{identifier}"

    @property
    def site_subject(self) -> str:
        """The subject of entries about the site itself."""
        return self.subject("site", self.site)

    @classmethod
    def create(
        cls, path: Path | str, *, organisation: str, site: str, time_zone: str, simulated: bool, clock: Clock
    ) -> "DataFolder":
        """Make a new data folder with its birth entry; the folder must not exist, or be empty.

        The journal file appears under its name only when whole, so a crash leaves either no journal or a born one.
        """
        path = Path(path)
        try:
            make_folder(path)
            if any(not entry.name.startswith("journal.sqlite.new") for entry in path.iterdir()):
                raise DataFolderError(
                    "%(path)s is not empty and not a data folder of this program; name another folder", path=str(path)
                )
            _write_birth(path, _birth(organisation, site, time_zone, simulated, clock))
            for name in ("seal", "blobs", "archive", "series", "state"):
                (path / name).mkdir(exist_ok=True)
            sync_folder(path)
        except OSError as error:
            raise _unusable(path, error) from error
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False) -> "DataFolder":
        """An existing folder, after reading its birth entry; DataFolderError when it is not ours or not writable."""
        path = Path(path)
        try:
            if not (path / "journal.sqlite").is_file():
                raise DataFolderError("%(path)s is not a data folder of this program (no journal)", path=str(path))
        except OSError as error:
            raise _unusable(path, error) from error
        if not read_only and not os.access(path, os.W_OK | os.X_OK):
            raise DataFolderError("the data folder %(path)s is not writable; give this user the right", path=str(path))
        body = _read_birth(path)
        folder = cls(
            path=path,
            organisation=str(body["organisation"]),
            site=str(body["site"]),
            time_zone=str(body["time_zone"]),
            simulated=body["simulated"] == 1,
            origin=str(body["origin"]),
            born_us=int(str(body["at"])),
            read_only=read_only,
        )
        if not read_only:
            for name in ("seal", "blobs", "archive", "series", "state"):
                (path / name).mkdir(exist_ok=True)
        return folder

    @classmethod
    def open_or_create(
        cls, path: Path | str, *, organisation: str, site: str, time_zone: str, simulated: bool, clock: Clock
    ) -> "DataFolder":
        """The folder, born now when there is none, and refused when it was born for something else."""
        if (Path(path) / "journal.sqlite").is_file():
            folder = cls.open(path)
            folder.require(organisation=organisation, site=site, simulated=simulated)
            if folder.time_zone != time_zone:
                raise DataFolderError(
                    "the data folder %(path)s cuts its days and months in %(found)s, the site file says %(expected)s; "
                    "this cannot change: write %(found)s there, or name another folder",
                    path=str(folder.path),
                    found=folder.time_zone,
                    expected=time_zone,
                )
            return folder
        return cls.create(
            path, organisation=organisation, site=site, time_zone=time_zone, simulated=simulated, clock=clock
        )

    def require(
        self, *, simulated: bool | None = None, organisation: str | None = None, site: str | None = None
    ) -> None:
        """Refuse a folder born otherwise: simulated and real never mix, and a folder belongs to one site."""
        if simulated is True and not self.simulated:
            raise DataFolderError(
                "the data folder %(path)s is real; simulated readings are refused, name another folder",
                path=str(self.path),
            )
        if simulated is False and self.simulated:
            raise DataFolderError(
                "the data folder %(path)s is marked simulated for ever; name another folder for real readings",
                path=str(self.path),
            )
        wanted = (organisation or self.organisation, site or self.site)
        if wanted != (self.organisation, self.site):
            raise DataFolderError(
                "the data folder %(path)s belongs to %(found)s, the site file is %(expected)s",
                path=str(self.path),
                found=f"{self.organisation}/{self.site}",
                expected="/".join(wanted),
            )

    @contextmanager
    def hold_lock(self, name: str) -> Iterator[None]:
        """Hold one of ``LOCKS`` while inside; DataFolderError when another program has it. Freed at process end."""
        if name not in LOCKS:
            raise ValueError(f"no lock is named {name!r}")
        path = self.state / f"{name}.lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DataFolderError(
                    "'%(name)s' is already running on %(path)s (process %(process)s); stop it first",
                    name=name,
                    path=str(self.path),
                    process=os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?",
                ) from error
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
            yield
        finally:
            os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each durable in the one above: a synced file in a lost folder is lost too."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _birth(organisation: str, site: str, time_zone: str, simulated: bool, clock: Clock) -> Draft:
    at_us = clock.utc_us()
    # an origin names one log for ever: it says simulated or real, and the instant of birth tells two folders apart
    origin = f"meterproof/{'simulated' if simulated else 'real'}/{organisation}/{site}/{at_us}"
    return Draft(
        kind="event",
        subject=f"{organisation}/site/{site}",
        at_us=at_us,
        body={
            "actor": "system",
            "action": BIRTH_ACTION,
            "object": f"{organisation}/site/{site}",
            "old": None,
            "new": None,
            "reason": "",
            "clock": None,
            "result": "ok",
            "software": software_version(),
            "organisation": organisation,
            "site": site,
            "time_zone": time_zone,
            "simulated": int(simulated),
            "origin": origin,
        },
    )


def _write_birth(path: Path, draft: Draft) -> None:
    encoded = draft.encode()
    temporary = path / "journal.sqlite.new"
    for left in path.glob("journal.sqlite.new*"):  # of a birth that was interrupted
        left.unlink()
    schema.create(temporary)
    with schema.mapped_errors(temporary):
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(
                "INSERT INTO entry (seq, at, kind, subject, body, leaf) VALUES (1, ?, ?, ?, ?, ?)",
                (encoded.at_us, encoded.kind, encoded.subject, encoded.body_bytes, encoded.leaf),
            )
        finally:
            connection.close()
    temporary.replace(path / "journal.sqlite")


def _read_birth(path: Path) -> dict[str, object]:
    journal = path / "journal.sqlite"
    connection = schema.connect(journal, read_only=True, max_bytes=0)
    try:
        with schema.mapped_errors(journal):
            row = connection.execute("SELECT body FROM entry WHERE seq = 1").fetchone()
    finally:
        connection.close()
    body = canonical.decode(row[0]) if row else {}
    if body.get("action") != BIRTH_ACTION:
        raise DataFolderError("%(path)s has no birth entry; it is not a data folder of this program", path=str(path))
    return body


def _unusable(path: Path, error: OSError) -> DataFolderError:
    return DataFolderError("%(path)s cannot be used: %(reason)s", path=str(path), reason=error.strerror or str(error))
