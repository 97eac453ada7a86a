"""How answers to what commands ask are read: moments, days, texts, who asks."""

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner

from gateway.cli import asked
from gateway.cli.account import command as account
from gateway.cli.certificate import command as certificate
from gateway.cli.compare import command as compare
from gateway.cli.ledger import command as ledger
from gateway.domain.errors import ConfigurationError, DataFolderError, MeterproofError
from gateway.journal.folder import DataFolder
from tests.plant_folder import build_folder

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON_US = int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000


@click.command()
@asked.ACTOR
@click.option("--when", type=asked.Moment())
@click.option("--day", type=asked.Day())
@click.pass_obj
def answers(_language: str, /, **given: object) -> None:
    click.echo(repr(given))


def _said(language: str, *words: str) -> str:
    return CliRunner().invoke(answers, words, obj=language).output


def test_a_moment_has_an_offset_and_a_day_has_none() -> None:
    assert f"'when': {NOON_US}" in _said("en", "--when", "2026-11-01T20:00:00+08:00")
    assert "datetime.date(2026, 11, 1)" in _said("en", "--day", "2026-11-01")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--when", "yesterday"),
        ("--when", "2026-13-01T00:00:00Z"),
        ("--when", "2026-11-01T00:00:00"),
        ("--when", "0001-01-01T00:00:00+08:00"),
        ("--when", "9999-12-31T23:59:59-08:00"),
        ("--day", "2026-02-30"),
        ("--day", "0001-01-01"),
        ("--day", "9999-12-31"),
    ],
)
def test_what_is_no_time_of_a_record_is_refused_with_an_example(option: str, value: str) -> None:
    assert "example: 2026-11-01" in _said("en", option, value)
    shown = _said("zh", option, value)
    assert "示例：2026-11-01" in shown
    assert value in shown


@pytest.mark.parametrize("value", ["x", "2026-02-30", "0001-01-01", "9999-12-31"])
def test_a_local_instant_is_refused_alike(value: str) -> None:
    with pytest.raises(ConfigurationError, match="1 problem") as refused:
        asked.local_instant("en", value, SHANGHAI)
    assert value in refused.value.lines[0]


def test_a_local_day_begins_and_ends_in_the_sites_zone() -> None:
    begin = asked.local_instant("en", "2026-11-01", SHANGHAI)
    assert begin == NOON_US - 20 * 3_600_000_000
    assert asked.local_instant("en", "2026-11-01", SHANGHAI, end=True) == begin + 24 * 3_600_000_000 - 1


@pytest.mark.parametrize("value", ["1900-01-01", "2200-12-31"])
def test_the_first_and_the_last_day_are_local_ones(value: str) -> None:
    assert asked.local_instant("en", value, SHANGHAI)


def test_a_period_ends_after_it_begins() -> None:
    assert asked.period("en", 1, 2).duration_us == 1
    for end_us in (1, 0):
        with pytest.raises(ConfigurationError) as refused:
            asked.period("zh", 1, end_us)
        assert refused.value.lines == ("“--to”必须晚于“--from”",)


@pytest.mark.parametrize("step", ["show", "tiers"])
def test_an_account_of_no_time_is_refused_before_any_folder_is_made(step: str, tmp_path: Path) -> None:
    folder = build_folder(tmp_path / "data")
    span = ["--from", "2026-11-02T00:00:00Z", "--to", "2026-11-01T00:00:00Z", "--data", str(folder.path)]
    refused = CliRunner().invoke(account, [step, *span], obj="en")
    assert isinstance(refused.exception, ConfigurationError)
    assert "'--to' must lie after '--from'" in refused.exception.lines


def test_a_comparison_of_no_days(tmp_path: Path) -> None:
    words = ["--data", str(tmp_path), "--first", "2026-11-10", "--last", "2026-11-01"]
    assert "must not lie before" in CliRunner().invoke(compare, words, obj="en").output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("- 1\n", ":1:1: the file is empty"), ("a: [1\n", ":2:1: not valid YAML"), ("number: 1\n", "'city' is missing")],
)
def test_a_calibrations_record_is_refused_at_its_lines(tmp_path: Path, content: str, sentence: str) -> None:
    record = tmp_path / "record.yaml"
    record.write_text(content, encoding="utf-8")
    refused = CliRunner().invoke(certificate, ["write", str(record), str(tmp_path / "dcc.xml")], obj="en")
    assert isinstance(refused.exception, ConfigurationError)
    assert any(sentence in each for each in refused.exception.lines), refused.exception.lines


def test_who_has_no_name_here_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert f"'actor': 'uid-{os.getuid()}'" in _said("en")
    assert "'actor': 'Li Hua'" in _said("en", "--actor", "Li Hua")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MeterproofError, match="cannot be read as text"):
        asked.read_text(tmp_path / "a")


def test_a_file_larger_than_its_limit_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with path.open("wb") as stream:
        stream.truncate(2**40)  # a tebibyte of nothing: it takes no room, and no memory could hold it
    with pytest.raises(MeterproofError, match="larger than 4 MB"):
        asked.read_text(path)
    path.write_bytes(b"\xef\xbb\xbf" + b"fo\r\nur")
    assert asked.read_text(path) == "fo\nur"
    assert asked.read_bytes(path, 9).endswith(b"fo\r\nur")
    with pytest.raises(MeterproofError, match="larger"):
        asked.read_bytes(path, 8)


def test_a_real_folder_takes_no_time_but_now() -> None:
    facts = {"organisation": "o", "site": "s", "time_zone": "UTC", "origin": "x", "born_us": 0}
    real, simulated = (DataFolder(Path("x"), simulated=each, **facts) for each in (False, True))  # type: ignore[arg-type]
    assert asked.recording_time(simulated, NOON_US) == NOON_US
    assert asked.recording_time(real, None) > NOON_US // 2
    with pytest.raises(DataFolderError, match="is real"):
        asked.recording_time(real, NOON_US)


def test_a_plan_goes_into_a_table_and_no_other_file(tmp_path: Path) -> None:
    words = ["plan", str(tmp_path / "p.pdf"), "--data", str(tmp_path), "--year", "2026"]
    refused = CliRunner().invoke(ledger, words, obj="en")
    assert refused.exit_code == 2
    assert "must end in one of .xlsx .csv" in refused.output
    assert not (tmp_path / "p.pdf").exists()
