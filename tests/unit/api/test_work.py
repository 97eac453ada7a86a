"""Long work: begun, looked at, left; packages; and the stream that says when there is something new."""

import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response
from fastapi.testclient import TestClient

from api import finished_work
from api.app import create_app
from api.job import Job
from api.people import permits
from api.people.guard import SESSION_COOKIE, TOKEN_HEADER, SignedIn
from api.people.hashing import form_token
from api.work import begin
from gateway.assembly.platform import SystemClock
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.sealer import Sealer
from tests.people import client_of, session_of
from tests.plant_folder import FixedClock


class Probe:
    """An application with one piece of long work that waits until it is told to go on."""

    def __init__(self, folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        self.error: Exception | None = None
        self.brings = b""
        self.begun = threading.Event()
        self.folder = folder
        for path in ("/probe/begin", "/api/v1/probe/begin"):
            monkeypatch.setitem(permits.ROUTES, f"POST {path}", "own")
        self.app = create_app(folder, clock=SystemClock())

        def start(request: Request, person: SignedIn) -> Response:
            title = "Evidence package from %(first)s to %(last)s"
            return begin(request, person, title, self.work, again="/reports", first="a", last="b")

        self.app.add_api_route("/probe/begin", start, methods=["POST"])
        self.app.add_api_route("/api/v1/probe/begin", start, methods=["POST"])

    def work(self, job: Job) -> None:
        job.progress(3, 10, "done")
        self.begun.set()
        assert self.go.wait(60)
        if self.error is not None:
            raise self.error
        if self.brings:
            (job.room / "brought").write_bytes(self.brings)
            job.finish_with(file=job.room / "brought", file_name="brought.txt")
        else:
            job.finish_with(address="/energy")

    def sign_in(self, client: TestClient, role: str = "energy_manager") -> None:
        _, secret = session_of(self.folder, clock=SystemClock(), role=role)
        client.cookies.set(SESSION_COOKIE, secret)
        client.headers[TOKEN_HEADER] = form_token(secret)


@pytest.fixture
def probe(fresh: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Probe]:
    made = Probe(fresh, monkeypatch)
    yield made
    made.go.set()


def ended(client: TestClient, look: str) -> dict[str, Any]:
    for _ in range(3_000):
        said: dict[str, Any] = client.get(look).json()
        if said["ended_us"] is not None:
            return said
        time.sleep(0.02)
    pytest.fail("the work did not end")


def test_it_shows_how_far_it_is_and_goes_on_when_left(probe: Probe) -> None:
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        there = client.post("/probe/begin", follow_redirects=False).headers["location"]
        assert probe.begun.wait(60)
        page = client.get(f"{there}?lang=zh")
        assert "3 / 10" in page.text
        assert "进行中" in page.text
        assert page.headers["refresh"] == "2"
        assert client.get("/energy").status_code == 200, "one can leave"
        probe.go.set()
        said = ended(client, "/api/v1" + there)
        assert (said["state"], said["address"]) == ("done", "/energy")
        assert "refresh" not in client.get(there).headers
        assert there in client.get("/jobs").text


def restarted(probe: Probe) -> TestClient:
    """Another server over the same folder."""
    client = TestClient(create_app(probe.folder, clock=SystemClock()), base_url="http://127.0.0.1")
    probe.sign_in(client)
    return client


def test_a_result_is_found_again_after_a_restart(probe: Probe) -> None:
    probe.brings = b"report"
    probe.go.set()
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        there = client.post("/probe/begin", follow_redirects=False).headers["location"]
        before = ended(client, "/api/v1" + there)
    with restarted(probe) as client:
        assert client.get("/api/v1" + there).json() == before
        assert client.get(before["file"]).content == b"report"
        assert "a" in before["title"]
        assert there in client.get("/jobs").text
        probe.sign_in(client, "custodian")
        assert client.get(before["file"]).status_code == 404, "after a restart, too, nobody sees another's"


def test_what_was_under_way_is_interrupted_and_begun_again(probe: Probe) -> None:
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        there = client.post("/probe/begin", follow_redirects=False).headers["location"]
        assert probe.begun.wait(60)
        with restarted(probe) as after:  # as a server sees it that comes after a power cut
            assert after.get("/api/v1" + there).json()["state"] == "interrupted"
            page = after.get(f"{there}?lang=zh")
            assert "已中断" in page.text
            assert 'href="/reports"' in page.text
            assert "refresh" not in page.headers
            probe.go.set()


def test_what_is_kept_has_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(number: int, size: int) -> Job:
        id_ = f"{number:018x}"
        job = Job(id_, "p", "o", "t", {}, begun_us=number * finished_work.MAX_AGE_US // 20, room=tmp_path / id_)
        job.state, job.ended_us = "done", job.begun_us
        finished_work.write(job)
        job.file = job.room / "x"
        job.file.write_bytes(b"x" * size)
        finished_work.write(job)
        return job

    jobs = [kept(number, 10) for number in range(30)]
    assert [each.id for each in finished_work.found(tmp_path)] == [each.id for each in jobs]
    now_us = jobs[-1].begun_us
    assert len(finished_work.outlived(jobs, now_us)) == 9, "older than the limit"
    monkeypatch.setattr(finished_work, "MAX_JOBS", 5)
    assert finished_work.outlived(jobs, now_us)[0] is jobs[-6]
    monkeypatch.setattr(finished_work, "MAX_BYTES", 25)
    assert finished_work.outlived(jobs, now_us)[0] is jobs[-3]
    monkeypatch.setattr(finished_work, "MAX_BYTES", 5)
    assert jobs[-1] not in finished_work.outlived(jobs, now_us), "the newest stays, however large"
    finished_work.drop(jobs[0])
    (jobs[1].room / "job.json").write_text("{}", "utf-8")
    (jobs[2].room / "job.json").write_text('{"id": "../..", "file": "../../../etc/passwd"}', "utf-8")
    (tmp_path / "notes").mkdir()
    assert [each.id for each in finished_work.found(tmp_path)] == [each.id for each in jobs[3:]]


def test_nobody_sees_anothers_work(probe: Probe) -> None:
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        look = client.post("/api/v1/probe/begin").headers["location"]
        probe.sign_in(client, "custodian")
        assert client.get(look).status_code == 404
        probe.go.set()


def test_two_at_once_are_enough(probe: Probe) -> None:
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        assert [client.post("/api/v1/probe/begin").status_code for _ in range(3)] == [202, 202, 429]
        probe.go.set()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConfigurationError(["line 3: no such point"]), "line 3: no such point"),
        (UnknownObjectError("there is no work %(id)s", id="7"), "没有任务 7"),
        (RuntimeError("disk on fire"), "disk on fire"),
    ],
)
def test_what_went_wrong_is_said(probe: Probe, error: Exception, said: str) -> None:
    probe.error = error
    probe.go.set()
    with TestClient(probe.app, base_url="http://127.0.0.1") as client:
        probe.sign_in(client)
        found = ended(client, client.post("/api/v1/probe/begin?lang=zh").headers["location"] + "?lang=zh")
        assert found["state"] == "failed"
        assert said in "\n".join(found["said"])


