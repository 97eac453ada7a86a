"""Whatever the registry says of a file stands in Chinese; every column of the ledger's files is documented."""

import ast
from pathlib import Path

import pytest

from gateway.i18n import text
from gateway.registry.columns import LEDGER_FILES, TITLES

ROOT = Path(__file__).parents[4]
SPEAKING = {
    "LedgerProblem": 3,
    "_doubt": 1,
    "CellError": 0,
    "TableError": 0,
    "ReplacementRefusedError": 0,
    "StillNamedError": 0,
}


def sentences():
    for path in sorted((ROOT / "gateway/registry").glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                named = any(
                    isinstance(each, ast.Name) and each.id in {"message", "UNKNOWN_COLUMN"} for each in node.targets
                )
                if named:
                    yield node.value.value
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEAKING:
                place = SPEAKING[node.func.id]
                if len(node.args) > place and isinstance(node.args[place], ast.Constant):
                    yield node.args[place].value


def test_every_sentence_has_chinese():
    said = set(sentences())
    assert len(said) > 80
    assert [each for each in sorted(said) if text("zh", each) == each] == []


@pytest.mark.parametrize("ending", ["md", "zh-CN.md"])
@pytest.mark.parametrize("file", LEDGER_FILES, ids=lambda each: each.name)
def test_every_column_is_documented(file, ending):
    page = (ROOT / f"docs/ledger.{ending}").read_text("utf-8")
    section = page.split(f"\n## {file.name}\n", 1)[1].split("\n## ", 1)[0]
    for column in file.columns:
        assert f"`{column.field}`" in section, f"{file.name} {column.field}"
        assert column.zh in section, f"{file.name} {column.zh}"


def test_every_kind_has_a_sheet_title():
    assert {file.kind for file in LEDGER_FILES} == set(TITLES)
