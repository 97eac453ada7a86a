"""J3: every page and API view on a year of 500 meters in quarter hours: server time, and first paint in a browser."""

import base64
import os
import shutil
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.result import Result
from gateway.assembly.platform import SystemRandom
from gateway.assembly.projecting import Projection
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_HOUR, US_PER_S, parse_iso
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from gateway.settlement.calendar import DAY, HOUR, MONTH, YEAR, Calendar

METERS = 500
DAYS = 365
HOURLY_DAYS = 62
QUARTER_DAYS = 8
ZONE = ZoneInfo("Asia/Shanghai")
END = parse_iso("2026-03-01T00:00:00+08:00")
NOW = END + 10 * US_PER_HOUR
START = END - DAYS * US_PER_DAY
ENERGY = 1_234_000
RATIO = 40
REPEATS = 3
POLLED_HOURS = 2
ORGANISATION = "works"
_PERIOD_US = 900 * US_PER_S
_ROLLUP = f"INSERT OR REPLACE INTO rollup VALUES ({', '.join('?' * 17)})"
_INTERVAL = "series, start, part, seq, installation, r0, r1, energy, coverage, method, quality, num, den, e1, e2"


class Still:
    """A clock that stands at the plant's moment."""

    def utc_us(self) -> int:
        return NOW

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, duration_s: float) -> None:
        del duration_s


def measure() -> list[Result]:
    """The slowest page and API view, and the slowest first paint."""
    with tempfile.TemporaryDirectory() as place:
        folder = plant(Path(place) / "data")
        return asked(folder)


def plant(path: Path) -> DataFolder:
    """500 metered points in a tree, two hours of polls through the projection, and a year of roll-ups beside them."""
    folder = DataFolder.create(
        path, organisation=ORGANISATION, site="main", time_zone=ZONE.key, simulated=True, clock=Still()
    )
    with Journal.open(folder) as journal:
        journal.append(_ledger())
        cfgs = journal.append([_configuration(number) for number in range(METERS)])
        journal.append(_polls(cfgs))
    projection = Projection(folder, Still())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()
    _fill(folder.settlement)
    return folder


def _ledger() -> list[Draft]:
    drafts = []

    def put(kind: str, id_: str, document: dict[str, Any]) -> None:
        said = {"actor": "a", "reason": "r", "source": "s"}
        drafts.append(
            object_draft(kind, ORGANISATION, id_, document, at_us=START, from_us=START - US_PER_DAY, to_us=None, **said)
        )

    site = {"organisation": {"id": ORGANISATION, "name": {}}, "site": {"id": "main", "name": {}, "time_zone": ZONE.key}}
    body = {"site": site, "hash": "0", "software": "b"}
    drafts.append(Draft("configuration", f"{ORGANISATION}/site/main", START, body))
    for number in range(METERS):
        head = 0 if number < 10 else number // 10
        parent = "" if number == 0 else f"P-{head if number >= 10 else 0:03}"
        level = 1 if number == 0 else 2 if number < 10 else 3
        point = {"name_zh": f"计量点{number}", "energy_kind": "electricity", "level": level, "compulsory": 1}
        put("point", f"P-{number:03}", point | {"parent": parent, "required_class": "1"})
        card = {"name": "电能表", "kind": "electricity_meter", "serial": str(number), "accuracy_class": "0.5S"}
        put("instrument", f"M-{number:03}", card | {"cycle_months": 72})
        paper = {"kind": "verification", "instrument": f"M-{number:03}", "serial": str(number), "result": "pass"}
        ends = "2026-02-01" if number % 25 == 0 else "2030-12-31"
        put("certificate", f"V-{number:03}", paper | {"performed_on": "2025-01-01", "valid_until": ends})
        fitted = {"point": f"P-{number:03}", "instrument": f"M-{number:03}", "device": f"d-{number:03}"}
        put("installation", f"I-{number:03}", fitted | {"channel": "energy", "ct_ratio": "200/5"})
    return drafts


