"""Recorded English in Chinese: every detail a driver gives is known; shipped catalogues speak both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.i18n import text
from gateway.i18n.recorded import DETAILS, detail, recorded

ROOT = Path(__file__).parents[4]
CHINESE = re.compile(r"[\u3400-\u9fff]")
GIVERS = {"Verdict": 9, "Answer": 9, "unreachable": 1, "_close_question": 9, "_blocked": 9}
"""Calls that carry a detail, with its position where it may stand without its name."""
TRANSLATED_KEYS = frozenset({"source", "note", "edition", "region", "announcement", "rule"})
TITLE_OR_CODE = re.compile(
    r"[A-Z0-9/().,;:–\-—\s]*|.*(?:JJ[FG]|GB(?:/T)?|Order) ?[\w(（].*|[a-z_]+|[\w./]+\.(?:md|com)\S*"
)


def _details(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from (each.value for each in node.keywords if each.arg == "detail")
            if name in GIVERS and len(node.args) > GIVERS[name]:
                yield node.args[GIVERS[name]]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 4:
            yield node.value.elts[3]


def _example(said: ast.expr) -> str | None:
    """What a literal, or an f-string with something in its places, would say; None for what is passed on."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return said.value
    if isinstance(said, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "7" for each in said.values)
    if isinstance(said, ast.IfExp):
        return _example(said.body) or _example(said.orelse)
    return None


def _given() -> list[str]:
    found = set()
    for folder in ("drivers/modbus", "gateway/acquisition", "gateway/delivery/influx"):
        for path in (ROOT / folder).rglob("*.py"):
            examples = (_example(each) for each in _details(ast.parse(path.read_text("utf-8"))))
            found |= {each for each in examples if each and re.search("[a-z]{2}", each)}
    return sorted(found)


def test_every_detail_that_a_driver_gives_has_chinese() -> None:
    given = _given()
    assert len(given) > 15, "the drivers give details in another way; look for them there"
    unknown = [each for each in given if not CHINESE.search(detail("zh", each))]
    assert not unknown, unknown


@pytest.mark.parametrize("sentence", DETAILS)
def test_facts_stay_and_the_words_change(sentence: str) -> None:
    facts = {name: f"<{name}>" for name in re.findall(r"%\((\w+)\)s", sentence)}
    said = sentence % facts
    shown = detail("zh", said)
    assert CHINESE.search(shown)
    assert all(each in shown for each in facts.values())
    assert detail("en", said) == said


def test_what_another_program_said_is_quoted() -> None:
    assert detail("zh", "partial write: field type conflict") == "“partial write: field type conflict”"
    assert detail("zh", "closed while asking: strange") == "询问期间连接关闭：“strange”"
    assert detail("zh", "timeout") == "超时"
    assert detail("zh", "") == ""
    assert recorded("zh", "IEC 62053-22") == "IEC 62053-22", "the number of a standard is no sentence"


def _shipped(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name in TRANSLATED_KEYS and isinstance(each, str):
                yield each
            yield from _shipped(each)
    elif isinstance(value, list):
        for each in value:
            yield from _shipped(each)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_shipped_catalogues_say_stands_in_both_languages(language: str) -> None:
    said = {
        each
        for path in (ROOT / "config/catalogue").rglob("*.yaml")
        for each in _shipped(yaml.safe_load(path.read_text("utf-8")))
    }
    assert len(said) > 80
    if language == "en":
        strange = [each for each in said if CHINESE.search(re.sub(r"JJF\(皖\)", "", text("en", each)))]
    else:
        strange = [
            each
            for each in said
            if re.search(r"[a-z]{3}", each)
            and not CHINESE.search(text("zh", each))
            and not TITLE_OR_CODE.fullmatch(each)
        ]
    assert not strange, strange
