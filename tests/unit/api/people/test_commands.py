"""``meterproof people`` and the door of ``meterproof serve``."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient

from api import cli
from api.app import create_app
from api.people.cli import command
from api.people.guard import FORM_FIELD
from api.people.store import AUTH_FILE
from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.plant_folder import FixedClock

ROOT = Path(__file__).parents[4]
TEMPLATES = ROOT / "api/web/templates"


@pytest.fixture
def folder(fresh: DataFolder) -> DataFolder:
    return fresh


def people(folder: DataFolder, *arguments: str, language: str = "en") -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(folder.path)], obj=language)


def test_an_account_its_link_and_its_end(folder: DataFolder) -> None:
    said = json.loads(people(folder, "add", "wang", "--role", "operator", "--name", "王工", "--json").output)
    assert said["roles"] == ["operator"]
    assert re.fullmatch(r"http://127\.0\.0\.1:8420/sign-in/link\?code=[\w-]{43}", said["link"])
    again = json.loads(people(folder, "link", "wang", "--address", "https://meter.example/", "--json").output)
    assert again["link"].startswith("https://meter.example/sign-in/link?code=")
    app = create_app(folder, clock=SystemClock())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get(said["link"].removeprefix("http://127.0.0.1:8420")).status_code == 403, (
            "an earlier one is void"
        )
        page = client.get(again["link"].removeprefix("https://meter.example"))
        token = re.findall(rf'name="{FORM_FIELD}" value="([^"]+)"', page.text)[0]
        code = again["link"].rpartition("=")[2]
        client.post("/sign-in/link", data={"code": code, FORM_FIELD: token})
        assert client.get("/live").status_code == 200
        assert client.get("/journal").status_code == 403, "an operator"
        assert people(folder, "disable", "wang", "--reason", "left").exit_code == 0
        assert client.get("/live", follow_redirects=False).status_code == 303, "out at once, in another process too"
    listed = people(folder, "list", language="zh").output
    assert "王工" in listed
    assert "已停用或已到期" in listed


def test_a_token_reads_the_api(folder: DataFolder) -> None:
    people(folder, "add", "bot", "--role", "energy_manager")
    token = people(folder, "token", "bot", "--label", "数据仓库").output.strip()
    with TestClient(create_app(folder, clock=SystemClock()), base_url="http://127.0.0.1") as client:
        answer = client.get("/api/v1/points", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    with Journal.open(folder, read_only=True) as journal:
        assert token.rpartition(".")[2] not in str([each.body for each in journal.read(0, 10_000, {"user"})])


def test_a_roster_is_done_once(folder: DataFolder, tmp_path: Path) -> None:
    roster = tmp_path / "people.csv"
    with roster.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ("id", "name", "roles", "until"),
                ("li", "李", "custodian operator", ""),
                ("zhou", "周", "reviewer", "2099-12-31"),
            ]
        )
    first = json.loads(people(folder, "roster", str(roster), "--links", "--json").output)
    assert [each["id"] for each in first["people"]] == ["li", "zhou"]
    assert all(each["link"] for each in first["people"])
    people(folder, "roster", str(roster))
    with Journal.open(folder, read_only=True) as journal:
        told = [each.body["action"] for each in journal.read(0, 10_000, {"user"})]
    assert told.count("user.added") == 2
    assert "user.changed" not in told


@pytest.mark.parametrize(
    "line", ["li,李,emperor,", "li,李,reviewer,", "li,李,operator,tomorrow", "L I,李,operator,", "li,,operator,"]
)
def test_a_wrong_roster_is_a_sentence(folder: DataFolder, tmp_path: Path, line: str) -> None:
    roster = tmp_path / "people.csv"
    roster.write_text(f"id,name,roles,until\n{line}\n", "utf-8")
    result = people(folder, "roster", str(roster))
    assert result.exception is not None
    assert getattr(result.exception, "exit_code", None) == 2
    roster.write_text("id,name,roles\nli,李,operator\n", "utf-8")
    assert isinstance(people(folder, "roster", str(roster)).exception, ConfigurationError)


def test_an_unknown_account(folder: DataFolder) -> None:
    for act in (["link", "nobody"], ["disable", "nobody"], ["token", "nobody", "--label", "x"]):
        assert isinstance(people(folder, *act).exception, UnknownObjectError)


def test_serve_invites_the_first_administrator_and_only_the_first(folder: DataFolder) -> None:
    program = [sys.executable, "-P", "-m", "gateway.cli.main", "--lang", "en"]
    links = []
    for _ in range(2):
        server = subprocess.Popen(
            [*program, "serve", "--data", str(folder.path), "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={"PYTHONUNBUFFERED": "1", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            assert server.stdout is not None
            assert "Meterproof is at" in server.stdout.readline()
            if not links:
                links += re.findall(r"http://127\.0\.0\.1:\d+/sign-in/link\?code=\S+", server.stdout.readline())
        finally:
            server.terminate()
            rest, _ = server.communicate(timeout=60)
            assert "sign-in/link" not in rest
    assert len(links) == 1
    with Journal.open(folder, read_only=True) as journal:
        told = [each.body["action"] for each in journal.read(0, 10_000, {"user"})]
    assert told == ["user.added", "user.link_issued"]


def test_with_accounts_another_address_is_served(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    people(folder, "add", "root", "--role", "administrator")
    asked: list[tuple[str, int]] = []

    def bound(host: str, port: int) -> None:
        asked.append((host, port))
        raise cli.ServeError("port %(port)s is in use; end the other program or choose another with --port", port="1")

    monkeypatch.setattr(cli, "bound", bound)
    result = CliRunner().invoke(cli.command, ["--data", str(folder.path), "--host", "0.0.0.0", "--port", "0"], obj="en")
    assert isinstance(result.exception, cli.ServeError)
    assert "in use" in str(result.exception), "not refused for its address"
    assert asked == [("0.0.0.0", 0)]


def test_only_named_hosts_are_answered(folder: DataFolder) -> None:
    app = create_app(folder, clock=FixedClock(), host_names=["meter.example"])
    with TestClient(app, base_url="http://meter.example") as client:
        assert client.get("/sign-in").status_code == 200
        assert client.get("/sign-in", headers={"host": "evil.example"}).status_code == 400
    assert (folder.path / AUTH_FILE).is_file()


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda each: each.name)
def test_every_form_that_writes_carries_its_token(template: Path) -> None:
    for form in re.findall(
        r"<form\b[^>]*method=[\"']?post.*?</form>", template.read_text("utf-8"), re.DOTALL | re.IGNORECASE
    ):
        assert "m.token()" in form or 'name="form_token"' in form, form[:120]


def test_a_lost_first_link_is_not_the_end(folder: DataFolder) -> None:
    app = create_app(folder, clock=FixedClock())
    people, acts = app.state.people, app.state.writer.acts
    said = [cli.invited(people, acts, "http://127.0.0.1:1", folder.path, "en") for _ in range(2)]
    assert "/sign-in/link?code=" in said[0]
    asked = re.search(r"meterproof people (link \S+ --data \S+)", said[1])
    assert asked is not None, "the first account stands; its link is made anew by a command"
    done = CliRunner().invoke(command, asked[1].split(), obj="en")
    assert "/sign-in/link?code=" in done.output
    people.set_password("administrator", "a long enough password")
    assert cli.invited(people, acts, "http://127.0.0.1:1", folder.path, "en") == ""
    people.close()
