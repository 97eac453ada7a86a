"""Signing in and out, and one's own account: password and tokens."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.asked import AskedFor
from api.language import COOKIE, COOKIE_MAX_AGE_S, language_of
from api.people import hashing
from api.people.acts import MAX_LABEL_CHARACTERS, Acts
from api.people.guard import FORM_COOKIE, SESSION_COOKIE, SignedIn, form_token
from api.people.roles import ROLE_NAMES
from api.people.store import LINK_US, SESSION_LIMIT_US, Person
from api.problems import UnreadableParameterError
from api.web.environment import bare_page, page
from gateway.domain.time import US_PER_HOUR, US_PER_S, local_midnight
from gateway.i18n import LANGUAGES, text

router = APIRouter(include_in_schema=False)
Secret = Annotated[str, Form(max_length=hashing.MAX_PASSWORD_CHARACTERS)]
Next = Annotated[str, Form(alias="next", max_length=2_000)]


@router.get("/sign-in")
def show_sign_in(request: Request, next_: Annotated[str, Query(alias="next", max_length=2_000)] = "") -> Response:
    """The sign-in page."""
    return _sign_in_page(request, wanted=next_)


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=40)] = "",
    password: Secret = "",
    next_: Next = "",
) -> Response:
    """By name and password."""
    people = request.app.state.people
    name = name.strip().lower()
    pause_us = people.begin_try(name)
    if pause_us:
        seconds = -(-pause_us // US_PER_S)
        message = "Too many wrong tries for this account. Try again in %(seconds)s s."
        return _sign_in_page(
            request, wanted=next_, name=name, said=_text(request, message, seconds=seconds), status=429
        )
    person = people.by_password(name, password)
    if person is None:
        known = people.person(name)
        if known is not None and people.pause_us(name):
            _acts(request).refused(known)
        said = _text(request, "Name and password do not go together, or the account is over.")
        return _sign_in_page(request, wanted=next_, name=name, said=said, status=403)
    return _come_in(request, person, way="password", wanted=next_)


@router.get("/sign-in/link")
def show_link(request: Request, code: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Whom a one-time link signs in; only the button uses it up, so that no preview of a mail program can."""
    person = request.app.state.people.of_link(code)
    if person is None:
        said = _text(request, "This link is used up or over. Ask for a new one.")
        return _sign_in_page(request, said=said, status=403)
    roles = ("、" if language_of(request) == "zh" else ", ").join(
        _text(request, ROLE_NAMES[each]) for each in sorted(person.roles)
    )
    here = f"/sign-in/link?{urlencode({'code': code})}"
    hours = LINK_US // US_PER_HOUR
    return _with_form_cookie(
        request, "sign_in_link.html", here=here, person=person, roles=roles, code=code, hours=hours
    )


@router.post("/sign-in/link")
def use_link(request: Request, code: Annotated[str, Form(max_length=100)] = "") -> Response:
    """By a one-time link; whoever has no password yet comes to choose one."""
    person = request.app.state.people.by_link(code)
    if person is None:
        said = _text(request, "This link is used up or over. Ask for a new one.")
        return _sign_in_page(request, said=said, status=403)
    return _come_in(request, person, way="link", wanted="/")


@router.post("/sign-out")
def sign_out(request: Request, person: SignedIn) -> Response:
    """Leave; the session is over on the server too."""
    if request.state.session:
        request.app.state.people.end_session(request.state.session)
    _acts(request).signed_out(person)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


@router.get("/account")
def show_account(request: Request, asked: AskedFor, person: SignedIn) -> Response:
    """One's own account."""
    return _account(request, asked, person)


