"""What a person does in a browser: from 总览 to the evidence of a figure, on any screen, with and without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from gateway.assembly.projecting import Projection
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.interface.conftest import Visit, started
from tests.people import cookies_of
from tests.plant_folder import NOW, ORGANISATION, FixedClock, build_folder, intake_words

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PATIENCE_MS = 60_000
"""Before a wait for a state gives up: a loaded machine draws a page in many times a quiet one's time."""
PAGES = (
    "/",
    "/live",
    "/live/P-01?raw=1",
    "/instruments",
    "/points",
    "/calibration",
    "/quality",
    "/energy",
    "/balance?first=2026-03-10&last=2026-03-10",
    "/journal",
    "/instruments/M-01",
    "/instruments/M-02",
    "/findings",
    "/effects",
    "/trace?point=P-01",
    "/trace?point=P-03",
    "/trace?instrument=M-01",
    "/journal/1",
    "/settings",
    "/account",
    "/jobs",
    "/reports",
    "/reviews",
    "/carbon",
    "/handing-in",
    "/certificates",
    "/certificates/V-2025-1",
    "/registry/points",
    "/replacements",
    "/nowhere",
)


@contextmanager
def visit(browser: Browser, address: str, *, role: str = "energy_manager", **context: Any) -> Iterator[Visit]:
    made = browser.new_context(**context)
    made.add_cookies(cookies_of(address, role))
    try:
        page = made.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.set_default_navigation_timeout(PATIENCE_MS)
        yield Visit(page, address)
    finally:
        made.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("zh-CN", {"title": "总览", "instrument": "出厂编号", "point": "总进线", "valid": "有效", "trace": "溯源"}),
        (
            "en-GB",
            {
                "title": "Overview",
                "instrument": "Serial number",
                "point": "Main intake",
                "valid": "valid",
                "trace": "Trace",
            },
        ),
    ],
    ids=["zh", "en"],
)
def test_a_click_leads_from_the_overview_to_the_evidence(
    browser: Browser, address: str, locale: str, words: dict[str, str], scripts: bool
) -> None:
    with visit(browser, address, locale=locale, java_script_enabled=scripts) as reader:
        page = reader.open("/")
        assert words["title"] in page.title()
        shown = re.sub(r"\D", "", page.locator("#intake").inner_text())
        page.locator("#intake").click()
        page.wait_for_url("**/trace?**")
        assert words["trace"] in page.title()
        assert words["point"] in page.locator("main").inner_text()
        assert re.sub(r"\D", "", page.locator(".traced .value").inner_text()) == shown
        # the words of the last reading of the last quarter hour, as they came over the wire
        last = page.locator("[data-raw=words]").last
        got = "".join(last.locator("span").all_text_contents())
        assert got == intake_words((24 + 2) * 12)
        assert page.locator("[data-raw=words] span.is-used").first.text_content() == got_first_word(page)
        assert "200/5" in page.locator("#installation").inner_text()
        assert "35000/100" in page.locator("#installation").inner_text()
        assert "100001" in page.locator("#instrument").inner_text()
        assert words["instrument"] in page.locator("#instrument").inner_text()
        assert "V-2025-1" in page.locator("#certificate").inner_text()
        assert words["valid"] in page.locator("#certificate").inner_text()
        assert "S-01" in page.locator("#standard").inner_text()
        assert reader.complaints == []


def got_first_word(page: Any) -> str:
    return str(page.locator("[data-raw=words]").first.locator("span").first.text_content())


def test_a_reviewer_finds_the_planted_faults_by_clicking(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="zh-CN") as reader:
        page = reader.open("/")
        page.get_by_role("link", name="证书已过期").first.click()
        assert "M-02" in page.locator("main").inner_text()
        assert "2025-05-31" in page.locator("main").inner_text()
        reader.open("/findings")
        page.get_by_role("link", name="回转窑主机").first.click()
        assert "没有安装带采集设备的器具" in page.locator("main").inner_text()


def test_filters_live_in_the_address(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="zh-CN", java_script_enabled=False) as reader:
        page = reader.open("/instruments")
        page.locator("select[name=due]").select_option("overdue")
        page.get_by_role("button", name="筛选").click()
        assert "due=overdue" in page.url
        assert page.locator("tbody tr").count() == 1
        page.get_by_role("link", name="English").click()
        assert "due=overdue" in page.url
        assert page.locator("html").get_attribute("lang") == "en"
        reader.open("/instruments")
        assert page.locator("html").get_attribute("lang") == "en", "the choice is remembered"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_serious_barrier_and_no_sideways_scrolling(browser: Browser, address: str, scheme: str, width: int) -> None:
    problems = []
    screen = {"width": width, "height": 900}
    with visit(browser, address, role="everything", locale="zh-CN", color_scheme=scheme, viewport=screen) as reader:
        for path in PAGES:
            page = reader.open(path)
            found = Axe().run(page)
            problems += [
                f"{path}: {each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0].get('failureSummary', '')}"
                for each in found.response["violations"]
                if each["impact"] in {"serious", "critical"}
            ]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                problems.append(f"{path}: wider than the screen")
            if page.evaluate("[...document.images].some((each) => !each.complete || each.naturalWidth === 0)"):
                problems.append(f"{path}: a picture did not come")
    assert not problems, "\n".join(problems)


