"""``meterproof report``: which reports there are, making one into a file, issuing one on record."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.assembly.reporting import ReportWish, issue_report, report
from gateway.cli.asked import ACTOR, AS_JSON, DATA, REASON, Day, Moment, present, recording_time
from gateway.domain.errors import ConfigurationError
from gateway.i18n import LANGUAGES, text
from gateway.journal.folder import DataFolder
from gateway.reports.catalogue import FORMATS, GROUPS, KINDS, kind_of
from gateway.reports.drawing import drawn
from gateway.reports.issuing import issued
from gateway.reports.rendering import rendered

_FIRST = click.option("--first", type=Day(), help="First day of the amounts.")
_LAST = click.option("--last", type=Day(), help="Last day of the amounts, included.")
_REVIEW = click.option("--review", default="", help="The review the report is of.")
_SPOKEN = click.option(
    "--language", "spoken", type=click.Choice(LANGUAGES), help="Of the report; default: that of the command."
)
_AT = click.option("--at", "at_us", type=Moment(), help="As of (RFC 3339); default: now.")
_FONTS = click.option(
    "--fonts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    envvar="METERPROOF_FONTS",
    help="A folder of fonts.",
)


@click.group("report")
def command() -> None:
    """Forms, figures and reports as XLSX, PDF, DOCX, CSV and JSON. 报表、附图与审查文件。"""


def _wished(decorated: Callable[..., Any]) -> Callable[..., Any]:
    for option in (DATA, _AT, _SPOKEN, _REVIEW, _LAST, _FIRST):
        decorated = option(decorated)
    return decorated


def _wish(language: str, kind: str, said: dict[str, Any]) -> ReportWish:
    return ReportWish(
        kind=kind_of(kind).id,
        language=said["spoken"] or language,
        first=said["first"],
        last=said["last"],
        review=said["review"],
    )


def _asked(reader: OpenFolder, at_us: int | None) -> int:
    return present(reader.folder, reader.sources.registry) if at_us is None else at_us


@command.command("list")
@click.option("--data", type=click.Path(path_type=Path), help="A data folder: also the reports issued there.")
@AS_JSON
@click.pass_obj
def list_command(language: str, *, data: Path | None, as_json: bool) -> None:
    """Reports that can be made, and those issued. 可生成与已签发的报表。"""
    found = []
    if data is not None:
        with open_for_reading(DataFolder.open(data, read_only=True)) as reader:
            found = issued(reader.sources.registry, reader.folder.organisation)
    if as_json:
        document = {
            "kinds": [
                {
                    "id": each.id,
                    "title": text(language, each.title),
                    "group": each.group,
                    "needs_period": each.needs_period,
                    "needs_review": each.needs_review,
                }
                for each in KINDS.values()
            ],
            "formats": list(FORMATS),
            "issued": [{"id": each.id, "version": each.version, "seq": each.seq} for each in found],
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    for group, title in GROUPS.items():
        click.echo(text(language, title))
        for each in KINDS.values():
            if each.group == group:
                click.echo(f"  {each.id:<22} {text(language, each.title)}")
    for report_ in found:
        click.echo(
            text(
                language,
                "issued: %(id)s version %(version)s, entry %(seq)s",
                id=report_.id,
                version=report_.version,
                seq=report_.seq,
            )
        )


@command.command("make")
@click.argument("kind")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@_wished
@_FONTS
@click.option("--organisation", help="Another organisation of the folder; default: the folder's own.")
@click.option("--known", type=click.IntRange(1), help="As recorded up to this journal entry.")
@click.option("--progress", is_flag=True, help="Say each stage on standard error.")
@click.pass_obj
def make_command(
    language: str,
    /,
    *,
    kind: str,
    target: Path,
    data: Path,
    at_us: int | None,
    fonts: tuple[Path, ...],
    organisation: str | None,
    known: int | None,
    progress: bool,
    **said: Any,
) -> None:
    """Make a report into TARGET; its ending says which file: .xlsx .pdf .docx .csv .json. 生成报表文件。"""
    format_ = target.suffix.lower().removeprefix(".")
    if format_ not in FORMATS:
        endings = " ".join(f".{each}" for each in FORMATS)
        raise click.BadParameter(text(language, "the file's name must end in one of %(endings)s", endings=endings))
    if target.exists():
        raise ConfigurationError([text(language, "%(file)s exists already", file=str(target))])
    _stage("gathering", progress=progress)
    with open_for_reading(DataFolder.open(data, read_only=True), organisation=organisation) as reader:
        asked_us = _asked(reader, at_us)
        asking = replace(reader.asking(asked_us), known_seq=known)
        document = report(reader, asking, _wish(language, kind, said), at_us=asked_us)
    _stage("drawing", progress=progress)
    pictures = drawn(document) if format_ == "pdf" else {}
    _stage("setting", progress=progress)
    target.write_bytes(rendered(document, format_, pictures, fonts))
    click.echo(text(language, "%(file)s: %(title)s", file=str(target), title=document.title))


def _stage(name: str, *, progress: bool) -> None:
    if progress:
        click.echo(f"stage {name}", err=True)


@command.command("issue")
@click.argument("kind")
@_wished
@click.option("--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Also; JSON is always kept.")
@_FONTS
@ACTOR
@REASON
@AS_JSON
@click.pass_obj
def issue_command(
    language: str,
    /,
    *,
    kind: str,
    data: Path,
    at_us: int | None,
    formats: tuple[str, ...],
    fonts: tuple[Path, ...],
    actor: str,
    reason: str,
    as_json: bool,
    **said: Any,
) -> None:
    """Put a report on record: its files by hash, its figures in the entry. 签发报表并记录。"""
    folder = DataFolder.open(data)
    recording_time(folder, at_us)
    with open_for_reading(folder) as reader:
        asked_us = _asked(reader, at_us)
        made = issue_report(
            reader,
            reader.asking(asked_us),
            _wish(language, kind, said),
            at_us=asked_us,
            formats=formats or ("xlsx", "pdf"),
            fonts=fonts,
            actor=actor,
            reason=reason,
        )
    if as_json:
        document = {"id": made.id, "version": made.version, "seq": made.seq, "files": list(made.names)}
        click.echo(json.dumps(document))
        return
    sentence = "%(id)s version %(version)s issued in entry %(seq)s: %(files)s"
    click.echo(text(language, sentence, id=made.id, version=made.version, seq=made.seq, files=" ".join(made.names)))
