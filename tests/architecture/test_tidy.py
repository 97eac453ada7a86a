"""Style that a reader can count on, held as a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "api", "drivers", "config", "simulators")
FORBIDDEN_MODULE_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")
MAX_FUNCTION_LINES = 75
MAX_MODULE_LINES = 450
# The only places that may look at the wall clock, draw random numbers, start threads or fork.
PLATFORM = {"gateway/assembly/platform.py"}
IMPURE_CALLS = re.compile(
    r"\b(time\.time(_ns)?|time\.monotonic(_ns)?|datetime\.now|datetime\.utcnow|uuid\.uuid\d|random\.\w+|"
    r"threading\.Thread|os\.urandom|secrets\.\w+)\("
)


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


SOURCES = list(_sources())


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_relative)
def test_module(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert not FORBIDDEN_MODULE_NAMES.search(path.stem), "name the module by what it does"
    assert source.count("\n") <= MAX_MODULE_LINES, "a module should fit in the head"
    assert ast.get_docstring(tree), "say what the module is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.parts[len(ROOT.parts)] in {"gateway", "drivers"}], ids=_relative
)
def test_time_chance_and_threads_come_through_the_ports(path: Path) -> None:
    relative = _relative(path)
    if relative in PLATFORM or relative.startswith(("gateway/cli/", "gateway/verifier/")):
        return
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if IMPURE_CALLS.search(line.split("#")[0])
    ]
    assert not found, "use gateway.ports (Clock, Random, Committer)"


def test_every_top_level_folder_says_what_it_is() -> None:
    for folder in (*PACKAGES, "tests", "benchmarks", "docs"):
        assert (ROOT / folder / "README.md").is_file(), f"{folder}/README.md is missing"


def test_domain_is_standard_library_only() -> None:
    for path in (ROOT / "gateway/domain").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert name.startswith("gateway.domain") or top in __import__("sys").stdlib_module_names, (path, name)


def test_nothing_committed_names_an_index_or_a_machine_path() -> None:
    patterns = re.compile(r"(index-url|/simple/|" + "/wo" + r"rk/(main|shared))")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("requirements/*"), *ROOT.glob("docs/**/*.md"), *SOURCES]:
        assert not patterns.search(path.read_text(encoding="utf-8")), path
