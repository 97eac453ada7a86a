"""The reader's language: ``?lang``, then the cookie, then ``Accept-Language``, else Chinese."""

from fastapi import Request

from gateway.i18n import LANGUAGES, language_from

COOKIE = "meterproof_language"
COOKIE_MAX_AGE_S = 365 * 86_400


def language_of(request: Request) -> str:
    """``zh`` or ``en``."""
    return language_from(
        request.query_params.get("lang"), request.cookies.get(COOKIE), request.headers.get("accept-language")
    )


def asked_language(request: Request) -> str | None:
    """The language named in the address, when it is one of ours; it is remembered in the cookie."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None
