"""The gateway's collecting process as a child, and its journal read by nothing but sqlite3 and json.

Run as a program it collects with a commit that hangs while the file ``stall`` stands beside the site file: what a disk
that does not answer does to the writer thread.
"""

import base64
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from gateway.assembly.platform import ThreadCommitter
from gateway.cli import collect
from tests.services import LOOPBACK

PROFILE = "meterproof-mqtt/energy-meter-json"
METERS = 20
WINDOW = 100


def write_site(folder: Path, port: int, version: str = "3.1.1") -> Path:
    """A site with METERS pushed meters on one broker."""
    connection = {"host": LOOPBACK, "port": port, "window": WINDOW, "protocol": version}
    topics = [f"plant/meter{index}" for index in range(METERS)]
    site = {
        "meterproof": 1,
        "organisation": {"id": "o", "name": {"zh": "甲", "en": "a"}},
        "site": {"id": "s", "name": {"zh": "甲", "en": "a"}},
        "simulated": True,
        "data": "data",
        "endpoints": [{"id": "broker", "protocol": "mqtt", "connection": connection}],
        "devices": [
            {"id": f"m{index}", "endpoint": "broker", "profile": PROFILE, "address": {"topic": topic}, "period_s": 3600}
            for index, topic in enumerate(topics)
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path


class Gateway:
    """``meterproof collect`` on a site."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.journal = site.parent / "data" / "journal.sqlite"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def stall_file(self) -> Path:
        """While it stands, nothing is committed."""
        return self.site.parent / "stall"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start collecting."""
        assert self._process is None
        log = (self.site.parent / "gateway.log").open("ab")
        with log:
            command = [sys.executable, "-m", "tests.integration.mqtt.gateway_process", str(self.site)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[3])

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        process, self._process = self._process, None
        process.kill()
        process.wait(30)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        return process.wait(60)

    def end(self) -> None:
        """Whatever state it is in."""
        if self._process is not None:
            self.kill()

    def check(self) -> None:
        """AssertionError when it ended by itself."""
        assert self._process is not None
        assert self._process.poll() is None, (self.site.parent / "gateway.log").read_text()[-3000:]

    def memory_kb(self) -> int:
        """Resident memory now."""
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def drained(self, count: int) -> bool:
        """Whether the journal holds so many messages that are no repetition."""
        if self.messages() < count:
            return False
        query = (
            "SELECT count(*) FROM entry WHERE kind = 'message' AND instr(body, CAST('message.duplicate' AS BLOB)) = 0"
        )
        return int(self._query(query)[0][0]) >= count

    def messages(self) -> int:
        """Message entries in the journal, repetitions included."""
        return int(self._query("SELECT count(*) FROM entry WHERE kind = 'message'")[0][0])

    def payloads(self) -> tuple[Counter[bytes], Counter[tuple[str, int]], int]:
        """Payloads of messages that are no repetition, samples by device and time, and the number of repetitions."""
        payloads: Counter[bytes] = Counter()
        samples: Counter[tuple[str, int]] = Counter()
        repeated = 0
        for (body,) in self._query("SELECT body FROM entry WHERE kind = 'message' ORDER BY seq"):
            entry: dict[str, Any] = json.loads(body)
            rules = [finding[0] for finding in entry["findings"]]
            if "message.duplicate" in rules:
                repeated += 1
                assert entry["samples"] == []
                assert entry["payload"] == "", "a repetition must not bring its bytes a second time"
                continue
            payloads[base64.b64decode(entry["payload"])] += 1
            samples.update((each["device"], each["at"]) for each in entry["samples"])
        return payloads, samples, repeated

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        if not self.journal.exists():
            return [(0,)] if "count" in query else []
        connection = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return [(0,)]
            raise
        finally:
            connection.close()


def wait_until(condition: Callable[[], bool], patience_s: float, what: str, pause_s: float = 0.05) -> None:
    """Poll a condition; AssertionError when it does not hold in time."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(pause_s)


class StallingCommitter(ThreadCommitter):
    """A committer whose writer thread hangs, as in a synced write, while a file stands."""

    stall_file = Path("stall")

    async def run(self, work: Callable[[], Any]) -> Any:
        def stalled() -> Any:
            while self.stall_file.exists():
                time.sleep(0.02)
            return work()

        return await super().run(stalled)


def main() -> None:
    """Collect a site with commits that can be stalled."""
    site = Path(sys.argv[1])
    StallingCommitter.stall_file = site.parent / "stall"
    vars(collect)["ThreadCommitter"] = StallingCommitter
    collect.command.main([str(site)], obj="en", standalone_mode=False)


if __name__ == "__main__":
    main()
