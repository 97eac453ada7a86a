"""The reader's language: ``?lang``, then the cookie, then ``Accept-Language``, else Chinese."""

from fastapi import Request

from gateway.i18n import language_from

COOKIE = "meterproof_language"
COOKIE_MAX_AGE_S = 365 * 86_400


def language_of(request: Request) -> str:
    """``zh`` or ``en``."""
    return language_from(
        request.query_params.get("lang"), request.cookies.get(COOKIE), request.headers.get("accept-language")
    )
