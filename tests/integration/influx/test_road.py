"""From raw words in the journal to points in a real InfluxDB, with the commands a person types."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from fractions import Fraction
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly import delivering as delivering_module
from gateway.assembly.delivering import Delivery, courier_state, delivering, open_sink, verify_day
from gateway.assembly.platform import SystemClock, SystemRandom
from gateway.assembly.projecting import Projection
from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from gateway.delivery.courier import CourierSettings
from gateway.delivery.influx.sink import InfluxSink
from gateway.domain.time import US_PER_DAY, Period, floor_to
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.integration.influx import support
from tests.services import InfluxDB

pytestmark = pytest.mark.integration

SITE = """\
meterproof: 1
organisation: {id: works, name: {zh: 厂, en: works}}
site: {id: kiln-line, name: {zh: 主, en: main}}
simulated: true
schedule: {period_s: 60}
endpoints:
  - {id: bus, protocol: modbus, connection: {transport: tcp, host: 127.0.0.1, port: 1502}}
devices:
  - {id: m1, endpoint: bus, profile: eastron/sdm630, address: {unit: 1}}
  - {id: m2, endpoint: bus, profile: eastron/sdm630, address: {unit: 2}}
influxdb: {url: "%s", database: plant, username: meter, password_env: METER_PASSWORD}
"""
MINUTES = 50
START_US = support.T0_S * 1_000_000


def words(plan: Any, number: int) -> list[str]:
    """Base64 of float32 registers that count up; not one of them is a round number."""
    answers = []
    for request in plan.document()["requests"]:
        floats = [1000.5 + number * 0.25 + place for place in range(request["count"] // 2 + 1)]
        raw = struct.pack(f">{len(floats)}f", *floats)[: 2 * request["count"]]
        answers.append(b64encode(raw).decode())
    return answers


def found(site: AssembledSite, path: Path) -> int:
    """A data folder with configuration and polls, as collection leaves it; the number of polls."""
    folder = DataFolder.create(
        path, organisation="works", site="kiln-line", time_zone="Asia/Shanghai", simulated=True, clock=SystemClock()
    )
    polls = 0
    with Journal.open(folder) as journal:
        for each in site.devices:
            subject = each.device.subject
            [cfg] = journal.append([Draft("configuration", subject, START_US, each.configuration)])
            drafts = []
            for minute in range(MINUTES):
                slot = START_US + minute * 60_000_000
                for group, plan in each.plans.items():
                    if group == "identity":
                        continue
                    body = {
                        "group": group, "slot": slot, "sent": slot + 500, "received": slot + 90_500, "cfg": cfg,
                        "outcome": "ok", "raw": words(plan, minute), "findings": [], "rules": "1", "registry": 0,
                    }  # fmt: skip
                    drafts.append(Draft("poll", subject, slot + 100_000, body))
            polls += len(journal.append(drafts))
    return polls


def meterproof(*arguments: object, code: int = 0) -> str:
    """Run a command to its end; its output, or what it complains of."""
    ended = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "--lang", "en", *map(str, arguments)],
        capture_output=True, text=True, timeout=180, check=False, env={**os.environ, "METER_PASSWORD": "secret"},
    )  # fmt: skip
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout or ended.stderr


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[InfluxDB]:
    with InfluxDB(tmp_path / "influx", http=["auth-enabled = true"]) as server:
        support.Server(server.url).query("CREATE USER meter WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
        yield server


async def test_the_road_to_influxdb_and_back(influx: InfluxDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METER_PASSWORD", "secret")
    path = tmp_path / "site.yaml"
    path.write_text(SITE % influx.url, encoding="utf-8")
    polls = found(load_assembled_site(path), tmp_path / "data")

    assert "dialect v1" in meterproof("influx", "ping", path)
    assert "Created 'plant'" in meterproof("influx", "setup", path, "--retention", "5y")
    assert "there already" in meterproof("influx", "setup", path)
    server = support.Server(influx.url)
    login = {"u": "meter", "p": "secret"}
    [policy] = server.query("SHOW RETENTION POLICIES ON plant", **login)[0]["values"]
    assert policy[:3] == ["readings", "43920h0m0s", "4368h0m0s"]

    assert "nothing was delivered" in meterproof("reconcile", path, code=1), "an empty sink is not a sink that agrees"
    project = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli.main", "project", str(path),
        env={**os.environ, "METER_PASSWORD": "secret"},
    )  # fmt: skip
    try:
        await support.until(lambda: count(server, login) == polls)
    finally:
        project.send_signal(signal.SIGTERM)
        await asyncio.wait_for(project.wait(), 120)

    # the first float of the first request, worked out from the plan by hand, is what the server gives back
    group = load_assembled_site(path).devices[0].configuration["groups"]["energy"]
    field = next(each for each in group["plan"]["fields"] if each["request"] == 0 and each["offset"] == 0)
    scale, decimals = Fraction(field.get("numerator", 1), field.get("denominator", 1)), field.get("decimals", 0)
    wanted = [float(round((Fraction(2001, 2) + Fraction(n, 4)) * scale, decimals)) for n in range(MINUTES)]
    [series] = server.query(
        f"SELECT \"{field['channel']}\" FROM reading WHERE device = 'm1' AND \"group\" = 'energy'", **login
    )
    assert [row[1] for row in series["values"]] == wanted

    await verified_by_itself(path, tmp_path / "data", polls)
    days = ["--from", "2026-09-01", "--to", "2026-10-01"]
    report = json.loads(meterproof("reconcile", path, *days, "--values", "--json"))
    assert (report["sent"], report["written"], report["verified"]) == (polls, polls, polls)
    server.query(f"DELETE FROM reading WHERE device = 'm2' AND time < {support.T0_S + 600}s", **login)
    shown = meterproof("reconcile", path, *days, code=1)
    assert "missing 10" in shown
    assert json.loads(meterproof("reconcile", path, *days, "--repair", "--json"))["differences"] == []
    assert count(server, login) == polls

    status = json.loads(meterproof("influx", "status", path, "--json"))
    assert (status["lag"], status["dead_letters"]) == (0, 0)
    assert meterproof("influx", "dead-letters", path).splitlines() == ["time,device,group,entry,reason,since,line"]


async def test_a_mended_password_is_taken_without_a_restart(
    influx: InfluxDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    path = tmp_path / "site.yaml"
    block = SITE.replace("password_env: METER_PASSWORD", "password_file: secret")
    path.write_text(block % influx.url, encoding="utf-8")
    site = load_assembled_site(path)
    polls = found(site, tmp_path / "data")
    folder = DataFolder.open(tmp_path / "data")
    projection = Projection(folder, SystemClock())
    while projection.step().applied:
        pass
    projection.close()
    server, login = support.Server(influx.url), {"u": "meter", "p": "secret"}
    server.query("CREATE DATABASE plant", **login)
    monkeypatch.setattr(delivering_module, "RESTART_S", 0.1)
    monkeypatch.setattr(CourierSettings, "__init__", partialmethod(CourierSettings.__init__, hold_s=0.02, holds=3))
    async with delivering(site, folder, SystemClock(), SystemRandom()):
        await asyncio.sleep(0.5)
        assert count(server, login) == 0
        secret.write_text("secret")
        await support.until(lambda: count(server, login) == polls)


async def verified_by_itself(path: Path, data: Path, polls: int) -> None:
    """What the running gateway does with every day that is over."""
    clock, site, folder = SystemClock(), load_assembled_site(path), DataFolder.open(data)
    delivery = Delivery(folder)
    sink, state = open_sink(site, "influxdb", clock), courier_state(folder, "influxdb")
    assert isinstance(sink, InfluxSink)
    start_us = floor_to(START_US, US_PER_DAY)
    report = await verify_day(delivery, sink, state, clock, Period(start_us, start_us + US_PER_DAY))
    assert (report.sent, report.written, report.verified, report.differences) == (polls, polls, polls, [])
    assert sum(each.rows for each in state.verified(start_us, start_us + US_PER_DAY)) == polls
    await sink.close()
    state.close()
    delivery.close()


def count(server: support.Server, login: dict[str, str]) -> int:
    series = server.query("SELECT count(seq) FROM reading", **login)
    return int(series[0]["values"][0][1]) if series else 0


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace("METER_PASSWORD", "NOT_SET_ANYWHERE") % "http://127.0.0.1:1", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "--lang", "en", "influx", "ping", str(path)],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "NOT_SET_ANYWHERE" in ended.stderr
