"""Carbon and energy accounting over HTTP: JSON, CSV and pages say the same figures."""

import csv
import html
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import vl_convert
from fastapi.testclient import TestClient

from api.web.account_words import grouped
from gateway.i18n.terms import term
from gateway.i18n.texts import text
from gateway.journal.journal import Journal
from tests.accounts_folder import COAL_CO2, INTAKE_KWH, POWER_CO2, build_accounts_folder
from tests.people import client_of

DAYS = "first=2026-03-10&last=2026-03-10"
PAGES = (
    "/carbon",
    f"/carbon?{DAYS}&line=intensity/coal/tce/total",
    "/carbon?result=2026-03&before=1&after=2",
    f"/energy?{DAYS}",
    f"/energy?{DAYS}&kind=coal",
    f"/balance?{DAYS}&node=P-01",
)
ROUTES = (
    "account",
    "account/lines",
    "account/sources",
    "account/exposure",
    "account/budget",
    "account/checks",
    "account/results",
    "account/comparison?result=2026-03&before=1&after=2",
    "account/energy",
    "account/supply",
    "account/cost",
    "account/products",
    "account/flow",
    "balance/trend",
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = build_accounts_folder(tmp_path_factory.mktemp("accounts") / "data")
    with client_of(folder.path) as made:
        yield made


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_speak_one_language(client: TestClient, page: str, language: str) -> None:
    answer = client.get(f"{page}{'&' if '?' in page else '?'}lang={language}")
    assert answer.status_code == 200
    assert "%(" not in answer.text
    assert " style=" not in answer.text
    assert text(language, "Carbon emissions") in answer.text, "the menu has it"


def test_the_page_shows_both_totals_and_what_explains_a_change(client: TestClient) -> None:
    shown = client.get("/carbon?result=2026-03&before=1&after=2&lang=en").text
    for exact in (COAL_CO2, POWER_CO2, COAL_CO2 + POWER_CO2):
        assert grouped(f"{float(exact):.2f}").split(".")[0][:5] in shown
    assert "factor: fuel/own/coal/carbon" in shown
    assert "/trace?" in shown
    assert "2018/2066" in shown
    shown = client.get("/carbon?first=2026-03-10&lang=zh").text
    assert "缺省值敞口" in shown


def test_without_a_plan_the_page_says_what_to_do(client: TestClient) -> None:
    shown = client.get("/carbon?known_at=2025-06-01&lang=en")
    assert shown.status_code == 200
    assert "no accounting plan" in shown.text
    assert client.get("/api/v1/account?known_at=2025-06-01").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_json_and_csv(client: TestClient, route: str) -> None:
    joint = "&" if "?" in route else "?"
    answer = client.get(f"/api/v1/{route}{joint}{DAYS}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["frame"]["organisation"]
    table = client.get(f"/api/v1/{route}{joint}{DAYS}&format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1
    assert "SIMULATED" in table.headers["content-disposition"]


def test_the_figures_are_the_same_in_every_medium(client: TestClient) -> None:
    account = client.get(f"/api/v1/account?{DAYS}").json()["result"]
    total = account["boundaries"][0]["total"]
    assert abs(Fraction(total["exact"]) - COAL_CO2 - POWER_CO2) < Fraction(1, 10**6)
    rows = csv.DictReader(io.StringIO(client.get(f"/api/v1/account?{DAYS}&format=csv").content.decode("utf-8-sig")))
    by_line = {row["line"]: row for row in rows}
    assert by_line["carbon/enterprise/total"]["exact"] == total["exact"]
    flow = client.get(f"/api/v1/account/flow?{DAYS}").json()["result"]
    assert sum(Fraction(each["amount"]) for each in flow["links"] if each["source"] == "P-01") == INTAKE_KWH
    budget = client.get(f"/api/v1/account/budget?{DAYS}&line=carbon/enterprise/indirect&draws=100").json()["result"]
    assert budget["sampled"]["draws"] == 100
    assert client.get("/api/v1/account/budget?line=nothing").status_code == 404
    results = client.get("/api/v1/account/results").json()["result"]
    assert [each["version"] for each in results] == [2, 1]
    assert client.get("/api/v1/account/results/2026-03?version=1").json()["result"]["state"] == "submitted"


def test_coefficients_stand_with_source_and_confidence(client: TestClient) -> None:
    factors = client.get(f"/api/v1/account/energy?{DAYS}").json()["result"]["factors"]
    assert {each["factor"] for each in factors} >= {"coefficient/gbt2589-2020/electricity"}
    assert all(each["standing"] and each["source"] and each["entry"] for each in factors)
    for language, word in (("zh", "所用折标系数"), ("en", "Coefficients used")):
        shown = client.get(f"/energy?{DAYS}&lang={language}").text
        assert word in shown
        assert "coefficient/gbt2589-2020/electricity" in shown
        for each in factors:
            said = f"{term(language, 'standing', each['standing'])} · {text(language, each['source'])}"
            assert said in html.unescape(shown)
            assert each["standing"] in shown or language == "en"


@pytest.mark.parametrize("chart", ["emissions", "budget", "flow", "remainder"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_their_numbers(client: TestClient, chart: str, theme: str) -> None:
    answer = client.get(f"/charts/{chart}.json?{DAYS}&theme={theme}")
    assert answer.status_code == 200
    assert answer.json()["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    # drawn here, so that a slow machine's drawing process cannot run into its time limit
    assert vl_convert.vegalite_to_svg(answer.json(), allowed_base_urls=[]).startswith("<svg")


def test_the_basis_of_an_uncertainty_speaks_the_readers_language(client: TestClient) -> None:
    line = "line=carbon/enterprise/direct"
    for language, word in (("zh", ">核算方案</td>"), ("en", ">accounting plan</td>")):
        assert word in client.get(f"/carbon?{DAYS}&{line}&lang={language}").text
    drawn = client.get(f"/charts/budget.json?{DAYS}&{line}&lang=zh").text
    assert "%%" not in drawn


def test_digits_are_grouped() -> None:
    assert grouped("-1234567.80") == "−1,234,567.80"
    assert grouped("") == "—"


def test_a_person_computes_submits_and_sends_back(tmp_path: Path) -> None:
    """The projection stands still in this test, so a command answers 202: the entry is there, not yet shown."""
    folder = build_accounts_folder(tmp_path / "data")
    with client_of(folder.path) as client:
        assert 'action="/carbon/results"' in client.get("/carbon").text
        wish = {"result": "2026-q1", "first": "2026-03-10", "last": "2026-03-10", "reason": "quarter"}
        made = client.post("/api/v1/account/results", json=wish)
        assert made.status_code in {201, 202}, made.text
        step = {"result": "2026-03", "version": 1, "action": "verified"}
        assert client.post("/api/v1/account/results/step", json=step).status_code == 403, "a reviewer's step"
        assert 'value="verified"' not in client.get("/carbon").text
        wrong = client.post("/api/v1/account/results/step", json={**step, "action": "frozen"})
        assert wrong.status_code == 409
        onward = {**step, "version": 2, "action": "submitted"}
        assert client.post("/api/v1/account/results/step", json=onward).is_success
        late = client.post("/api/v1/account/results", json={**wish, "last": "2030-01-01"})
        assert late.status_code == 422
        assert client.post("/carbon/results", data={**wish, "result": "no such name"}).status_code in {403, 422}
    with Journal.open(folder, read_only=True) as journal:
        entries = list(journal.read(0, 10_000, kinds=("result",)))
    assert [(each.body["action"], each.body["version"]) for each in entries][-2:] == [("computed", 1), ("submitted", 2)]
    assert entries[-2].body["actor"] != entries[0].body["actor"], "the person is named"


def test_a_reviewer_verifies_and_computes_nothing(tmp_path: Path) -> None:
    folder = build_accounts_folder(tmp_path / "data")
    with client_of(folder.path, role="reviewer") as client:
        assert 'value="verified"' in client.get("/carbon").text
        wish = {"result": "x", "first": "2026-03-10", "last": "2026-03-10"}
        assert client.post("/api/v1/account/results", json=wish).status_code == 403
        step = {"result": "2026-03", "version": 1, "action": "verified"}
        for other in ({**step, "version": 2, "action": "submitted"}, {**step, "action": "frozen"}):
            assert client.post("/api/v1/account/results/step", json=other).status_code == 403
        assert client.post("/api/v1/account/results/step", json=step).is_success
    with Journal.open(folder, read_only=True) as journal:
        entries = list(journal.read(0, 10_000, kinds=("result",)))
    assert entries[-1].body["action"] == "verified"


def test_a_reader_may_look_and_not_write(tmp_path: Path) -> None:
    folder = build_accounts_folder(tmp_path / "data")
    with client_of(folder.path, role="market_supervision") as client:
        shown = client.get("/carbon")
        assert shown.status_code == 200
        assert 'action="/carbon/results"' not in shown.text
        wish = {"result": "x", "first": "2026-03-10", "last": "2026-03-10"}
        assert client.post("/api/v1/account/results", json=wish).status_code == 403
