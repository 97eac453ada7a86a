"""Which dialect a server speaks, from the headers of ``GET /ping``; nothing is ever written to find out."""

import re
from dataclasses import dataclass

import aiohttp

from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.transport import open_session

_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """What answered. ``version`` and ``build`` are empty when it does not say (VictoriaMetrics, a proxy)."""

    status: int
    version: str = ""
    build: str = ""
    detail: str = ""

    @property
    def reachable(self) -> bool:
        """Whether anything answered."""
        return self.status > 0

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor version; (0, 0) when it does not say."""
        match = _VERSION.match(self.version)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    @property
    def dialect(self) -> str | None:
        """``v2`` from 1.8 on, ``v1`` before; None when the server does not say what it is."""
        if self.number == (0, 0):
            return None
        return "v2" if self.number >= (1, 8) else "v1"


async def ping(settings: InfluxSettings, session: aiohttp.ClientSession | None = None) -> Server:
    """Ask ``/ping`` with the configured credentials (3.x may want them); status 0 when nothing answered."""
    own = session or open_session(settings)
    try:
        async with own.get(f"{settings.url}/ping", allow_redirects=False) as response:
            headers = response.headers
            version, build = headers.get("X-Influxdb-Version", ""), headers.get("X-Influxdb-Build", "")
            return Server(response.status, version, build)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Server(0, detail=type(error).__name__)
    finally:
        if session is None:
            await own.close()


def choose_dialect(settings: InfluxSettings, server: Server) -> str:
    """The configured dialect; with ``auto`` what the server says; when it says nothing, what the block is worded in.

    A 1.8 server is written through v1 when the block names a database without a token: its v2 path wants a bucket.
    """
    if settings.dialect != "auto":
        return settings.dialect
    spoken = server.dialect
    if spoken is None:
        return "v2" if settings.bucket else "v1"
    if server.number[0] == 1 and not settings.bucket:
        return "v1"
    return spoken
