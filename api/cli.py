"""``meterproof serve``: pages and API of one data folder, on this machine only."""

import asyncio
import errno
import ipaddress
import socket
from pathlib import Path

import click
import uvicorn

from api.app import create_app
from gateway.assembly.platform import SystemClock
from gateway.assembly.site_loading import load_assembled_site
from gateway.domain.errors import MeterproofError
from gateway.i18n import text
from gateway.journal.folder import DataFolder

DEFAULT_PORT = 8420


class ServeError(MeterproofError):
    """The server cannot start as asked."""

    exit_code = 2


@click.command("serve")
@click.argument("site", type=click.Path(path_type=Path), required=False)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True, help="0: any free port."
)
@click.pass_obj
def command(language: str, *, site: Path | None, data: Path | None, host: str, port: int) -> None:
    """Serve pages and API of a data folder, read-only. 提供页面与接口（只读，仅限本机）。"""
    require_loopback(host)
    if data is None and site is None:
        raise click.UsageError(text(language, "name a site file or a data folder"))
    folder = data if data is not None or site is None else load_assembled_site(site, language=language).data_folder
    assert folder is not None, "one of the two was named"
    app = create_app(DataFolder.open(folder, read_only=True), clock=SystemClock())
    listening = bound(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/"
    click.echo(text(language, "Meterproof is at %(address)s (Ctrl+C ends it)", address=address))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def require_loopback(host: str) -> None:
    """Refuse to listen where others could reach it: there are no accounts yet."""
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ServeError(
            "%(host)s is not a loopback address: the pages have no accounts yet, so they are served on this machine "
            "only; use 127.0.0.1 and reach it through an SSH tunnel",
            host=host,
        )


def bound(host: str, port: int) -> socket.socket:
    """A bound socket; ServeError with what to do when the port is taken or may not be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                "port %(port)s is in use; end the other program or choose another with --port", port=str(port)
            ) from error
        raise ServeError(
            "port %(port)s on %(host)s cannot be used: %(reason)s",
            port=str(port),
            host=host,
            reason=error.strerror or type(error).__name__,
        ) from error
    return listening
