"""``meterproof review``: the gateway's side. Plans, stages, what is handed in, draws, indicators, a reviewer's file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.reading import open_for_reading
from gateway.assembly.review_desk import MAX_FILE_BYTES, current, project_now, read_hand_back, take_in
from gateway.assembly.review_loading import (
    checklists,
    chosen_checklist,
    edition_document,
    editions,
)
from gateway.cli.asked import ACTOR, AS_JSON, DATA, FILE, local_instant, period, read_bytes, read_text
from gateway.cli.review_desk import Desk, attached, desk_of
from gateway.cli.review_draw import DRAWS
from gateway.cli.review_machine import COMMANDS
from gateway.domain.errors import UnknownObjectError
from gateway.i18n import text
from gateway.i18n.terms import term
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.review import acts
from gateway.review.acts import Attachment, ReviewError, act_draft, checked_text
from gateway.review.gathered import Gathered
from gateway.review.indicators import indicators
from gateway.sealing.note import Note, NoteError, VerifierKey
from gateway.verifier.checkpoints import Options
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report

_FILES = click.argument("files", nargs=-1, type=FILE)
MAX_LINES = 20_000


@click.group("review")
def command() -> None:
    """Energy and carbon metering reviews. 能源计量审查与碳排放计量审查。"""


for each in (*COMMANDS, *DRAWS):
    command.add_command(each)


@command.command("checklists")
@click.pass_obj
def checklists_command(language: str) -> None:
    """List the checklists that ship. 列出内置审查清单。"""
    for found in checklists().values():
        name = found.name_zh if language == "zh" else found.name_en
        click.echo(f"{found.id}: {found.edition} {name} ({len(found.items)}; {found.standing})")


@command.command("indicators")
@DATA
@click.option("--as-of", help="A civil date of the site (its end) or RFC 3339; default: now.")
@AS_JSON
@click.pass_obj
def indicators_command(language: str, *, data: Path, as_of: str | None, as_json: bool) -> None:
    """Equipping, verification, completeness and other shares. 配备率、受检率、完整率等指标。"""
    folder = DataFolder.open(data, read_only=True)
    zone = ZoneInfo(folder.time_zone)
    at_us = local_instant(language, as_of, zone, end=True) if as_of else SystemClock().utc_us()
    with open_for_reading(folder) as reader:
        found = indicators(Gathered(reader.sources, reader.asking(at_us), editions()))
    if as_json:
        rows = [
            {
                "id": each.id,
                "numerator": each.numerator,
                "denominator": each.denominator,
                "day": each.day.isoformat(),
                "required_percent": each.required_percent,
                "edition": each.edition,
                "edition_has_table": each.edition_has_table,
                "meets": each.meets,
                "excluded": len(each.excluded),
            }
            for each in found
        ]
        click.echo(json.dumps({"indicators": rows}, ensure_ascii=False))
        return
    for each in found:
        share = "—" if each.permille is None else f"{each.permille / 10:.1f}%"
        name = term(language, "indicator", each.family)
        where = f" {each.energy_kind} {each.level}" if each.energy_kind else ""
        click.echo(f"{name}{where}: {each.numerator}/{each.denominator} = {share} ({each.day})")
    if any(each.edition_has_table is False for each in found):
        sentence = (
            "%(edition)s is in force that day and its table is not at hand: nothing is demanded here; load it with "
            "'meterproof review edition FILE'"
        )
        edition = next(each.edition for each in found if each.edition_has_table is False)
        click.echo(text(language, sentence, edition=edition))


@command.command("plan")
@click.argument("review")
@DATA
@click.option("--checklist", required=True, help="Id of a shipped checklist, or a file of your own.")
@click.option("--from", "from_", required=True, help="Begin of the period looked at, local date or RFC 3339.")
@click.option("--to", "to", required=True, help="Its end (exclusive).")
@click.option("--title", default="", help="What the review is called.")
@click.option("--enterprise", default="", help="The enterprise under review; default: the site's organisation.")
@click.option("--organiser", default="", help="The body that organises the review.")
@click.option("--team", default="", help="Registered reviewers, comma-separated, the leader first.")
@ACTOR
@click.pass_obj
def plan_command(
    language: str,
    *,
    review: str,
    data: Path,
    checklist: str,
    from_: str,
    to: str,
    title: str,
    enterprise: str,
    organiser: str,
    team: str,
    actor: str,
) -> None:
    """Plan a review: checklist, period, team. 制定审查计划。"""
    document = chosen_checklist(checklist, language)
    with desk_of(language, data, actor) as desk:
        zone = ZoneInfo(desk.folder.time_zone)
        asked = period(language, *(local_instant(language, each, zone) for each in (from_, to)))
        state = current(desk.folder, desk.journal)
        if review in state.reviews:
            raise ReviewError("a review '%(id)s' is on record already", id=review)
        names = [part.strip() for part in team.split(",") if part.strip()]
        for name in names:
            if name not in state.reviewers:
                raise UnknownObjectError("no reviewer '%(id)s' is registered", id=name)
        roles = ["leader" if place == 0 else "member" for place in range(len(names))]
        facts = {
            "title": title,
            "from": asked.start_us,
            "to": asked.end_us,
            "enterprise": enterprise or desk.organisation,
            "organiser": organiser,
            "team": [{"reviewer": name, "role": role} for name, role in zip(names, roles, strict=True)],
        }
        now = SystemClock().utc_us()
        desk.record(
            acts.plan_draft(desk.organisation, review, checklist=document, facts=facts, at_us=now, actor=desk.actor)
        )


@command.command("stage")
@click.argument("review")
@click.argument("stage")
@DATA
@click.option("--step", default="", help="A step of the stage.")
@click.option(
    "--state", "word", type=click.Choice(("begun", "done")), default="done", show_default=True, help="How far."
)
@click.option("--remark", default="", help="A remark.")
@ACTOR
@click.pass_obj
def stage_command(
    language: str, *, review: str, stage: str, data: Path, step: str, word: str, remark: str, actor: str
) -> None:
    """Record that a stage of organiser or enterprise is begun or done. 记录阶段进展。"""
    with desk_of(language, data, actor) as desk:
        found = current(desk.folder, desk.journal).review(review).checklist.stage(stage)
        if found.by == "reviewer":
            raise ReviewError("the stage '%(id)s' is the reviewers'; they sign it on their own machine", id=stage)
        if step and step not in {each.id for each in found.steps}:
            raise UnknownObjectError("the stage has no step '%(id)s'", id=step)
        said = {"stage": stage, "step": step, "state": word, "remark": checked_text(remark)}
        desk.record(_act(desk, review, acts.STAGE, said))


@command.command("hand-in")
@click.argument("review")
@click.argument("category")
@_FILES
@DATA
@click.option("--title", default="", help="What it is.")
@ACTOR
@click.pass_obj
def hand_in_command(
    language: str, *, review: str, category: str, files: tuple[Path, ...], data: Path, title: str, actor: str
) -> None:
    """Hand in documents: self_check, forms, figures, training, report … 报送资料。"""
    with desk_of(language, data, actor) as desk:
        current(desk.folder, desk.journal).review(review)
        documents = attached(files)
        said = {"category": acts.checked_id(category), "title": checked_text(title or category)}
        desk.record(_act(desk, review, acts.HANDED_IN, said, documents), documents=documents)


@command.command("rectify")
@click.argument("review")
@click.argument("number")
@_FILES
@DATA
@click.option("--title", required=True, help="What was done.")
@ACTOR
@click.pass_obj
def rectify_command(
    language: str, *, review: str, number: str, files: tuple[Path, ...], data: Path, title: str, actor: str
) -> None:
    """Say what was done about a nonconformity. 提交不符合项整改情况。"""
    with desk_of(language, data, actor) as desk:
        if number not in current(desk.folder, desk.journal).review(review).nonconformities:
            raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
        documents = attached(files)
        said = {"number": number, "category": "rectification", "title": checked_text(title)}
        desk.record(_act(desk, review, acts.RECTIFIED, said, documents), documents=documents)


def _act(desk: Desk, review: str, action: str, said: dict[str, Any], documents: Sequence[Attachment] = ()) -> Draft:
    return act_draft(
        desk.organisation,
        ("review", review),
        action,
        at_us=SystemClock().utc_us(),
        actor=desk.actor,
        object_=said,
        documents=documents,
    )


@command.command("register")
@click.argument("file", type=FILE)
@DATA
@ACTOR
@click.option("--reason", default="", help="Who confirmed that the key is this reviewer's.")
@click.pass_obj
def register_command(language: str, *, file: Path, data: Path, actor: str, reason: str) -> None:
    """Register a reviewer's public key from the reviewer's own file. 登记审查员公钥。"""
    with desk_of(language, data, actor) as desk:
        note = read_text(file)
        now = SystemClock().utc_us()
        try:
            draft = acts.registration_draft(desk.organisation, note, at_us=now, actor=desk.actor, reason=reason)
        except NoteError as error:
            raise ReviewError("this is no registration of a reviewer") from error
        known = current(desk.folder, desk.journal).reviewers.get(draft.subject.split("/", 2)[2])
        if known is not None and known.vkey != draft.body["vkey"] and not _signed_by_old(note, known.vkey):
            raise ReviewError("'%(id)s' has another key; the registration must be signed by that one too", id=known.id)
        desk.record(draft)
        click.echo(
            text(
                language,
                "Compare this key with the one the reviewer's authority gives: %(key)s",
                key=draft.body["vkey"],
            )
        )


def _signed_by_old(note: str, vkey: str) -> bool:
    try:
        return Note.parse(note).signed_by(VerifierKey.parse(vkey))
    except NoteError:
        return False


@command.command("import")
@click.argument("file", type=FILE)
@DATA
@ACTOR
@AS_JSON
@click.pass_obj
def import_command(language: str, *, file: Path, data: Path, actor: str, as_json: bool) -> None:
    """Take in a reviewer's signed file; what does not hold is refused and put on record. 导入审查员签名文件。"""
    with desk_of(language, data, actor) as desk:
        handed = read_hand_back(read_bytes(file, MAX_FILE_BYTES))
        found = take_in(desk.folder, desk.journal, SystemClock(), handed, actor=desk.actor)
        project_now(desk.folder, desk.journal)
        if found.why:
            raise ReviewError(
                "refused: %(why)s; the attempt is on record as entry %(seq)s",
                why=term(language, "refusal", found.why),
                seq=str(found.written[-1]),
            )
        if as_json:
            click.echo(json.dumps({"written": list(found.written), "known": found.known}))
            return
        message = "%(written)s acts of the reviewer put on record, %(known)s were there already"
        click.echo(text(language, message, written=len(found.written), known=found.known))


