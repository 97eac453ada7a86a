"""A whole energy review and a whole carbon review on the demo plant, through API and files.

The enterprise plans and hands in, the package goes to a second data folder, is judged and signed there, comes back; the
verifier of the package alone accepts it. What the administrator forges is refused, shown, and named by the verifiers.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from playwright.sync_api import sync_playwright

import api.writing
from gateway.assembly.review_desk import project_now
from gateway.cli.main import root
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing import keys
from tests.people import client_of
from tests.plant_folder import FixedClock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
CHECKLISTS = {"2026-energy": "jjf1356-2012", "2026-carbon": "jjf-wan-218-2025"}
AT_ITEM = {
    "2026-energy": {
        "point.unequipped": "6.1",
        "instrument.class_too_low": "6.1",
        "identity.serial_mismatch": "6.2",
        "counter.exchange": "6.2",
        "installation.ratio_mismatch": "6.4",
        "calibration.expired": "6.3",
        "calibration.not_verification": "6.3",
        "device.silent": "7.1",
        "counter.rollover": "7.2",
    },
    "2026-carbon": {
        "point.unequipped": "6.1",
        "instrument.class_too_low": "6.1",
        "identity.serial_mismatch": "6.2",
        "calibration.expired": "6.2",
        "calibration.not_verification": "6.2",
        "installation.ratio_mismatch": "6.3",
        "counter.exchange": "6.3",
        "device.silent": "7.1",
        "counter.rollover": "7.2",
    },
}
"""Where each of the nine planted faults has to appear."""


def meterproof(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(root, ["--lang", "en", *map(str, arguments)])
    said = done.output + ("" if done.exception is None else str(done.exception))
    assert (done.exit_code == 0) == (code == 0), said
    return said


@dataclass
class Walk:
    """The two reviews as they stand at the end of the walk."""

    plant: Path
    work: Path
    opened: Path
    key: Path
    day: str
    handed_back: dict[str, bytes] = field(default_factory=dict)


def projected(folder: Path) -> None:
    opened = DataFolder.open(folder)
    with Journal.open(opened) as journal:
        project_now(opened, journal, always=True)


CLIENTS: dict[tuple[Path, str], TestClient] = {}
OPEN = ExitStack()


def client_in(folder: Path, role: str) -> TestClient:
    """Somebody of that role, signed in once for the whole module."""
    if (folder, role) not in CLIENTS:
        clock = FixedClock(time.time_ns() // 1000)
        CLIENTS[folder, role] = OPEN.enter_context(client_of(folder, clock=clock, role=role))
    return CLIENTS[folder, role]


def asked(folder: Path, path: str, role: str = "everything") -> Any:
    answer = client_in(folder, role).get(path)
    assert answer.status_code == 200, (path, answer.text[:500])
    return answer.json()["result"]


def posted(folder: Path, path: str, role: str, *, status: tuple[int, ...] = (201, 202), **given: Any) -> Any:
    answer = client_in(folder, role).post(path, **given)
    assert answer.status_code in status, (path, answer.status_code, answer.text[:500])
    if status == (201, 202):
        projected(folder)
    return answer


@pytest.fixture(scope="module")
def walk(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api.writing, "PROJECTED_WITHIN_S", 0.0)  # nobody projects here but the test
        with OPEN:
            yield _walked(demo_folder, tmp_path_factory.mktemp("review"))
        CLIENTS.clear()


def _walked(demo_folder: Path, work: Path) -> Walk:
    plant = work / "plant"
    shutil.copytree(demo_folder, plant)
    walk = Walk(plant, work, work / "opened", work / "reviewer.key", asked(plant, "/api/v1/overview")["day"])
    meterproof("review", "key", walk.key, "--id", "li-shenhe", "--name", "李审核", "--authority", "市场监督管理局")
    registration = walk.key.with_name("reviewer.key.registration")
    meterproof("review", "register", registration, "--data", plant, "--actor", "office", "--reason", "by telephone")
    for review, checklist in CHECKLISTS.items():
        form = {"review": review, "checklist": checklist, "from": walk.day, "to": walk.day, "team": "li-shenhe"}
        posted(plant, "/api/v1/reviews", "review_office", data=form)
        for stage in ("plan", "notice"):
            posted(plant, f"/api/v1/reviews/{review}/stages/organiser", "review_office", data={"stage": stage})
        upload = {"files": ("自查报告.txt", "自查报告".encode(), "text/plain")}
        home = f"/api/v1/reviews/{review}/handed-in"
        posted(plant, home, "energy_manager", data={"category": "self_check", "title": "自查报告"}, files=upload)
        posted(plant, f"/api/v1/reviews/{review}/stages/enterprise", "energy_manager", data={"stage": "self_check"})
    _package(walk, "first.zip")
    meterproof("review", "open", work / "first.zip", "--data", walk.opened, "--key", walk.key, "--no-serve")
    _judge(walk)
    _rectify(walk)
    _package(walk, "final.zip")
    return walk


def _package(walk: Walk, name: str) -> Path:
    path = walk.work / name
    meterproof("export", path, "--data", walk.plant, "--from", f"{walk.day}T00:00", "--to", f"{walk.day}T06:00")
    projected(walk.plant)
    return path


def _judge(walk: Walk) -> None:
    """On the second folder: every item, a check on site, a nonconformity, the report; signed; back to the plant."""
    for review in CHECKLISTS:
        home = f"/api/v1/reviews/{review}"
        client = client_in(walk.opened, "reviewer")
        for stage in ("documents", "on_site"):
            assert client.post(f"{home}/stages/reviewer", data={"stage": stage}).status_code in {201, 202}
        for item in client.get(home).json()["result"]["items"]:
            verdict = "nonconforming" if item["open_findings"] else "conforming"
            form = {"verdict": verdict, "remark": f"{item['id']}: {item['proposal']}"}
            photo = {"files": ("photo.jpg", b"\xff\xd8 a photo", "image/jpeg")} if item["id"] == "6.1" else None
            answer = client.post(f"{home}/items/{item['id']}/judgement", data=form, files=photo)
            assert answer.status_code in {201, 202}, answer.text
        form = {"at": f"{walk.day}T00:01", "index": "1.0", "serial": "not-this", "label": "right"}
        assert client.post(f"{home}/checks/JL-crusher", data=form).status_code in {201, 202}
        form = {"number": "N1", "item": "6.2", "text": "证书超期", "demand": "能源计量监督管理办法第八条"}
        assert client.post(f"{home}/nonconformities", data=form).status_code in {201, 202}
        form = {"conclusion": "基本符合，一项不符合"}
        assert client.post(f"{home}/report", data=form).status_code in {201, 202}
        walk.handed_back[review] = client.post(f"{home}/hand-back").content
    for content in walk.handed_back.values():
        posted(walk.plant, "/api/v1/reviews/imports", "reviewer", files={"file": ("back.zip", content)})


def _rectify(walk: Walk) -> None:
    """The enterprise puts right what was found; the reviewer opens a second package, accepts, hands back again."""
    for review in CHECKLISTS:
        form = {"number": "N1", "title": "已重新检定"}
        posted(walk.plant, f"/api/v1/reviews/{review}/rectifications", "energy_manager", data=form)
        posted(
            walk.plant, f"/api/v1/reviews/{review}/stages/enterprise", "energy_manager", data={"stage": "rectification"}
        )
    package = _package(walk, "second.zip")
    again = walk.work / "opened-again"
    meterproof("review", "open", package, "--data", again, "--key", walk.key, "--no-serve")
    for review in CHECKLISTS:
        back = walk.work / f"{review}.review.zip"
        meterproof("review", "accept", review, "N1", "--data", again, "--remark", "证书已核")
        meterproof("review", "stage-done", review, "rectification_check", "--data", again)
        meterproof("review", "hand-back", review, back, "--data", again)
        meterproof("review", "import", back, "--data", walk.plant, "--actor", "clerk")
        posted(walk.plant, f"/api/v1/reviews/{review}/stages/organiser", "review_office", data={"stage": "closure"})


# -- what stands at the end


@pytest.mark.parametrize("review", CHECKLISTS)
def test_every_planted_fault_is_a_finding_at_its_item(walk: Walk, review: str) -> None:
    for rule, item in AT_ITEM[review].items():
        found = asked(walk.plant, f"/api/v1/reviews/{review}/items/{item}")["evidence"]
        assert rule in {each["rule"] for each in found["findings"]}, (review, rule, item)
        assert found["proposal"] == "attention", (review, item)


@pytest.mark.parametrize("review", CHECKLISTS)
def test_the_review_came_back_whole(walk: Walk, review: str) -> None:
    found = asked(walk.plant, f"/api/v1/reviews/{review}")
    assert found["verdicts"]["open"] == 0
    assert found["verdicts"]["nonconforming"] >= 4
    assert [each["state"] for each in found["nonconformity_reports"]] == ["closed"]
    assert [each["object"]["agreement"] for each in found["checks"]] == ["differs"]
    assert "serial" in found["checks"][0]["object"]["differing"]
    done = {each["id"]: each["state"] for each in found["stages"]}
    assert {done[each] for each in ("plan", "notice", "self_check", "documents", "on_site", "closure")} == {"done"}
    assert found["reports"][0]["object"]["conclusion"].startswith("基本符合")
    assert found["refused"] == []
    assert {each["practice"] for each in found["stages"]} == {True, False}


def test_the_evidence_of_a_judgement_is_kept_as_it_was(walk: Walk) -> None:
    judged = asked(walk.plant, "/api/v1/reviews/2026-energy/items/6.1")["judgement"]
    named = {each["name"]: each["sha256"] for each in judged["documents"]}
    snapshot = json.loads((walk.plant / "blobs" / named["evidence-6.1.json"]).read_text("utf-8"))
    assert {"point.unequipped", "instrument.class_too_low"} <= {each["rule"] for each in snapshot["findings"]}
    assert judged["object"]["evidence"] == named["evidence-6.1.json"]
    client, home = client_in(walk.plant, "market_supervision"), "/api/v1/reviews/2026-energy/files"
    answer = client.get(f"{home}/{named['photo.jpg']}")
    assert (answer.status_code, answer.content) == (200, b"\xff\xd8 a photo")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert client.get(f"{home}/{'0' * 64}").status_code == 404
    kept = walk.plant / "blobs" / named["photo.jpg"]
    kept.write_bytes(b"\xff\xd8 another photo")  # what somebody put in its place is not handed out as the reviewer's
    answer = client.get(f"{home}/{named['photo.jpg']}")
    kept.write_bytes(b"\xff\xd8 a photo")
    assert (answer.status_code, answer.json()["type"].endswith("data-folder")) == (503, True)


def test_links_lead_through_all_reviews(walk: Walk) -> None:
    client, address, seen = client_in(walk.plant, "everything"), "/api/v1/reviews?limit=1", []
    whole = [each["id"] for each in asked(walk.plant, "/api/v1/reviews")["reviews"]]
    while address:
        answer = client.get(address)
        seen += [each["id"] for each in answer.json()["result"]["reviews"]]
        address = answer.links["next"]["url"] if "next" in answer.links else ""
        assert len(seen) <= len(whole)
    assert seen == whole
    assert set(CHECKLISTS) <= set(seen)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_the_reviews_comes(walk: Walk, language: str) -> None:
    paths = ["/reviews", "/audit", *(f"/audit?group={each}" for each in ("data", "behaviour", "result"))]
    for review in CHECKLISTS:
        items = asked(walk.plant, f"/api/v1/reviews/{review}")["items"]
        paths += [f"/reviews/{review}", f"/reviews/{review}?by=focus", f"/reviews/{review}/checks/JL-crusher"]
        paths += [f"/reviews/{review}/items/{each['id']}" for each in items[:: 1 if language == "zh" else 4]]
        paths += [f"/reviews/{review}/sheet?instruments=JL-crusher,JL-intake-35kv-ct"]
    for path in paths:
        answer = client_in(walk.plant, "everything").get(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer.status_code == 200, path
        assert not re.search(r">[a-z]+_[a-z_]+<", answer.text), path  # a stored word that nobody wrote out


def test_the_package_alone_shows_that_the_acts_are_the_reviewers(walk: Walk) -> None:
    public = str(keys.load(walk.key).verifier)
    report = _verified(walk.work / "final.zip", walk.work / "alone", "--reviewer", public)
    assert report["ok"], report["problems"]
    assert report["counts"]["acts"] == sum(len(_acts(each)) for each in walk.handed_back.values()) + 2 * 2
    stranger = walk.work / "stranger.key"
    keys.create(stranger, "li-shenhe")
    other = str(keys.load(stranger).verifier)
    report = _verified(walk.work / "final.zip", walk.work / "alone", "--reviewer", other)
    assert {each["code"] for each in report["problems"]} == {"review.reviewer"}


def _acts(content: bytes) -> list[str]:
    import io  # noqa: PLC0415

    with zipfile.ZipFile(io.BytesIO(content)) as package:
        found: list[str] = json.loads(package.read("acts.json"))
        return found


def _verified(package: Path, folder: Path, *options: str) -> dict[str, Any]:
    """The verifier out of the package, with nothing else of ours in reach."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(package) as content:
        content.extractall(folder)
    command = [sys.executable, "verify.py", str(package), "--json", "--lang", "en", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) == found["ok"]
    return found