def test_a_reviewer_takes_a_package_along(fresh: DataFolder, tmp_path: Path) -> None:
    folder = fresh
    clock = SystemClock()
    with Journal.open(folder) as journal:
        Sealer(folder, clock).seal(journal)
    with client_of(folder, clock=clock, role="reviewer") as client:
        form = {"from": "2026-03-10", "to": "2026-03-10", "points": "P-01", "reason": "年度审查"}
        there = client.post("/journal/export", data=form, follow_redirects=False).headers["location"]
        said = ended(client, "/api/v1" + there)
        assert said["state"] == "done", said
        answer = client.get(said["file"])
        assert "SIMULATED-probe-works" in answer.headers["content-disposition"]
        assert "manifest.json" in "".join(zipfile.ZipFile(BytesIO(answer.content)).namelist())
        with client_of(folder, clock=clock, role="reviewer", organisation="elsewhere") as stranger:
            assert stranger.post("/journal/export", data=form).status_code == 403
    package = tmp_path / "package.zip"
    package.write_bytes(answer.content)
    command = [sys.executable, "-m", "gateway.verifier", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_package_needs_its_days(fresh: DataFolder) -> None:
    with client_of(fresh, role="reviewer") as client:
        for form in ({}, {"from": "2026-03-10"}, {"from": "2026-03-11", "to": "2026-03-09"}, {"from": "x", "to": "y"}):
            assert client.post("/journal/export", data=form).status_code == 422


def test_the_stream_names_the_newest_entry(fresh: DataFolder) -> None:
    folder = fresh
    with client_of(folder, clock=FixedClock()) as client:
        answer = client.get("/live/events")  # under this clock its ten minutes pass at once
        assert answer.headers["content-type"].startswith("text/event-stream")
        with Journal.open(folder, read_only=True) as journal:
            assert f"event: entry\ndata: {journal.head()}\n\n" in answer.text
        assert answer.text.count("event: entry") == 1, "nothing new is not said as news"
