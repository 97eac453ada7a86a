"""Our package names are plain words: what lies in the folder a user stands in must not be run in their place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.run import Part


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["config.py", "api/__init__.py", "simulators.py"])
def test_a_package_of_the_same_name_is_refused(tmp_path: Path, name: str) -> None:
    shadow = tmp_path / name
    shadow.parent.mkdir(exist_ok=True)
    shadow.write_text("raise AssertionError('foreign code was run')\n", encoding="utf-8")
    refused = _run(["-m", "gateway.cli.main", "--lang", "en", "--version"], tmp_path)
    assert refused.returncode == 3, refused.stderr
    assert "shadows one of ours" in refused.stderr
    assert str(tmp_path) in refused.stderr
    assert "另有已安装的软件包" in _run(["-m", "gateway.cli.main", "--lang", "zh", "--version"], tmp_path).stderr


def test_the_parts_of_a_running_gateway_look_past_the_folder_they_start_in(tmp_path: Path) -> None:
    for name in ("config.py", "click.py", "api.py"):
        (tmp_path / name).write_text("raise AssertionError('foreign code was run')\n", encoding="utf-8")
    _python, *arguments = Part("collect", ["--help"]).command_line("en")
    started = _run(arguments, tmp_path)
    assert started.returncode == 0, started.stderr
    assert "--data" in started.stdout
