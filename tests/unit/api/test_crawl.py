"""Every number on every page is the API's: each figure in a cell or headline is some value of the page's API views,
rounded as it is shown. The rounding here is the test's own."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html

from gateway.journal.folder import DataFolder
from tests.crawling import by_its_u, fraction_of, shown_on, strangers
from tests.people import client_of

DAY = "first=2026-03-10&last=2026-03-10"
ACCOUNT = [f"/api/v1/account/flow?{DAY}"]
VIEWS = {
    "/": ["/api/v1/overview", "/api/v1/quality/queue", "/api/v1/people", "/api/v1/live"],
    "/live": ["/api/v1/live"],
    "/live/P-01": ["/api/v1/live/P-01", "/api/v1/findings?point=P-01"],
    "/live/P-02": ["/api/v1/live/P-02", "/api/v1/findings?point=P-02"],
    "/points": ["/api/v1/points"],
    "/calibration": ["/api/v1/calibration"],
    "/quality": ["/api/v1/completeness", "/api/v1/quality/queue"],
    f"/energy?{DAY}": [f"/api/v1/energy?{DAY}", *ACCOUNT],
    f"/energy?point=P-02&step=hour&{DAY}": [f"/api/v1/energy?point=P-02&step=hour&{DAY}", *ACCOUNT],
    f"/balance?{DAY}": [f"/api/v1/balance?{DAY}"],
    "/trace?point=P-01": ["/api/v1/trace?point=P-01", "/api/v1/judgement?point=P-01"],
    "/trace?point=P-01&window=2026-03-10T08:00": [
        "/api/v1/trace?point=P-01&window=2026-03-10T08:00",
        "/api/v1/judgement?point=P-01",
    ],
    "/journal": ["/api/v1/journal"],
    "/settings": ["/api/v1/settings", "/api/v1/people"],
    "/findings": ["/api/v1/findings"],
    "/effects": ["/api/v1/effects"],
    "/watch": ["/api/v1/watch", "/api/v1/watch/identities"],
    "/reports": ["/api/v1/reports", "/api/v1/reports/issued"],
    "/reviews": ["/api/v1/reviews", "/api/v1/checklists"],
}
SAYS_NOTHING = {"/findings", "/journal", "/settings", "/effects", "/watch", "/reports", "/reviews"}
"""Of the small plant these pages may show no figure; the demo plant's are crawled in tests/integration."""


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, role="everything") as made:
        made.headers["accept-language"] = "zh"
        yield made


@pytest.mark.parametrize("path", VIEWS)
def test_every_number_is_the_apis(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    unknown, count = strangers(client, page.text, VIEWS[path])
    assert not unknown, f"{path} shows {unknown}, which {VIEWS[path]} do not say"
    assert count or path in SAYS_NOTHING, "a page without a figure proves nothing"


def test_a_wrong_number_would_be_noticed(client: TestClient) -> None:
    page = client.get("/live").text
    shown = [each for each in shown_on(page) if len(each.replace(",", "")) > 4]
    assert shown
    for each in shown:
        wrong = each[:-1] + str((int(each[-1]) + 5) % 10)
        unknown, _ = strangers(client, page.replace(each, wrong), VIEWS["/live"])
        assert unknown, f"{wrong} in place of {each}"


def test_figures_show_the_digits_that_u_allows(client: TestClient) -> None:
    """On screen by U, in the API and the export in full; every place states the same U."""
    quarter = "point=P-02&from=2026-03-10T08:00&to=2026-03-10T08:15"
    figures = {
        f"/energy?point=P-02&{DAY}": (f"/api/v1/energy?point=P-02&{DAY}", "total", "//p[@class='lead']/a[1]/text()"),
        f"/trace?{quarter}": (f"/api/v1/trace?{quarter}", "figure", "//*[@class='traced']/p[@class='value']/text()"),
    }
    shown = []
    for page, (view, name, where) in figures.items():
        said = client.get(view).json()["result"][name]
        text = html.fromstring(client.get(page).text).xpath(where)[0].replace(",", "")
        assert Fraction(text) == by_its_u(fraction_of(said["value"]), said["expanded"])
        assert len(text.partition(".")[2]) == max(0, 1 - int(f"{said['expanded']:.1e}".partition("e")[2]))
        shown.append(text)
    assert shown[1] == "4.200", "of U = 0.048 kWh two digits"
    judged = client.get(f"/api/v1/judgement?{quarter}").json()["result"]
    assert judged["expanded"] == pytest.approx(said["expanded"])
    assert "4.2," in client.get(f"/api/v1/trace?{quarter}&format=csv").text


def test_a_gap_is_no_zero(client: TestClient) -> None:
    """Where the API has null the page shows no figure."""
    hours: list[dict[str, Any]] = client.get("/api/v1/overview").json()["result"]["hours"]
    gaps = [each for each in hours if each["today"] is not None and each["today"]["value"] is None]
    page = html.fromstring(client.get("/").text)
    cells = page.xpath("//details[@id='hours-table']//td[contains(@class,'gap')]")
    assert len(cells) >= len(gaps)