@command.command("edition")
@click.argument("file", type=FILE)
@DATA
@ACTOR
@click.pass_obj
def edition_command(language: str, *, file: Path, data: Path, actor: str) -> None:
    """Put an edition of required equipping rates on record. 记录配备率要求的版本。"""
    document = edition_document(file, language)
    with desk_of(language, data, actor) as desk:
        draft = act_draft(
            desk.organisation,
            ("equipping_edition", str(document["id"])),
            acts.EDITION,
            at_us=SystemClock().utc_us(),
            actor=desk.actor,
            object_=document,
        )
        desk.record(draft)


@command.command("verify")
@DATA
@ACTOR
@click.pass_obj
def verify_command(language: str, *, data: Path, actor: str) -> None:
    """Run the verifier over the folder and put its result on record. 核验数据文件夹并记录结果。"""
    with desk_of(language, data, actor) as desk:
        report = Report()
        FolderCheck(desk.folder.path, report, Options(key=None, against=[]), []).run()
        said = {
            "ok": int(report.ok),
            "problems": report.problem_count,
            "entries": report.counts.get("entries", 0),
            "listed": [f"{each.where}: {each.code}" for each in report.problems[:20]],
        }
        now = SystemClock().utc_us()
        subject = ("verification", desk.folder.site)
        desk.record(act_draft(desk.organisation, subject, acts.VERIFIED, at_us=now, actor=desk.actor, object_=said))
        for line in report.lines(language):
            click.echo(line)
        if not report.ok:
            raise ReviewError("the verifier found problems; they are on record")
