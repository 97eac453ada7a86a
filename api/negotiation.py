"""Which form an answer takes (``format=`` or ``Accept``), and whether the reader has it already (``ETag``)."""

import hashlib
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: Mapping[str, str] = {"json": "application/json", "csv": "text/csv", "xlsx": XLSX}
"""The forms of a list, what readers get who do not care first."""
MAX_ACCEPTED = 30


def chosen_form(request: Request, wanted: str | None, offered: Mapping[str, str] = FORMS) -> str:
    """The form of an answer: ``wanted`` where the address names one, else the best of ``Accept`` (RFC 9110, 12.5.1).

    A reader who accepts nothing of what is offered gets the first form, and sees by its content type which that is.
    """
    if wanted in offered:
        return str(wanted)
    best, weight = next(iter(offered)), 0.0
    for name, media_type in offered.items():
        found = _weight(request.headers.get("accept", "*/*"), media_type)
        if found > weight:
            best, weight = name, found
    return best


def _weight(accept: str, media_type: str) -> float:
    """How much a header wants a media type: the weight of the most special range that covers it."""
    special, weight = -1, 0.0
    for part in accept.split(",")[:MAX_ACCEPTED]:
        range_, *parameters = (each.strip() for each in part.split(";"))
        match = range_.lower()
        depth = 2 if match == media_type else 1 if match == f"{media_type.split('/', maxsplit=1)[0]}/*" else 0
        if depth == 0 and match != "*/*":
            continue
        if depth > special:
            special, weight = depth, _quality(parameters)
    return weight


def _quality(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def entity_tag(*parts: bytes) -> str:
    """A weak tag: the same for answers that say the same, though they may name another moment of asking."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f'W/"{digest.hexdigest()[:32]}"'


def tagged(request: Request, answer: Response, tag: str) -> Response:
    """The answer with its tag, or 304 without a body where the reader has just this (RFC 9110, 13.1.2)."""
    headers = {
        "etag": tag,
        "vary": "Accept, Accept-Language, Authorization, Cookie",
        "cache-control": "private, no-cache",
    }
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or _opaque(tag) in {_opaque(each) for each in known.split(",")}:
        return Response(status_code=304, headers=headers)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def _opaque(tag: str) -> str:
    """The tag for weak comparison."""
    return tag.strip().removeprefix("W/")
