"""The first two commands a new user types."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.i18n import language_from


def _run(*arguments: str, lang: str = "en_GB.UTF-8") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")} | {"LANG": lang}
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_init_writes_passes_check(tmp_path: Path, lang: str) -> None:
    site = tmp_path / "my" / "site.yaml"
    assert _run("--lang", lang, "init", str(site.parent)).returncode == 0
    checked = _run("check", str(site), "--lang", lang)
    assert checked.returncode == 0, checked.stderr
    assert ("未发现问题" in checked.stdout) == (lang == "zh")
    again = _run("init", str(site.parent))
    assert again.returncode == 1
    assert "nothing was written" in again.stderr


def test_check_lists_everything_with_exit_2(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("meterproof: 1\nendpoints: 3\n", encoding="utf-8")
    for lang, word in (("zh_CN.UTF-8", "缺少"), ("en_US.UTF-8", "is missing")):
        result = _run("check", str(site), lang=lang)
        assert result.returncode == 2
        assert result.stderr.count(f"{site}:") == 4
        assert word in result.stderr
    report = json.loads(_run("check", str(site), "--json").stdout)
    assert report["ok"] is False
    assert len(report["problems"]) == 4


def test_language_wishes() -> None:
    assert language_from(None, "de-DE,en;q=0.8", "zh_CN.UTF-8") == "en"
    assert language_from("", None) == "zh"
