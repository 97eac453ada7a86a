"""Signing in by link and password, throttling, forms, sessions, tokens, and what of it stands in the journal."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.people import hashing, store
from api.people.acts import Acts
from api.people.cli import first_administrator, link_address
from api.people.guard import FORM_FIELD, SESSION_COOKIE
from api.people.roles import Role
from api.people.store import AUTH_FILE, People
from api.problems import PersonError
from gateway.assembly.platform import SystemRandom
from gateway.domain.time import US_PER_DAY, US_PER_S
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.plant_folder import FixedClock

PASSWORD = "a long sentence about meters"


class House:
    """One folder with its accounts, a movable clock and a browser-like client."""

    def __init__(self, folder: DataFolder) -> None:
        self.clock = FixedClock()
        self.folder = folder
        self.people = People(self.folder.path / AUTH_FILE, self.clock, SystemRandom())
        self.journal = Journal.open(self.folder)
        self.acts = Acts(self.people, self.folder, self.journal, self.clock)
        self.app = create_app(self.folder, clock=self.clock)

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url="http://127.0.0.1")

    def entries(self) -> list[dict[str, object]]:
        return [each.body for each in self.journal.read(0, 10_000, {"user"})]

    def with_password(self, id_: str = "wang", role: Role = Role.ENERGY_MANAGER) -> None:
        self.acts.add(id_, name="王", roles=frozenset({role}), until_us=None, actor="root")
        self.acts.password(id_, PASSWORD, actor=id_)


@pytest.fixture
def house(fresh: DataFolder) -> Iterator[House]:
    made = House(fresh)
    yield made
    made.journal.close()
    made.people.close()


def _token(page: str) -> str:
    return re.findall(rf'name="{FORM_FIELD}" value="([^"]+)"', page)[0]


def _sign_in(client: TestClient, name: str, password: str, next_: str = "/energy") -> int:
    token = _token(client.get("/sign-in").text)
    form = {"name": name, "password": password, "next": next_, FORM_FIELD: token}
    return client.post("/sign-in", data=form, follow_redirects=False).status_code


def test_a_link_signs_in_once(house: House) -> None:
    house.acts.add("li", name="李工", roles=frozenset({Role.CUSTODIAN}), until_us=None, actor="root")
    code = house.acts.link("li", actor="root")
    client = house.browser()
    for _ in range(2):  # looking at it uses nothing up
        page = client.get(f"/sign-in/link?code={code}&lang=zh").text
        assert "李工" in page
        assert "器具管理员" in page
    form = {"code": code, FORM_FIELD: _token(page)}
    answer = client.post("/sign-in/link", data=form, follow_redirects=False)
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert client.get("/").status_code == 200
    assert client.get("/journal").status_code == 200
    other = house.browser()
    assert other.get(f"/sign-in/link?code={code}").status_code == 403
    form[FORM_FIELD] = _token(other.get("/sign-in").text)
    assert other.post("/sign-in/link", data=form).status_code == 403
    told = [each["action"] for each in house.entries()]
    assert told == ["user.added", "user.link_issued", "user.signed_in"]
    assert code not in str(house.entries())


def test_a_link_ends_after_a_day(house: House) -> None:
    house.acts.add("li", name="李工", roles=frozenset({Role.CUSTODIAN}), until_us=None, actor="root")
    code = house.acts.link("li", actor="root")
    house.clock.at_us += store.LINK_US
    assert house.browser().get(f"/sign-in/link?code={code}").status_code == 403


def test_by_password_and_out_again(house: House) -> None:
    house.with_password()
    client = house.browser()
    assert _sign_in(client, "wang", PASSWORD) == 303
    page = client.get("/account").text
    session = client.cookies[SESSION_COOKIE]
    assert session not in page
    assert client.post("/sign-out", data={FORM_FIELD: _token(page)}, follow_redirects=False).status_code == 303
    client.cookies.set(SESSION_COOKIE, session)
    assert client.get("/", follow_redirects=False).status_code == 303, "the session is over on the server too"
    stored = (house.folder.path / AUTH_FILE).read_bytes()
    for secret in (PASSWORD, session):
        assert secret.encode() not in stored
        assert secret not in str(house.entries())


def test_after_signing_in_one_comes_where_one_wanted_but_never_elsewhere(house: House) -> None:
    house.with_password()
    for wanted, there in (
        ("/energy?point=P-01", "/energy?point=P-01"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        client = house.browser()
        token = _token(client.get("/sign-in").text)
        form = {"name": "wang", "password": PASSWORD, "next": wanted, FORM_FIELD: token}
        assert client.post("/sign-in", data=form, follow_redirects=False).headers["location"] == there


def test_wrong_tries_are_slowed_and_told_once(house: House) -> None:
    house.with_password()
    client = house.browser()
    assert [_sign_in(client, "wang", "wrong") for _ in range(store.FREE_TRIES)] == [403] * store.FREE_TRIES
    assert _sign_in(client, "wang", PASSWORD) == 429, "the right password must wait too"
    house.clock.at_us += 3 * US_PER_S
    assert _sign_in(client, "wang", PASSWORD) == 303
    assert [each["action"] for each in house.entries()].count("user.sign_in_refused") == 1
    assert [_sign_in(house.browser(), "nobody", "x") for _ in range(store.FREE_TRIES + 1)][-1] == 429


def test_many_tries_at_once_are_no_more_than_one_after_another(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """All come before any has failed: each verification waits until every request has been answered or waits too."""
    house.with_password()
    made, tried = [], Barrier(store.FREE_TRIES)

    def slow(_stored: str | None, secret: str) -> bool:
        made.append(secret)
        tried.wait(60)  # released only once as many as are free stand here together
        return False

    tokens = {}
    for number in range(4 * store.FREE_TRIES):
        client = house.browser()
        tokens[number] = client, _token(client.get("/sign-in").text)
    monkeypatch.setattr(hashing, "matches", slow)

    def attempt(number: int) -> int:
        client, token = tokens[number]
        form = {"name": "wang", "password": f"guess {number}", FORM_FIELD: token}
        return client.post("/sign-in", data=form, follow_redirects=False).status_code

    with ThreadPoolExecutor(len(tokens)) as crowd:
        statuses = sorted(crowd.map(attempt, tokens))
    assert len(made) == store.FREE_TRIES
    assert statuses == [403] * store.FREE_TRIES + [429] * (3 * store.FREE_TRIES)


def test_a_token_makes_no_token_no_password_and_no_link(house: House) -> None:
    house.acts.add("root", name="管", roles=frozenset({Role.ADMINISTRATOR}), until_us=None, actor="root")
    _, token = house.acts.token("root", label="x", until_us=house.clock.at_us + US_PER_DAY, actor="root")
    before = len(house.entries())
    program = house.browser()
    program.headers["authorization"] = f"Bearer {token}"
    assert program.get("/api/v1/people").status_code == 200
    for path, form in (
        ("/account/tokens", {"label": "for ever"}),
        ("/account/tokens/revoke", {"token": token.partition(".")[0]}),
        ("/account/password", {"password": PASSWORD, "again": PASSWORD}),
        ("/settings/people/link", {"id": "root"}),
        ("/settings/people", {"id": "mallory", "name": "m", "role": "administrator"}),
        ("/settings/people/disable", {"id": "root"}),
    ):
        assert program.post(path, data=form, follow_redirects=False).status_code == 403, path
    assert len(house.entries()) == before
    person = house.people.person("root")
    assert person is not None
    assert not person.has_password


@pytest.mark.parametrize("wrong", ["", "0" * 64])
def test_a_form_without_its_token_does_nothing(house: House, wrong: str) -> None:
    house.with_password()
    client = house.browser()
    client.get("/sign-in")
    form = {"name": "wang", "password": PASSWORD, FORM_FIELD: wrong}
    assert client.post("/sign-in", data=form).status_code == 403
    assert _sign_in(client, "wang", PASSWORD) == 303
    assert client.post("/account/tokens", data={"label": "x", FORM_FIELD: wrong}).status_code == 403
    token = _token(client.get("/account").text)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post("/account/tokens", data={"label": "x", FORM_FIELD: token}, headers=headers)
        assert answer.status_code == 403
    assert house.people.tokens("wang") == []


def test_tokens(house: House) -> None:
    house.with_password()
    client = house.browser()
    _sign_in(client, "wang", PASSWORD)
    token = _token(client.get("/account").text)
    page = client.post("/account/tokens", data={"label": "历史库", FORM_FIELD: token}).text
    text = re.findall(r'class="secret">([^<]+)<', page)[0]
    assert text not in client.get("/account").text, "shown once"
    program = house.browser()
    bearer = {"authorization": f"Bearer {text}"}
    assert program.get("/api/v1/points", headers=bearer).status_code == 200
    assert program.get("/api/v1/points", headers={"authorization": f"Bearer {text}x"}).status_code == 401
    assert program.get("/api/v1/points", headers={"authorization": f"Basic {text}"}).status_code == 401
    assert text.split(".")[1].encode() not in (house.folder.path / AUTH_FILE).read_bytes()
    client.post("/account/tokens/revoke", data={"token": text.split(".", maxsplit=1)[0], FORM_FIELD: token})
    assert program.get("/api/v1/points", headers=bearer).status_code == 401
    assert text.split(".")[1] not in str(house.entries())


def test_a_password_of_ones_own(house: House) -> None:
    house.acts.add("li", name="李工", roles=frozenset({Role.CUSTODIAN}), until_us=None, actor="root")
    client = house.browser()
    code = house.acts.link("li", actor="root")
    form = {"code": code, FORM_FIELD: _token(client.get(f"/sign-in/link?code={code}").text)}
    client.post("/sign-in/link", data=form)
    token = _token(client.get("/account").text)
    for new, again, status in (("short", "short", 422), (PASSWORD, PASSWORD + "!", 422), (PASSWORD, PASSWORD, 200)):
        form = {"password": new, "again": again, FORM_FIELD: token}
        assert client.post("/account/password", data=form).status_code == status
    form = {"current": "not it", "password": PASSWORD * 2, "again": PASSWORD * 2, FORM_FIELD: token}
    assert client.post("/account/password", data=form).status_code == 422
    assert _sign_in(house.browser(), "li", PASSWORD) == 303


def test_sessions_end_by_rest_and_by_age(house: House) -> None:
    house.with_password()
    secret = house.people.begin_session("wang")
    house.clock.at_us += store.SESSION_US - 1
    assert house.people.by_session(secret)
    house.clock.at_us += store.SESSION_US
    assert house.people.by_session(secret) is None
    secret = house.people.begin_session("wang")
    for _ in range(store.SESSION_LIMIT_US // store.SESSION_US * 2):
        house.clock.at_us += store.SESSION_US // 2
        house.people.by_session(secret)
    assert house.people.by_session(secret) is None


def test_a_disabled_account_is_out_at_once(house: House) -> None:
    house.with_password()
    client = house.browser()
    _sign_in(client, "wang", PASSWORD)
    _, token = house.acts.token("wang", label="x", until_us=None, actor="wang")
    house.acts.disable("wang", actor="root", reason="left")
    assert client.get("/", follow_redirects=False).status_code == 303
    bearer = {"authorization": f"Bearer {token}"}
    assert house.browser().get("/api/v1/points", headers=bearer).status_code == 401
    assert _sign_in(house.browser(), "wang", PASSWORD) == 403


def test_a_reviewer_is_for_a_time(house: House) -> None:
    facts = {"name": "审", "roles": frozenset({Role.REVIEWER}), "actor": "root"}
    with pytest.raises(PersonError):
        house.acts.add("shen", until_us=None, **facts)  # type: ignore[arg-type]  # a bundle of keywords
    house.acts.add("shen", until_us=house.clock.at_us + US_PER_DAY, **facts)  # type: ignore[arg-type]
    secret = house.people.begin_session("shen")
    assert house.people.by_session(secret)
    house.clock.at_us += US_PER_DAY
    assert house.people.by_session(secret) is None
    with pytest.raises(PersonError):
        house.acts.link("shen", actor="root")


def test_somebody_can_always_let_others_in(house: House) -> None:
    admin = frozenset({Role.ADMINISTRATOR})
    house.acts.add("a", name="a", roles=admin, until_us=None, actor="root")
    with pytest.raises(PersonError):
        house.acts.disable("a", actor="a")
    with pytest.raises(PersonError):
        house.acts.add("a", name="a", roles=frozenset({Role.OPERATOR}), until_us=None, actor="a")
    house.acts.add("b", name="b", roles=admin, until_us=None, actor="a")
    house.acts.disable("a", actor="b")


@pytest.mark.parametrize("id_", ["", "A", "../x", "x" * 41, "_x", "a b", "a/b", "a\n"])
def test_ids_are_plain(house: House, id_: str) -> None:
    with pytest.raises(PersonError):
        house.acts.add(id_, name="n", roles=frozenset({Role.OPERATOR}), until_us=None, actor="root")


def test_the_file_is_private(house: House) -> None:
    assert (house.folder.path / AUTH_FILE).stat().st_mode & 0o077 == 0


def test_a_link_is_an_address(house: House) -> None:
    link = link_address("http://127.0.0.1:8420/", first_administrator(house.acts))
    parts = urlsplit(link)
    assert (parts.netloc, parts.path) == ("127.0.0.1:8420", "/sign-in/link")
    code = parse_qs(parts.query)["code"][0]
    person = house.people.by_link(code)
    assert person is not None
    assert person.roles == {Role.ADMINISTRATOR}
    opened = DataFolder.open(house.folder.path)
    assert opened.organisation == person.organisation
