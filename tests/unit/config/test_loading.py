"""YAML with positions: every problem at its line, nothing guessed."""

from pathlib import Path

import pytest

from config.loading import MAX_FILE_BYTES, FileProblem, UnusableFileError, load_yaml, validated
from config.site import SiteFile, load_site


def _write(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _problems(folder: Path, content: str | bytes) -> list[FileProblem]:
    with pytest.raises(UnusableFileError) as caught:
        load_yaml(_write(folder, content))
    return caught.value.problems


def test_positions_point_at_the_key(tmp_path: Path) -> None:
    loaded = load_yaml(_write(tmp_path, "a: 1\nb:\n  - c: x\n    d: y\n"))
    assert loaded.value == {"a": 1, "b": [{"c": "x", "d": "y"}]}
    assert loaded.positions[("a",)] == (1, 1)
    assert loaded.positions[("b", 0, "d")] == (4, 5)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a: 1\na: 2\n", 2, "the key '%(key)s' stands twice"),
        ("a: 1\nb: &x 2\nc: *x\n", 2, "anchors and aliases are not supported; write the value out"),
        ("a: [1,\n", 2, "not valid YAML: %(reason)s"),
        ("a: !!python/object:os.system x\n", 1, "not valid YAML: %(reason)s"),
        (b"a: \xff\n", 1, "the file is not UTF-8 text"),
        ("? [1, 2]\n: x\n", 1, "a key must be text"),
    ],
)
def test_refused_with_its_line(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    problems = _problems(tmp_path, content)
    assert (problems[0].line, problems[0].message) == (line, message)


def test_limits(tmp_path: Path) -> None:
    assert _problems(tmp_path, "a" * (MAX_FILE_BYTES + 1))[0].message == "the file is larger than %(limit)s bytes"
    deep = "a: " + "[" * 100 + "]" * 100
    assert "nested too deeply" in _problems(tmp_path, deep)[0].message
    with pytest.raises(UnusableFileError):
        load_yaml(tmp_path / "absent.yaml")


def test_dates_stay_text(tmp_path: Path) -> None:
    assert load_yaml(_write(tmp_path, "day: 2025-03-01\n")).value == {"day": "2025-03-01"}


SITE = """\
meterproof: 1
organisation: {id: works, name: {zh: 厂, en: works}}
site: {id: main, name: {zh: 主, en: main}}
endpoints:
  - {id: e1, protocol: modbus, connection: {host: h}}
devices:
  - {id: d1, endpoint: e1, profile: a/b, address: {unit: 1}}
"""


def test_a_whole_site_file(tmp_path: Path) -> None:
    site, _, problems = load_site(_write(tmp_path, SITE))
    assert problems == []
    assert isinstance(site, SiteFile)
    assert site.schedule.period_s == 300
    assert site.site.time_zone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("old", "new", "line", "fragment"),
    [
        ("endpoint: e1", "endpoint: e9", 7, "names endpoint"),
        ("site: {id: main,", "site: {id: main, time_zone: Mars/Base,", 3, "time zone"),
        ("meterproof: 1", "meterproof: 2", 1, "must be one of"),
        ("id: works", "id: Works!", 2, "characters"),
        ("address: {unit: 1}", "address: {unit: 1}, colour: red", 7, "is not a key that can stand here"),
        ("meterproof: 1\n", "", 1, "is missing"),
    ],
)
def test_problems_name_their_line(tmp_path: Path, old: str, new: str, line: int, fragment: str) -> None:
    _, _, problems = load_site(_write(tmp_path, SITE.replace(old, new)))
    assert [problem.line for problem in problems] == [line]
    assert fragment in problems[0].message


def test_all_problems_at_once(tmp_path: Path) -> None:
    broken = SITE.replace("id: works", "id: W!").replace("unit: 1}", "unit: 1}, x: 1").replace("id: e1,", "id: 7,")
    _, _, problems = load_site(_write(tmp_path, broken))
    assert len(problems) == 3


def test_an_empty_file_is_one_sentence(tmp_path: Path) -> None:
    problems: list[FileProblem] = []
    assert validated(load_yaml(_write(tmp_path, "")), SiteFile, problems) is None
    assert len(problems) == 1
