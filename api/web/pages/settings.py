"""设置: people, sinks, site and configuration as recorded, software. What files configure is shown, not changed."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.asked import Asked, AskedFor
from api.people.acts import Acts
from api.people.cli import link_address
from api.people.guard import SignedIn
from api.people.pages import end_of
from api.people.roles import FOR_A_TIME, PERMISSIONS, ROLE_NAMES, Role
from api.people.store import People, Person
from api.problems import PersonError
from api.questions.settings import settings_of
from api.web.environment import page
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Form(max_length=40)]


@router.get("/settings")
def show(request: Request, asked: AskedFor) -> HTMLResponse:
    """The page."""
    return _page(request, asked)


def _page(request: Request, asked: Asked, *, link: str = "", about: str = "", wrong: str = "") -> HTMLResponse:
    people: People = request.app.state.people
    found = settings_of(asked)
    return page(
        asked.view,
        "settings.html",
        status_code=422 if wrong else 200,
        found=found,
        laid_out=json.dumps(found.configuration, ensure_ascii=False, indent=2),
        people=people.listed(asked.person.organisation) if asked.view.may("people") else [],
        now_us=request.app.state.clock.utc_us(),
        roles=[(str(each), ROLE_NAMES[each], each in FOR_A_TIME) for each in Role],
        permissions={name: [str(each) for each in sorted(having)] for name, having in PERMISSIONS.items()},
        link=link,
        about=about,
        wrong=wrong,
    )


@router.post("/settings/people")
def put_person(
    request: Request,
    asked: AskedFor,
    person: SignedIn,
    *,
    id_: Annotated[str, Form(alias="id", max_length=40)] = "",
    name: Annotated[str, Form(max_length=80)] = "",
    role: Annotated[list[Role] | None, Form(max_length=20)] = None,
    until: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Add an account, or change one."""
    _own(request, person, id_)
    acts = _acts(request)
    try:
        acts.add(
            id_.strip(),
            name=name,
            roles=frozenset(role or ()),
            until_us=end_of(until, asked),
            actor=person.id,
            organisation=person.organisation,
            reason=reason,
        )
    except PersonError as error:
        return _page(request, asked, wrong=asked.view.t(error.message, **error.facts))
    return RedirectResponse("/settings#people", status_code=303)


@router.post("/settings/people/link")
def new_link(
    request: Request, asked: AskedFor, person: SignedIn, id_: Annotated[Id, Form(alias="id")] = ""
) -> Response:
    """A one-time link for somebody, shown once."""
    _existing(request, person, id_)
    try:
        secret = _acts(request).link(id_, actor=person.id)
    except PersonError as error:
        return _page(request, asked, wrong=asked.view.t(error.message, **error.facts))
    return _page(request, asked, link=link_address(str(request.base_url), secret), about=id_)


@router.post("/settings/people/disable")
def disable(request: Request, asked: AskedFor, person: SignedIn, id_: Annotated[Id, Form(alias="id")] = "") -> Response:
    """End an account."""
    _existing(request, person, id_)
    try:
        _acts(request).disable(id_, actor=person.id)
    except PersonError as error:
        return _page(request, asked, wrong=asked.view.t(error.message, **error.facts))
    return RedirectResponse("/settings#people", status_code=303)


@router.post("/settings/people/enable")
def enable(request: Request, person: SignedIn, id_: Annotated[Id, Form(alias="id")] = "") -> Response:
    """Let an account be used again."""
    _existing(request, person, id_)
    _acts(request).enable(id_, actor=person.id)
    return RedirectResponse("/settings#people", status_code=303)


def _existing(request: Request, person: Person, id_: str) -> None:
    found = request.app.state.people.person(id_)
    if found is None or found.organisation != person.organisation:
        raise UnknownObjectError("there is no account %(id)s", id=id_)


def _own(request: Request, person: Person, id_: str) -> None:
    """An id that another organisation has is taken, without saying by whom."""
    found = request.app.state.people.person(id_.strip())
    if found is not None and found.organisation != person.organisation:
        raise PersonError("account %(id)s belongs to another organisation", id=id_)


def _acts(request: Request) -> Acts:
    acts: Acts = request.app.state.writer.acts()
    return acts
