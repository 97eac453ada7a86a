"""Signing in for tests: accounts and sessions straight in the store, so that no entry is written on the way.

``with client_of(folder) as client`` replaces a bare ``TestClient(create_app(folder, clock=…))``. The client holds a
session of the role ``energy_manager`` unless another is named, and sends its form token with writing requests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from api.people.guard import SESSION_COOKIE, TOKEN_HEADER
from api.people.hashing import form_token
from api.people.roles import Role
from api.people.store import AUTH_FILE, People
from gateway.assembly.platform import SystemRandom
from gateway.journal.folder import DataFolder
from gateway.ports import Clock
from tests.plant_folder import FixedClock

DAY_US = 86_400_000_000
EVERYTHING = frozenset(Role)


def roles_of(role: str) -> frozenset[Role]:
    """The roles a word stands for: one role, or ``everything``."""
    return EVERYTHING if role == "everything" else frozenset({Role(role)})


def session_of(
    folder: DataFolder | Path, *, clock: Clock, role: str = "energy_manager", organisation: str | None = None
) -> tuple[str, str]:
    """Person id and session secret of somebody with this role; the account is made when there is none."""
    if not isinstance(folder, DataFolder):
        folder = DataFolder.open(folder, read_only=True)
    people = People(folder.path / AUTH_FILE, clock, SystemRandom())
    try:
        organisation = organisation or folder.organisation
        person = f"{role}.{organisation}"[:40].replace("_", "-")
        if people.person(person) is None:
            until = clock.utc_us() + 3_650 * DAY_US
            people.put(person, organisation=organisation, name=f"T {role}", roles=roles_of(role), until_us=until)
        return person, people.begin_session(person)
    finally:
        people.close()


@contextmanager
def client_of(
    folder: DataFolder | Path,
    *,
    clock: Clock | None = None,
    role: str = "energy_manager",
    organisation: str | None = None,
) -> Iterator[TestClient]:
    """A signed-in client of an application of its own over the folder."""
    clock = clock or FixedClock()
    _, secret = session_of(folder, clock=clock, role=role, organisation=organisation)
    with TestClient(create_app(folder, clock=clock), base_url="http://127.0.0.1") as client:
        client.cookies.set(SESSION_COOKIE, secret)
        client.headers[TOKEN_HEADER] = form_token(secret)
        yield client


SERVED: dict[str, tuple[DataFolder, Clock]] = {}
"""Folder and clock behind the address of a server that tests started."""


def cookies_of(address: str, role: str) -> list[dict[str, str]]:
    """The cookies of a browser in which somebody with this role is signed in at a served address."""
    folder, clock = SERVED[address]
    _, secret = session_of(folder, clock=clock, role=role)
    return [{"name": SESSION_COOKIE, "value": secret, "url": address}]
