"""A person's command: an entry in their name, an answer once it is projected, else the place to look."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import pytest
from fastapi import Form
from fastapi.responses import Response
from fastapi.testclient import TestClient

from api.app import create_app
from api.people import permits
from api.people.guard import FORM_FIELD, SESSION_COOKIE, TOKEN_HEADER
from api.people.hashing import form_token
from api.writing import WritingFor
from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.people import session_of

PATHS = ("/probe/note", "/api/v1/probe/note", "/probe/foreign", "/probe/nothing")


@pytest.fixture
def folder(fresh: DataFolder) -> DataFolder:
    return fresh


@pytest.fixture
def client(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    for path in PATHS:
        monkeypatch.setitem(permits.ROUTES, f"POST {path}", "quality.decide")
    clock = SystemClock()
    app = create_app(folder, clock=clock)

    def note(writing: WritingFor, text: Annotated[str, Form()] = "") -> Response:
        return writing.done([writing.event("probe.noted", about="P-01", new=text)], then="/live?root=P-01")

    def foreign(writing: WritingFor) -> Response:
        return writing.done([Draft("event", "other/site/x", writing.at_us, {"actor": "x"})], then="/")

    def nothing(writing: WritingFor) -> Response:
        return writing.done([], then="/live")

    app.add_api_route("/probe/note", note, methods=["POST"])
    app.add_api_route("/api/v1/probe/note", note, methods=["POST"])
    app.add_api_route("/probe/foreign", foreign, methods=["POST"])
    app.add_api_route("/probe/nothing", nothing, methods=["POST"])
    _, secret = session_of(folder, clock=clock)
    with TestClient(app, base_url="http://127.0.0.1") as made:
        made.cookies.set(SESSION_COOKIE, secret)
        made.headers[TOKEN_HEADER] = form_token(secret)
        yield made


@contextmanager
def projecting(folder: DataFolder) -> Iterator[None]:
    """The projection, live beside the server."""
    over = threading.Event()

    def follow() -> None:
        projection = Projection(DataFolder.open(folder.path), SystemClock())
        try:
            while not over.wait(0.01):
                projection.step()
        finally:
            projection.close()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def project(folder: DataFolder) -> None:
    projection = Projection(DataFolder.open(folder.path), SystemClock())
    try:
        while projection.step().applied:
            pass
    finally:
        projection.close()


def noted(folder: DataFolder) -> list[dict[str, object]]:
    with Journal.open(folder, read_only=True) as journal:
        found = [each.body for each in journal.read(0, 10_000, {"event"})]
    return [each for each in found if each["action"] == "probe.noted"]


def test_an_entry_in_the_persons_name(client: TestClient, folder: DataFolder) -> None:
    with projecting(folder):
        answer = client.post("/probe/note", data={"text": "查过了"}, follow_redirects=False)
    assert answer.status_code in {202, 303}, "a busy machine may project later than the answer waits"
    (entry,) = noted(folder)
    assert entry["actor"] == "energy-manager.probe-works"
    assert entry["new"] == "查过了"
    assert {"clock", "configuration", "software"} <= entry.keys()


def test_a_form_leads_on_once_projected(client: TestClient, folder: DataFolder) -> None:
    answer = client.post("/probe/note", data={"text": "x"}, follow_redirects=False)
    assert answer.status_code == 202, "nothing projects here"
    look = answer.headers["refresh"].partition("url=")[2]
    assert client.get(look, follow_redirects=False).status_code == 202
    project(folder)
    there = client.get(look, follow_redirects=False)
    assert there.status_code == 303
    assert there.headers["location"].startswith("/live?root=P-01&recorded=")
    assert "/journal/" in client.get(there.headers["location"]).text


def test_the_api_names_entry_and_place_to_look(client: TestClient, folder: DataFolder) -> None:
    answer = client.post("/api/v1/probe/note", data={"text": "x"})
    assert answer.status_code == 202
    said = answer.json()
    assert said["projected"] is False
    assert answer.headers["location"] == said["look"] == f"/api/v1/writes/{said['last']}"
    assert client.get(said["look"]).json()["projected"] is False
    project(folder)
    assert client.get(said["look"]).json()["projected"] is True


def test_nobody_writes_about_another_organisation(client: TestClient, folder: DataFolder) -> None:
    with Journal.open(folder, read_only=True) as journal:
        before = journal.head()
        assert client.post("/probe/foreign").status_code == 404
        assert journal.head() == before


def test_what_brings_nothing_new_says_so(client: TestClient) -> None:
    answer = client.post("/probe/nothing", follow_redirects=False)
    assert answer.headers["location"] == "/live?recorded=0"


def test_without_a_token_nothing_is_written(client: TestClient, folder: DataFolder) -> None:
    del client.headers[TOKEN_HEADER]
    assert client.post("/probe/note", data={"text": "x"}).status_code == 403
    assert client.post("/probe/note", data={"text": "x", FORM_FIELD: "0"}).status_code == 403
    assert noted(folder) == []


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_waiting_leads_nowhere_else(client: TestClient, folder: DataFolder, then: str) -> None:
    del folder
    answer = client.get("/writes/1", params={"then": then}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
