"""What holds for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
