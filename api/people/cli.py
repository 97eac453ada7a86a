"""``meterproof people``: accounts, one-time sign-in links and tokens, at the machine itself."""

import csv
import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import click

from api.people.acts import Acts
from api.people.roles import ROLE_NAMES, Role
from api.people.store import AUTH_FILE, People, Person
from api.problems import PersonError
from gateway.assembly.platform import SystemClock, SystemRandom
from gateway.domain.errors import ConfigurationError
from gateway.domain.time import iso, local_midnight
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal

DEFAULT_ADDRESS = "http://127.0.0.1:8420"
FIRST = "administrator"
MAX_ROSTER_ROWS = 2_000
COLUMNS = ("id", "name", "roles", "until")
_DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The data folder.")
_ACTOR = click.option("--actor", help="Who does this; default: the user of this machine.")
_REASON = click.option("--reason", default="", help="Why.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_ADDRESS = click.option(
    "--address", default=DEFAULT_ADDRESS, show_default=True, help="Where the pages are, for the link."
)
_UNTIL = click.option("--until", help="Last day (2026-12-31); a reviewer's account needs one.")


def link_address(address: str, secret: str) -> str:
    """The one-time sign-in link of a secret."""
    return f"{address.rstrip('/')}/sign-in/link?{urlencode({'code': secret})}"


def first_administrator(acts: Acts) -> str:
    """Make the first account and give its link's secret."""
    acts.add(FIRST, name="管理员", roles=frozenset({Role.ADMINISTRATOR}), until_us=None, actor="system")
    return acts.link(FIRST, actor="system")


@click.group("people")
def command() -> None:
    """Accounts, sign-in links and tokens. 账号、登录链接与接口令牌。"""


