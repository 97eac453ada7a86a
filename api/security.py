"""Headers on every answer, and only our own names in the Host header."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A chart is a picture; its inline styles are its own and no script runs in it."""

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "::1", "[::1]"]
"""Names a loopback reader uses; another name in ``Host`` is a page elsewhere reaching in (DNS rebinding)."""

MAX_BODY_BYTES = 32 * 2**20
"""Of a request: the largest is a ledger or a certificate file."""


_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def headers_of(path: str) -> dict[str, str]:
    """The headers of every answer at an address."""
    policy = SVG_POLICY if path.endswith(".svg") else CONTENT_SECURITY_POLICY
    return {"content-security-policy": policy, **_ALWAYS}


class SecurityHeaders:
    """Adds the policy to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass through, with headers added at the start of the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = [(name.encode(), value.encode()) for name, value in headers_of(scope["path"]).items()]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, sending)
