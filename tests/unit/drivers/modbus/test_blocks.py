"""What stands in files: every problem at its place, in both languages, and nothing accepted that cannot work."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.plugin import PLUGIN
from drivers.modbus.schema import letters_for
from gateway.domain.errors import ConfigurationError
from gateway.i18n import text
from tests.conformance.modbus.rig import plan_of

DRIVER = Path(__file__).parents[4] / "drivers/modbus"


def problems_of(source: dict[str, Any], **options: Any) -> list[str]:
    """The sentences about one source block."""
    profile = {"options": options, "groups": [{"id": "g", "channels": [{"id": "c", "source": source}]}]}
    return [each.message % each.facts for each in PLUGIN.check_device({"unit": 1}, profile)]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"type": "u16"}, "'address' is missing"),
        ({"address": 1, "type": "u17"}, "'u17' is not known"),
        ({"address": 70000, "type": "u16"}, "must be at most 65535"),
        ({"address": 1, "type": "text"}, "needs 'words'"),
        ({"address": 1, "type": "mod10k", "words": 5}, "1 to 4 words"),
        ({"address": 1, "type": "u32", "order": "ABCE"}, "each of its letters once"),
        ({"address": 1, "type": "u16", "order": "ABCDEFGH"}, "does not fit"),
        ({"address": 1, "type": "u16", "scale": "one"}, "not a ratio"),
        ({"address": 1, "type": "u16", "scale": "1/0"}, "not a ratio"),
        ({"address": 1, "type": "u16", "scale": 0}, "zero or out of reach"),
        ({"address": 1, "type": "u16", "no_value": ["ff"]}, "4 hexadecimal digits"),
        ({"address": 1, "type": "u16", "no_value": [70000]}, "does not fit 2 bytes"),
        ({"address": 1, "type": "u16", "space": "coil"}, "are of type 'bit'"),
        ({"address": 300, "type": "text", "space": "identification"}, "id up to 255"),
        ({"address": 1, "type": "f32", "bit": 3}, "integer register only"),
        ({"address": 1, "type": "u16", "bit": 9, "width": 8}, "beyond the register"),
        ({"address": 1, "type": "u16", "offset": 3}, "not a key that can stand here"),
        ({"address": 65535, "type": "u32"}, "reach beyond address 65535"),
        ({"address": 1, "type": "u16", "scale_by": [{"address": 2, "type": "bcd16", "kind": "multiply"}]}, "'bcd16'"),
        ({"address": 1, "type": "text", "words": 50}, "more than the meter gives at once"),
    ],
)
def test_a_wrong_source_says_what_is_wrong(source: dict[str, Any], says: str) -> None:
    options = {"max_registers": 40} if source.get("words") == 50 else {}
    found = problems_of(source, **options)
    assert len(found) == 1
    assert says in found[0]


def test_problems_stand_where_they_are() -> None:
    profile = {
        "options": {"order": 5},
        "groups": [{"id": "g", "channels": [{"id": "c", "source": {"address": "x", "type": "u16", "colour": 1}}]}],
    }
    places = {each.path for each in PLUGIN.check_device({"unit": 300}, profile)}
    assert places == {
        ("unit",),
        ("options", "order"),
        ("groups", 0, "channels", 0, "source", "address"),
        ("groups", 0, "channels", 0, "source", "colour"),
    }


@pytest.mark.parametrize(
    ("connection", "says"),
    [
        ({"transport": "tcp"}, "needs 'host'"),
        ({"transport": "rtu"}, "needs 'path'"),
        ({"transport": "rtu", "path": "/dev/ttyS0", "host": "h"}, "serial line"),
        ({"transport": "udp", "host": "h"}, "must be one of"),
        ({"transport": "tls", "host": "h"}, "go together"),
        ({"host": "h", "tls": {"ca": "x"}}, "go together"),
        ({"transport": "tls", "host": "h", "tls": {"ca": "/nowhere.pem"}}, "cannot be used"),
        ({"transport": "tls", "host": "h", "tls": {"ca": "x", "key": "y"}}, "'certificate' and 'key'"),
        ({"host": "h", "registration": "x"}, "listen: true"),
        ({"host": "h", "listen": True, "registration": "hex:zz"}, "hexadecimal"),
        ({"transport": "ascii_over_tcp", "host": "h", "client": "pymodbus"}, "serves tcp"),
        ({"transport": "tls", "host": "h", "listen": True, "tls": {"ca": "x"}}, "cannot use 'tls'"),
        ({"host": "h", "port": 0}, "at least 1"),
        ({"host": "h", "timeout_ms": 5}, "at least 10"),
    ],
)
def test_a_wrong_connection_says_what_is_wrong(connection: dict[str, Any], says: str) -> None:
    found = [each.message % each.facts for each in PLUGIN.check_connection(connection)]
    assert len(found) == 1
    assert says in found[0]


def test_good_blocks_have_no_problem() -> None:
    for connection in (
        {"host": "10.0.0.1"},
        {"transport": "rtu", "path": "/dev/ttyS0", "baud": 9600},
        {"transport": "rtu_over_tcp", "host": "10.0.0.1", "port": 4001, "baud": 9600},
        {"host": "0.0.0.0", "listen": True, "registration": "hex:0102", "heartbeat": "ping"},
    ):
        assert PLUGIN.check_connection(connection) == []
    assert (
        problems_of({"address": 1, "type": "i32", "no_value": [-1, "80000000", "0x7fffffff"], "scale": "0.001"}) == []
    )


def test_every_sentence_of_the_driver_has_chinese() -> None:
    spoken = set()
    for path in DRIVER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"wrong", "Problem"}:
                argument = node.args[0]
                if isinstance(argument, ast.Constant):
                    spoken.add(argument.value)
    assert len(spoken) > 20
    for sentence in spoken:
        assert text("zh", sentence, **_blank(sentence)) != text("en", sentence, **_blank(sentence)), sentence


def _blank(sentence: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"%\((\w+)\)s", sentence), "")


def test_a_plan_from_an_unusable_block_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        plan_of({"a": {"address": 0, "type": "u16"}}, connection={"transport": "carrier pigeon"})


@pytest.mark.parametrize(
    ("order", "length", "letters"),
    [
        ("ABCD", 2, "AB"),
        ("CDAB", 2, "AB"),
        ("BADC", 2, "BA"),
        ("DCBA", 2, "BA"),
        ("CDAB", 8, "GHEFCDAB"),
        ("BADC", 8, "BADCFEHG"),
        ("DCBA", 6, "FEDCBA"),
        ("BA", 40, "BA"),
        ("CDABGHEF", 8, "CDABGHEF"),
    ],
)
def test_four_letters_stretch_to_any_length(order: str, length: int, letters: str) -> None:
    assert letters_for(order, length) == letters
