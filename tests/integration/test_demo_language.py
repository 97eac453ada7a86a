"""Every sort of page of the demo works speaks one language; what the plant itself wrote stays as it was written."""

import time
from pathlib import Path

import pytest

from gateway.journal.folder import DataFolder
from tests.one_language import strange_pages, written_by_people
from tests.people import client_of
from tests.plant_folder import FixedClock

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
FIRST = ("/", "/jobs", "/account", "/handing-in", "/effects", "/replacements", "/certificates", "/registry/points")
MOST = 60


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_one_language(demo_folder: Path, language: str) -> None:
    written = written_by_people(DataFolder.open(demo_folder, read_only=True))
    with client_of(demo_folder, clock=FixedClock(time.time_ns() // 1000), role="everything") as client:
        problems, read = strange_pages(client, language, written, first=FIRST, most=MOST)
    assert not problems, "\n".join(problems)
    assert read == MOST
