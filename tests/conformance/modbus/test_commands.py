"""``scan``, ``commission`` and ``profile`` against a libmodbus server, as people type them."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.assembly.platform import SystemClock
from gateway.cli.check import command as check
from gateway.cli.commission import command as commission
from gateway.cli.profile import command as profile
from gateway.cli.scan import command as scan
from gateway.domain.errors import ConfigurationError, MeterproofError, UnknownObjectError
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.writing import RegistryProjection
from tests.conformance.modbus.servers import Image, compiled_server, libmodbus_tcp
from tests.services import free_port

PROFILE = """
profile: 1
id: plant/meter
protocol: modbus
maker: Plant
model: M
name: {{zh: 表, en: Meter}}
document: {{title: test, confidence: 推断}}
options: {{order: {order}}}
groups:
  - id: energy
    channels:
"""
SITE = """
meterproof: 1
organisation: {{id: works, name: {{zh: 厂, en: Works}}}}
site: {{id: works, name: {{zh: 厂, en: Works}}}}
profiles: profiles
endpoints:
  - {{id: bus, protocol: modbus, connection: {{transport: tcp, host: 127.0.0.1, port: {port}}}}}
devices:
  - {{id: meter, endpoint: bus, profile: plant/meter, address: {{unit: 3}}}}
