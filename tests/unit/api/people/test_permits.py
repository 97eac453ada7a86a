"""Every route has its line in the one table, every line a route, and whoever is nobody comes nowhere."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import EVERY_ROUTER, create_app
from api.people.permits import ROUTES, route_name
from api.people.roles import OWN, PERMISSIONS, PUBLIC, Role, allowed
from gateway.journal.folder import DataFolder
from tests.people import client_of
from tests.plant_folder import FixedClock

OPEN = {"GET /sign-in", "POST /sign-in", "GET /sign-in/link", "POST /sign-in/link"}


def _declared() -> list[tuple[str, APIRoute | None]]:
    found: list[tuple[str, APIRoute | None]] = [("GET /api/v1/openapi.json", None)]
    for router in EVERY_ROUTER:
        for route in router.routes:
            assert isinstance(route, APIRoute), f"{route} is no route the guard sees"
            found += [(route_name(method, route.path), route) for method in sorted(route.methods)]
    return found


def test_every_route_has_a_line() -> None:
    missing = sorted({name for name, _ in _declared()} - set(ROUTES))
    assert not missing, f"add to api/people/permits.py: {missing}"


def test_every_line_has_a_route() -> None:
    assert not sorted(set(ROUTES) - {name for name, _ in _declared()})


def test_every_permission_is_known_and_somebody_has_it() -> None:
    assert set(ROUTES.values()) - {PUBLIC} <= set(PERMISSIONS)
    assert all(PERMISSIONS.values())
    assert {name for name, permission in ROUTES.items() if permission == PUBLIC} == OPEN
    assert not allowed(frozenset(Role), "no such permission")


def test_who_only_looks_cannot_write() -> None:
    lookers = {Role.MARKET_SUPERVISION, Role.DEVELOPMENT_SUPERVISION, Role.ENVIRONMENT_SUPERVISION}
    writing = {name for name in PERMISSIONS if "." in name} | {"settings", "people"}
    for role in lookers:
        assert not [each for each in writing if allowed(frozenset({role}), each)]
    for name, permission in ROUTES.items():
        # a package or a report is handed out, which is on record too, but changes nothing about the plant
        if not name.startswith("GET ") and permission not in {PUBLIC, OWN, "export", "reports"}:
            assert not PERMISSIONS[permission] & lookers, name


def _filled(path: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "1", path)


@pytest.fixture(scope="module")
def nobody(folder: DataFolder) -> Iterator[TestClient]:
    with TestClient(create_app(folder, clock=FixedClock()), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.parametrize("name", sorted(set(ROUTES) - OPEN))
def test_nobody_comes_nowhere(nobody: TestClient, name: str) -> None:
    method, path = name.split(" ", 1)
    answer = nobody.request(method, _filled(path), follow_redirects=False)
    if path.startswith(("/api/", "/charts/")):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    elif method == "GET":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 401
    assert "probe-works" not in answer.text


@pytest.mark.parametrize("role", [str(each) for each in Role])
def test_the_table_refuses_every_role_what_it_does_not_have(folder: DataFolder, role: str) -> None:
    with client_of(folder, role=role) as client:
        for name, permission in sorted(ROUTES.items()):
            method, path = name.split(" ", 1)
            if permission not in {PUBLIC, OWN} and Role(role) not in PERMISSIONS[permission]:
                answer = client.request(method, _filled(path), follow_redirects=False)
                assert answer.status_code == 403, f"{role} {name}"


def test_whoever_has_the_permission_comes_further(folder: DataFolder) -> None:
    with client_of(folder, role="everything") as client:
        for name, permission in sorted(ROUTES.items()):
            method, path = name.split(" ", 1)
            drawn = path.endswith(".svg") or path in {"/charts/engine.js", "/live/events"}
            if method == "GET" and permission != PUBLIC and not drawn:
                assert client.get(_filled(path), follow_redirects=False).status_code != 403, name


def test_an_unknown_address_says_nothing_to_nobody(nobody: TestClient) -> None:
    assert nobody.get("/nothing", follow_redirects=False).status_code == 303
    assert nobody.get("/api/v1/nothing").status_code == 401
