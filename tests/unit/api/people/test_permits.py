"""Every route has its line in the one table, every line a route, and whoever is nobody comes nowhere."""

import re

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
        if not name.startswith("GET ") and permission not in {PUBLIC, OWN}:
            assert not PERMISSIONS[permission] & lookers, name


def _filled(path: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", "1", path)


@pytest.mark.parametrize("name", sorted(set(ROUTES) - OPEN))
def test_nobody_comes_nowhere(folder: DataFolder, name: str) -> None:
    method, path = name.split(" ", 1)
    with TestClient(create_app(folder, clock=FixedClock()), base_url="http://127.0.0.1") as client:
        answer = client.request(method, _filled(path), follow_redirects=False)
    if path.startswith(("/api/", "/charts/")):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    elif method == "GET":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    else:
        assert answer.status_code == 401
    assert "probe-works" not in answer.text


@pytest.mark.parametrize("role", [str(each) for each in Role])
def test_the_table_decides_for_every_role(folder: DataFolder, role: str) -> None:
    """Whoever lacks the permission is refused by the guard; whoever has it comes further, whatever then happens."""
    with client_of(folder, role=role) as client:
        for name, permission in sorted(ROUTES.items()):
            method, path = name.split(" ", 1)
            if permission == PUBLIC or name in {"GET /charts/engine.js", "POST /sign-out"} or method != "GET":
                continue
            if path.startswith("/charts/") and path.endswith(".svg"):
                continue  # the same line as its .json, which needs no drawing
            status = client.get(_filled(path), follow_redirects=False).status_code
            may = permission == OWN or Role(role) in PERMISSIONS[permission]
            assert (status == 403) is not may, f"{role} {name}: {status}"
        for name in sorted(ROUTES):
            method, path = name.split(" ", 1)
            permission = ROUTES[name]
            if method == "GET" or permission in {PUBLIC, OWN} or Role(role) in PERMISSIONS[permission]:
                continue
            assert client.request(method, _filled(path)).status_code == 403, name


def test_an_unknown_address_says_nothing_to_nobody(folder: DataFolder) -> None:
    with TestClient(create_app(folder, clock=FixedClock()), base_url="http://127.0.0.1") as client:
        assert client.get("/nothing", follow_redirects=False).status_code == 303
        assert client.get("/api/v1/nothing").status_code == 401
