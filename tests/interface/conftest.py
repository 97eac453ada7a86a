"""A real Chromium over a real server, each a plain process that the tests end."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.assembly.platform import SystemClock
from gateway.delivery.port import Point
from gateway.delivery.state import CourierState
from gateway.journal.folder import DataFolder
from tests.people import SERVED
from tests.plant_folder import FixedClock, build_folder

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the pages of the small plant are."""
    folder = build_folder(tmp_path_factory.mktemp("pages") / "data")
    courier = CourierState(folder.state / "courier-influxdb.sqlite")  # so that the journal's page shows a store
    courier.note("status", {"state": "retrying", "since_us": 1_772_323_200_000_000, "detail": "connection refused"})
    refused = Point(device="main", group="fast", at_us=1, seq=7, line=b"reading,site=s,device=main p=1")
    courier.settle(30, [(refused, "field type conflict: input field p is a float")], 2)
    courier.close()
    with started(folder) as url:
        yield url


@contextmanager
def started(folder: DataFolder, *, live: bool = False) -> Iterator[str]:
    """A server of a folder, at the instant the small plant was made for or, ``live``, at this one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "tests.interface.serving",
        str(folder.path),
        str(port),
        *(["live"] if live else []),
    ]
    server = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/static/mark.svg", server)
        SERVED[url] = (folder, SystemClock() if live else FixedClock())
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail("the server did not answer")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a missing one is a failure, never a skip."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield started
        started.close()


class Visit:
    """One page of one reader, with everything the browser complained about."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on(
            "response", lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status} {answer.url}")
        )

    def open(self, path: str) -> Page:
        """Go there and wait until everything has come."""
        self.page.goto(self.address + path, wait_until="load")
        return self.page
