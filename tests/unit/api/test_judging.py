"""Judged amounts, effects of failures and risk dates over the API and on their pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.web.format import digits
from gateway.assembly.projecting import Projection
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from tests.people import client_of
from tests.plant_folder import NOW, ORGANISATION, QUARTER_KWH, FixedClock, build_folder

DAY_KWH = 96 * QUARTER_KWH


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = build_folder(tmp_path_factory.mktemp("failed") / "data")
    found = {"as_found_result": "fail", "as_found_error_percent": "0.8", "as_found_uncertainty_percent": "0.05"}
    now = {"error_percent": "0.05", "uncertainty_percent": "0.04", "coverage_factor": "2", "result": "pass"}
    named = {"kind": "verification", "instrument": "M-01", "serial": "100001"}
    dates = {"performed_on": "2026-03-11", "valid_until": "2032-03-10"}
    said = {"at_us": NOW, "from_us": None, "to_us": None, "actor": "a", "reason": "", "source": ""}
    with Journal.open(folder) as journal:
        journal.append(
            [object_draft("certificate", ORGANISATION, "V-2026-2", {**named, **dates, **found, **now}, **said)]
        )
    projection = Projection(folder, FixedClock(NOW))
    while projection.step().applied:
        pass
    projection.close()
    with client_of(Path(folder.path)) as made:
        yield made


def test_the_effects_of_a_failure(client: TestClient) -> None:
    answer = client.get("/api/v1/effects", params={"certificate": "V-2026-2"})
    assert answer.status_code == 200
    (span,) = answer.json()["result"]["spans"]
    assert span["total"]["questioned"] == str(DAY_KWH)
    assert span["total"]["bound"] == pytest.approx(-DAY_KWH * 0.8 / 100.8)
    assert client.get("/api/v1/effects", params={"certificate": "nobody"}).status_code == 404
    lines = client.get("/api/v1/effects?format=csv").text.splitlines()
    assert len(lines) == 3
    assert lines[1].split(",")[:2] == ["V-2026-2", "P-01"]


@pytest.mark.parametrize(("language", "words"), [("zh", "存疑量"), ("en", "In question")])
def test_the_page_of_effects(client: TestClient, language: str, words: str) -> None:
    shown = client.get(f"/effects?certificate=V-2026-2&lang={language}").text
    assert words in shown
    assert "+0.8%" in shown
    assert "/effects?certificate=V-2026-2" in client.get(f"/findings?lang={language}").text


def test_a_judged_amount(client: TestClient) -> None:
    asked = {"point": "P-01", "from": "2026-03-10", "to": "2026-03-11"}
    result = client.get("/api/v1/judgement", params=asked).json()["result"]
    assert result["word"] == "uncalibrated"  # the transformer has no certificate
    assert {each["rule"] for each in result["verdicts"]} >= {"calibration.look_back", "calibration.none"}
    assert (result["policy"]["decision_rule"], result["conformity"][0]) == ("jjf1094", "pass")
    assert result["expanded"] is None
    assert client.get("/api/v1/judgement", params={"point": "P-99"}).status_code == 404
    assert "判定情况" in client.get("/trace?point=P-01&from=2026-03-10&lang=zh").text


def test_risk_dates(client: TestClient) -> None:
    (meter,) = client.get("/api/v1/outlook").json()["result"]
    assert (meter["instrument"], meter["basis"]) == ("M-01", "history")
    assert meter["drift"] == pytest.approx((0.8 - 0.08) / (344 / 365.25), rel=1e-6)
    assert client.get("/api/v1/outlook?format=csv").text.splitlines()[1].startswith("M-01,V-2026-2,")
    assert meter["risk_on"] in client.get("/calibration?lang=zh").text
    assert "risk_on" in client.get("/api/v1/calibration?format=csv").text.splitlines()[0]


@pytest.mark.parametrize(
    ("value", "significant", "shown"),
    [(138564.06, 2, "140,000"), (-480000.4, 4, "−480,000"), (0.004567, 2, "0.0046"), (0.0, 2, "0"), (99.96, 2, "100")],
)
def test_digits(value: float, significant: int, shown: str) -> None:
    assert digits(value, significant) == shown