# -- forging


def _forged(walk: Walk, place: Path) -> bytes:
    """What an administrator can do: open the package with a key of the reviewer's name, judge, hand back."""
    forged = place / "forged.key"
    meterproof("review", "key", forged, "--id", "li-shenhe", "--name", "李审核")
    said = meterproof(
        "review", "judge", "2026-energy", "6.1", "conforming", "--data", walk.opened, "--key", forged, code=1
    )
    assert "knows no reviewer" in said
    genuine = _acts(walk.handed_back["2026-energy"])
    from gateway.assembly.review_desk import HandBack, manifest_text, write_hand_back  # noqa: PLC0415
    from gateway.review.statement import Statement, signed  # noqa: PLC0415
    from gateway.sealing.note import Note  # noqa: PLC0415

    first = Statement.parse(Note.parse(genuine[2]).text)
    wrong = {**first.object, "verdict": "conforming"}
    changed = Statement(**{**{name: getattr(first, name) for name in Statement.__dataclass_fields__}, "object": wrong})
    notes = [*genuine[:2], signed(changed.text(), keys.load(forged))]
    manifest = signed(manifest_text(first.origin, first.review, "li-shenhe", notes), keys.load(forged))
    return write_hand_back(HandBack("2026-energy", "li-shenhe", notes, {}, manifest))


