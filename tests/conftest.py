"""What holds for all tests."""

import pytest
from hypothesis import settings

# an example may take long on a busy machine; what is slow is measured by the benchmarks
settings.register_profile("meterproof", deadline=None)
settings.load_profile("meterproof")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in this thread; no asyncio test could start in it."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
