"""Promise 1: imports point one way, and a wrong arrow fails by name."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "api", "drivers", "config", "simulators")


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {code}", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the five packages, to plant wrong imports in."""
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_arrows_hold(tree: Path) -> None:
    result = _lint(tree)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line", "named"),
    [
        ("gateway/domain/time.py", "import drivers.modbus", "gateway.domain.time -> drivers.modbus"),
        ("gateway/journal/canonical.py", "import gateway.registry", "gateway.journal.canonical -> gateway.registry"),
        ("simulators/__init__.py", "import gateway.domain.time", "simulators -> gateway.domain.time"),
        ("gateway/verifier/__init__.py", "import gateway.domain.time", "gateway.verifier -> gateway.domain.time"),
        ("drivers/modbus/__init__.py", "import config.site", "drivers.modbus -> config.site"),
    ],
)
def test_a_planted_import_is_named(tree: Path, file: str, line: str, named: str) -> None:
    target = tree / file
    original = target.read_text(encoding="utf-8")
    target.write_text(original + f"\n{line}\n", encoding="utf-8")
    try:
        result = _lint(tree)
    finally:
        target.write_text(original, encoding="utf-8")
    assert result.returncode != 0
    assert named in result.stdout
