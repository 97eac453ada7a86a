"""``python -m tests.interface.screenshots FOLDER TARGET [PAGE…]``: every page, both languages, both themes, two widths.

For looking at, not for comparing: the pictures are not kept with the sources. FOLDER is a projected data folder, such
as one that ``meterproof demo`` made.
"""

import itertools
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from api.people.guard import SESSION_COOKIE
from api.web.environment import MENU
from gateway.assembly.platform import SystemClock
from tests.interface.conftest import CHROMIUM_FLAGS
from tests.people import session_of

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
MORE = ("/account", "/effects", "/jobs", "/nowhere", "/sign-in")
READY_S = 60


def addresses(page: Page, base: str) -> list[str]:
    """The pages of the menu, some others, and one card of each sort that the lists lead to."""
    found = [address for _, address, _ in MENU] + list(MORE)
    for path, pattern in (
        ("/live", r"/live/[^?#]+$"),
        ("/instruments", r"/instruments/[^?#]+$"),
        ("/journal", r"/journal/\d+$"),
        ("/", r"/trace\?.*point="),
        ("/reviews", r"/reviews/[^?#]+$"),
    ):
        page.goto(base + path)
        links = page.eval_on_selector_all("main a", "all => all.map(each => each.getAttribute('href'))")
        found += [each for each in links if each and re.search(pattern, each)][:1]
    return list(dict.fromkeys(found))


def take(folder: Path, target: Path, only: list[str]) -> None:
    """All of them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name("meterproof"))
    server = subprocess.Popen([program, "serve", "--data", str(folder), "--port", str(port)])
    base = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{base}/static/mark.svg")
        _, secret = session_of(folder, clock=SystemClock(), role="everything")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
            listed = only
            for language, theme, size in itertools.product(("zh", "en"), ("light", "dark"), SIZES):
                width, height = SIZES[size]
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=theme, locale=f"{language}-CN"
                )
                context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": base}])
                page = context.new_page()
                listed = listed or addresses(page, base)
                for address in listed:
                    page.goto(f"{base}{address}{'&' if '?' in address else '?'}lang={language}", wait_until="load")
                    name = re.sub(r"\W+", "-", address.split("?")[0].strip("/")) or "overview"
                    file = target / f"{name}.{language}.{theme}.{size}.png"
                    page.screenshot(path=file, full_page=True)
                context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str) -> None:
    for _ in range(READY_S * 10):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the server did not answer")


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    take(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