@router.post("/account/password")
def change_password(
    request: Request,
    asked: AskedFor,
    person: SignedIn,
    *,
    current: Secret = "",
    password: Secret = "",
    again: Secret = "",
) -> Response:
    """A new password; every other session of the account ends."""
    people = request.app.state.people
    if person.has_password and (people.begin_try(person.id) or people.by_password(person.id, current) is None):
        return _account(request, asked, person, wrong=asked.view.t("The present password is not right."))
    if len(password) < hashing.MIN_PASSWORD_CHARACTERS:
        said = asked.view.t("A password needs %(count)s characters or more.", count=hashing.MIN_PASSWORD_CHARACTERS)
        return _account(request, asked, person, wrong=said)
    if password != again:
        return _account(request, asked, person, wrong=asked.view.t("The two new passwords differ."))
    _acts(request).password(person.id, password, actor=person.id)
    people.end_other_sessions(person.id, request.state.session)
    changed = people.person(person.id) or person
    return _account(request, asked, changed, said=asked.view.t("The password is changed; other sessions are ended."))


@router.post("/account/tokens")
def new_token(
    request: Request,
    asked: AskedFor,
    person: SignedIn,
    label: Annotated[str, Form(max_length=MAX_LABEL_CHARACTERS)] = "",
    until: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """A token for programs, shown once."""
    _, made = _acts(request).token(person.id, label=label, until_us=end_of(until, asked), actor=person.id)
    return _account(request, asked, person, token=made)


@router.post("/account/tokens/revoke")
def revoke_token(request: Request, person: SignedIn, token: Annotated[str, Form(max_length=40)] = "") -> Response:
    """End a token."""
    _acts(request).revoke(person.id, token, actor=person.id)
    return RedirectResponse("/account", status_code=303)


def end_of(day: str, asked: AskedFor) -> int | None:
    """The end of a civil day of the site; None for no day."""
    if not day:
        return None
    try:
        return local_midnight(date.fromisoformat(day) + timedelta(days=1), asked.reader.zone)
    except (ValueError, OverflowError) as error:
        raise UnreadableParameterError("'%(name)s' is no date such as 2026-03-01", name="until") from error


def _account(
    request: Request, asked: AskedFor, person: Person, *, said: str = "", wrong: str = "", token: str = ""
) -> Response:
    return page(
        asked.view,
        "account.html",
        status_code=422 if wrong else 200,
        account=person,
        tokens=request.app.state.people.tokens(person.id),
        said=said,
        wrong=wrong,
        token=token,
        least=hashing.MIN_PASSWORD_CHARACTERS,
    )


def _come_in(request: Request, person: Person, *, way: str, wanted: str) -> Response:
    if request.state.session:
        request.app.state.people.end_session(request.state.session)
    secret = request.app.state.people.begin_session(person.id)
    _acts(request).signed_in(person, way=way)
    answer = RedirectResponse(_own_address(wanted), status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=SESSION_LIMIT_US // US_PER_S,
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/",
    )
    answer.delete_cookie(FORM_COOKIE, path="/sign-in")
    return answer


def _own_address(wanted: str) -> str:
    """The address after signing in: one of ours, never another server's."""
    parts = urlsplit(wanted)
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if is_ours and "\\" not in wanted and wanted.isprintable() else "/"


def _sign_in_page(request: Request, *, wanted: str = "", name: str = "", said: str = "", status: int = 200) -> Response:
    nobody_yet = request.app.state.people.count() == 0
    wanted = _own_address(wanted)
    here = "/sign-in" if wanted == "/" else f"/sign-in?{urlencode({'next': wanted})}"
    facts = {"wanted": wanted, "name": name, "said": said, "nobody_yet": nobody_yet}
    return _with_form_cookie(request, "sign_in.html", status=status, here=here, **facts)


def _with_form_cookie(request: Request, template: str, *, status: int = 200, **facts: object) -> Response:
    token = form_token(request) or hashing.drawn(request.app.state.random)
    folder = request.app.state.readers.folder
    answer = bare_page(
        language_of(request), template, status_code=status, form_token=token, simulated=folder.simulated, **facts
    )
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(
            COOKIE, language_of(request), max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="lax", path="/"
        )
    if not request.state.session:
        secure = request.url.scheme == "https"
        answer.set_cookie(FORM_COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/sign-in")
    return answer


def _text(request: Request, message: str, **facts: object) -> str:
    return text(language_of(request), message, **facts)


def _acts(request: Request) -> Acts:
    acts: Acts = request.app.state.writer.acts()
    return acts
