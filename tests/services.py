"""Real servers as plain processes: each on a free loopback port with a folder of its own, stopped by its process id.

A missing program is a failure that says what to install, never a skip: a suite that silently runs without its real
servers proves nothing.
"""

import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0

_PACKAGES = {
    "mosquitto": "apt-get install mosquitto",
    "mosquitto_passwd": "apt-get install mosquitto",
    "influxd": "apt-get install --no-install-recommends influxdb",
    "mbpoll": "apt-get install mbpoll",
    "chromium": "apt-get install chromium",
}


class MissingProgramError(AssertionError):
    """A real server is not installed; the message says how to get it."""


def program(name: str) -> Path:
    """The path of an installed program; daemons are also looked for in the system folders."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        hint = _PACKAGES.get(name, "install it")
        raise MissingProgramError(f"{name} is not installed, and these tests run against the real one: {hint}")
    return Path(found)


def free_port() -> int:
    """A loopback TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether something accepts connections at the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


class ServerProcess:
    """One server as a child process. ``folder`` keeps its state between stop and start."""

    name = "server"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the server wrote to its standard streams so far."""
        path = self.folder / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def command(self) -> list[str]:
        """The command line; writes the configuration file first."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether the server answers."""
        return accepts(self.port)

    def start(self) -> Self:
        """Start and wait until it answers; AssertionError with its log when it does not."""
        assert self._process is None, f"{self.name} already runs"
        command = self.command()
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                code, self._process = self._process.returncode, None
                raise AssertionError(f"{self.name} ended at start with code {code}:\n{self.log[-3000:]}")
            if self.ready():
                return self
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"{self.name} did not answer within {START_TIMEOUT_S:.0f} s:\n{self.log[-3000:]}")

    def stop(self) -> None:
        """SIGTERM, so that state is written; idempotent."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; idempotent."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: the server hangs with its sockets open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Mosquitto(ServerProcess):
    """A Mosquitto broker with persistence, unlimited queues and anonymous access, unless told otherwise.

    ``lines`` are further lines of its configuration file; with ``listener=False`` they bring the listener themselves.
    """

    name = "mosquitto"

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = True,
        max_inflight: int = 20,
        lines: Iterable[str] = (),
        listener: bool = True,
        anonymous: bool = True,
    ) -> None:
        super().__init__(folder)
        self._persistence = persistence
        self._max_inflight = max_inflight
        self._listener = listener
        self._anonymous = anonymous
        self.lines = list(lines)

    def command(self) -> list[str]:
        """Configuration file and command line."""
        binary = program("mosquitto")
        configuration = [
            # started by root, the broker would change to another account that cannot write in our folder
            f"user {pwd.getpwuid(os.getuid()).pw_name}",
            f"max_inflight_messages {self._max_inflight}",
            "max_queued_messages 0",
            "max_queued_bytes 0",
            "set_tcp_nodelay true",
        ]
        if self._listener:
            configuration.append(f"listener {self.port} {LOOPBACK}")
        configuration.append(f"allow_anonymous {str(self._anonymous).lower()}")
        if self._persistence:
            configuration += ["persistence true", f"persistence_location {self.folder}/", "autosave_interval 1800"]
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join([*configuration, *self.lines]) + "\n")
        return [str(binary), "-c", str(path)]


class InfluxDB(ServerProcess):
    """An InfluxDB 1.x server; ``lines`` by section go into its configuration file."""

    name = "influxd"

    def __init__(self, folder: Path, *, http: Iterable[str] = (), data: Iterable[str] = ()) -> None:
        super().__init__(folder)
        self._rpc_port = free_port()
        self._http = list(http)
        self._data = list(data)

    @property
    def url(self) -> str:
        """The base URL of its HTTP interface."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        """Configuration file and command line."""
        binary = program("influxd")
        text = "\n".join(
            [
                "reporting-disabled = true",
                f'bind-address = "{LOOPBACK}:{self._rpc_port}"',
                "[meta]",
                f'dir = "{self.folder}/meta"',
                "[data]",
                f'dir = "{self.folder}/data"',
                f'wal-dir = "{self.folder}/wal"',
                "query-log-enabled = false",
                *self._data,
                "[monitor]",
                "store-enabled = false",
                "[http]",
                "enabled = true",
                f'bind-address = "{LOOPBACK}:{self.port}"',
                "log-enabled = false",
                *self._http,
                "[logging]",
                'level = "warn"',
                "suppress-logo = true",
            ]
        )
        path = self.folder / "influxdb.conf"
        path.write_text(text + "\n")
        return [str(binary), "run", "-config", str(path)]

    def ready(self) -> bool:
        """Whether ``/ping`` answers."""
        if not accepts(self.port):
            return False
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status in {200, 204}
        except OSError:
            return False
        finally:
            connection.close()