def _configuration(number: int) -> Draft:
    channel = {"id": "energy", "measurand": "active_energy_import", "unit": "kWh", "kind": "cumulative", "decimals": 2}
    channel |= {"modulus": 10**8, "minimum": None, "maximum": None, "primary": 0}
    plan = {
        "v": 1,
        "protocol": "modbus",
        "requests": [{"unit": 1, "function": 3, "address": 100, "count": 2}],
        "fields": [
            {
                "channel": "energy",
                "request": 0,
                "offset": 0,
                "length": 4,
                "type": "uint",
                "denominator": 100,
                "decimals": 2,
            }
        ],
    }
    device = {
        "id": f"d-{number:03}",
        "endpoint": "bus",
        "protocol": "modbus",
        "profile": "b/m",
        "profile_sha256": "0" * 64,
    }
    device |= {"address": {"unit": 1}, "pushed": 0}
    group = {"period_us": _PERIOD_US, "offset_us": 0, "identity": 0, "channels": [channel], "plan": plan}
    body = {"device": device, "groups": {"energy": group}, "hash": "0", "software": "b"}
    return Draft("configuration", f"{ORGANISATION}/device/d-{number:03}", START, body)


def _polls(cfgs: list[int]) -> list[Draft]:
    drafts = []
    first = NOW - POLLED_HOURS * US_PER_HOUR
    for step, slot in enumerate(range(first, NOW + 1, _PERIOD_US)):
        raw = base64.b64encode(struct.pack(">I", 1_000_000 + step * 1_234)).decode()
        for number, cfg in enumerate(cfgs):
            body = {"group": "energy", "slot": slot, "cfg": cfg, "sent": slot, "received": slot, "outcome": "ok"}
            body |= {"raw": [raw], "findings": [], "rules": "1", "registry": 1}
            drafts.append(Draft("poll", f"{ORGANISATION}/device/d-{number:03}", slot, body))
    return drafts


def _fill(path: Path) -> None:
    """A year of days, months, the year; two months of hours; a week of quarter hours, as settling would leave them."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    calendar = Calendar(ZONE)
    installed = dict(db.execute("SELECT series, max(installation) FROM interval GROUP BY series").fetchall())
    ids = [row[0] for row in db.execute("SELECT id FROM series ORDER BY id").fetchall()]
    settled = NOW // SETTLEMENT_WINDOW_US * SETTLEMENT_WINDOW_US
    today = local_midnight_of(NOW)
    spans: list[tuple[int, int, int]] = [(DAY, at, calendar.next_day(at)) for at in _days(START, today)]
    spans += [(DAY, today, settled)]
    spans += [(HOUR, at, at + US_PER_HOUR) for at in range(settled - HOURLY_DAYS * US_PER_DAY, settled, US_PER_HOUR)]
    for kind, cut in ((MONTH, calendar.month), (YEAR, calendar.year)):
        starts = sorted({cut(at) for at in _days(START, today + 1)})
        spans += [(kind, at, min(end, settled)) for at, end in zip(starts, [*starts[1:], settled], strict=True)]
    rows = []
    for series in ids:
        for kind, start, end in spans:
            count = max(0, (end - max(start, START)) // SETTLEMENT_WINDOW_US)
            sums = (count, 0, 1000 * count, 0, ENERGY * count, ENERGY * count, 0, 0, 0, 0, 1)
            rows.append((series, kind, start, installed.get(series, 0), RATIO, 1, *sums))
    db.executemany(_ROLLUP, rows)
    for series in ids:
        values = "?1, ?2 + n * ?3, 0, 1, ?4, n * ?5, (n + 1) * ?5, ?5, 1000, 0, 0, 40, 1, 1, 1"
        count = (settled - POLLED_HOURS * US_PER_HOUR - (settled - QUARTER_DAYS * US_PER_DAY)) // SETTLEMENT_WINDOW_US
        db.execute(
            f"WITH RECURSIVE k(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM k WHERE n < ?6 - 1) "
            f"INSERT OR IGNORE INTO interval ({_INTERVAL}) SELECT {values} FROM k",
            (series, settled - QUARTER_DAYS * US_PER_DAY, SETTLEMENT_WINDOW_US, installed.get(series), ENERGY, count),
        )
    db.execute("UPDATE series SET settled_to = ?", (settled,))
    db.commit()
    db.execute("ANALYZE")
    db.close()


def _days(start: int, end: int) -> list[int]:
    found, at = [], local_midnight_of(start)
    calendar = Calendar(ZONE)
    while at < end:
        found.append(at)
        at = calendar.next_day(at)
    return found


def local_midnight_of(at_us: int) -> int:
    """The site's midnight before an instant."""
    return Calendar(ZONE).day(at_us)


