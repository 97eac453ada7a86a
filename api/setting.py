"""PDF files are set in a short-lived child process, two at a time: the page setter and the chart engine take more
memory than ``serve`` should keep.

The child is our own program (``meterproof report make``), so that page, API and command give the same bytes.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import BoundedSemaphore, Timer
from typing import IO

from gateway.domain.errors import MeterproofError

TIMEOUT_S = 300.0
WAIT_S = 120.0
MAX_AT_ONCE = 2
MAX_FILE_BYTES = 100_000_000
_SAID_BYTES = 600
_PRINTED_BYTES = 10_000
_TURNS = BoundedSemaphore(MAX_AT_ONCE)


class ReportFailedError(MeterproofError):
    """The child could not make the file."""


def set_report(
    data: Path, options: Sequence[str], form: str, told: Callable[[str], None] = lambda _stage: None
) -> bytes:
    """The file that ``meterproof report make`` gives for ``options`` (the kind first); ``told`` hears each stage.

    ReportFailedError with what the child said, when it takes longer than ``TIMEOUT_S``, or when no turn comes.
    """
    with tempfile.TemporaryDirectory(prefix="meterproof-report-") as folder:
        target = Path(folder) / f"report.{form}"
        kind, *rest = options
        _run(["make", kind, str(target), "--data", str(data), "--progress", *rest], told)
        if target.stat().st_size > MAX_FILE_BYTES:
            raise ReportFailedError("the report is larger than %(limit)s bytes", limit=str(MAX_FILE_BYTES))
        return target.read_bytes()


def issue_report(data: Path, options: Sequence[str], *, actor: str, reason: str) -> int:
    """Let ``meterproof report issue`` put a report on record in a person's name; the number of its entry.

    All its files and its figures come from one reading of the folder, so that they cannot differ.
    """
    kind, *rest = options
    command = ["issue", kind, "--data", str(data), "--json", "--actor", actor, "--reason", reason, *rest]
    return int(json.loads(_run(command))["seq"])


def _run(arguments: Sequence[str], told: Callable[[str], None] = lambda _stage: None) -> bytes:
    """What the child printed; its turn is one of ``MAX_AT_ONCE``."""
    if not _TURNS.acquire(timeout=WAIT_S):
        raise ReportFailedError("too many reports are being made; try again shortly")
    try:
        with tempfile.TemporaryFile() as printed:
            code, said, in_time = _waited(arguments, told, printed)
            printed.seek(0)
            output = printed.read(_PRINTED_BYTES)
    finally:
        _TURNS.release()
    if code != 0:
        if not in_time:
            raise ReportFailedError("the report was not finished in %(limit)s s", limit=str(int(TIMEOUT_S)))
        reason = said.decode("utf-8", "replace").strip()
        raise ReportFailedError("the report could not be made: %(reason)s", reason=reason)
    return output


def _waited(arguments: Sequence[str], told: Callable[[str], None], printed: IO[bytes]) -> tuple[int, bytes, bool]:
    """Exit code, the end of what it said, and whether it ended by itself."""
    said = b""
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-P", "-m", "gateway.cli.main", "report", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=subprocess.PIPE,
    ) as child:
        limit = Timer(TIMEOUT_S, child.kill)
        limit.start()
        try:
            assert child.stderr is not None
            for line in child.stderr:
                word, _, stage = line.decode("utf-8", "replace").strip().partition(" ")
                if word == "stage":
                    told(stage)
                else:
                    said = (said + line)[-_SAID_BYTES:]
            code = child.wait()
        finally:
            in_time = limit.is_alive()
            limit.cancel()
    return code, said, in_time
