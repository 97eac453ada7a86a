"""What people come for, in a real browser, with and without scripts: an energy manager's day and a reviewer's visit."""

import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from api.people.acts import Acts
from api.people.roles import Role
from api.people.store import AUTH_FILE, People
from gateway.assembly.platform import SystemRandom
from gateway.assembly.projecting import Projection
from gateway.domain.time import US_PER_MINUTE
from gateway.i18n.rules import rule_title
from gateway.i18n.texts import text
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.demo_faults import PLANTED
from tests.interface.conftest import started
from tests.plant_folder import NOW, ORGANISATION, PERIOD_US, FixedClock, build_folder, intake_words

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PATIENCE_MS = 120_000


@contextmanager
def projecting(folder: DataFolder) -> Iterator[None]:
    """The projection beside the server, as 'meterproof run' has it; what is on record already is shown first."""
    over, caught_up = threading.Event(), threading.Event()

    def follow() -> None:
        projection = Projection(DataFolder.open(folder.path), FixedClock())
        try:
            while not over.wait(0.05):
                progress = projection.step()
                if not (progress.applied or progress.settled or progress.verdicts):
                    caught_up.set()
        finally:
            projection.close()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        assert caught_up.wait(120), "the projection did not catch up"
        yield
    finally:
        over.set()
        thread.join(60)


def invite(folder: DataFolder, account: str, role: Role) -> str:
    """A one-time link's path for somebody new."""
    clock = FixedClock()
    people = People(folder.path / AUTH_FILE, clock, SystemRandom())
    try:
        with Journal.open(folder) as journal:
            acts = Acts(people, folder, journal, clock)
            acts.add(account, name=account, roles=frozenset({role}), until_us=None, actor="walk")
            return f"/sign-in/link?code={acts.link(account, actor='walk')}"
    finally:
        people.close()


def suspicious(folder: DataFolder) -> None:
    """A reading whose counter fell."""
    slot = NOW // PERIOD_US * PERIOD_US
    with Journal.open(folder) as journal:
        cfg = next(each.seq for each in journal.read(0, 10_000, {"configuration"}) if each.subject.endswith("/intake"))
        raw = b64encode(bytes.fromhex(intake_words(400))).decode()
        body: dict[str, Any] = {
            "group": "energy",
            "slot": slot + US_PER_MINUTE,
            "cfg": cfg,
            "outcome": "ok",
            "raw": [raw],
        }
        body |= {"sent": slot, "received": slot, "rules": "1", "registry": 1}
        body["findings"] = [["counter.reset", "active_energy_import", {"previous": 9, "value": 1}]]
        journal.append([Draft("poll", f"{ORGANISATION}/device/intake", slot, body)])


def small_pdf() -> bytes:
    """A PDF of one empty page, unsigned."""
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    )
    made = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + table + b"trailer << /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(made)


def _shown(page: Page) -> str:
    """What stands there, so that a wait that ended in vain says what came instead."""
    try:
        return page.locator("body").inner_text(timeout=5_000)[:2_000]
    except PlaywrightError as error:
        return f"nothing to read: {error}"


@contextmanager
def reader(browser: Browser, locale: str, *, scripts: bool = True) -> Iterator[Page]:
    """A browser of somebody's own; whatever it complains about fails the test."""
    context = browser.new_context(locale=locale, java_script_enabled=scripts, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.set_default_navigation_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: answer.status >= 500 and complaints.append(f"{answer.status} {answer.url}"))
    try:
        yield page
        assert complaints == []
    except Exception as error:
        error.add_note(f"the browser is at {page.url}, complaints: {complaints}\n{_shown(page)}")
        raise
    finally:
        context.close()


def recorded(page: Page) -> None:
    """The page says that something is on record; where the projection is behind it looks again by itself."""
    page.locator(".said.good").first.wait_for()
    page.wait_for_url(lambda url: "/writes/" not in url and "recorded=" in url)


@pytest.fixture(params=[("zh", "zh-CN", True), ("en", "en-GB", False)], ids=["zh-scripts", "en-no-scripts"])
def manner(request: pytest.FixtureRequest) -> tuple[str, str, bool]:
    language, locale, scripts = request.param
    return language, locale, scripts


def test_an_energy_managers_day(browser: Browser, tmp_path: Path, manner: tuple[str, str, bool]) -> None:
    language, locale, scripts = manner
    folder = build_folder(tmp_path / "data")
    suspicious(folder)

    def t(message: str, **facts: object) -> str:
        return text(language, message, **facts)

    with started(folder) as address, projecting(folder), reader(browser, locale, scripts=scripts) as page:
        # signs in by a link, once
        page.goto(address + invite(folder, "chen", Role.ENERGY_MANAGER))
        page.get_by_role("button", name=t("Sign in"), exact=True).click()
        page.locator("#waiting").wait_for()
        # resolves a suspected event, from what waits on the first page
        page.locator("#waiting a", has_text=t("suspected events to decide")).click()
        item = page.locator("#queue li", has_text=rule_title(language, "counter.reset"))
        item.locator("input[name=note]").fill("换过表芯 / module replaced")
        item.get_by_role("button", name=t("It is so")).click()
        recorded(page)
        assert page.locator("#queue li", has_text=rule_title(language, "counter.reset")).count() == 0
        # imports a ledger
        page.goto(f"{address}/handing-in")
        sheet = "id,name,kind,serial,model\nM-77,新电能表,electricity_meter,700077,PM-9\n".encode()
        page.locator("input[name=files]").set_input_files(
            {"name": "instruments.csv", "mimeType": "text/csv", "buffer": sheet}
        )
        page.locator("form[action='/handing-in/ledger'] button[type=submit]").click()
        page.locator("button[value=record]").click()
        recorded(page)
        page.goto(f"{address}/instruments/M-77")
        assert "700077" in page.locator("main").inner_text()
        # imports a certificate
        page.goto(f"{address}/handing-in")
        form = page.locator("form[action='/handing-in/certificate']")
        form.locator("input[name=file]").set_input_files(
            {"name": "V-77.pdf", "mimeType": "application/pdf", "buffer": small_pdf()}
        )
        form.locator("select[name=kind]").select_option("verification")
        form.locator("select[name=result]").select_option("pass")
        said = {"number": "V-77", "instrument": "M-77", "serial": "700077", "laboratory": "省计量院"}
        for name, value in {**said, "performed_on": "2026-02-01", "valid_until": "2032-01-31"}.items():
            form.locator(f"input[name={name}]").fill(value)
        form.locator("button[type=submit]").click()
        page.locator("form[action='/handing-in/certificate/confirm'] button[type=submit]").click()
        recorded(page)
        page.goto(f"{address}/certificates/V-77")
        assert "M-77" in page.locator("main").inner_text()
        # prepares a self-check for a review that the office has planned
        with reader(browser, locale, scripts=scripts) as office:
            office.goto(address + invite(folder, "zheng", Role.REVIEW_OFFICE))
            office.get_by_role("button", name=t("Sign in"), exact=True).click()
            office.locator(".who").wait_for()
            office.goto(f"{address}/reviews")
            plan = office.locator("form[action='/reviews'][method=post]")
            plan.locator("input[name=review]").fill("r-2026")
            plan.locator("input[name='from']").fill("2026-03-01")
            plan.locator("input[name=to]").fill("2026-03-10")
            plan.locator("button[type=submit]").click()
            recorded(office)
        page.goto(f"{address}/reviews/r-2026")
        page.locator("summary", has_text=t("Hand in documents")).click()
        hand = page.locator("form[action='/reviews/r-2026/handed-in']")
        hand.locator("select[name=category]").select_option("self_check")
        hand.locator("input[name=title]").fill("自查报告 / self-check")
        hand.locator("button[type=submit]").click()
        recorded(page)
        assert "自查报告 / self-check" in page.locator("main").inner_text()
        page.locator(".who button[type=submit]").click()
        page.wait_for_url("**/sign-in**")
    with Journal.open(folder, read_only=True) as journal:
        acts = [each.body for each in journal.read(0, 20_000, {"event", "instrument", "certificate", "user", "review"})]
    by_chen = [each for each in acts if each.get("actor") == "chen"]
    told = {each.get("action") or "object" for each in by_chen}
    assert {"finding.judged", "object", "user.signed_in", "user.signed_out"} <= told


@pytest.fixture(scope="module")
def invited(
    demo: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[DataFolder, dict[str, str]]:
    """A copy of the demo that has run, and the sign-in link of each role as it said them."""
    place = tmp_path_factory.mktemp("walk") / "demo-data"
    copytree(demo[0], place)
    return DataFolder.open(place), {each["role"]: each["link"] for each in demo[1]["people"]}


def test_the_demo_invites_every_role_once(invited: tuple[DataFolder, dict[str, str]]) -> None:
    _, links = invited
    assert set(links) == {str(each) for each in Role}
    assert len(set(links.values())) == len(Role)


@pytest.mark.parametrize(
    ("role", "language", "locale", "scripts"),
    [("reviewer", "zh", "zh-CN", True), ("review_leader", "en", "en-GB", False)],
    ids=["zh-scripts", "en-no-scripts"],
)
def test_a_reviewer_finds_every_planted_fault_and_takes_the_package_along(
    browser: Browser,
    invited: tuple[DataFolder, dict[str, str]],
    tmp_path: Path,
    role: str,
    language: str,
    locale: str,
    scripts: bool,
) -> None:
    folder, links = invited
    with started(folder, live=True) as address, reader(browser, locale, scripts=scripts) as page:
        page.goto(address + links[role][links[role].index("/sign-in/") :])
        page.get_by_role("button", name=text(language, "Sign in"), exact=True).click()
        page.locator(".menu a[href='/findings']").click()
        page.wait_for_url("**/findings")
        missing = []
        for rule in PLANTED:
            page.goto(f"{address}/findings")
            row = page.locator("tbody tr", has=page.get_by_text(rule, exact=True)).first
            if row.count() == 0 or rule_title(language, rule) not in row.inner_text():
                missing.append(rule)
                continue
            row.locator("a").first.click()  # where it is
            page.wait_for_url(lambda url: not url.endswith("/findings"))
            assert page.locator("h1").count() == 1, page.url
            assert page.locator(".problem").count() == 0, page.url
        assert not missing, f"not to be found by clicking: {missing}"
        # and takes the evidence along
        page.goto(f"{address}/journal")
        form = page.locator("form[action='/journal/export']")
        day = page.locator("tbody tr td.nowrap").first.inner_text()[:10]
        form.locator("input[name='from']").fill(day)
        form.locator("input[name=to]").fill(day)
        form.locator("button[type=submit]").click()
        page.wait_for_url("**/jobs/**")
        link = page.get_by_role("link", name=text(language, "Download"))
        link.wait_for(timeout=180_000)
        with page.expect_download() as begun:
            link.click()
        package = tmp_path / "package.zip"
        begun.value.save_as(package)
    command = [sys.executable, "-m", "gateway.verifier", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