PAGES = (
    "/",
    "/live",
    "/live/P-001?raw=1",
    "/instruments",
    "/instruments/M-001",
    "/points",
    "/calibration",
    "/quality",
    "/energy",
    "/energy?point=P-000&first=2025-03-01&last=2026-02-28&step=month",
    "/balance?first=2026-02-01&last=2026-02-28",
    "/findings",
    "/trace?point=P-000",
    "/journal",
    "/journal/1",
    "/settings",
    "/account",
)
VIEWS = (
    "/api/v1/overview",
    "/api/v1/live",
    "/api/v1/live/P-001",
    "/api/v1/instruments",
    "/api/v1/points",
    "/api/v1/calibration",
    "/api/v1/completeness?days=31",
    "/api/v1/energy?first=2025-03-01&last=2026-02-28&step=day",
    "/api/v1/balance?first=2026-02-01&last=2026-02-28",
    "/api/v1/findings",
    "/api/v1/trace?point=P-000",
    "/api/v1/journal",
    "/api/v1/quality/queue",
)


def asked(folder: DataFolder) -> list[Result]:
    """Ask everything of a server of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    base = f"http://127.0.0.1:{port}"
    cookie = _signed_in(folder)
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.pages", str(folder.path), str(port)])
    try:
        _ready(base)
        pages = {path: _server_ms(base + path, cookie, server.pid) for path in PAGES}
        views = {path: _server_ms(base + path, cookie, server.pid) for path in VIEWS}
        paints = _paints(base, cookie)
    finally:
        server.terminate()
        server.wait(20)
    return [
        _slowest("slowest page, server time", pages, 1_000.0),
        _slowest("slowest API view, server time", views, 1_000.0),
        _slowest("slowest first paint", paints, 300.0),
    ]


def _slowest(name: str, found: dict[str, float], target: float) -> Result:
    slow = sorted(found.items(), key=lambda each: -each[1])
    worst, value = slow[0]
    listed = ", ".join(f"{path} {ms:.0f}" for path, ms in slow[1:4])
    note = f"{worst}; then {listed} ms; {len(found)} addresses, {REPEATS} times after one; {METERS} meters, {DAYS} days"
    return Result("J3", name, value, "ms", None, target, value <= target, note)


def _signed_in(folder: DataFolder) -> str:
    from api.people.guard import SESSION_COOKIE  # noqa: PLC0415  # the serving child imports it by itself
    from api.people.roles import Role  # noqa: PLC0415
    from api.people.store import AUTH_FILE, People  # noqa: PLC0415

    people = People(folder.path / AUTH_FILE, Still(), SystemRandom())
    people.put("b", organisation=ORGANISATION, name="b", roles=frozenset(Role))
    secret = people.begin_session("b")
    people.close()
    return f"{SESSION_COOKIE}={secret}"


def _ready(base: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{base}/static/mark.svg", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(base)


def _server_ms(url: str, cookie: str, pid: int) -> float:
    """CPU time of the server for one answer: neighbours on the machine must not count. Everything lies in memory."""
    times = []
    for place in range(1 + REPEATS):
        request = urllib.request.Request(url, headers={"cookie": cookie, "accept-language": "zh"})
        before = _cpu_ms(pid)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        if place:
            times.append(_cpu_ms(pid) - before)
    return statistics.mean(times)


def _cpu_ms(pid: int) -> float:
    """User and system time of a process so far, in steps of a hundredth of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


def _paints(base: str, cookie: str) -> dict[str, float]:
    """First contentful paint since the answer began to arrive: what the browser adds to the server's time."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        return {"no Chromium on this machine": float("inf")}
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a development dependency

    name, _, value = cookie.partition("=")
    found = {}
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": base}])
        page = context.new_page()
        for path in PAGES:
            times = []
            for _ in range(1 + REPEATS):
                page.goto(base + path, wait_until="load")
                times.append(float(page.evaluate(_PAINT)))
            found[path] = min(times[1:])  # a busy machine only adds
        browser.close()
    return found


_PAINT = """() => new Promise((resolve) => {
  const look = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const begun = performance.getEntriesByType("navigation")[0].responseStart;
    if (paint) { resolve(Math.max(0, paint.startTime - begun)); } else { requestAnimationFrame(look); }
  };
  look();
})"""


def _serve(path: str, port: str) -> None:
    import uvicorn  # noqa: PLC0415  # only the child serves

    from api.app import create_app  # noqa: PLC0415

    uvicorn.run(
        create_app(Path(path), clock=Still()), host="127.0.0.1", port=int(port), log_level="warning", access_log=False
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _serve(sys.argv[1], sys.argv[2])
    else:
        for result in measure():
            print(result)
