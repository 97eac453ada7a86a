"""The demo plant through pages and API: every planted fault is shown, and figures are recomputed from their evidence.

The oracle below shares no code with the product: own byte order, own rounding, own interpolation, exact fractions. It
takes what a stranger would take: the journal entries that the trace of a figure names.
"""

import base64
import random
import re
import struct
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gateway.i18n.rules import rule_title
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement
from tests.crawling import shown_on, strangers
from tests.demo_faults import PLANTED
from tests.people import client_of
from tests.plant_folder import FixedClock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
PROGRAM = str(Path(sys.executable).with_name("meterproof"))
FIGURES = 240


@pytest.fixture(scope="module")
def client(demo_folder: Path) -> Iterator[TestClient]:
    folder = demo_folder
    clock = FixedClock(time.time_ns() // 1000)
    with client_of(folder, clock=clock) as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_planted_fault_is_shown(client: TestClient, language: str) -> None:
    page = client.get(f"/findings?lang={language}").text
    for rule in PLANTED:
        assert rule_title(language, rule) in page, rule
    assert client.get(f"/?lang={language}").text.count('class="tasks"') == 2


def test_every_page_of_every_point_and_instrument_comes(client: TestClient) -> None:
    points = [each["point"]["id"] for each in client.get("/api/v1/points").json()["result"]["points"]]
    instruments = [each["instrument"]["id"] for each in client.get("/api/v1/instruments").json()["result"]["rows"]]
    assert len(points) > 25
    assert len(instruments) > 25
    for path in [f"/live/{each}?raw=1" for each in points] + [f"/instruments/{each}" for each in instruments]:
        assert client.get(path).status_code == 200, path
    for each in points:
        assert client.get(f"/trace?point={each}").status_code == 200, each


@pytest.mark.parametrize("address", ["/comparison?step=hour", "/comparison?step=day", "/watch"])
def test_stack_and_watch_come(client: TestClient, address: str) -> None:
    """Plan and tests of the stack are on record from the first start on; what is planted there needs more history."""
    assert client.get(address).status_code == 200
    found = client.get("/api/v1/comparison?step=day").json()["result"]
    assert found["stack"] == "kiln"
    assert {each["agreement"] for each in found["steps"]} <= {"agrees", "undecided"}


ACCOUNT = [f"account{each}" for each in ("", "/lines", "/energy", "/supply", "/cost", "/products", "/flow")]
CARBON = [*ACCOUNT[:2], *(f"account/{each}" for each in ("sources", "exposure", "budget", "checks", "results"))]
SPOKEN = {
    "/": ["overview", "quality/queue", "people", "live"],
    "/energy": ["energy", *ACCOUNT],
    "/balance": ["balance", "balance/trend"],
    "/carbon": CARBON,
    "/comparison?step=hour": ["comparison?step=hour", "comparison/packs"],
    "/comparison?step=day": ["comparison?step=day", "comparison/packs"],
    "/watch": ["watch", "watch/identities"],
    "/effects": ["effects"],
    "/reports": ["reports", "reports/issued"],
    "/reviews": ["reviews", "checklists"],
    "/reviews/carbon-demo": ["reviews/carbon-demo"],
    "/audit": ["indicators", *(f"audit-views?group={each}" for each in ("instruments", "data", "behaviour", "result"))],
    "/certificates": ["certificates", "traceability"],
    "/calibration": ["calibration"],
    "/instruments": ["instruments"],
    "/quality": ["completeness", "quality/queue"],
    "/trace?point=el-kiln": ["trace?point=el-kiln", "judgement?point=el-kiln"],
}
SAYS_NOTHING = {"/reports", "/reviews", "/effects"}
"""Pages that may show no figure here."""


@pytest.mark.parametrize("path", SPOKEN)
def test_every_number_is_the_apis(demo_folder: Path, path: str) -> None:
    """One moment for page and API; the days are those that the page itself shows."""
    with client_of(demo_folder, clock=FixedClock(time.time_ns() // 1000), role="everything") as client:
        page = client.get(path)
        assert page.status_code == 200, page.text[:300]
        days = "".join(
            f"&{name}={day}"
            for name, day in re.findall(r'name="(first|last)" value="(\d{4}-\d\d-\d\d)"', page.text)[:2]
        )
        views = [f"/api/v1/{each}{'' if '?' in each else '?'}{days if 'account' in each or path == '/energy' else ''}"
                 for each in SPOKEN[path]]  # fmt: skip
        unknown, _ = strangers(client, page.text, views)
    assert not unknown, f"{path} shows {unknown}, which {views} do not say"
    assert shown_on(page.text) or path in SAYS_NOTHING


def test_a_quarter_hour_that_waits_for_late_readings_is_the_same_for_page_and_api(demo_folder: Path) -> None:
    found = Registry.open(demo_folder / "registry.sqlite")
    settlement = Settlement.open(demo_folder / "settlement.sqlite", found)
    settled_us = max(each.settled_to_us for each in settlement.channels("demo-cement"))
    settlement.close()
    found.close()
    with client_of(demo_folder, clock=FixedClock(settled_us + 16 * 60 * 1_000_000), role="everything") as client:
        page = client.get("/energy").text
        days = dict(re.findall(r'name="(first|last)" value="(\d{4}-\d\d-\d\d)"', page))
        views = [f"/api/v1/{each}?first={days['first']}&last={days['last']}" for each in SPOKEN["/energy"]]
        unknown, _ = strangers(client, page, views)
    assert not unknown


def test_figures_recomputed_from_their_evidence(client: TestClient) -> None:
    chance = random.Random(20261122)
    oracle = Oracle(client)
    points = [each["point"]["id"] for each in client.get("/api/v1/energy").json()["result"]["points"]]
    chance.shuffle(points)
    checked = 0
    # yesterday is over at whatever hour the test runs
    day = date.fromisoformat(client.get("/api/v1/overview").json()["result"]["day"]) - timedelta(days=1)
    for point in points:
        query = {"point": point, "from": f"{day}T00:00"}
        intervals = client.get("/api/v1/trace", params=query).json()["result"]["intervals"]
        known = [each for each in intervals if each["value"] is not None]
        for each in chance.sample(known, min(len(known), 1 + FIGURES // len(points) * 2)):
            expected = oracle.energy(each)
            if expected is not None:
                assert Fraction(each["value"]) == expected, (point, each)
                checked += 1
    assert checked >= FIGURES, checked


class Oracle:
    """Energy of a quarter hour from journal entries alone."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self._entries: dict[int, dict[str, Any]] = {}

    def entry(self, seq: int) -> dict[str, Any]:
        if seq not in self._entries:
            self._entries[seq] = self._client.get(f"/api/v1/journal/{seq}").json()["result"]
        return self._entries[seq]

    def energy(self, interval: dict[str, Any]) -> Fraction | None:
        """None where the edges are declared indexes or the register rolled over: other tests look at those."""
        e0, e1, e2, e3 = interval["edges"]
        start = self.register(interval, interval["start_us"], e0, e1)
        end = self.register(interval, interval["end_us"], e2, e3)
        if start is None or end is None or end[0] < start[0]:
            return None
        body = self.entry(interval["installation_seq"])["body"]["object"]
        ratio = Fraction(1) if end[2] else quotient(body.get("ct_ratio")) * quotient(body.get("pt_ratio"))
        return Fraction(end[0] - start[0], 1000 * 10 ** end[1]) * ratio

    def register(
        self, interval: dict[str, Any], at_us: int, before: int | None, after: int | None
    ) -> tuple[int, int, bool] | None:
        """(thousandths of the resolution, decimals, primary) at an instant."""
        seen = [self.observed(interval, seq) for seq in dict.fromkeys((before, after)) if seq]
        if not seen or None in seen:
            return None
        (t0, v0, decimals, primary), (t1, v1, _d, _p) = seen[0], seen[-1]  # type: ignore[misc]  # None is ruled out
        if t0 == t1:
            return v0 * 1000, decimals, primary
        exact = Fraction(v0 * 1000) + Fraction((v1 - v0) * 1000 * (at_us - t0), t1 - t0)
        return half_even(exact), decimals, primary

    def observed(self, interval: dict[str, Any], seq: int) -> tuple[int, int, int, bool] | None:
        """(observed µs, scaled integer, decimals, primary) of an entry."""
        found = self.entry(seq)
        kind, body = found["entry"]["kind"], found["body"]
        if kind == "message":
            sample = next(each for each in body["samples"] if each["device"] == interval["device"])
            group = self.entry(sample["cfg"])["body"]["groups"][sample["group"]]
            at = [each["id"] for each in group["channels"]].index(interval["channel"])
            channel = group["channels"][at]
            return sample["at"], sample["values"][at], channel["decimals"], bool(channel.get("primary"))
        if kind != "poll":
            return None
        group = self.entry(body["cfg"])["body"]["groups"][body["group"]]
        channel = next(each for each in group["channels"] if each["id"] == interval["channel"])
        field = next(each for each in group["plan"]["fields"] if each["channel"] == interval["channel"])
        value = decoded(field, group["plan"], [each and base64.b64decode(each) for each in body["raw"]])
        return body["received"], value, channel["decimals"], bool(channel.get("primary"))


def decoded(field: dict[str, Any], plan: dict[str, Any], raw: list[bytes | None]) -> int:
    number = wire_number(field, raw)
    factor = Fraction(field.get("numerator", 1), field.get("denominator", 1))
    for index in field.get("scales", []):
        scale = plan["scales"][index]
        amount = wire_number(scale, raw)
        factor *= {"power10": Fraction(10) ** int(amount), "multiply": amount, "divide": 1 / amount if amount else 1}[
            scale["kind"]
        ]
    return half_even((number - field.get("subtract", 0)) * factor * 10 ** field.get("decimals", 0))


def wire_number(field: dict[str, Any], raw: list[bytes | None]) -> Fraction:
    data = raw[field["request"]]
    assert data is not None
    taken = data[field["offset"] : field["offset"] + field["length"]]
    order = field.get("order", "A")
    groups = [taken[at : at + len(order)] for at in range(0, len(taken), len(order))]
    placed = b"".join(bytes(group[order.index(letter)] for letter in sorted(order)) for group in groups)
    match field["type"]:
        case "uint":
            return Fraction(int.from_bytes(placed, "big"))
        case "int":
            return Fraction(int.from_bytes(placed, "big", signed=True))
        case "float":
            return Fraction(struct.unpack(">f" if len(placed) == 4 else ">d", placed)[0])
        case "bcd":
            return Fraction(int(placed.hex()))
        case "mod10k":
            words = struct.unpack(f">{len(placed) // 2}h", placed)
            return Fraction(sum(word * 10_000**place for place, word in enumerate(reversed(words))))
        case other:
            raise AssertionError(f"a counter of type {other}")


def half_even(value: Fraction) -> int:
    whole, rest = divmod(value.numerator, value.denominator)
    if 2 * rest > value.denominator or (2 * rest == value.denominator and whole % 2):
        return whole + 1
    return whole


def quotient(text: str | None) -> Fraction:
    if not text:
        return Fraction(1)
    above, _, below = text.partition("/")
    return Fraction(above) / Fraction(below or "1")
