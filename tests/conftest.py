"""What holds for all tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.services import free_port

TEST_DATA = "METERPROOF_TEST_DATA"
NOT_RUN = pytest.StashKey[list[str]]()

# an example may take long on a busy machine; what is slow is measured by the benchmarks
settings.register_profile("meterproof", deadline=None)
settings.load_profile("meterproof")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs third-party samples where there are none (said at the end); browser tests last.

    Playwright keeps an event loop running in this thread; no asyncio test could start in it.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if not os.environ.get(TEST_DATA):
        left_out = [item for item in items if item.get_closest_marker("third_party")]
        config.stash[NOT_RUN] = [item.nodeid for item in left_out]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("third_party")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which tests did not run for want of third-party samples: neither passed nor silently skipped."""
    for nodeid in config.stash.get(NOT_RUN, []):
        terminalreporter.write_line(f"NOT RUN {nodeid}: {TEST_DATA} is not set (folder of third-party samples)")


@pytest.fixture
def third_party() -> Path:
    """The folder of third-party samples; tests that take it carry the mark ``third_party``."""
    return Path(os.environ[TEST_DATA])


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Two days of the simulated works, stopped, and what the demo said of them: one for all tests that look at it; who
    changes anything works on a copy."""
    folder = tmp_path_factory.mktemp("demo-plant") / "demo-data"
    options = ["--history-days", "2", "--port", str(free_port()), "--for", "1", "--json"]
    program = str(Path(sys.executable).with_name("meterproof"))
    command = [program, "--lang", "en", "demo", "--data", str(folder), *options]
    done = subprocess.run(command, capture_output=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="session")
def demo_folder(demo: tuple[Path, dict[str, Any]]) -> Path:
    """Its folder."""
    return demo[0]