def test_a_forged_judgement_is_refused_visible_and_named(walk: Walk, tmp_path: Path) -> None:
    plant = tmp_path / "plant"
    shutil.copytree(walk.plant, plant)
    before = asked(plant, "/api/v1/reviews/2026-energy")["verdicts"]
    content = _forged(walk, tmp_path)
    denied = posted(
        plant, "/api/v1/reviews/imports", "administrator", status=(403,), files={"file": ("f.zip", content)}
    )
    assert denied.json()["type"].endswith("denied")
    (tmp_path / "forged.zip").write_bytes(content)
    said = meterproof("review", "import", tmp_path / "forged.zip", "--data", plant, "--actor", "admin", code=1)
    assert "refused" in said
    note = _acts(content)[-1]
    with Journal.open(DataFolder.open(plant)) as journal:  # past the gateway: straight into the log
        body = {"action": "review.judged", "actor": "admin", "object": {}, "documents": [], "note": note, "reason": ""}
        (seq,) = journal.append([Draft("review", "demo-cement/review/2026-energy", time.time_ns() // 1000, body)])
    projected(plant)
    found = asked(plant, "/api/v1/reviews/2026-energy")
    assert found["verdicts"] == before
    assert [(each["why"], each["attempted"]) for each in found["refused"]] == [
        ("signature", True),
        ("signature", False),
    ]
    page = client_in(plant, "reviewer").get("/reviews/2026-energy?lang=en").text
    assert "Refused" in page
    assert f"#{seq}" in page
    meterproof(
        "export", tmp_path / "p.zip", "--data", plant, "--from", f"{walk.day}T00:00", "--to", f"{walk.day}T01:00"
    )
    report = _verified(tmp_path / "p.zip", tmp_path / "alone")
    assert [(each["code"], each["where"]) for each in report["problems"]] == [("review.forged", f"entry {seq}")]
    said = meterproof("review", "open", tmp_path / "p.zip", "--data", tmp_path / "o", "--no-serve", code=1)
    assert "nothing was opened" in said


CHECK_IN_BROWSER = """async ([content, reviewers]) => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  return await verifyPackage(bytes, {reviewers});
}"""


@pytest.mark.browser
def test_the_browser_page_accepts_the_acts_and_names_a_forged_one(walk: Walk, tmp_path: Path) -> None:
    public = str(keys.load(walk.key).verifier)
    plant = tmp_path / "plant"
    shutil.copytree(walk.plant, plant)
    with Journal.open(DataFolder.open(plant)) as journal:
        note = _acts(walk.handed_back["2026-energy"])[2]  # genuine once; a second time it follows nothing
        body = {"action": "review.judged", "actor": "admin", "object": {}, "documents": [], "note": note, "reason": ""}
        body["documents"] = json.loads(note.split("\n")[1])["documents"]
        (seq,) = journal.append([Draft("review", "demo-cement/review/2026-energy", time.time_ns() // 1000, body)])
    meterproof(
        "export", tmp_path / "p.zip", "--data", plant, "--from", f"{walk.day}T00:00", "--to", f"{walk.day}T01:00"
    )
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page()
        page.goto(f"file://{files('gateway.verifier') / 'verify.html'}")

        def checked(path: Path, reviewers: str) -> dict[str, Any]:
            given = [base64.b64encode(path.read_bytes()).decode(), reviewers]
            found: dict[str, Any] = page.evaluate(CHECK_IN_BROWSER, given)
            return found

        good = checked(walk.work / "final.zip", public)
        assert good["problems"] == []
        assert good["counts"]["acts"] > 30
        assert good["about"]["reviewer li-shenhe"] == public
        forged = checked(tmp_path / "p.zip", public)
        assert [each["code"] for each in forged["problems"]] == ["forged"]
        assert f"entry {seq}" in forged["problems"][0]["where"]
        other = tmp_path / "other.key"
        keys.create(other, "li-shenhe")
        assert [
            each["code"] for each in checked(walk.work / "final.zip", str(keys.load(other).verifier))["problems"]
        ] == ["reviewer"]
        browser.close()


def test_no_judgement_is_made_on_the_gateway_itself(walk: Walk) -> None:
    for role in ("administrator", "energy_manager"):
        form = {"verdict": "conforming"}
        path = "/api/v1/reviews/2026-energy/items/6.1/judgement"
        posted(walk.plant, path, role, status=(403,), data=form)
    answer = posted(walk.plant, "/api/v1/reviews/2026-energy/items/6.1/judgement", "reviewer", status=(409,), data=form)
    assert "reviewer's machine" in answer.json()["detail"] or "审查员的设备" in answer.json()["detail"]
    form = {"stage": "documents"}
    posted(walk.plant, "/api/v1/reviews/2026-energy/stages/reviewer", "energy_manager", status=(403,), data=form)
    meterproof("review", "judge", "2026-energy", "6.1", "conforming", "--data", walk.plant, "--key", walk.key, code=1)


def test_a_draw_is_published_and_drawn_again(walk: Walk, tmp_path: Path) -> None:
    objects = "\n".join(
        f"JL-{name}" for name in ("crusher", "coal-mill", "kiln-main", "packing # out of use", "lighting")
    )
    form = {"draw": "draw-1", "pool": objects, "count": "3", "seed": "2026-11-22 8 17 23"}
    form |= {"inspectors": "li\nwang\nzhao", "per_object": "2", "conflicts": "zhao,*,relative"}
    posted(walk.plant, "/api/v1/draws", "review_office", data=form)
    found = asked(walk.plant, "/api/v1/draws/draw-1")
    assert found["again"] is True
    assert len(found["draw"]["drawn"]) == 3
    assert "JL-packing" not in {each["object"] for each in found["draw"]["drawn"]}
    assert {name for each in found["draw"]["drawn"] for name, _ in each["inspectors"]} == {"li", "wang"}
    published = tmp_path / "draw.json"
    published.write_text(json.dumps(found["draw"], ensure_ascii=False), "utf-8")
    assert "the same" in meterproof("review", "draw-check", published)
    published.write_text(client_in(walk.plant, "review_office").get("/api/v1/draws/draw-1").text, "utf-8")
    assert "the same" in meterproof("review", "draw-check", published)
    published.write_text("[1]", "utf-8")
    meterproof("review", "draw-check", published, code=1)
    changed = {**found["draw"], "drawn": found["draw"]["drawn"][::-1]}
    published.write_text(json.dumps(changed), "utf-8")
    meterproof("review", "draw-check", published, code=1)


def test_the_shares_are_the_same_wherever_they_stand(walk: Walk) -> None:
    mine = {each["id"]: (each["numerator"], each["denominator"]) for each in asked(walk.plant, "/api/v1/indicators")}
    plan = {each["id"]: (each["part"], each["whole"]) for each in asked(walk.plant, "/api/v1/calibration")["rates"]}
    assert {name: mine[name] for name in plan} == plan
    for each in asked(walk.plant, "/api/v1/points")["rates"]:
        counted = mine[f"equipping.{each['energy_kind']}.{each['level']}"]
        assert counted == (each["equipped"], each["demanded"])
