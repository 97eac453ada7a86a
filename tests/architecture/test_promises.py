"""The promises of docs/promises.md: each names its tests and they are there; and two that are held here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("promises.md", "promises.zh-CN.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROMISES = 12

PURE = frozenset(
    {"array", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "json", "math"}
    | {"operator", "re", "struct", "typing", "zoneinfo"}
)
"""Of the standard library; nothing of it reads, writes, waits or draws lots (``datetime.now`` is barred elsewhere)."""
REACHING = frozenset({"open", "print", "input", "exec", "eval", "__import__"})
DECODING = ("decode", "compiled", "fields", "plan", "request")
OURS = ("gateway.domain", "gateway.ports", *(f"drivers.modbus.{name}" for name in DECODING))

BOUNDED_ELSEWHERE = {
    ("api/reading.py", "LifoQueue"): "holds the four readers it was made with",
    ("drivers/mqtt/listener.py", "deque"): "reads no further message while twice the window waits",
}
GROWING = frozenset({"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue", "deque"})
WAITING = frozenset({"ClientSession", "urlopen"})


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_names_tests_that_are_there(page: str) -> None:
    rows = [line for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines() if NAMED.search(line)]
    assert [line.split("|")[1].strip() for line in rows] == [str(number) for number in range(1, PROMISES + 1)]
    for file, name in NAMED.findall("\n".join(rows)):
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        there = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in there, f"{file}::{name}"


def test_both_languages_name_the_same_tests() -> None:
    english, chinese = (NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8")) for page in PAGES)
    assert english == chinese


def test_domain_and_decoding_touch_nothing_outside() -> None:
    pure = [*(ROOT / "gateway/domain").rglob("*.py"), *(ROOT / f"drivers/modbus/{name}.py" for name in DECODING)]
    found = []
    for path in pure:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        strange = [each for each in _imported(tree) if each.split(".")[0] not in PURE and not each.startswith(OURS)]
        found += [f"{path.name}: imports {name}" for name in strange]
        found += [f"{path.name}: calls {call}" for call, _ in _calls(tree) if call in REACHING]
    assert not found


def test_nothing_is_kept_or_awaited_without_a_limit() -> None:
    """Queues have a size, caches of anything that comes from outside too, and whoever asks another machine gives up."""
    found = []
    for path in sorted(each for room in ("gateway", "api", "drivers") for each in (ROOT / room).rglob("*.py")):
        place, tree = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
        for name, call in _calls(tree):
            keywords = {each.arg for each in call.keywords}
            sized = keywords or (call.args and name != "deque")
            if name in GROWING and not sized and (place, name) not in BOUNDED_ELSEWHERE:
                found.append(f"{place}:{call.lineno}: {name} without a size")
            if name in WAITING and "timeout" not in keywords:
                found.append(f"{place}:{call.lineno}: {name} without a time-out")
            if name == "lru_cache" and any(_is_none(each.value) for each in call.keywords if each.arg == "maxsize"):
                found.append(f"{place}:{call.lineno}: a cache without a size")
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and "cache" in map(_name, function.decorator_list):
                argument = next((each for each in function.args.args if each.arg not in {"kind", "language"}), None)
                if argument is not None:
                    found.append(
                        f"{place}:{function.lineno}: {function.name} keeps one result a {argument.arg} for ever"
                    )
    assert not found, "\n".join(found)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield _name(node.func), node
