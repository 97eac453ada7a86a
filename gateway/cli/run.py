"""``meterproof run SITE``: collect, project and serve as three processes, each started again when it ends."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.assembly.loading_apart import data_folder_apart
from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, DataFolderError, DiskFullError, MeterproofError
from gateway.i18n import text
from gateway.ports import Clock

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
STEADY_S = 60.0
STOP_LIMIT_S = 30.0
BIRTH_POLL_S = 0.1
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): which signal this process gets when its parent has died."""
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
HOPELESS = frozenset({ConfigurationError.exit_code, DataFolderError.exit_code, DiskFullError.exit_code})
"""Exit codes of a collector that starting it again does not mend: the operator has to."""
DEFAULT_PORT = 8420


class CannotCollectError(MeterproofError):
    """Collection ended in a way that starting it again does not mend; the exit code is the collector's own."""

    def __init__(self, code: int) -> None:
        super().__init__("collection cannot run; what it said above says why")
        self.exit_code = code


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its name and its command line. Without a ``vital`` one there is no point in running the others."""

    name: str
    arguments: Sequence[str]
    vital: bool = False

    def command_line(self, language: str) -> list[str]:
        """The program installed beside this Python; -P: never what lies in the folder it was started from."""
        return [sys.executable, "-P", "-m", "gateway.cli.main", "--lang", language, self.name, *self.arguments]


@click.command("run")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.option("--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True, help="Of the pages.")
@click.pass_obj
def command(language: str, *, site: Path, data: Path | None, port: int) -> None:
    """Collect, project and serve until stopped. 运行采集、投影与页面服务，直到停止。"""
    of_the_site = data_folder_apart(site, language=language)  # whatever else is wrong in the file is said here too
    folder = str(data or of_the_site)
    parts = (
        Part("collect", [str(site), "--data", folder], vital=True),
        Part("project", [str(site), "--data", folder]),
        Part("serve", ["--data", folder, "--port", str(port)]),
    )
    asyncio.run(Supervisor(parts, language, SystemClock(), ready=Path(folder) / "journal.sqlite").run())


class Supervisor:
    """Keeps the parts running; a part that ends is started again after a pause that grows."""

    def __init__(self, parts: Sequence[Part], language: str, clock: Clock, ready: Path) -> None:
        self._parts = tuple(parts)
        self._ready = ready
        self._language = language
        self._clock = clock
        self._stop = asyncio.Event()
        self._children: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        """Until a signal stops it, or a part cannot be helped by starting it again; then all are stopped in order."""
        loop = asyncio.get_running_loop()
        for each in STOP_SIGNALS:
            loop.add_signal_handler(each, self._stop.set)
        stopping = asyncio.create_task(self._stop.wait())
        keepers = [asyncio.create_task(self._keep(part), name=part.name) for part in self._parts]
        try:
            await asyncio.wait({stopping, *keepers}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stop.set()
            stopping.cancel()
            await self._stop_children()
            results = await asyncio.gather(*keepers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _keep(self, part: Part) -> None:
        pause_s = FIRST_PAUSE_S
        if not part.vital:
            await self._wait_for_birth()
        while not self._stop.is_set():
            begun_ns = self._clock.monotonic_ns()
            child = await asyncio.create_subprocess_exec(
                *part.command_line(self._language), start_new_session=True, preexec_fn=_end_with_parent
            )
            self._children[part.name] = child
            code = await child.wait()
            if self._stop.is_set():
                return
            if part.vital and code in HOPELESS:
                raise CannotCollectError(code)
            if self._clock.monotonic_ns() - begun_ns > STEADY_S * 1e9:
                pause_s = FIRST_PAUSE_S
            sentence = "'%(name)s' ended with code %(code)s; it is started again in %(pause)s s"
            click.echo(text(self._language, sentence, name=part.name, code=code, pause=round(pause_s)), err=True)
            await self._pause(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _wait_for_birth(self) -> None:
        """The collector makes the data folder; the others have nothing to open before."""
        while not self._ready.is_file() and not self._stop.is_set():
            await self._pause(BIRTH_POLL_S)

    async def _pause(self, pause_s: float) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(pause_s))
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({sleep, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            stop.cancel()

    async def _stop_children(self) -> None:
        """Ask each to end, in the order they were started; end by force what does not."""
        running = [child for child in self._children.values() if child.returncode is None]
        for child in running:
            _signal(child, signal.SIGTERM)
        waits = [asyncio.ensure_future(child.wait()) for child in running]
        if waits:
            await asyncio.wait(waits, timeout=STOP_LIMIT_S)
        for child in running:
            if child.returncode is None:
                _signal(child, signal.SIGKILL)
        await asyncio.gather(*waits)


def _signal(child: asyncio.subprocess.Process, number: int) -> None:
    try:
        child.send_signal(number)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    """Between fork and exec: a part whose supervisor is killed ends too (SIGTERM), else it would hold lock and port."""
    if _PRCTL is not None:  # elsewhere the sentence about the lock still names the process to end
        _PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
