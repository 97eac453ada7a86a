"""Whatever goes wrong, wherever: a problem document or a page in the reader's language, with the headers of all."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import security
from api.people.store import People
from api.routes import overview
from api.web.pages import live
from gateway.journal.folder import DataFolder
from tests.people import client_of

LANGUAGES = ["zh", "en"]


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder) as made:
        made._transport.raise_server_exceptions = False  # type: ignore[attr-defined]  # as a real server has it
        yield made


def _is_ours(answer: Any, language: str, status: int) -> None:
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.request.url.path.startswith("/api/"):
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["instance"]) == (status, answer.request.url.path)
        said = problem["detail"]
    else:
        assert answer.headers["content-type"].startswith("text/html")
        said = answer.text.partition("<h1>")[2]
    assert (re.search("[\u4e00-\u9fff]", said) is not None) == (language == "zh"), said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/live", "/api/v1/live"])
def test_a_fault_nobody_foresaw(client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, language: str) -> None:
    def failing(*_given: object, **_named: object) -> None:
        raise ValueError("a secret of the house")

    monkeypatch.setattr(overview, "live", failing)
    monkeypatch.setattr(live, "live", failing)
    answer = client.get(path, headers={"accept-language": language})
    _is_ours(answer, language, 500)
    assert "secret" not in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/live"])
def test_a_store_of_people_that_cannot_be_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, language: str
) -> None:
    """Who asks is found before any route is reached."""

    def locked(_people: People, _secret: str) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(People, "by_session", locked)
    _is_ours(client.get(path, headers={"accept-language": language}), language, 503)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/live", "/api/v1/live", "/sign-in"])
def test_a_strange_host(client: TestClient, path: str, language: str) -> None:
    answer = client.get(path, headers={"host": "evil.example", "accept-language": language})
    _is_ours(answer, language, 400)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/handing-in/ledger", "/api/v1/ledger/import"])
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_too_large(client: TestClient, path: str, language: str, is_announced: bool) -> None:
    body = b"x" * (security.MAX_BODY_BYTES + 1)
    headers = {"accept-language": language, "content-type": "multipart/form-data; boundary=x"}
    answer = client.post(path, content=body if is_announced else iter([body]), headers=headers)
    _is_ours(answer, language, 413)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_body_that_is_none(client: TestClient, language: str) -> None:
    headers = {"accept-language": language, "content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/v1/ledger/import", content=b"garbage", headers=headers)
    _is_ours(answer, language, 400)


@pytest.mark.parametrize("wish", [{"result": ""}, {}, {"result": "x", "version": "0"}, {"result": "x", "action": "no"}])
def test_a_step_of_a_result_that_is_none(client: TestClient, wish: dict[str, str]) -> None:
    answer = client.post("/carbon/results/step", data={"version": "1", "action": "submitted", "result": "", **wish})
    _is_ours(answer, "zh", 422)