"""
MEASURES = {
    "active_energy_import": 48123.5,
    "active_power": 62.1,
    "active_power_l1": 20.0,
    "active_power_l2": 21.1,
    "active_power_l3": 21.0,
    "reactive_power": 30.0,
    "apparent_power": (62.1**2 + 30.0**2) ** 0.5,
    "power_factor": 0.9004,
    "frequency": 50.02,
    "voltage_l1": 229.8,
    "voltage_l2": 231.2,
    "voltage_l3": 230.1,
    "current_l1": 99.1,
    "current_l2": 100.2,
    "current_l3": 100.0,
}


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_server(tmp_path_factory.mktemp("server"))


def meter_image(order: str, first: int) -> Image:
    """Unit 3 shows the measures as float32 from address ``first`` on."""
    lines = []
    for position, value in enumerate(MEASURES.values()):
        words = list(struct.unpack(">HH", struct.pack(">f", value)))
        if order == "CDAB":
            words.reverse()
        lines += [(3, "h", first + 2 * position + index, word) for index, word in enumerate(words)]
    return lines


def site_file(folder: Path, port: int, order: str = "ABCD", first: int = 100) -> Path:
    """A site with one meter and its own profile."""
    target = folder / "profiles/plant/meter.yaml"
    target.parent.mkdir(parents=True)
    channels = [
        f"      - {{id: {name}, measurand: {name}, decimals: 3, source: {{address: {first + 2 * index}, type: f32}}}}"
        for index, name in enumerate(MEASURES)
    ]
    target.write_text(PROFILE.format(order=order).lstrip() + "\n".join(channels) + "\n", encoding="utf-8")
    site = folder / "site.yaml"
    site.write_text(SITE.format(port=port).lstrip(), encoding="utf-8")
    return site


def run(command: Any, *arguments: str, language: str = "en") -> Result:
    """The command as the main program calls it."""
    result = CliRunner().invoke(command, list(arguments), obj=language, catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize(
    ("shown_order", "shown_first", "best"),
    [
        ("ABCD", 100, ("as written", 0)),
        ("CDAB", 100, ("CDAB", 0)),
        ("ABCD", 101, ("as written", 1)),
        ("CDAB", 99, ("CDAB", -1)),
    ],
)
def test_commission_finds_word_order_and_address(
    tmp_path: Path, binary: Path, shown_order: str, shown_first: int, best: tuple[str, int]
) -> None:
    with libmodbus_tcp(binary, meter_image(shown_order, shown_first)) as port:
        site = site_file(tmp_path, port)
        result = run(commission, str(site), "meter", "--interval", "0", "--json")
        report = json.loads(result.stdout)
        first = report["readings"][0]
        assert (first["order"], first["shift"]) == best
        assert first["score"] == 1.0
        assert report["fits"] == (best == ("as written", 0))
        assert result.exit_code == (0 if report["fits"] else 1)
        assert report["alike"] == []
        runner_up = next(each for each in report["readings"] if each["score"] < 1.0)
        assert runner_up["score"] < 0.8
        sentences = run(commission, str(site), "meter", "--interval", "0", language="zh").stdout
        assert ("现有配置" in sentences) or ("另一种读法" in sentences)


def test_commission_of_a_meter_that_is_not_there(tmp_path: Path, binary: Path) -> None:
    with libmodbus_tcp(binary, [(9, "h", 0, 1)]) as port:
        site = site_file(tmp_path, port)
        with pytest.raises(MeterproofError, match="answers none"):
            run(commission, str(site), "meter", "--interval", "0")
        with pytest.raises(UnknownObjectError):
            run(commission, str(site), "nobody")
        with pytest.raises(UnknownObjectError):
            run(commission, str(site), "meter", "--group", "none")


def test_commission_says_what_physics_cannot_tell(tmp_path: Path, binary: Path) -> None:
    """A lone counter: swapped words give another number that breaks no law either."""
    with libmodbus_tcp(binary, [(3, "h", 100, 3), (3, "h", 101, 7)]) as port:
        site = site_file(tmp_path, port)
        target = tmp_path / "profiles/plant/meter.yaml"
        lone = "      - {id: e, measurand: active_energy_import, decimals: 0, source: {address: 100, type: u32}}\n"
        target.write_text(PROFILE.format(order="ABCD").lstrip() + lone, encoding="utf-8")
        report = json.loads(run(commission, str(site), "meter", "--interval", "0", "--json").stdout)
        assert report["fits"]
        assert {"order": "CDAB", "shift": 0} in report["alike"]
        assert {"order": "ABCD", "shift": 0} not in report["alike"]
        assert "cannot tell" in run(commission, str(site), "meter", "--interval", "0").stdout


def ledger_of(folder: Path, point: str, devices: list[str]) -> None:
    """A data folder whose ledger has meters of these devices fitted at a metering point."""
    made = DataFolder.create(
        folder, organisation="works", site="works", time_zone="Asia/Shanghai", simulated=False, clock=SystemClock()
    )
    drafts = [
        Draft(
            "installation",
            f"works/installation/i{number}",
            1,
            {
                "object": {"point": point, "instrument": f"e{number}", "device": device, "role": role},
                "from": 0,
                "to": None,
                "actor": "test",
                "reason": "",
                "source": "",
                "withdrawn": 0,
            },
        )
        for number, (device, role) in enumerate([*((each, "meter") for each in devices), ("", "ct")])
    ]
    registry = RegistryProjection.open(made.registry)
    with Journal.open(made) as journal:
        journal.append(drafts)
        registry.begin()
        for entry in journal.read(0, 100):
            registry.apply_fact(entry)
        registry.commit(journal.head())
    registry.close()


def test_commission_takes_a_metering_point(tmp_path: Path, binary: Path) -> None:
    with libmodbus_tcp(binary, meter_image("ABCD", 100)) as port:
        site = site_file(tmp_path, port)
        with pytest.raises(UnknownObjectError, match="no ledger"):
            run(commission, str(site), "JL-001", "--data", str(tmp_path / "nowhere"))
        ledger_of(tmp_path / "data", "JL-001", ["meter"])
        told = ("--data", str(tmp_path / "data"), "--interval", "0")
        report = json.loads(run(commission, str(site), "JL-001", *told, "--json").stdout)
        assert (report["meter"], report["device"], report["fits"]) == ("JL-001", "meter", True)
        assert run(commission, str(site), "JL-001", *told).stdout.startswith("metering point JL-001: device meter")
        with pytest.raises(UnknownObjectError):
            run(commission, str(site), "JL-002", *told)
        ledger_of(tmp_path / "two", "JL-001", ["meter", "check-meter"])
        with pytest.raises(UnknownObjectError) as refusal:
            run(commission, str(site), "JL-001", "--data", str(tmp_path / "two"))
        assert "check-meter, meter" in str(refusal.value)


def test_scan_finds_the_units_of_a_bus(binary: Path, tmp_path: Path) -> None:
    image: Image = [(unit, "h", 0, 1) for unit in (3, 7, 8)]
    with libmodbus_tcp(binary, image) as port:
        result = run(scan, f"tcp://127.0.0.1:{port}", "--first", "1", "--last", "12", "--json")
        assert [each["unit"] for each in json.loads(result.stdout)["units"]] == [3, 7, 8]
        site = site_file(tmp_path, port)
        lines = run(scan, str(site), "--endpoint", "bus", "--last", "8").stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["3", "7", "8", "3"]
        assert lines[-1] == "3 of 8 units answer"
        with pytest.raises(UnknownObjectError):
            run(scan, str(site), "--endpoint", "other")


def test_scan_says_what_is_wrong() -> None:
    with pytest.raises(MeterproofError, match="cannot be reached"):
        run(scan, f"tcp://127.0.0.1:{free_port()}", "--last", "1")
    with pytest.raises(ConfigurationError):
        run(scan, "carrier://10.0.0.1")
    with pytest.raises(ConfigurationError):
        run(scan, "rtu:///dev/ttyS0?baud=1")


def test_profiles_are_listed_and_shown() -> None:
    listed = run(profile, "list").stdout
    assert "eastron/sdm630" in listed
    assert len(json.loads(run(profile, "list", "--json").stdout)["profiles"]) == len(listed.splitlines())
    shown = run(profile, "show", "eastron/sdm630", language="zh").stdout
    assert "正向有功电能" in shown
    assert "程序引用" in shown
    assert "program" in run(profile, "show", "eastron/sdm630").stdout
    assert json.loads(run(profile, "show", "eastron/sdm630", "--json").stdout)["id"] == "eastron/sdm630"
    with pytest.raises(UnknownObjectError):
        run(profile, "show", "nobody/nothing")


def test_own_profiles_come_first(tmp_path: Path) -> None:
    site_file(tmp_path, 1502)
    assert "plant/meter" in run(profile, "list", "--profiles", str(tmp_path / "profiles")).stdout


def test_check_predicts_the_line_and_refuses_what_cannot_fit(tmp_path: Path) -> None:
    site = site_file(tmp_path, 1502)
    slow = site.read_text(encoding="utf-8").replace(
        "{transport: tcp, host: 127.0.0.1, port: 1502}", "{transport: rtu, path: /dev/ttyS0, baud: 1200}"
    )
    site.write_text(slow, encoding="utf-8")
    printed = run(check, str(site)).stdout
    assert "of the line's time" in printed
    assert "function 3: 30 from address 100" in printed
    report = json.loads(run(check, str(site), "--json").stdout)
    assert 1 <= report["utilisation_permille"]["bus"] <= 10
    site.write_text(slow.replace("baud: 1200", "baud: 300") + "schedule: {period_s: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        run(check, str(site))
    assert any("the schedule needs" in line and ":6:" in line for line in refusal.value.lines)


def test_check_shows_what_was_measured_beside_the_prediction(tmp_path: Path) -> None:
    site = site_file(tmp_path, 1502)
    site.write_text(site.read_text(encoding="utf-8") + "schedule: {period_s: 1}\n", encoding="utf-8")
    folder = DataFolder.create(
        tmp_path / "data", organisation="works", site="works", time_zone="UTC", simulated=False, clock=SystemClock()
    )
    took_ms = [100] * 38 + [900] * 2
    polls = [
        Draft("poll", "works/device/meter", 1, {"group": "energy", "sent": 5_000, "received": 5_000 + 1_000 * each})
        for each in took_ms
    ]
    with Journal.open(folder) as journal:
        journal.append(polls[:9])
        few = json.loads(run(check, str(site), "--data", str(folder.path), "--json").stdout)
        assert few["measured"] == {}
        journal.append(polls[9:])
    line = json.loads(run(check, str(site), "--data", str(folder.path), "--json").stdout)["measured"]["bus"]
    assert (line["polls"], line["median_ms"], line["permille"]) == (40, 100, 100)
    assert 100 < line["most_ms"] <= 900
    assert (
        "measured: 10.0 % of the line's time, a poll in 100.0 ms"
        in run(check, str(site), "--data", str(folder.path)).stdout
    )
    assert "measured" not in run(check, str(site)).stdout


def test_two_masters_on_a_line_and_a_meter_twice_are_refused(tmp_path: Path) -> None:
    site = site_file(tmp_path, 1502)
    text = site.read_text(encoding="utf-8")
    other = "  - {id: other, protocol: modbus, connection: {transport: rtu_over_tcp, host: 127.0.0.1, port: 1502}}\n"
    second = text.replace("devices:\n", other + "devices:\n")
    site.write_text(
        second + "  - {id: twice, endpoint: bus, profile: plant/meter, address: {unit: 3}}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as refusal:
        run(check, str(site))
    assert any("endpoint 'bus' is on the same line (127.0.0.1:1502)" in line for line in refusal.value.lines)
    assert any("device 'meter' is the same meter" in line for line in refusal.value.lines)
    different = text + "  - {id: circuit, endpoint: bus, profile: plant/meter, address: {unit: 3, base: 100}}\n"
    site.write_text(different, encoding="utf-8")
    assert "circuit / energy" in run(check, str(site)).stdout
