"""One demo plant for every test that looks at it; who changes it works on a copy."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import free_port

PROGRAM = str(Path(sys.executable).with_name("meterproof"))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of the simulated works, stopped."""
    folder = tmp_path_factory.mktemp("demo-plant") / "demo-data"
    options = ["--history-days", "2", "--port", str(free_port()), "--for", "1", "--json"]
    command = [PROGRAM, "--lang", "en", "demo", "--data", str(folder), *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder
