"""Who is asking, and whether this route is theirs: before anything else happens to a request.

Two layers, both denying by default. The middleware finds the person (session cookie or bearer token) and turns away
whoever is nobody, except at the addresses for signing in. The dependency of every route looks its own route up in
``api.people.permits`` and checks the permission, then that a writing request comes from one of our own forms.
"""

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems
from api.language import language_of
from api.people import hashing
from api.people.permits import ROUTES, route_name
from api.people.roles import OWN, PUBLIC, allowed
from api.people.store import Person
from api.problems import DeniedError, ForgedError
from gateway.i18n import text

SESSION_COOKIE = "meterproof_session"
FORM_COOKIE = "meterproof_form"
FORM_FIELD = "form_token"
TOKEN_HEADER = "x-form-token"  # noqa: S105  # a header's name
READING = frozenset({"GET", "HEAD", "OPTIONS"})
WRITTEN_BY_ALL = frozenset({OWN, "people"})
"""What people of every organisation in a folder may write: their own account, and their own people's."""

BY_A_PERSON = frozenset({"POST /account/password", "POST /account/tokens", "POST /account/tokens/revoke"})
"""What no token may do, besides acts about ``people``: a token that leaks must not outlive its own end or revocation by
making another, a link or a password."""


class Identity:
    """Finds the person of each request; nobody comes further than the sign-in page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with ``request.state.person`` set, or answer 401 (API) or the way to the sign-in page."""
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.person, request.state.session = await run_in_threadpool(_who, request)
        if request.state.person is None and not _is_open(scope["path"]):
            await _sent_away(request)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_open(path: str) -> bool:
    return path == "/sign-in" or path.startswith(("/static/", "/sign-in/"))


def _who(request: Request) -> tuple[Person | None, str]:
    """The person and, for a browser, the session's secret."""
    people = request.app.state.people
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return (people.by_token(token.strip()) if scheme.lower() == "bearer" else None), ""
    secret = request.cookies.get(SESSION_COOKIE, "")
    person = people.by_session(secret) if secret else None
    return person, secret if person else ""


def _sent_away(request: Request) -> Response:
    if request.url.path.startswith(("/api/", "/charts/")):
        detail = text(language_of(request), "Sign in, or send a token: Authorization: Bearer <token>.")
        answer = problems.answer(request, 401, "sign-in", detail)
        answer.headers["www-authenticate"] = "Bearer"
        return answer
    if request.method not in READING:
        detail = text(language_of(request), "You are signed out; sign in and try again.")
        return problems.answer(request, 401, "sign-in", detail)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}", status_code=303)


async def authorised(request: Request) -> None:
    """The dependency of every route: its line in the table, the person's permission, the form's token."""
    route = request.scope.get("route")
    name = route_name(request.method, getattr(route, "path", ""))
    permission = ROUTES.get(name)
    if permission != PUBLIC:
        person = request.state.person
        if permission is None or person is None or not (permission == OWN or allowed(person.roles, permission)):
            raise DeniedError("Your roles do not include this page or act; ask your administrator.")
        if request.method not in READING and permission not in WRITTEN_BY_ALL and not _is_at_home(request, person):
            raise DeniedError("This gateway collects for another organisation; yours can look at its own data only.")
    if request.method not in READING:
        if not request.state.session and (name in BY_A_PERSON or permission == "people"):
            raise DeniedError("Accounts, passwords and tokens are changed by a person who signed in, never by a token.")
        await _from_our_form(request)


def _is_at_home(request: Request, person: Person) -> bool:
    """Whether the person's organisation is the one that this folder's collector works for."""
    return bool(person.organisation == request.app.state.readers.folder.organisation)


async def _from_our_form(request: Request) -> None:
    """A browser sends its cookie wherever a stranger's page points it; the token only our own pages know."""
    if _comes_from_elsewhere(request):
        raise ForgedError("This form came from another site.")
    if request.state.person is not None and not request.state.session:
        return  # a token in a header: no browser sends that by itself
    wanted = form_token(request)
    given = request.headers.get(TOKEN_HEADER)
    if given is None:
        form = await request.form(max_files=8, max_fields=1_000)
        value = form.get(FORM_FIELD)
        given = value if isinstance(value, str) else ""
    if not wanted or not hashing.same(given, wanted):
        raise ForgedError("This form is too old or not ours; open its page again and send it once more.")


def _comes_from_elsewhere(request: Request) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")


def form_token(request: Request) -> str:
    """What a form of this reader must carry: bound to the session, before signing in to a cookie of its own."""
    if request.state.session:
        return hashing.form_token(request.state.session)
    return request.cookies.get(FORM_COOKIE, "")


def signed_in(request: Request) -> Person:
    """The person of a request that the guard has let through."""
    person: Person | None = request.state.person
    if person is None:
        raise DeniedError("Your roles do not include this page or act; ask your administrator.")
    return person


SignedIn = Annotated[Person, Depends(signed_in)]
