"""A gateway whose ledger is still empty says what to do next, and calls nothing in order that it does not know."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from lxml import html

from gateway.assembly.projecting import Projection
from gateway.journal.folder import DataFolder
from tests.one_language import strange_words
from tests.people import client_of
from tests.plant_folder import FixedClock

PAGES = ("/", "/live", "/points", "/instruments", "/trace")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    facts = {"organisation": "new-works", "site": "main", "time_zone": "Asia/Shanghai"}
    path = tmp_path_factory.mktemp("empty") / "data"
    folder = DataFolder.create(path, **facts, simulated=False, clock=FixedClock())
    projection = Projection(folder, FixedClock())
    while projection.step().applied:
        pass
    projection.close()
    return folder


@pytest.fixture(scope="module")
def client(empty: DataFolder) -> Iterator[TestClient]:
    with client_of(empty, role="custodian") as made:
        yield made


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_way_forward_is_a_link(client: TestClient, path: str, language: str) -> None:
    answer = client.get(path, headers={"accept-language": language})
    assert answer.status_code == 200
    links = html.fromstring(answer.text).xpath("//main//p[contains(@class, 'empty')]//a/@href")
    assert "/handing-in" in links
    assert strange_words(answer.text, language, ()) == []


def test_who_may_not_import_is_told_the_command(empty: DataFolder) -> None:
    with client_of(empty, role="operator") as reader:
        page = reader.get("/live").text
    assert "meterproof ledger import" in page
    assert 'href="/handing-in"' not in page


def test_nothing_is_called_in_order_where_nothing_is_known(client: TestClient) -> None:
    page = client.get("/", headers={"accept-language": "en"}).text
    assert "every certificate in order" not in page
    assert "no instrument on record" in page
