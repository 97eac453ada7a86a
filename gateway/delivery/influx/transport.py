"""Writing line protocol: dialect v1 over aiohttp, dialect v2 over influxdb-client. Gzip level 1, precision ms."""

import asyncio
import base64
import gzip
import ssl
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp

from gateway.delivery.influx.outcomes import classify
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.port import Answer, AnswerKind

GZIP_LEVEL = 1
_MAX_ERROR_BYTES = 64 * 1024
_CONTENT_TYPE = "text/plain; charset=utf-8"


def packed(lines: Sequence[bytes]) -> bytes:
    """A request's body: lines, gzip level 1 (10 % of the rate for a seventh of the bytes)."""
    return gzip.compress(b"\n".join(lines), GZIP_LEVEL, mtime=0)


class Transport(Protocol):
    """One dialect of writing."""

    async def write(self, body: bytes) -> Answer:
        """Send a packed body in one request; trouble of any kind comes back as an answer."""
        ...

    async def close(self) -> None:
        """Close connections; idempotent."""
        ...


def tls_context(settings: InfluxSettings) -> ssl.SSLContext:
    """System authorities, or only the one of ``ca_file``; names are always checked."""
    return ssl.create_default_context(cafile=settings.ca_file)


def open_session(settings: InfluxSettings, connections: int = 1) -> aiohttp.ClientSession:
    """An HTTP session with the settings' limits and credentials."""
    headers = {}
    if settings.token is not None:
        headers["Authorization"] = f"Token {settings.token}"
    elif settings.username is not None:
        pair = f"{settings.username}:{settings.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=tls_context(settings)),
        timeout=aiohttp.ClientTimeout(total=settings.timeout_s),
        headers=headers,
        trust_env=False,
    )


def trouble(error: BaseException, settings: InfluxSettings) -> Answer:
    """A request that brought no answer."""
    if isinstance(error, TimeoutError):
        return Answer(AnswerKind.RETRY, f"no answer within {settings.timeout_s:g} s", timed_out=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Answer(AnswerKind.HOLD, f"TLS: {type(error).__name__}")
    return Answer(AnswerKind.RETRY, f"no answer: {type(error).__name__}")


class V1Transport:
    """``POST /write?db&rp&precision``: all of 1.x, 2.x by its 1.x mapping, 3.x."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._parameters = {"db": settings.v1_database, "precision": "ms"}
        if settings.v1_retention_policy:
            self._parameters["rp"] = settings.v1_retention_policy

    async def write(self, body: bytes) -> Answer:
        """See Transport."""
        if self._session is None:
            self._session = open_session(self._settings)
        headers = {"Content-Encoding": "gzip", "Content-Type": _CONTENT_TYPE}
        try:
            async with self._session.post(
                f"{self._settings.url}/write",
                params=self._parameters,
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as response:
                return classify(response.status, await response.content.read(_MAX_ERROR_BYTES), response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return trouble(error, self._settings)

    async def close(self) -> None:
        """See Transport."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class V2Transport:
    """``POST /api/v2/write?org&bucket&precision`` through influxdb-client: 1.8 and later, 2.x, 3.x.

    The client's write service sends our bytes as they are. Its own conversion of points, its level 9 gzip and its
    batching (which drops what it cannot send) are not used.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._client: Any = None
        self._service: Any = None

    def _open(self) -> None:
        # imported here: it brings some 10 MB of modules that a gateway on dialect v1 never needs
        from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync  # noqa: PLC0415
        from influxdb_client.service.write_service import WriteService  # noqa: PLC0415

        settings = self._settings
        token = settings.token
        if token is None and settings.username is not None:
            token = f"{settings.username}:{settings.password or ''}"  # what 1.8 takes in place of a token
        self._client = InfluxDBClientAsync(
            settings.url,
            token=token or "",
            org=settings.org or "-",
            timeout=int(settings.timeout_s * 1000),
            connection_pool_maxsize=1,
            ssl_context=tls_context(settings),
            allow_redirects=False,
        )
        self._service = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]

    async def write(self, body: bytes) -> Answer:
        """See Transport."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415

        if self._client is None:
            self._open()
        try:
            _body, status, headers = await self._service.post_write_async(
                org=self._settings.org or "-",
                bucket=self._settings.v2_bucket,
                body=body,
                precision="ms",
                content_encoding="gzip",
                content_type=_CONTENT_TYPE,
                async_req=False,
                _return_http_data_only=False,
            )
        except ApiException as error:
            said = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
            return classify(int(error.status or 0), said, dict(error.headers or {}))
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            return trouble(error, self._settings)
        return classify(int(status), b"", dict(headers))

    async def close(self) -> None:
        """See Transport."""
        client, self._client, self._service = self._client, None, None
        if client is not None:
            await client.close()
