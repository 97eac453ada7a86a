"""``meterproof serve``: pages and API of one data folder."""

import asyncio
import errno
import ipaddress
import shlex
import socket
from collections.abc import Callable
from pathlib import Path

import click
import uvicorn

from api.app import create_app
from api.people.acts import Acts
from api.people.cli import FIRST, first_administrator, link_address
from api.people.store import People
from api.warming import warm_in_background
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
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; beyond this machine with accounts only.",
)
@click.option("--name", "names", multiple=True, help="Host name that browsers use; may be given several times.")
@click.option("--certificate", type=click.Path(path_type=Path, exists=True), help="TLS certificate chain (PEM).")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="Its private key (PEM).")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True, help="0: any free port."
)
@click.pass_obj
def command(
    language: str,
    *,
    site: Path | None,
    data: Path | None,
    host: str,
    port: int,
    names: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Serve pages and API of a data folder to those who have an account. 提供页面与接口，须登录。"""
    if data is None and site is None:
        raise click.UsageError(text(language, "name a site file or a data folder"))
    folder = data if data is not None or site is None else load_assembled_site(site, language=language).data_folder
    assert folder is not None, "one of the two was named"
    app = create_app(DataFolder.open(folder), clock=SystemClock(), host_names=[*names, host])
    if app.state.people.count() == 0:
        require_loopback(host)
    listening = bound(host, port)
    shown = names[0] if names else f"[{host}]" if ":" in host else host
    address = f"http{'s' if certificate else ''}://{shown}:{listening.getsockname()[1]}"
    click.echo(text(language, "Meterproof is at %(address)s (Ctrl+C ends it)", address=f"{address}/"))
    invitation = invited(app.state.people, app.state.writer.acts, address, folder, language)
    if invitation:
        click.echo(invitation)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    warm_in_background()
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def invited(people: People, acts: Callable[[], Acts], address: str, folder: Path, language: str) -> str:
    """How the first administrator signs in while nobody can; empty once that account has its password."""
    if people.count() == 0:
        link = link_address(address, first_administrator(acts()))
        return text(language, "No account yet. The first administrator signs in here, once: %(link)s", link=link)
    first = people.person(FIRST)
    if first is None or first.has_password:
        return ""
    asked = f"meterproof people link {FIRST} --data {shlex.quote(str(folder))}"
    return text(language, "The first administrator has no password yet; a new link: %(link)s", link=asked)


def require_loopback(host: str) -> None:
    """Refuse to listen where others could reach it while there are no accounts."""
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ServeError(
            "%(host)s is not a loopback address and there are no accounts yet: make one first with 'meterproof people "
            "add', or use 127.0.0.1",
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
