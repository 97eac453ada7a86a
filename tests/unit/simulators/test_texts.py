"""What the simulators say stands in both languages, with the same placeholders; nothing else is said."""

import ast
import re
from pathlib import Path

import pytest

from simulators.texts import TEXTS, say

ROOT = Path(__file__).parents[3] / "simulators"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def _names_a_message(node: ast.AST) -> bool:
    named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message"
    return named and isinstance(node.value, ast.Constant)


def _said() -> set[str]:
    """Every literal that is given to ``say``, and every one that a name given to it may hold."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                argument = node.args[1]
                if isinstance(argument, ast.Constant):
                    found.add(argument.value)
            elif _names_a_message(node):
                found.add(node.value.value)
    return found


def test_every_sentence_stands_in_the_table_and_every_row_is_said() -> None:
    assert _said() == set(TEXTS)


@pytest.mark.parametrize("message", TEXTS)
def test_placeholders_agree(message: str) -> None:
    assert sorted(PLACEHOLDER.findall(message)) == sorted(PLACEHOLDER.findall(TEXTS[message]))
    facts = dict.fromkeys(PLACEHOLDER.findall(message), "x")
    assert "%(" not in say("zh", message, **facts)
    assert "%(" not in say("en", message, **facts)
