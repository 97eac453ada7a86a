"""Errors as RFC 9457 problem documents under ``/api/``, as pages elsewhere."""

import queue
import sqlite3
from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.charts.render import ChartError
from api.language import language_of
from api.security import headers_of
from api.setting import ReportFailedError
from api.web.environment import bare_page
from gateway.accounting.results import ResultStateError
from gateway.assembly.reporting import ReportPeriodError
from gateway.audit.look_back_decision import DecisionRefusedError
from gateway.audit.results import ResultChangedError
from gateway.certificates.refusal import CertificateRefusedError
from gateway.domain.errors import DataFolderError, JournalError, MeterproofError, UnknownObjectError
from gateway.i18n import recorded, text
from gateway.registry.replacement_checks import ReplacementRefusedError
from gateway.review.acts import ReviewError

MEDIA_TYPE = "application/problem+json"
MAX_LISTED = 20


class ParameterProblem(BaseModel):
    """One parameter that cannot be read."""

    name: str
    reason: str


class ProblemDocument(BaseModel):
    """An RFC 9457 problem. ``detail`` is in the reader's language; ``type`` is stable."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    parameters: list[ParameterProblem] = []


class DeniedError(MeterproofError):
    """The signed-in person may not do this."""


class ForgedError(MeterproofError):
    """A writing request that did not come from one of our own forms, or from one that is too old."""


class BusyError(MeterproofError):
    """Too much of something at once."""


class PersonError(MeterproofError):
    """An account cannot be made or changed as asked."""

    exit_code = 2


class UnreadableParameterError(MeterproofError):
    """A query parameter that cannot be read: which one, and what it should look like."""

    exit_code = 2


STATUS_OF: tuple[tuple[type[MeterproofError], int, str], ...] = (
    (DeniedError, HTTPStatus.FORBIDDEN, "denied"),
    (ForgedError, HTTPStatus.FORBIDDEN, "forged"),
    (PersonError, HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-parameter"),
    (UnknownObjectError, HTTPStatus.NOT_FOUND, "unknown-object"),
    (BusyError, HTTPStatus.TOO_MANY_REQUESTS, "busy"),
    (UnreadableParameterError, HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-parameter"),
    (ReportPeriodError, HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-parameter"),
    (ReportFailedError, HTTPStatus.SERVICE_UNAVAILABLE, "report"),
    (DataFolderError, HTTPStatus.SERVICE_UNAVAILABLE, "data-folder"),
    (JournalError, HTTPStatus.INTERNAL_SERVER_ERROR, "journal"),
    (ReviewError, HTTPStatus.CONFLICT, "review"),
    (ReplacementRefusedError, HTTPStatus.CONFLICT, "refused"),
    (CertificateRefusedError, HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
    (ResultStateError, HTTPStatus.CONFLICT, "refused"),
    (DecisionRefusedError, HTTPStatus.CONFLICT, "refused"),
    (ResultChangedError, HTTPStatus.CONFLICT, "refused"),
    (MeterproofError, HTTPStatus.INTERNAL_SERVER_ERROR, "fault"),
)


def install(app: FastAPI) -> None:
    """Let every error leave as a problem document or as a page."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _unexpected)


def _operator_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MeterproofError)
    status, name = next((status, name) for kind, status, name in STATUS_OF if isinstance(error, kind))
    detail = text(language_of(request), error.message, **error.facts)
    return answer(request, int(status), name, detail)


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    listed = [
        ParameterProblem(
            name=".".join(str(part) for part in each["loc"][1:]),
            reason=recorded.detail(language_of(request), str(each["msg"])),
        )
        for each in error.errors()[:MAX_LISTED]
    ]
    detail = text(language_of(request), "A parameter of this address cannot be read.")
    return answer(request, 422, "unreadable-parameter", detail, listed)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    language = language_of(request)
    said = recorded.detail(language, str(error.detail))
    detail = text(language, "There is nothing at this address.") if error.status_code == 404 else said
    name = "not-found" if error.status_code == 404 else f"http-{error.status_code}"
    made = answer(request, error.status_code, name, detail)
    for header, value in (error.headers or {}).items():
        made.headers[header] = value
    return made


def _chart_error(request: Request, error: Exception) -> Response:
    del error
    detail = text(language_of(request), "The chart could not be drawn; the table beside it has every number.")
    return answer(request, 503, "chart", detail)


def _store_error(request: Request, error: Exception) -> Response:
    """A projection that is being made again, or is damaged."""
    detail = text(
        language_of(request),
        "A store of the data folder cannot be read now (%(reason)s); if it stays so, run 'meterproof rebuild'.",
        reason=str(error),
    )
    return answer(request, 503, "data-folder", detail)


def _busy(request: Request, error: Exception) -> Response:
    del error
    return answer(request, 503, "busy", text(language_of(request), "Too many questions at once; try again shortly."))


UNFORESEEN = (
    "Something failed here that should not; the output of 'meterproof serve' says what. What is on record stays."
)
_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    MeterproofError: _operator_error,
    RequestValidationError: _validation_error,
    HTTPException: _http_error,
    ChartError: _chart_error,
    sqlite3.Error: _store_error,
    queue.Empty: _busy,
}


def _unexpected(request: Request, error: Exception) -> Response:
    """What went wrong before a route was reached, or was foreseen by nobody; the server's own output says where."""
    handler = next((each for kind, each in _HANDLERS.items() if isinstance(error, kind)), None)
    if handler is not None:
        made = handler(request, error)
    else:
        made = answer(request, 500, "fault", text(language_of(request), UNFORESEEN))
    made.headers.update(headers_of(request.url.path))
    return made


class ProblemDocuments:
    """Makes a problem of what the libraries under us refuse in bare words: a strange host, a body too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass through, and say in its reader's language what was refused."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start" and message["status"] >= 400 and _is_bare(message):
                status = message["status"]
            elif not status:
                await send(message)
            elif not message.get("more_body"):
                request, said = Request(scope), message.get("body", b"").decode("utf-8", "replace")
                detail = recorded.detail(language_of(request), said)
                await answer(request, status, f"http-{status}", detail)(scope, receive, send)

        await self._app(scope, receive, sending)


def _is_bare(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/plain") for name, value in message["headers"]
    )


def answer(
    request: Request, status: int, name: str, detail: str, parameters: list[ParameterProblem] | None = None
) -> Response:
    """The problem in the form its reader expects."""
    language = language_of(request)
    title = text(language, _TITLES.get(name, "The request failed"))
    document = ProblemDocument(
        type=f"urn:meterproof:problem:{name}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        parameters=parameters or [],
    )
    if request.url.path.startswith(("/api/", "/charts/")):
        return JSONResponse(document.model_dump(), status_code=status, media_type=MEDIA_TYPE)
    return bare_page(language, "problem.html", status_code=status, problem=document)


_TITLES = {
    "sign-in": "Not signed in",
    "review": "The review refuses it",
    "denied": "Not allowed",
    "forged": "Form refused",
    "unknown-object": "Unknown object",
    "not-found": "Not found",
    "unreadable-parameter": "Unreadable parameter",
    "data-folder": "The data folder cannot be read",
    "report": "The report could not be made",
    "journal": "The journal cannot be read",
    "chart": "No chart",
    "busy": "Busy",
}
