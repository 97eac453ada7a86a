"""Creates what a sink writes to: a 1.x database with retention policy and shard length, a 2.x bucket, a 3.x database.

Shards are long on purpose: 1.x keeps a cache and an index per shard, and a year in weekly shards was measured at twelve
times the memory and fifty times the restart of half-yearly ones.
"""

import json
from dataclasses import dataclass

import aiohttp

from gateway.delivery.influx.detect import ping
from gateway.delivery.influx.outcomes import message_of
from gateway.delivery.influx.query import quoted
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.influx.transport import open_session
from gateway.domain.errors import MeterproofError

DEFAULT_SHARD_H = 26 * 7 * 24
_DEFAULT_POLICY = "readings"
_MAX_ANSWER = 1 << 20
_SEEN_AS_THERE = frozenset({409, 422})


@dataclass(frozen=True, slots=True)
class Made:
    """What stands now. ``created`` is False when it was there already; then it was left as it is."""

    kind: str  # "database" or "bucket"
    name: str
    created: bool
    version: str
    retention: str  # as the server words it


async def set_up(settings: InfluxSettings, *, retention_h: int | None, shard_h: int = DEFAULT_SHARD_H) -> Made:
    """Create the target unless it is there. ``retention_h`` None keeps for ever. MeterproofError says what failed."""
    async with open_session(settings) as session:
        server = await ping(settings, session)
        if not server.reachable:
            raise MeterproofError("%(url)s does not answer: %(reason)s", url=settings.url, reason=server.detail)
        major = server.number[0]
        if major >= 3:
            return await _database_v3(session, settings, retention_h, server.version)
        if major == 2:
            return await _bucket(session, settings, retention_h, shard_h, server.version)
        if major == 1:
            return await _database_v1(session, settings, retention_h, shard_h, server.version)
        raise MeterproofError(
            "%(url)s does not say that it is an InfluxDB; create the database there by hand", url=settings.url
        )


async def _database_v1(
    session: aiohttp.ClientSession, settings: InfluxSettings, retention_h: int | None, shard_h: int, version: str
) -> Made:
    database, policy = settings.v1_database, settings.v1_retention_policy or _DEFAULT_POLICY
    duration = f"{retention_h}h" if retention_h else "INF"
    existing = await _query(session, settings, "SHOW DATABASES")
    if [database] not in _values(existing):
        await _query(
            session,
            settings,
            f"CREATE DATABASE {quoted(database)} WITH DURATION {duration} REPLICATION 1"
            f" SHARD DURATION {shard_h}h NAME {quoted(policy)}",
        )
        return Made("database", database, created=True, version=version, retention=duration)
    policies = _values(await _query(session, settings, f"SHOW RETENTION POLICIES ON {quoted(database)}"))
    named = [row for row in policies if row[0] == policy]
    if not named and settings.v1_retention_policy:
        await _query(
            session,
            settings,
            f"CREATE RETENTION POLICY {quoted(policy)} ON {quoted(database)} DURATION {duration} REPLICATION 1"
            f" SHARD DURATION {shard_h}h",
        )
        return Made("database", f"{database}/{policy}", created=True, version=version, retention=duration)
    default = (named or [row for row in policies if row[-1] is True] or policies)[0]
    return Made("database", database, created=False, version=version, retention=f"{default[1]} / {default[2]}")


async def _query(session: aiohttp.ClientSession, settings: InfluxSettings, text: str) -> list[dict[str, object]]:
    status, body = await _request(session, "POST", f"{settings.url}/query", params={"q": text})
    if status == 200:
        results = json.loads(body).get("results", [])
        fault = next((each["error"] for each in results if "error" in each), None)
        if fault is None:
            return [series for each in results for series in each.get("series", [])]
        raise _refused(settings, status, str(fault))
    raise _refused(settings, status, message_of(body))


def _values(series: list[dict[str, object]]) -> list[list[object]]:
    return [row for each in series for row in (each.get("values") or [])]  # type: ignore[attr-defined]  # JSON


async def _bucket(
    session: aiohttp.ClientSession, settings: InfluxSettings, retention_h: int | None, shard_h: int, version: str
) -> Made:
    status, body = await _request(session, "GET", f"{settings.url}/api/v2/orgs", params={"org": settings.org or ""})
    organisations = json.loads(body).get("orgs", []) if status == 200 else []
    if not organisations:
        raise _refused(settings, status, message_of(body) or f"org {settings.org!r}")
    rule = {"type": "expire", "everySeconds": (retention_h or 0) * 3600, "shardGroupDurationSeconds": shard_h * 3600}
    wanted = {"orgID": organisations[0]["id"], "name": settings.v2_bucket, "retentionRules": [rule]}
    status, body = await _request(session, "POST", f"{settings.url}/api/v2/buckets", document=wanted)
    if status not in {200, 201, *_SEEN_AS_THERE}:
        raise _refused(settings, status, message_of(body))
    created = status not in _SEEN_AS_THERE
    retention = (f"{retention_h}h" if retention_h else "INF") if created else "?"
    return Made("bucket", settings.v2_bucket, created=created, version=version, retention=retention)


async def _database_v3(
    session: aiohttp.ClientSession, settings: InfluxSettings, retention_h: int | None, version: str
) -> Made:
    wanted: dict[str, object] = {"db": settings.v2_bucket}
    if retention_h:
        wanted["retention_period"] = f"{retention_h}h"
    status, body = await _request(session, "POST", f"{settings.url}/api/v3/configure/database", document=wanted)
    if status not in {200, 201, *_SEEN_AS_THERE}:
        raise _refused(settings, status, message_of(body))
    created = status not in _SEEN_AS_THERE
    retention = (f"{retention_h}h" if retention_h else "INF") if created else "?"
    return Made("database", settings.v2_bucket, created=created, version=version, retention=retention)


async def _request(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    params: dict[str, str] | None = None,
    document: dict[str, object] | None = None,
) -> tuple[int, bytes]:
    try:
        async with session.request(method, url, params=params, json=document, allow_redirects=False) as response:
            return response.status, await response.content.read(_MAX_ANSWER)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise MeterproofError("%(url)s does not answer: %(reason)s", url=url, reason=type(error).__name__) from error


def _refused(settings: InfluxSettings, status: int, reason: str) -> MeterproofError:
    facts = {"url": settings.url, "status": str(status), "reason": reason[:300]}
    return MeterproofError("%(url)s refuses (%(status)s): %(reason)s", **facts)
