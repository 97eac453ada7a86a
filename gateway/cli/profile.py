"""``meterproof profile list|show``: which meters the product knows, and where their facts come from."""

import json
from pathlib import Path
from typing import Any

import click

from config.catalogues import measurands
from config.profile import Profile, load_profile, profile_ids, shipped_profiles
from gateway.assembly.file_problems import problem_line
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text

CONFIDENCES = {
    "原文": "document",
    "转载": "reprint",
    "程序引用": "program",
    "记忆": "memory",
    "推断": "inference",
}
PROFILES_OPTION = click.option(
    "--profiles",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of your own profiles, looked at first.",
)


@click.group("profile")
def command() -> None:
    """Meter profiles: list them, show one. 仪表配置：列出、查看。"""


@command.command("list")
@PROFILES_OPTION
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def list_profiles(language: str, *, profiles: Path | None, as_json: bool) -> None:
    """All profiles with protocol, name and how sure their facts are. 列出全部仪表配置。"""
    folders = _folders(profiles)
    rows = [_loaded(each, folders, language) for each in sorted({each for one in folders for each in profile_ids(one)})]
    if as_json:
        found = [{"id": each.id, "protocol": each.protocol, "maker": each.maker, "model": each.model} for each in rows]
        click.echo(json.dumps({"profiles": found}, ensure_ascii=False))
        return
    width = max(len(each.id) for each in rows)
    for each in rows:
        name = each.name.zh if language == "zh" else each.name.en
        click.echo(f"{each.id:<{width}}  {each.protocol:<7} {_confidence(each, language):<9} {name}")


@command.command("show")
@click.argument("profile_id", metavar="PROFILE")
@PROFILES_OPTION
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(language: str, *, profile_id: str, profiles: Path | None, as_json: bool) -> None:
    """One profile: source document, groups, channels. 查看一个仪表配置。"""
    profile = _loaded(profile_id, _folders(profiles), language)
    if as_json:
        click.echo(profile.model_dump_json(exclude_none=True))
        return
    click.echo(f"{profile.id} ({profile.protocol}): {profile.maker} {profile.model}")
    click.echo(text(language, "Source: %(title)s (%(confidence)s)", title=profile.document.title,
                    confidence=_confidence(profile, language)))  # fmt: skip
    for line in (profile.document.edition, profile.document.url, profile.document.note):
        if line:
            click.echo(f"  {line}")
    for group in profile.groups:
        click.echo(f"[{group.id}]" + (" " + text(language, "identity") if group.identity else ""))
        for channel in group.channels:
            measurand = measurands()[channel.measurand]
            name = measurand.name.zh if language == "zh" else measurand.name.en
            unit = "" if measurand.unit == "1" else f" [{measurand.unit}]"
            click.echo(f"  {channel.id}: {name}{unit}  {_source(channel.source)}")


def _confidence(profile: Profile, language: str) -> str:
    """Where the facts were seen, in the reader's language."""
    confidence = profile.document.confidence
    return confidence if language == "zh" else CONFIDENCES[confidence]


def _source(source: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in source.items() if not isinstance(value, list | dict))


def _folders(own: Path | None) -> list[Path]:
    return [*([own] if own is not None else []), shipped_profiles()]


def _loaded(profile_id: str, folders: list[Path], language: str) -> Profile:
    profile, _, problems = load_profile(profile_id, folders)
    if problems:
        raise ConfigurationError([problem_line(each, language) for each in problems])
    if profile is None:
        raise UnknownObjectError(
            "there is no profile '%(profile)s'; `meterproof profile list` names them", profile=profile_id
        )
    return profile
