"""What commands ask for in common: the folder, who, why, when, which days and files; and how the answers are read."""

import getpass
import os
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, DataFolderError, MeterproofError
from gateway.domain.time import Period, from_datetime, recordable
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.registry.registry import Registry

MAX_TEXT_BYTES = 4 * 10**6


def this_user() -> str:
    """Who runs this program: the account's name, or its number where the machine knows no name (a container)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def _named(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    del context, parameter
    return value or this_user()


class Moment(click.ParamType[int]):
    """An RFC 3339 moment with offset, as µs UTC."""

    name = "moment"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The instant; a wrong text is the caller's mistake and is said so."""
        try:
            return value if isinstance(value, int) else _instant(datetime.fromisoformat(value))
        except ValueError:
            message = "'%(value)s' is no instant from 1900 to 2200; example: 2026-11-01T08:00:00+08:00"
            self.fail(text(_language(ctx), message, value=str(value)), param, ctx)


class Day(click.ParamType[date]):
    """A civil day of the site, ``2026-03-01``."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day; a wrong text is the caller's mistake and is said so."""
        try:
            day = value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
            _instant(datetime.combine(day, time(), UTC))
        except ValueError:
            message = "'%(value)s' is no date from 1900 to 2200; example: 2026-11-01"
            self.fail(text(_language(ctx), message, value=str(value)), param, ctx)
        return day


def _instant(moment: datetime) -> int:
    """The instant (µs UTC) of a moment whose day may go on record; ValueError otherwise, or without a zone."""
    if not recordable(moment.date()):
        raise ValueError(moment)
    return from_datetime(moment)


def _language(context: click.Context | None) -> str:
    return str(context.obj or "en") if context is not None else "en"


DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
ACTOR = click.option("--actor", callback=_named, help="Who does this; default: the user of this machine.")
REASON = click.option("--reason", default="", help="Why.")
WHY = click.option("--reason", required=True, help="Why.")
RECORDED_AT = click.option("--at", "at_us", type=Moment(), help="Recording time (RFC 3339); in simulated folders only.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def recording_time(folder: DataFolder, at_us: int | None) -> int:
    """When an entry is made (µs UTC): now. Another time may be said in a simulated folder only: DataFolderError."""
    if at_us is None:
        return SystemClock().utc_us()
    if not folder.simulated:
        raise DataFolderError("--at is refused: the data folder %(path)s is real", path=str(folder.path))
    return at_us


def present(folder: DataFolder, registry: Registry) -> int:
    """Now (µs UTC). A simulated folder lives in its own time: there it is the latest on record."""
    return registry.latest_at() if folder.simulated else SystemClock().utc_us()


def local_instant(language: str, value: str, zone: ZoneInfo, *, end: bool = False) -> int:
    """A local date or time, or RFC 3339 (µs UTC); with ``end`` a date's last microsecond. Else ConfigurationError."""
    try:
        moment = datetime.fromisoformat(value)
        if end and len(value) == len("2026-11-01"):
            moment = datetime.combine(moment, time.max)
        return _instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except ValueError as error:
        message = text(
            language, "'%(value)s' is no date or instant from 1900 to 2200; example: 2026-11-01", value=value
        )
        raise ConfigurationError([message]) from error


def period(language: str, start_us: int, end_us: int) -> Period:
    """From one instant to a later one; ConfigurationError where it is not later."""
    if end_us <= start_us:
        raise ConfigurationError([text(language, "'--to' must lie after '--from'")])
    return Period(start_us, end_us)


def read_bytes(path: Path, limit_bytes: int) -> bytes:
    """A file of at most so many bytes; MeterproofError when it is larger, without having read it all."""
    with path.open("rb") as stream:
        content = stream.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise MeterproofError("%(name)s is larger than %(limit)s MB", name=str(path), limit=str(limit_bytes // 10**6))
    return content


def read_text(path: Path) -> str:
    """A UTF-8 text file, whatever its line ends and byte-order mark; MeterproofError when it is none, or over 4 MB."""
    try:
        content = read_bytes(path, MAX_TEXT_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MeterproofError("%(path)s cannot be read as text", path=str(path)) from error
    return content.replace("\r\n", "\n").replace("\r", "\n")
