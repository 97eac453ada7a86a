"""设置: who sees it, what it says, and how an administrator lets people in and out."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from lxml import html

from api.people.store import AUTH_FILE, People
from gateway.assembly.platform import SystemRandom
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.people import client_of, session_of
from tests.plant_folder import FixedClock


@pytest.fixture
def folder(fresh: DataFolder) -> DataFolder:
    return fresh


@pytest.fixture
def admin(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, role="administrator") as client:
        yield client


def add(client: TestClient, **form: object) -> int:
    facts = {"id": "wang", "name": "王工", "role": ["operator"], **form}
    return client.post("/settings/people", data=facts, follow_redirects=False).status_code


def test_the_page_says_what_the_api_says(admin: TestClient) -> None:
    said = admin.get("/api/v1/settings").json()["result"]
    page = admin.get("/settings?lang=en").text
    for each in (said["software"], said["time_zone"], "Asia/Shanghai", said["devices"][0]["id"], said["folder"]):
        assert each in page
    assert f"{said['head']:,}" in page
    assert {each["id"] for each in said["devices"]} == {"intake", "mill"}
    assert said["simulated"] is True
    stores = html.fromstring(page).xpath("//section[@id='projections']")[0].text_content()
    for each in said["projections"]:
        assert each["store"] in stores
        assert each["behind"] in {0, None}
    assert f"meterproof rebuild --data {said['folder']}" in stores


def test_people_come_and_go(admin: TestClient, folder: DataFolder) -> None:
    assert add(admin) == 303
    assert "王工" in admin.get("/settings").text
    page = admin.post("/settings/people/link", data={"id": "wang"}).text
    code = re.findall(r"sign-in/link\?code=([\w-]+)", page)[0]
    assert code not in admin.get("/settings").text, "shown once"
    people = People(folder.path / AUTH_FILE, FixedClock(), SystemRandom())
    person = people.by_link(code)
    people.close()
    assert person is not None
    assert person.id == "wang"
    assert add(admin, role=["operator", "custodian"]) == 303
    (wang,) = [each for each in admin.get("/api/v1/people").json()["result"] if each["id"] == "wang"]
    assert wang["roles"] == ["custodian", "operator"]
    assert admin.post("/settings/people/disable", data={"id": "wang"}, follow_redirects=False).status_code == 303
    assert admin.post("/settings/people/link", data={"id": "wang"}).status_code == 422
    assert admin.post("/settings/people/enable", data={"id": "wang"}, follow_redirects=False).status_code == 303
    with Journal.open(folder, read_only=True) as journal:
        told = [each.body for each in journal.read(0, 10_000, {"user"})]
    assert [each["action"] for each in told] == [
        "user.added",
        "user.link_issued",
        "user.changed",
        "user.disabled",
        "user.enabled",
    ]
    assert {each["actor"] for each in told} == {"administrator.probe-works"}
    assert "王工" not in str(told), "the journal names people by account"
    assert code not in str(told)


@pytest.mark.parametrize(
    "form",
    [{"id": "Ä"}, {"name": " "}, {"role": []}, {"role": ["reviewer"]}, {"role": ["emperor"]}, {"until": "tomorrow"}],
)
def test_a_wrong_account_is_a_sentence(admin: TestClient, form: dict[str, object]) -> None:
    assert add(admin, **form) == 422
    assert "wang" not in str(admin.get("/api/v1/people").json()["result"])


def test_a_reviewer_until_a_day(admin: TestClient) -> None:
    assert add(admin, role=["reviewer"], until="2026-06-30") == 303
    (wang,) = [each for each in admin.get("/api/v1/people").json()["result"] if each["id"] == "wang"]
    assert wang["until_time"] == "2026-06-30T16:00:00Z", "midnight in Shanghai"


def test_nobody_touches_another_organisations_accounts(admin: TestClient, folder: DataFolder) -> None:
    other, _ = session_of(folder, clock=FixedClock(), role="administrator", organisation="elsewhere")
    assert other not in admin.get("/settings").text
    for act in ("link", "disable", "enable"):
        assert admin.post(f"/settings/people/{act}", data={"id": other}).status_code == 404
    assert add(admin, id=other) == 422


def test_the_energy_manager_looks_only(folder: DataFolder) -> None:
    with client_of(folder) as client:
        page = client.get("/settings").text
        assert "Asia/Shanghai" in page
        assert 'action="/settings/people"' not in page
        assert client.get("/api/v1/people").status_code == 403
        assert add(client) == 403
