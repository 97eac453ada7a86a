"""Every number on every page is the API's: each figure in a cell or headline is some value of the page's API views,
rounded as it is shown. The rounding here is the test's own."""

import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html

from gateway.journal.folder import DataFolder
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
    "/trace?point=P-01": ["/api/v1/trace?point=P-01"],
    "/trace?point=P-01&window=2026-03-10T08:00": ["/api/v1/trace?point=P-01&window=2026-03-10T08:00"],
    "/journal": ["/api/v1/journal"],
    "/settings": ["/api/v1/settings", "/api/v1/people"],
    "/findings": ["/api/v1/findings"],
}
NUMBER = re.compile(r"[−+-]?\d[\d,]*(?:\.\d+)?%?")
NO_NUMBER = re.compile(
    r"\d{4}-\d\d(?:-\d\d)?|\d{1,2}:\d\d(?::\d\d)?|\d\d-\d\d\b|[A-Za-z]+-[\w-]*\d[\w-]*|[0-9a-f]{12,}…?|[A-Za-z]\d+|\d+\.\d+\.\d+"
)
FIGURES = (
    "//main//td[contains(concat(' ', @class, ' '), ' num ')] | //main//*[contains(@class, 'value')]"
    " | //main//*[@id='todo']//b"
)


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, role="everything") as made:
        made.headers["accept-language"] = "zh"
        yield made


def fraction_of(text: object) -> Fraction:
    numerator, _, denominator = str(text).partition("/")
    return Fraction(numerator) / Fraction(denominator or 1)


def by_its_u(value: Fraction, expanded: float) -> Fraction:
    """The value to the place where U keeps two digits, worked out from U's own scientific notation."""
    _, _, exponent = f"{expanded:.1e}".partition("e")
    step = Fraction(10) ** (int(exponent) - 1)
    return round(value / step) * step


def values_of(document: object) -> set[Fraction]:
    """Every number of a JSON document, also those written as text; and how many things its lists hold.

    Where a value stands beside its U, also the value as rounded by it, and its shares by method likewise.
    """
    found: set[Fraction] = set()
    if isinstance(document, dict):
        if document.get("expanded") and isinstance(document.get("by_method"), dict) and document["value"] is not None:
            u = float(document["expanded"])
            found |= {by_its_u(fraction_of(each), u) for each in [document["value"], *document["by_method"].values()]}
        for each in document.values():
            found |= values_of(each)
    elif isinstance(document, list):
        found.add(Fraction(len(document)))
        for each in document:
            found |= values_of(each)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        found.add(Fraction(str(document)))
    elif isinstance(document, str) and re.fullmatch(r"-?\d+(\.\d+)?(/\d+)?", document):
        found.add(fraction_of(document))
    return found


def shown_on(page: str) -> list[str]:
    """The numbers that a page shows as figures."""
    tree = html.fromstring(page)
    found = []
    for cell in tree.xpath(FIGURES):
        said = NO_NUMBER.sub(" ", " ".join(cell.itertext()))
        found += NUMBER.findall(said)
    return found


def rounded(value: Fraction, decimals: int) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)


class Known:
    """What the API says, in every rounding a page may show."""

    def __init__(self, values: set[Fraction]) -> None:
        self._values = values
        self._rounded: dict[int, set[Decimal]] = {}
        self._shares = {
            float(part / whole) for part in values for whole in values if whole > 0 and abs(part) <= 4 * whole
        }

    def has(self, token: str) -> bool:
        plain = token.replace(",", "").replace("−", "-").lstrip("+")
        if plain.endswith("%"):
            return self._has_share(float(plain[:-1]), signed=token[0] in "+−-")
        decimals = len(plain.partition(".")[2])
        if decimals not in self._rounded:
            self._rounded[decimals] = {rounded(each, decimals) for each in self._values}
        wanted = Decimal(plain)
        # a sign may stand in words, and permille of the API are percent on a page
        permille = {wanted * 10, wanted * 1000}
        return bool({wanted, -wanted} & self._rounded[decimals]) or bool(
            permille & self._rounded.setdefault(0, {rounded(each, 0) for each in self._values})
        )

    def _has_share(self, percent: float, *, signed: bool) -> bool:
        near = (
            (lambda share: abs((share - 1) * 100 - percent) < 0.06)
            if signed
            else (lambda share: abs(share * 100 - percent) < 0.11)
        )
        return (
            percent in {0.0, 100.0}
            or any(near(each) for each in self._shares)
            or any(abs(float(each) / 10 - percent) < 0.06 for each in self._values)
        )


def strangers(client: TestClient, page: str, views: list[str]) -> tuple[list[str], int]:
    """Figures of a page that none of its views knows, and how many it shows."""
    values: set[Fraction] = set()
    for view in views:
        answer = client.get(view)
        assert answer.status_code == 200, f"{view}: {answer.text[:200]}"
        values |= values_of(json.loads(answer.text)["result"])
    known = Known(values)
    tokens = shown_on(page)
    return [each for each in tokens if not known.has(each)], len(tokens)


@pytest.mark.parametrize("path", VIEWS)
def test_every_number_is_the_apis(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    unknown, count = strangers(client, page.text, VIEWS[path])
    assert not unknown, f"{path} shows {unknown}, which {VIEWS[path]} do not say"
    assert count or path in {"/findings", "/journal", "/settings"}, "a page without a figure proves nothing"


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
