"""One small folder for all queries: they only read."""

from pathlib import Path
from shutil import copytree

import pytest

from gateway.journal.folder import DataFolder
from tests.plant_folder import build_folder
from tests.small_plant import asking, folder, reader

__all__ = ["asking", "folder", "reader"]


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("untouched") / "data")


@pytest.fixture
def fresh(untouched: DataFolder, tmp_path: Path) -> DataFolder:
    """A copy of the small folder that a test may write into."""
    copytree(untouched.path, tmp_path / "data")
    return DataFolder.open(tmp_path / "data")
