"""``meterproof backfill SITE --data DIR < history.ndjson``: simulated history, on a virtual clock."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import click

from gateway.acquisition.history import MAX_LINE_BYTES
from gateway.assembly.backfilling import open_back_fill
from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection
from gateway.assembly.site_loading import load_assembled_site
from gateway.cli.asked import Moment
from gateway.domain.errors import DataFolderError
from gateway.i18n import text
from gateway.journal.folder import DataFolder

TIME_FIELDS = ("sent", "received", "slot", "at")


@click.command("backfill")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.option("--period-s", type=click.IntRange(1, 86_400), help="Period of the scheduled groups in this history.")
@click.option(
    "--at",
    "start_us",
    type=Moment(),
    help="Where the virtual clock starts (RFC 3339); default: the first line's time, else now.",
)
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_obj
def command(
    language: str, *, site: Path, data: Path | None, period_s: int | None, start_us: int | None, as_json: bool
) -> None:
    """Enter simulated history from standard input into a simulated data folder. 向模拟数据文件夹补录历史。"""
    assembled = load_assembled_site(site, language=language, period_s=period_s)
    stream = _lines(sys.stdin.buffer)
    first = next(stream, b"")
    with ExitStack() as stack:

        def project(folder: DataFolder) -> Callable[[], object]:
            return _projection(stack, folder)

        back_fill = stack.enter_context(
            open_back_fill(assembled, data or assembled.data_folder, _start(start_us, first), project)
        )
        back_fill.history.feed(chain((first,) if first else (), stream))
        back_fill.finish()
        tally = back_fill.collection.recorder.tally
        report = {
            "slots": sum(tally.outcomes.values()),
            "readings": sum(tally.readings.values()),
            "outcomes": {str(outcome): count for outcome, count in sorted(tally.outcomes.items())},
            "findings": dict(sorted(tally.findings.items())),
            "entries": back_fill.pending.entries,
            "head": back_fill.collection.journal.head(),
        }
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        sentence = "%(slots)s slots with %(readings)s readings entered."
        click.echo(text(language, sentence, slots=report["slots"], readings=report["readings"]), err=True)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of the stream; one that is too long is cut and refused by its reader."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line


def _start(wish_us: int | None, first: bytes) -> int:
    if wish_us is not None:
        return wish_us
    try:
        line = json.loads(first)
        return min(int(line[name]) for name in TIME_FIELDS if name in line)
    except (ValueError, TypeError):
        return SystemClock().utc_us()


def _projection(stack: ExitStack, folder: DataFolder) -> Callable[[], object]:
    """Bring projections up to date in this process when nobody else does; else leave it to them."""
    try:
        stack.enter_context(folder.hold_lock("project"))
    except DataFolderError:
        return lambda: None
    projection = Projection(folder, SystemClock())
    stack.callback(projection.close)

    def catch_up() -> None:
        while projection.step().applied:
            pass

    return catch_up
