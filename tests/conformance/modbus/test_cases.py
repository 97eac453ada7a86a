"""Named cases, one folder each under tests/cases/modbus: bytes in, outcome out.

The specification's own examples, and what goes wrong in the field: ``steps`` are replayed against the driver's framing,
``plan`` and ``raw`` against both decoders (the driver's and the verifier's), ``channels`` against the planner.
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers.modbus.conversation import AsciiConversation, Conversation, RtuConversation, TcpConversation, Verdict
from drivers.modbus.link import octets
from drivers.modbus.plugin import PLUGIN
from drivers.modbus.request import Request
from gateway.verifier.decode import decoder
from tests.conformance.modbus.rig import plan_of

FOLDER = Path(__file__).parents[2] / "cases/modbus"
FRAMINGS: dict[str, type[Conversation]] = {
    "tcp": TcpConversation,
    "rtu": RtuConversation,
    "ascii": AsciiConversation,
}


def read_case(name: str) -> dict[str, Any]:
    """One case."""
    case: dict[str, Any] = yaml.safe_load((FOLDER / name / "case.yaml").read_text(encoding="utf-8"))
    return case


CASES = {path.parent.name: read_case(path.parent.name) for path in sorted(FOLDER.glob("*/case.yaml"))}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "plan" in case])
def test_decoding(name: str) -> None:
    case = CASES[name]
    raw = [None if each is None else bytes.fromhex(each) for each in case["raw"]]
    values, quality, findings = PLUGIN.load_plan(case["plan"]).decode(raw)
    assert list(values) == case["values"]
    assert [finding.rule for finding in findings] == case["rules"]
    assert [value is None for value in values] == [word & 3 == 3 for word in quality]
    encoded = [None if each is None else b64encode(each).decode() for each in raw]
    assert decoder(case["plan"])(encoded) == case["values"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "channels" in case])
def test_planning(name: str) -> None:
    case = CASES[name]
    plan = plan_of(case["channels"], options=case["options"])
    assert [[each.function, each.address, each.count] for each in plan.requests] == case["requests"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "steps" in case])
def test_framing(name: str) -> None:
    case = CASES[name]
    conversation = FRAMINGS[case["framing"]](octets(case.get("heartbeat")))
    for step in case["steps"]:
        if "ask" in step:
            assert conversation.ask(Request(**step["ask"])).hex() == step["sends"].lower()
            continue
        if "expect_dirty" in step:
            assert conversation.dirty == step["expect_dirty"]
            continue
        result = conversation.expire() if step.get("expire") else _receive(conversation, step["receive"])
        _compare(result, step.get("expect"), conversation)


def _receive(conversation: Conversation, text: str) -> bytes | Verdict | None:
    data = bytes.fromhex(text)
    conversation.buffer[conversation.size : conversation.size + len(data)] = data
    return conversation.feed(len(data))


def _compare(result: bytes | Verdict | None, expected: dict[str, Any] | None, conversation: Conversation) -> None:
    if expected is None:
        assert result is None
        return
    if expected["outcome"] == "ok":
        assert isinstance(result, bytes)
        assert result.hex() == expected["data"].lower()
        assert not conversation.dirty
        return
    assert isinstance(result, Verdict)
    assert (str(result.outcome), result.code) == (expected["outcome"], expected.get("code", 0))
    if "dirty" in expected:
        assert conversation.dirty == expected["dirty"]


def test_the_specification_and_every_pain_have_a_case() -> None:
    wanted = (
        "spec-fc01",
        "spec-fc02",
        "spec-fc03",
        "spec-fc04",
        "spec-fc43",
        "late-answer",
        "two-frames",
        "wrong-unit",
    )
    wanted += ("partial-frame", "exception-05", "exception-06", "exception-10", "exception-11", "short-answer")
    wanted += ("dead-unit", "sentinel-nan", "sentinel-8000", "sentinel-ffff", "word-order-error", "rollover-2-32")
    wanted += ("max-read-16", "max-read-40", "max-read-100")
    for each in wanted:
        assert any(each in name for name in CASES), each