@command.command("add")
@click.argument("account")
@_DATA
@click.option("--name", help="The person's name; default: the account's id.")
@click.option("--role", "roles", type=click.Choice([str(each) for each in Role]), multiple=True, required=True)
@_UNTIL
@click.option("--organisation", help="Organisation id; default: the folder's.")
@_ADDRESS
@_ACTOR
@_REASON
@_JSON
@click.pass_obj
def added(
    language: str,
    *,
    account: str,
    data: Path,
    name: str | None,
    roles: tuple[str, ...],
    until: str | None,
    organisation: str | None,
    address: str,
    actor: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Add an account, or change one's name, roles and term; print its sign-in link. 新增或修改账号。"""
    with _opened(data) as (folder, people, acts):
        actor = actor or getpass.getuser()
        old = people.person(account)
        person = acts.add(
            account,
            name=name or (old.name if old else account),
            roles=frozenset(Role(each) for each in roles),
            until_us=_end(until, folder),
            organisation=organisation,
            actor=actor,
            reason=reason,
        )
        link = link_address(address, acts.link(account, actor=actor))
    if as_json:
        click.echo(json.dumps({**_document(person, language), "link": link}, ensure_ascii=False))
        return
    click.echo(text(language, "Account %(id)s: %(roles)s", id=account, roles=_roles(person, language)))
    click.echo(text(language, "Signs in once within 24 hours: %(link)s", link=link))


@command.command("roster")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_DATA
@click.option("--links", is_flag=True, help="Give each account of the file a one-time sign-in link.")
@_ADDRESS
@_ACTOR
@_REASON
@_JSON
@click.pass_obj
def rostered(
    language: str,
    *,
    file: Path,
    data: Path,
    links: bool,
    address: str,
    actor: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Add or change the accounts of a CSV file (id, name, roles, until). 按名册文件新增或修改账号。"""
    actor = actor or getpass.getuser()
    listed = []
    with _opened(data) as (folder, people, acts):
        for number, row in enumerate(_roster(file, language), 2):
            try:
                roles = frozenset(Role(each) for each in row["roles"].split())
            except ValueError as error:
                message = "%(file)s, line %(line)s: no role is named %(word)s"
                said = text(language, message, file=file, line=number, word=row["roles"])
                raise ConfigurationError([said]) from error
            until_us = _end(row["until"] or None, folder)
            old = people.person(row["id"])
            if old is None or (old.name, old.roles, old.until_us) != (row["name"], roles, until_us):
                facts: dict[str, Any] = {"name": row["name"], "roles": roles, "until_us": until_us, "reason": reason}
                old = acts.add(row["id"], actor=actor, **facts)
            made = _document(old, language)
            if links:
                made["link"] = link_address(address, acts.link(old.id, actor=actor))
            listed.append(made)
    if as_json:
        click.echo(json.dumps({"people": listed}, ensure_ascii=False))
        return
    for each in listed:
        click.echo("  ".join(filter(None, (each["id"], "、".join(each["role_names"]), each.get("link")))))


@command.command("list")
@_DATA
@_JSON
@click.pass_obj
def listed(language: str, *, data: Path, as_json: bool) -> None:
    """List the accounts of the folder's organisation. 列出账号。"""
    with _opened(data) as (folder, people, _acts):
        found = people.listed(folder.organisation)
        now_us = SystemClock().utc_us()
    if as_json:
        click.echo(json.dumps({"people": [_document(each, language) for each in found]}, ensure_ascii=False))
        return
    for each in found:
        state = "" if each.is_active(now_us) else text(language, "disabled or over")
        click.echo("  ".join(filter(None, (each.id, each.name, _roles(each, language), state))))
    click.echo(text(language, "%(count)s accounts.", count=len(found)))


@command.command("link")
@click.argument("account")
@_DATA
@_ADDRESS
@_ACTOR
@_JSON
@click.pass_obj
def linked(language: str, *, account: str, data: Path, address: str, actor: str | None, as_json: bool) -> None:
    """Print a new one-time sign-in link of an account. 生成一次性登录链接。"""
    with _opened(data) as (_folder, _people, acts):
        link = link_address(address, acts.link(account, actor=actor or getpass.getuser()))
    if as_json:
        click.echo(json.dumps({"id": account, "link": link}, ensure_ascii=False))
        return
    click.echo(text(language, "Signs in once within 24 hours: %(link)s", link=link))


@command.command("disable")
@click.argument("account")
@_DATA
@_ACTOR
@_REASON
@click.pass_obj
def disabled(language: str, *, account: str, data: Path, actor: str | None, reason: str) -> None:
    """End an account: its sessions, links and tokens end at once. 停用账号。"""
    with _opened(data) as (_folder, _people, acts):
        acts.disable(account, actor=actor or getpass.getuser(), reason=reason)
    click.echo(text(language, "Account %(id)s is disabled.", id=account))


@command.command("token")
@click.argument("account")
@_DATA
@click.option("--label", required=True, help="What the token is for.")
@_UNTIL
@_ACTOR
@_JSON
def tokened(*, account: str, data: Path, label: str, until: str | None, actor: str | None, as_json: bool) -> None:
    """Make an API token of an account and print it, this once. 生成接口令牌。"""
    with _opened(data) as (folder, _people, acts):
        token_id, made = acts.token(
            account, label=label, until_us=_end(until, folder), actor=actor or getpass.getuser()
        )
    if as_json:
        click.echo(json.dumps({"id": token_id, "token": made}, ensure_ascii=False))
        return
    click.echo(made)


@contextmanager
def _opened(data: Path) -> Iterator[tuple[DataFolder, People, Acts]]:
    clock = SystemClock()
    folder = DataFolder.open(data)
    people = People(folder.path / AUTH_FILE, clock, SystemRandom())
    try:
        with Journal.open(folder) as journal:
            yield folder, people, Acts(people, folder, journal, clock)
    finally:
        people.close()


def _end(day: str | None, folder: DataFolder) -> int | None:
    """The end of a civil day of the site (µs UTC)."""
    if day is None:
        return None
    try:
        return local_midnight(date.fromisoformat(day) + timedelta(days=1), ZoneInfo(folder.time_zone))
    except (ValueError, OverflowError) as error:
        raise PersonError("'%(day)s' is no date such as 2026-12-31", day=day) from error


def _roster(file: Path, language: str) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [each for each in COLUMNS if each not in (reader.fieldnames or ())]
        rows = [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in islice(reader, MAX_ROSTER_ROWS)]
    if missing:
        said = text(language, "%(file)s lacks the column %(column)s", file=file, column=missing[0])
        raise ConfigurationError([said])
    return rows


def _roles(person: Person, language: str) -> str:
    return ("、" if language == "zh" else ", ").join(text(language, ROLE_NAMES[each]) for each in sorted(person.roles))


def _document(person: Person, language: str) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "organisation": person.organisation,
        "roles": [str(each) for each in sorted(person.roles)],
        "role_names": [text(language, ROLE_NAMES[each]) for each in sorted(person.roles)],
        "until": None if person.until_us is None else iso(person.until_us),
        "disabled": person.disabled_us is not None,
    }
