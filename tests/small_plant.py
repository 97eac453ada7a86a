"""The small plant of ``plant_folder``, built once for all tests of a room that only read it."""

from collections.abc import Iterator

import pytest

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.asking import Asking
from gateway.journal.folder import DataFolder
from tests.plant_folder import NOW, build_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("plant") / "data")


@pytest.fixture(scope="session")
def reader(folder: DataFolder) -> Iterator[OpenFolder]:
    with open_for_reading(folder) as opened:
        yield opened


@pytest.fixture
def asking(reader: OpenFolder) -> Asking:
    return reader.asking(NOW)
