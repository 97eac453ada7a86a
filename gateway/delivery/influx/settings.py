"""How an InfluxDB is reached. Secrets are read from the environment or from files, never from the site file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from gateway.domain.errors import ConfigurationError
from gateway.i18n import text

Dialect = Literal["auto", "v1", "v2"]
_MAX_SECRET_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """One InfluxDB target. ``database``/``retention_policy`` are 1.x words, ``org``/``bucket`` 2.x and 3.x words."""

    url: str
    dialect: Dialect = "auto"
    database: str | None = None
    retention_policy: str | None = None
    org: str | None = None
    bucket: str | None = None
    username: str | None = None
    password: str | None = None
    token: str | None = None
    ca_file: str | None = None
    max_series: int = 100_000
    timeout_s: float = 30.0

    def __repr__(self) -> str:
        """Without secrets, so that no log line can carry one."""
        return f"InfluxSettings({self.url!r}, {self.dialect!r}, {self.database or self.bucket!r})"

    @property
    def v1_database(self) -> str:
        """The database of ``/write`` and ``/query``: as named, else the part of the bucket before the slash."""
        return self.database or (self.bucket or "").partition("/")[0]

    @property
    def v1_retention_policy(self) -> str | None:
        """The retention policy of ``/write`` and ``/query``; None: the database's default."""
        return self.retention_policy or (None if self.database else (self.bucket or "").partition("/")[2] or None)

    @property
    def v2_bucket(self) -> str:
        """The bucket of ``/api/v2/write``; for a 1.8 server ``database/policy``."""
        if self.bucket:
            return self.bucket
        return f"{self.database}/{self.retention_policy}" if self.retention_policy else str(self.database)

    @classmethod
    def from_block(cls, block: Mapping[str, Any], environment: Mapping[str, str], language: str = "en") -> Self:
        """From the ``influxdb:`` block of a site file; ConfigurationError names every secret that is not there."""
        problems: list[str] = []
        password = _secret("password", block, environment, problems, language)
        token = _secret("token", block, environment, problems, language)
        ca_file = block.get("ca_file")
        if ca_file is not None and not Path(ca_file).is_file():
            facts = {"file": str(ca_file), "key": "ca_file"}
            problems.append(text(language, "the file '%(file)s' for '%(key)s' cannot be read", **facts))
        if block.get("database") is None and block.get("bucket") is None:
            problems.append(text(language, "name a 'database' (InfluxDB 1.x) or a 'bucket' (InfluxDB 2.x)"))
        if problems:
            raise ConfigurationError(problems)
        plain = ("dialect", "database", "retention_policy", "org", "bucket", "username", "ca_file", "max_series")
        named = {key: block[key] for key in plain if block.get(key) is not None}
        return cls(url=str(block["url"]).rstrip("/"), password=password, token=token, **named)


def _secret(
    name: str, block: Mapping[str, Any], environment: Mapping[str, str], problems: list[str], language: str
) -> str | None:
    """The secret from the file or the variable the block names; an empty one counts as missing."""
    file, variable = block.get(f"{name}_file"), block.get(f"{name}_env")
    if file is not None:
        try:
            with Path(file).open("rb") as stream:
                value = stream.read(_MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeDecodeError):
            value = ""
        if not value:
            key = f"{name}_file"
            problems.append(text(language, "the file '%(file)s' for '%(key)s' cannot be read", file=file, key=key))
        return value or None
    if variable is not None:
        value = environment.get(variable, "")
        if not value:
            facts = {"variable": variable, "key": f"{name}_env"}
            problems.append(text(language, "the environment variable '%(variable)s' for '%(key)s' is not set", **facts))
        return value or None
    return None
