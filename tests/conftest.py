"""What holds for all tests."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in this thread, in which no asyncio test could start."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
