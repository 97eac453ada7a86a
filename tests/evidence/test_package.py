"""The evidence package: complete, checkable by a stranger, and every change of it seen by both verifiers."""

import json
import os
import random
import subprocess
import sys
import warnings
import zipfile
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from gateway.verifier import notes
from gateway.verifier.__main__ import main
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.figures import Evidence
from gateway.verifier.package import PackageCheck
from gateway.verifier.report import Report
from tests.campaign import share
from tests.evidence.mutations import UnchangedError
from tests.evidence.packages import (
    Package,
    build_package,
    damaged,
    read_members,
    unpacked,
    unseen_changes,
    zipped,
    zipped_bomb,
)
from tests.interface.conftest import CHROMIUM_FLAGS
from tests.services import program


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Package:
    return build_package(tmp_path_factory.mktemp("package") / "plant")


def check(path: Path, package: Package | None = None) -> Report:
    report, given = Report(), Options()
    if package is not None:
        outside = Signed("given", notes.parse_checkpoint(package.handed_out), outside=True)
        given = Options(notes.parse_key(package.key), [outside])
    PackageCheck(path, report, given).run()
    return report


def test_an_untouched_package_passes_zipped_and_unpacked(package, tmp_path):
    report = check(package.path, package)
    assert report.problems == []
    assert report.counts["figures"] == 1
    assert report.counts["blobs"] == 1
    assert report.counts["against"] == 1
    assert check(unpacked(package.path, tmp_path / "p"), package).problems == []


def test_its_pages_say_what_it_shows(package):
    members = dict(read_members(package.path))
    chinese, english = members["index.zh.html"].decode(), members["index.en.html"].decode()
    assert "证据包" in chinese
    assert "模拟数据" in chinese
    assert "Evidence package" in english
    assert "10080000.000" in english  # four hours at 630 000 kWh a quarter hour, ratio applied
    assert b"custodian" in members["entries.txt"]
    assert b'"mill"' not in members["figures.json"]


