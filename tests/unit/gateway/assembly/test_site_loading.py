"""Site file to objects: problems of the file, of drivers and of profiles together, each at its place."""

import json
from pathlib import Path

import pytest

from gateway.assembly.file_problems import problem_line
from gateway.assembly.site_loading import examine_site, journal_form, load_assembled_site
from gateway.domain.errors import ConfigurationError
from gateway.domain.time import US_PER_S
from gateway.journal import canonical

SITE = """\
meterproof: 1
organisation: {id: works, name: {zh: 厂, en: works}}
site: {id: main, name: {zh: 主, en: main}}
schedule: {period_s: 60}
endpoints:
  - {id: bus, protocol: modbus, connection: {transport: tcp, host: 127.0.0.1, port: 1502}}
devices:
  - {id: m1, endpoint: bus, profile: eastron/sdm630, address: {unit: 1}}
  - {id: m2, endpoint: bus, profile: eastron/sdm630, address: {unit: 2}, period_s: 30, offset_s: 7}
"""


def _site(folder: Path, content: str = SITE) -> Path:
    path = folder / "site.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def test_periods_plans_and_configuration(tmp_path: Path) -> None:
    site = load_assembled_site(_site(tmp_path))
    first, second = site.devices
    assert first.device.groups[0].period_us == 60 * US_PER_S
    assert (second.device.groups[0].period_us, second.device.groups[0].offset_us) == (30 * US_PER_S, 7 * US_PER_S)
    assert set(first.plans) == {group.id for group in first.device.groups}
    assert first.configuration["hash"] != second.configuration["hash"]
    for each in site.devices:
        body = {"v": 1, "kind": "configuration", "at": 1, "subject": each.device.subject, **each.configuration}
        assert canonical.decode(canonical.encode(body)) == body


def test_the_back_fill_period_replaces_the_schedule_but_no_period_of_ones_own(tmp_path: Path) -> None:
    live, history = load_assembled_site(_site(tmp_path)), load_assembled_site(_site(tmp_path), period_s=300)
    for before, after in zip(live.devices, history.devices, strict=True):
        groups = {group.id: group.period_us for group in after.device.groups}
        assert groups["identity"] == before.device.group("identity").period_us
    first, second = history.devices
    assert first.device.group("energy").period_us == 300 * US_PER_S
    assert second.device.group("energy").period_us == 30 * US_PER_S


def test_plan_survives_the_journal(tmp_path: Path) -> None:
    site = load_assembled_site(_site(tmp_path))
    each, driver = site.devices[0], site.endpoints[0].driver
    plan = each.plans["energy"]
    again = driver.load_plan(json.loads(json.dumps(plan.document())))  # type: ignore[union-attr]
    raw = [bytes(range(2 * request["count"])) for request in plan.document()["requests"]]
    assert again.decode(raw) == plan.decode(raw)


@pytest.mark.parametrize(
    ("old", "new", "line", "fragment"),
    [
        ("protocol: modbus", "protocol: smoke", 6, "no driver speaks"),
        ("profile: eastron/sdm630, address: {unit: 1}", "profile: a/b, address: {unit: 1}", 8, "there is no profile"),
        ("address: {unit: 1}", "address: {unit: 999}", 8, "unit"),
        ("port: 1502", "port: none", 6, "port"),
    ],
)
def test_problems_stand_at_their_line(tmp_path: Path, old: str, new: str, line: int, fragment: str) -> None:
    assembled, problems = examine_site(_site(tmp_path, SITE.replace(old, new)))
    assert assembled is None
    assert [problem.line for problem in problems] == [line]
    assert fragment in problem_line(problems[0], "en")
    assert problem_line(problems[0], "zh") != problem_line(problems[0], "en")


def test_a_wrong_site_profile_is_reported_in_its_own_file(tmp_path: Path) -> None:
    folder = tmp_path / "profiles" / "own"
    folder.mkdir(parents=True)
    (folder / "x.yaml").write_text("profile: 1\nid: own/x\n", encoding="utf-8")
    content = SITE.replace("meterproof: 1\n", "meterproof: 1\nprofiles: profiles\n").replace(
        "profile: eastron/sdm630, address: {unit: 1}", "profile: own/x, address: {unit: 1}"
    )
    with pytest.raises(ConfigurationError) as caught:
        load_assembled_site(_site(tmp_path, content))
    assert all("own/x.yaml" in line for line in caught.value.lines)
    assert len(caught.value.lines) >= 4


def test_entries_hold_no_float_and_no_boolean() -> None:
    assert journal_form({"a": True, "b": 0.5, "c": [None, False]}) == {"a": 1, "b": "0.5", "c": [None, 0]}


def test_a_mistake_in_one_part_hides_none_of_another(tmp_path: Path) -> None:
    """Keys, time zone, drivers, profiles, endpoints: whoever mends one mistake is not met by the next one after it."""
    content = SITE + "  - {id: m2, endpoint: gone, profile: a/b, address: {unit: 3}}\n  - {id: M5}\n"
    for old, new in (
        ("id: works", "id: My Works"),
        ("name: {zh: 主, en: main}}", "name: {zh: 主, en: main}, time_zone: Asia/Peking}"),
        ("port: 1502", "port: 99999"),
        ("address: {unit: 1}", "address: {unit: 999}"),
    ):
        content = content.replace(old, new)
    assembled, problems = examine_site(_site(tmp_path, content))
    assert assembled is None
    assert [problem.line for problem in problems] == [2, 3, 6, 8, *[10] * 3, *[11] * 4]
    lines = "\n".join(problem_line(problem, "en") for problem in problems)
    for fragment in ("Asia/Peking", "65535", "unit", "'gone'", "stands twice", "no profile 'a/b'", "devices.3.address"):
        assert fragment in lines
