"""One small folder for all reports: they only read."""

from collections.abc import Iterator

import pytest

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.journal.folder import DataFolder
from tests.plant_folder import build_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("reports") / "data")


@pytest.fixture(scope="session")
def reader(folder: DataFolder) -> Iterator[OpenFolder]:
    with open_for_reading(folder) as opened:
        yield opened