def test_a_stranger_runs_the_copy_inside(package, tmp_path):
    folder = unpacked(package.path, tmp_path / "p")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", _WITHOUT_US, "--json", "--key", package.key, "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"] is True
    (folder / "entries.txt").write_bytes((folder / "entries.txt").read_bytes().replace(b"works", b"w0rks", 1))
    done = subprocess.run(
        [sys.executable, "-S", "-c", _WITHOUT_US, "--json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1


# a clean interpreter that finds the standard library and cryptography, but nothing of this repository
_WITHOUT_US = f"""
import runpy, sys
sys.path.append({str(Path(notes.Ed25519PublicKey.__module__ and __import__("cryptography").__file__).parents[1])!r})
sys.path.insert(0, "")
sys.argv[0] = "verify.py"
runpy.run_path("verify.py", run_name="__main__")
assert not any(name.startswith("gateway.journal") for name in sys.modules)
"""


def test_another_key_and_another_history_are_refused(package, tmp_path):
    other = build_package(tmp_path / "other")
    codes = {each.code for each in check(other.path, package).problems}
    assert codes == {"key.given", "checkpoint.root"} or codes == {"key.given", "checkpoint.unknown"}


def test_two_packages_of_a_plant_must_tell_one_history(package, tmp_path, capsys):
    earlier = package.path.with_suffix(".first.zip")
    assert _against(capsys, package.path, earlier) == (0, set())
    with zipfile.ZipFile(earlier) as opened:
        opened.extractall(tmp_path / "unpacked")
    assert _against(capsys, package.path, tmp_path / "unpacked") == (0, set())
    other = build_package(tmp_path / "other")  # the same plant, told again by another hand
    code, problems = _against(capsys, package.path, other.path)
    assert code == 1
    assert problems <= {"checkpoint.root", "checkpoint.unknown"}
    (tmp_path / "cut.zip").write_bytes(earlier.read_bytes()[:-9])
    assert _against(capsys, package.path, tmp_path / "cut.zip") == (1, {"checkpoint.malformed"})


def _against(capsys, path, earlier):
    code = main([str(path), "--against", str(earlier), "--json"])
    return code, {each["code"] for each in json.loads(capsys.readouterr().out)["problems"]}


@pytest.fixture
def recomputed(package) -> Callable[[Callable[[int, dict], None]], Report]:
    """The figures' check over the package's entries, each altered on its way."""
    members = dict(read_members(package.path))
    document = json.loads(members["figures.json"])

    def run(alter) -> Report:
        report = Report()
        evidence = Evidence(report)
        for line in members["entries.txt"].splitlines():
            number, _, body = line.partition(b" ")
            entry = json.loads(body)
            alter(int(number), entry)
            evidence.take(int(number), entry)
        evidence.check(document)
        return report

    return run


@pytest.mark.parametrize(
    ("changes", "code"),
    [({11: None}, "figure.evidence"), ({3: None, 4: None}, "figure.differs"), ({11: 1}, "figure.evidence")],
)
def test_a_row_without_evidence_or_registers_is_no_measurement(recomputed, changes, code):
    first = []

    def alter(seq, entry):
        if entry["kind"] == "settlement" and entry["rows"] and not first:
            first.append(seq)
            for place, value in changes.items():
                entry["rows"][0][place] = value

    assert {each.code for each in recomputed(alter).problems} == {code}


def test_figures_are_recomputed_from_raw_registers(recomputed):
    assert recomputed(lambda seq, entry: None).problems == []
    windows = []

    def one_row(seq, entry):
        if entry["kind"] == "settlement" and not windows and entry["rows"]:
            windows.append(entry)
            entry["rows"][0][4] += 1000

    assert {each.code for each in recomputed(one_row).problems} == {"figure.differs"}

    def raw_register(seq, entry):
        if entry["kind"] == "poll" and seq == windows[0]["rows"][0][13]:
            entry["raw"] = [b64encode(bytes(len(entry["raw"][0]) * 3 // 4)).decode()]

    assert "figure.differs" in {each.code for each in recomputed(raw_register).problems}

    def energy(seq, entry):
        if entry["kind"] == "settlement" and entry["from"] == windows[0]["from"]:
            entry["rows"][0][5] += 1

    assert "figure.differs" in {each.code for each in recomputed(energy).problems}


def _without_checkpoints(content):
    return b"[]"


def _another_sibling(content):
    head, separator, note = content.partition(b"\n\n")
    lines = head.split(b"\n")
    lines[-1] = b64encode(b"A" * 32)
    return b"\n".join(lines) + separator + note


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("checkpoints.json", _without_checkpoints, "key.rotation"),
        ("manifest.tlog-proof", _another_sibling, "proof.root"),
    ],
)
def test_a_key_nobody_vouched_for_and_a_manifest_outside_the_log_are_named(package, tmp_path, name, change, code):
    path = tmp_path / "altered.zip"
    members = [(each, change(old) if each == name else old) for each, old in read_members(package.path)]
    path.write_bytes(zipped(members))
    assert code in {each.code for each in check(path, package).problems}


@pytest.mark.campaign
def test_no_mutation_of_a_package_is_missed(package, tmp_path):
    members, rng = read_members(package.path), random.Random("package")
    tried, missed, seen = 0, [], Counter()
    path = tmp_path / "mutated.zip"
    while tried < share(2_500, 120):
        try:
            what, changed = damaged(rng, members)
        except UnchangedError:
            continue
        tried += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path.write_bytes(zipped(changed))
        report = check(path, package)
        seen.update({each.code for each in report.problems})
        if report.ok:
            missed.append(what)
    assert missed == []
    path.write_bytes(zipped(members))
    assert check(path, package).problems == []


@pytest.fixture(scope="module")
def browser_page():
    browser_path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"file://{files('gateway.verifier') / 'verify.html'}")
        yield page
        assert [url for url in requests if not url.startswith("file:")] == []
        browser.close()


_CHECK_IN_BROWSER = """async ([content, key, against]) => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  return await verifyPackage(bytes, {key, against});
}"""


def in_browser(page, content: bytes, package: Package) -> dict:
    given = [b64encode(content).decode(), package.key, package.handed_out.decode()]
    return page.evaluate(_CHECK_IN_BROWSER, given)


@pytest.mark.browser
def test_the_browser_page_accepts_the_package_and_shows_the_same_figure(package, browser_page):
    report = in_browser(browser_page, package.path.read_bytes(), package)
    assert report["problems"] == []
    assert [each["energy"] for each in report["figures"]] == ["10080000.000"]
    browser_page.set_input_files("#package", package.path)
    browser_page.click("#check")
    browser_page.wait_for_selector("#result .ok")
    assert "核验内容全部成立" in browser_page.inner_text("#result")


@pytest.mark.browser
def test_the_browser_page_sees_bytes_that_parsers_like_to_pass_over(package, browser_page):
    for name, content in unseen_changes(read_members(package.path)):
        members = [(each, content if each == name else old) for each, old in read_members(package.path)]
        assert in_browser(browser_page, zipped(members), package)["problems"] != [], name
    bomb = zipped_bomb()
    assert "ZIP size" in json.dumps(in_browser(browser_page, bomb, package)["problems"])


@pytest.mark.browser
@pytest.mark.campaign
def test_no_mutation_of_a_package_is_missed_by_the_browser_page(package, browser_page):
    members, rng = read_members(package.path), random.Random("browser")
    tried, missed = 0, []
    while tried < share(2_500, 120):
        try:
            what, changed = damaged(rng, members)
        except UnchangedError:
            continue
        tried += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = zipped(changed)
        if in_browser(browser_page, content, package)["ok"]:
            missed.append(what)
    assert missed == []
    assert in_browser(browser_page, zipped(members), package)["problems"] == []


def test_a_container_that_is_no_package_is_named(tmp_path):
    for name, content in (("a.zip", b"no zip"), ("b.zip", b""), ("c.zip", zipped([("x", b"y")]))):
        (tmp_path / name).write_bytes(content)
        assert not check(tmp_path / name).ok
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as package:
        package.writestr("manifest.json", b"{}")
    assert not check(tmp_path / "d.zip").ok
