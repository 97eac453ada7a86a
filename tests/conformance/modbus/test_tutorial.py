"""The tutorial's own profile and site, taken from its pages, read from a libmodbus server."""

import json
import re
import struct
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.check import command as check
from gateway.cli.read import command as read
from tests.conformance.modbus.servers import Image, compiled_server, libmodbus_tcp

DOCS = Path(__file__).parents[3] / "docs"
HEAD = """meterproof: 1
organisation: {id: works, name: {zh: 厂, en: Works}}
site: {id: works, name: {zh: 厂, en: Works}}
"""


@pytest.mark.parametrize("page", ["new-meter.md", "new-meter.zh-CN.md"])
def test_the_tutorial_works_as_written(page: str, tmp_path: Path) -> None:
    profile, site = re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    power = struct.unpack(">HH", struct.pack(">f", 61_250.0))
    words = [0, 12_345, *power, 5_001, 2_304]
    addresses = [0, 1, 10, 11, 20, 21]
    serial = b"PM7-00042\x00\x00\x00"
    image: Image = [(3, "h", address, word) for address, word in zip(addresses, words, strict=True)]
    image = [*image, *((3, "h", 100 + n, serial[2 * n] << 8 | serial[2 * n + 1]) for n in range(6))]
    (tmp_path / "profiles/acme").mkdir(parents=True)
    (tmp_path / "profiles/acme/pm7.yaml").write_text(profile, encoding="utf-8")
    with libmodbus_tcp(compiled_server(tmp_path), image) as port:
        text = HEAD + site.replace("host: 10.0.0.12", f"host: 127.0.0.1, port: {port}")
        (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
        checked = CliRunner().invoke(check, [str(tmp_path / "site.yaml")], obj="en")
        assert checked.exit_code == 0, checked.output
        result = CliRunner().invoke(read, [str(tmp_path / "site.yaml"), "mill", "--json"], obj="en")
        assert result.exit_code == 0, result.output
        readings = [each for group in json.loads(result.stdout)["groups"] for each in group["readings"]]
        assert {each["channel"]: each["value"] for each in readings} == {
            "active_energy_import": "123.45",
            "active_power": "61.250",
            "frequency": "50.01",
            "voltage_l1": "230.4",
            "serial_number": "PM7-00042",
        }