def test_every_link_leads_somewhere(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="en-GB") as reader:
        seen: set[str] = set()
        pending = ["/"]
        broken = []
        while pending and len(seen) < 150:
            path = pending.pop(0)
            answer = reader.page.request.get(address + path)
            if answer.status != 200:
                broken.append(f"{answer.status} {path}")
            if "text/html" in answer.headers["content-type"]:
                for link in re.findall(r'href="(/[^"#]*)', answer.text()):
                    clean = link.replace("&amp;", "&")
                    if clean.split("?")[0] not in {each.split("?")[0] for each in seen} and clean not in pending:
                        pending.append(clean)
            seen.add(path)
    assert not broken
    assert len(seen) > 15


def test_a_live_page_renews_itself_without_losing_its_place(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="zh-CN") as reader:
        reader.page.clock.install()
        page = reader.open("/live")
        page.evaluate("document.querySelector('[data-refresh-s] tbody').replaceChildren()")
        page.clock.fast_forward(16_000)
        page.locator("[data-refresh-s] tbody tr").nth(2).wait_for(timeout=PATIENCE_MS)
        assert reader.complaints == []


def test_print_keeps_the_evidence_and_drops_the_menu(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="zh-CN", color_scheme="dark") as reader:
        page = reader.open("/trace?point=P-01")
        page.emulate_media(media="print", color_scheme="light")
        assert not page.locator(".menu").is_visible()
        assert page.locator("#certificate").is_visible()
        assert page.locator(".simulated").is_visible(), "a print says that the data are simulated"
        assert len(page.pdf(format="A4")) > 20_000


@pytest.mark.parametrize("path", ["/", "/energy", "/calibration"])
def test_a_chart_becomes_interactive_without_loosening_the_policy(browser: Browser, address: str, path: str) -> None:
    with visit(browser, address, locale="zh-CN") as reader:
        page = reader.open(path)
        offered = page.get_by_role("button", name="交互图形").count()
        page.get_by_role("button", name="交互图形").first.click()
        page.locator(".drawn canvas").first.wait_for(timeout=PATIENCE_MS)
        assert page.get_by_role("button", name="交互图形").count() == offered - 1
        assert reader.complaints == []


def test_a_live_page_hears_of_what_is_new(browser: Browser, tmp_path: Path) -> None:
    """The stream alone: this page's timers stand still."""
    folder = build_folder(tmp_path / "data")
    with started(folder) as address, visit(browser, address, locale="zh-CN") as reader:
        reader.page.clock.install()
        with reader.page.expect_request("**/live/events"):
            page = reader.open("/live")
        page.wait_for_timeout(0)
        page.evaluate("document.querySelector('[data-refresh-s] tbody').replaceChildren()")
        with Journal.open(folder) as journal:
            journal.append([Draft("event", f"{ORGANISATION}/site/main", NOW, {"actor": "x", "action": "probe.noted"})])
        projection = Projection(DataFolder.open(folder.path), FixedClock())
        while projection.step().applied:
            pass
        projection.close()
        page.locator("[data-refresh-s] tbody tr").nth(2).wait_for(timeout=PATIENCE_MS)
        assert reader.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_has_no_barrier(browser: Browser, address: str, scheme: str) -> None:
    context = browser.new_context(locale="zh-CN", color_scheme=scheme, viewport={"width": 390, "height": 844})
    try:
        reader = Visit(context.new_page(), address)
        page = reader.open("/energy?point=P-01")
        assert "/sign-in?next=%2Fenergy%3Fpoint%3DP-01" in page.url
        serious = [each for each in Axe().run(page).response["violations"] if each["impact"] in {"serious", "critical"}]
        assert not serious, serious
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_label("账号").fill("nobody")
        page.get_by_label("密码").fill("a wrong password")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        assert page.get_by_label("账号").input_value() == "nobody"
    finally:
        context.close()


def test_the_keyboard_alone_is_enough(browser: Browser, address: str) -> None:
    with visit(browser, address, locale="zh-CN") as reader:
        page = reader.open("/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.wait_for_url("**#main")
        page.keyboard.press("Tab")  # the first thing of the page itself
        assert page.evaluate("document.getElementById('main').contains(document.activeElement)")
        reader.open("/energy")
        point = page.locator("select[name=point]")
        point.focus()
        for _ in range(3):  # whatever stands first, the mill comes
            if point.input_value() != "P-02":
                page.keyboard.press("ArrowDown")
        page.locator("form.filters button[type=submit]").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/energy?**point=P-02**")
        assert reader.complaints == []
