"""The list of commands, and how a refusal reads in both languages."""

import errno
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli import main as program
from gateway.cli.commands import FIRST_LINES, GROUP
from gateway.cli.refusals import refused_by_database, refused_by_system, said, show_usage_error
from gateway.cli.scan import command as scan
from gateway.domain.errors import DataFolderError, DiskFullError

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize("name", sorted(FIRST_LINES))
def test_the_list_says_what_the_command_says(name: str) -> None:
    (point,) = entry_points(group=GROUP, name=name)
    command = point.load()
    assert command.help.split("\n\n")[0].strip() == FIRST_LINES[name]


def test_listing_imports_no_command() -> None:
    code = (
        "import sys, click.testing; from gateway.cli.main import root;"
        "shown = click.testing.CliRunner().invoke(root, ['--help']).output;"
        "assert 'Write an evidence package (ZIP).' in shown and 'watch ' in shown, shown;"
        "print(sorted(each for each in sys.modules if each.startswith(('gateway.', 'api.', 'drivers.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rooms = {each.split(".")[1] for each in re.findall(r"'(\S+)'", done.stdout)}
    assert rooms == {"cli", "domain", "i18n"}


@click.command("weigh")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--count", type=click.IntRange(1, 3))
@click.option("--share", type=float)
@click.option("--pack", type=click.Choice(["eu", "us"]), required=True)
@click.option("--exactly", type=click.Choice(["one"]))
@click.option("--preview", is_flag=True)
@click.option("--out", type=click.Path(file_okay=False))
def weigh(**_given: object) -> None:
    """Weigh. 称重。"""


@click.group("scale")
def scale() -> None:
    """Scale. 秤。"""


scale.add_command(weigh)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "weight",
        "weigh",
        "weigh FILE",
        "weigh nosuch --pack eu",
        "weigh FOLDER --pack eu",
        "weigh FILE --pack cn",
        "weigh FILE --pack eu --exactly two",
        "weigh FILE --pack eu --day 2026-13-01",
        "weigh FILE --pack eu --count 4",
        "weigh FILE --pack eu --count x",
        "weigh FILE --pack eu --share x",
        "weigh FILE --pack eu --nosuch",
        "weigh FILE --pack eu --previe",
        "weigh FILE --pack eu --preview=1",
        "weigh FILE --pack eu --out FILE",
        "weigh FILE --pack",
        "weigh FILE more --pack eu",
    ],
)
def test_wrong_usage_is_said_in_chinese(words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {"FILE": str(tmp_path / "a.csv"), "FOLDER": str(tmp_path)}
    (tmp_path / "a.csv").write_text("a", encoding="utf-8")
    with pytest.raises(click.ClickException) as refused:
        scale.main([paths.get(each, each) for each in words.split()], standalone_mode=False)
    if isinstance(refused.value, click.exceptions.NoArgsIsHelpError):
        return
    show_usage_error(refused.value, "zh")
    shown = capsys.readouterr().err
    reason = shown.splitlines()[-1] if "\n\t" not in shown else shown
    assert CHINESE.search(reason.removeprefix("错误：")), shown
    assert not re.search(r"\b(is|not|does|Invalid|Missing|such|value)\b", shown), shown
    show_usage_error(refused.value, "en")
    assert not CHINESE.search(capsys.readouterr().err)


def test_a_sentence_of_unknown_form_stays_as_it_is() -> None:
    assert said("Something else went wrong", "zh") == "Something else went wrong"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_system_refuses_is_no_traceback(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["meterproof", "--lang", language, "ledger", "template", str(tmp_path / "plain")])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == DataFolderError.exit_code
    shown = capsys.readouterr().err
    assert str(tmp_path / "plain") in shown
    assert bool(CHINESE.search(shown)) == (language == "zh")


def test_a_full_disk_has_its_own_code() -> None:
    full = refused_by_system(OSError(errno.ENOSPC, "No space left on device", "/a/b"))
    assert isinstance(full, DiskFullError)
    assert full.facts["path"] == "/a/b"
    assert refused_by_system(OSError(errno.ECONNREFUSED, "refused")).facts == {"reason": "refused"}


def test_a_database_that_refuses(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as held:
        held.execute("PRAGMA max_page_count=2")
        held.execute("CREATE TABLE big (bytes BLOB)")
        with pytest.raises(sqlite3.Error) as full:
            held.execute("INSERT INTO big VALUES (zeroblob(100000))")
        assert isinstance(refused_by_database(full.value), DiskFullError)
        held.execute("BEGIN EXCLUSIVE")
        with (
            closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, timeout=0)) as other,
            pytest.raises(sqlite3.Error) as busy,
        ):
            other.execute("SELECT * FROM big")
        assert "locked" in refused_by_database(busy.value).message
    (tmp_path / "b.sqlite").write_bytes(b"no database" * 200)
    with closing(sqlite3.connect(tmp_path / "b.sqlite")) as broken, pytest.raises(sqlite3.Error) as damaged:
        broken.execute("SELECT * FROM big")
    assert refused_by_database(damaged.value).facts == {"reason": str(damaged.value)}


@pytest.mark.parametrize("address", ["tcp://[::1", "tcp://10.0.0.5:x", "tcp://10.0.0.5:99999"])
def test_an_address_that_is_none(address: str) -> None:
    refused = CliRunner().invoke(scan, [address], obj="zh")
    assert refused.exit_code == 2
    assert f"“{address}”不是地址" in refused.output


def test_no_units_to_look_for() -> None:
    refused = CliRunner().invoke(scan, ["tcp://127.0.0.1:9", "--first", "9", "--last", "2"], obj="en")
    assert refused.exit_code == 2
    assert "must not lie before" in refused.output


def test_who_reads_us_may_stop_reading() -> None:
    command = [sys.executable, "-m", "gateway.cli.main", "--lang", "en", "profile", "list", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        said_about_it = child.stderr.read().decode()
    assert child.returncode == program.EXIT_UNREAD
    assert "Traceback" not in said_about_it
