"""One small folder for all queries: they only read."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.asking import Asking
from gateway.journal.folder import DataFolder
from tests.plant_folder import NOW, build_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("plant") / "data")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("untouched") / "data")


@pytest.fixture
def fresh(untouched: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of the small folder that a test may write into."""
    copytree(untouched.path, tmp_path / "data")
    return DataFolder.open(tmp_path / "data")


@pytest.fixture(scope="session")
def reader(folder: DataFolder) -> Iterator[OpenFolder]:
    with open_for_reading(folder) as opened:
        yield opened


@pytest.fixture
def asking(reader: OpenFolder) -> Asking:
    return reader.asking(NOW)
