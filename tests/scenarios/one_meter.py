"""A site of one meter with a profile of the test's own, collected in virtual time over a link of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.outbox import Outbox
from gateway.assembly.collecting import Collection
from gateway.ports import Clock, Link
from tests.scenarios.acquisition_world import SeededRandom

WIDE = """\
profile: 1
id: test/wide
protocol: modbus
maker: "Test"
model: "Wide"
name: {zh: 宽, en: wide}
document: {title: "test", confidence: 推断}
options: {space: holding}
groups:
  - id: all
    channels:
      - {id: a, measurand: active_energy_import, source: {address: 0, type: u32}}
      - {id: b, measurand: active_power, source: {address: 2, type: u16}}
      - {id: c, measurand: voltage, source: {address: 3, type: u16}}
      - {id: d, measurand: current, source: {address: 4, type: u16}}
      - {id: e, measurand: frequency, source: {address: 5, type: u16}}
"""
SITE = """\
meterproof: 1
organisation: {id: o, name: {zh: 厂, en: o}}
site: {id: s, name: {zh: 厂, en: s}}
simulated: true
profiles: profiles
schedule: {period_s: 10}
endpoints:
  - {id: bus, protocol: modbus, connection: {transport: tcp, host: 127.0.0.1, port: 1502}}
devices:
  - {id: m, endpoint: bus, profile: test/wide, address: {unit: 1}}
"""


def write_site(folder: Path, profile: str = WIDE) -> Path:
    """The site file, its profile (whose id is ``test/wide``) beside it."""
    (folder / "profiles" / "test").mkdir(parents=True)
    (folder / "profiles" / "test" / "wide.yaml").write_text(profile, encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


@asynccontextmanager
async def asking(collection: Collection, link: Link, outbox: Outbox, clock: Clock) -> AsyncIterator[None]:
    """The meter is asked over the link; at the end its last answer is waited for and everything is committed."""
    actor = EndpointActor(
        "bus",
        collection.all_lines(),
        link,
        recorder=collection.recorder,
        outbox=outbox,
        clock=clock,
        random=SeededRandom(1),
    )
    committing, running = asyncio.create_task(outbox.run()), asyncio.create_task(actor.run())
    yield
    actor.stop()
    await running
    outbox.close()
    await committing
