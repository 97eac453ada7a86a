"""Every text people read stands in Chinese too, with the same placeholders, and none is fuzzy."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from gateway.i18n.rules import RULES

ROOT = Path(__file__).parents[2]
LOCALE = ROOT / "gateway/i18n/locale/zh"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
TEMPLATE_TEXT = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
# Calls whose literal text argument ends up before a reader, with that argument's position.
SPEAKING = {"text": 1, "_": 0, "Problem": 0, "FileProblem": 3, "problem": 1}


def _messages() -> Iterator[tuple[str, Message]]:
    for path in sorted(LOCALE.glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                if message.id:
                    yield path.name, message


TRANSLATIONS = {str(message.id): str(message.string) for _, message in _messages()}


def _spoken(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        position = 0 if name.endswith("Error") else SPEAKING.get(name)
        if position is None or len(node.args) <= position:
            continue
        argument = node.args[position]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            is_operator_error = name.endswith("Error") and name not in dir(__builtins__) and _is_ours(name)
            if not name.endswith("Error") or is_operator_error:
                yield node.lineno, argument.value


def _is_ours(name: str) -> bool:
    errors = (ROOT / "gateway/domain/errors.py").read_text(encoding="utf-8")
    return f"class {name}(" in errors


def test_no_translation_is_fuzzy_or_empty() -> None:
    for file, message in _messages():
        assert not message.fuzzy, f"{file}: {message.id}"
        assert message.string, f"{file}: {message.id} has no Chinese"


def test_placeholders_agree() -> None:
    for file, message in _messages():
        wanted, got = set(PLACEHOLDER.findall(str(message.id))), set(PLACEHOLDER.findall(str(message.string)))
        assert wanted == got, f"{file}: {message.id}"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_rule_speaks_chinese(rule: str) -> None:
    assert RULES[rule].title in TRANSLATIONS
    assert RULES[rule].sentence in TRANSLATIONS


@pytest.mark.parametrize("package", ["gateway", "api", "drivers", "config"])
def test_every_spoken_text_has_chinese(package: str) -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {sentence}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if "verifier" not in path.parts
        for line, sentence in _spoken(path)
        if sentence not in TRANSLATIONS and re.search("[a-zA-Z]{2}", sentence)
    ]
    assert not missing, "\n".join(missing)


def test_every_template_text_has_chinese() -> None:
    missing = []
    for path in sorted((ROOT / "api").rglob("*.html")):
        for match in TEMPLATE_TEXT.finditer(path.read_text(encoding="utf-8")):
            sentence = next(group for group in match.groups() if group is not None)
            if sentence not in TRANSLATIONS and re.search("[a-zA-Z]{2}", sentence):
                missing.append(f"{path.relative_to(ROOT)}: {sentence}")
    assert not missing, "\n".join(missing)
