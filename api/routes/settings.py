"""``/api/v1``: settings as recorded, and the accounts."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.answers import answered, described
from api.asked import AskedFor
from api.people.store import People
from api.questions.settings import Settings, settings_of

router = APIRouter(prefix="/api/v1")


class Account(BaseModel):
    """An account without its secrets. Instants are µs UTC."""

    id: str
    name: str
    roles: list[str]
    created_us: int
    until_us: int | None
    disabled_us: int | None
    has_password: bool


@router.get("/settings", **described("SettingsAnswer", Settings, "What runs here and how it is set up."))
def get_settings(asked: AskedFor) -> Response:
    """Site, time zone, software, sinks, seal, devices and the site's configuration as recorded."""
    return answered(asked, settings_of(asked).model_dump())


@router.get("/people", **described("PeopleAnswer", list[Account], "The accounts of one's organisation."))
def get_people(request: Request, asked: AskedFor) -> Response:
    """The accounts of one's organisation."""
    people: People = request.app.state.people
    listed = [
        Account(
            id=each.id,
            name=each.name,
            roles=sorted(each.roles),
            created_us=each.created_us,
            until_us=each.until_us,
            disabled_us=each.disabled_us,
            has_password=each.has_password,
        ).model_dump()
        for each in people.listed(asked.person.organisation)
    ]
    return answered(asked, listed)
