"""Named cases, one folder each under tests/cases/modbus: bytes in, outcome out.

The specification's own examples, and what goes wrong in the field, replayed against the driver's framing.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from drivers.modbus.conversation import AsciiConversation, Conversation, RtuConversation, TcpConversation, Verdict
from drivers.modbus.link import octets
from drivers.modbus.request import Request

FOLDER = Path(__file__).parents[2] / "cases/modbus"
FRAMINGS: dict[str, type[Conversation]] = {
    "tcp": TcpConversation,
    "rtu": RtuConversation,
    "ascii": AsciiConversation,
}
CASES = sorted(path.parent.name for path in FOLDER.glob("*/case.yaml"))


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = yaml.safe_load((FOLDER / name / "case.yaml").read_text(encoding="utf-8"))
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
    for each in wanted:
        assert any(each in name for name in CASES), each
