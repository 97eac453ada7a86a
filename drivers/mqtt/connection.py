"""The ``connection`` block of an MQTT endpoint, its secrets and its TLS context."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from drivers.blocks import read_block
from drivers.mqtt.blocks import Block
from gateway.domain.errors import MeterproofError, Problem

DEFAULT_PORT = 1883
DEFAULT_TLS_PORT = 8883


class TlsBlock(Block):
    """How the broker's certificate is checked, and ours. ``ca_file`` absent: the system's trust store."""

    ca_file: str | None = Field(default=None, min_length=1, max_length=500)
    certificate_file: str | None = Field(default=None, min_length=1, max_length=500)
    key_file: str | None = Field(default=None, min_length=1, max_length=500)
    server_name: bool = True


class Connection(Block):
    """One broker. Secrets are named, never written: an environment variable or a file."""

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65_535)
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._:-]+$", min_length=1, max_length=64)
    username: str | None = Field(default=None, min_length=1, max_length=200)
    password_env: str | None = Field(default=None, min_length=1, max_length=100)
    password_file: str | None = Field(default=None, min_length=1, max_length=500)
    tls: TlsBlock | None = None
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    window: int = Field(default=100, ge=1, le=10_000)
    keepalive_s: int = Field(default=30, ge=5, le=3_600)
    session_expiry_s: int = Field(default=7 * 86_400, ge=60, le=2**32 - 2)

    @property
    def effective_port(self) -> int:
        """The port, 8883 with TLS and 1883 without where none is written."""
        return self.port or (DEFAULT_PORT if self.tls is None else DEFAULT_TLS_PORT)


class SecretError(MeterproofError):
    """A named secret or certificate cannot be read."""

    exit_code = 2


def check(connection: Mapping[str, Any]) -> list[Problem]:
    """Everything wrong with a ``connection`` block; files and variables are looked at when the gateway starts."""
    parsed = read_block(Connection, connection)
    if isinstance(parsed, list):
        return parsed
    problems = []
    if parsed.password_env is not None and parsed.password_file is not None:
        message = "'password_env' and 'password_file' cannot stand together"
        problems.append(Problem(message, {}, ("password_file",)))
    if parsed.username is None and (parsed.password_env or parsed.password_file):
        problems.append(Problem("a password needs a 'username'", {}, ()))
    if parsed.tls is not None and (parsed.tls.certificate_file is None) != (parsed.tls.key_file is None):
        message = "'certificate_file' and 'key_file' stand together or not at all"
        problems.append(Problem(message, {}, ("tls",)))
    return problems


def password(connection: Connection) -> str | None:
    """The password from where the block names it; SecretError says what is missing."""
    if connection.password_env is not None:
        value = os.environ.get(connection.password_env)
        if value is None:
            raise SecretError("the environment variable %(name)s is not set", name=connection.password_env)
        return value
    if connection.password_file is not None:
        try:
            return Path(connection.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretError("cannot read the password file %(path)s", path=connection.password_file) from error
    return None


def tls_context(block: TlsBlock) -> ssl.SSLContext:
    """TLS 1.2 or newer, the broker's certificate always checked; SecretError when a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=block.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = block.server_name
        if block.certificate_file is not None:
            context.load_cert_chain(block.certificate_file, block.key_file)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise SecretError("cannot use the TLS files: %(reason)s", reason=str(error)) from error
    return context
