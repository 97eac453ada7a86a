"""A site loaded in a process of its own is the site; what is wrong with it comes back as it stands."""

import subprocess
import sys
from pathlib import Path

import config

EXAMPLES = Path(config.__file__).parent / "examples"
APART = """
import sys
from pathlib import Path
from gateway.assembly.loading_apart import load_site_apart
from gateway.domain.errors import ConfigurationError
from gateway.assembly import loading_apart
there = loading_apart.load_assembled_site
def never(path, *, language):
    raise AssertionError("loaded in this process")
path = Path(sys.argv[1])
import os
mine = os.getpid()
loading_apart.load_assembled_site = lambda path, *, language: there(path, language=language) if os.getpid() != mine else never(path, language=language)
try:
    site = load_site_apart(path, language="en")
    assert loading_apart.data_folder_apart(path, language="en") == site.data_folder
except ConfigurationError as error:
    print("\\n".join(error.lines))
else:
    same = there(path, language="en")
    assert (site.sha256, site.configuration, site.file) == (same.sha256, same.configuration, same.file)
    assert [each.configuration for each in site.devices] == [each.configuration for each in same.devices]
    assert [type(each.driver) for each in site.endpoints] == [type(each.driver) for each in same.endpoints]
    print(len(site.devices), "devices")
"""  # noqa: E501


def apart(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", APART, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_site_is_the_same() -> None:
    example = EXAMPLES / "simulate" / "site.yaml"
    assert "devices" in apart(example)


def test_problems_come_back_as_sentences(tmp_path: Path) -> None:
    wrong = tmp_path / "site.yaml"
    wrong.write_text("meterproof: 1\nendpoints: 5\n", encoding="utf-8")
    said = apart(wrong)
    assert f"{wrong}:2:" in said
    assert "endpoints" in said
