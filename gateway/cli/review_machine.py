"""``meterproof review`` on the reviewer's own machine: key, package, judgements, checks on site, report, hand-back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.reading import open_for_reading
from gateway.assembly.review_desk import current, write_hand_back
from gateway.assembly.review_loading import editions
from gateway.assembly.review_machine import (
    check_package,
    hand_back,
    open_package,
    require_machine,
    reviewer_key,
    sign_act,
)
from gateway.cli.asked import local_instant
from gateway.cli.review_desk import attached
from gateway.domain.errors import DataFolderError, UnknownObjectError
from gateway.domain.time import US_PER_DAY, to_datetime
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.review import statement
from gateway.review.acts import VERDICTS, Attachment, ReviewError, checked_id, checked_text
from gateway.review.evidence import evidence, snapshot
from gateway.review.gathered import Gathered
from gateway.review.on_site import check_object, compare, expected
from gateway.review.signers import registration
from gateway.sealing import keys
from gateway.sealing.note import SigningKey

ACCOUNT_DAYS = 90
_DATA = click.option("--data", type=click.Path(path_type=Path), required=True, help="The opened package's folder.")
_KEY = click.option(
    "--key", type=click.Path(path_type=Path), help="The reviewer's key; default: as when the package was opened."
)
_PHOTOS = click.option(
    "--file", "files", type=click.Path(path_type=Path, exists=True), multiple=True, help="A photo or paper; repeatable."
)


@dataclass(frozen=True, slots=True)
class Machine:
    """An opened package while an act is signed."""

    folder: DataFolder
    journal: Journal
    key: SigningKey
    language: str

    def sign(self, review: str, action: str, object_: dict[str, Any], documents: Sequence[Attachment] = ()) -> None:
        """Sign, show, say so."""
        number = sign_act(
            self.folder,
            self.journal,
            SystemClock(),
            self.key,
            review=review,
            action=action,
            object_=object_,
            documents=documents,
        )
        click.echo(text(self.language, "signed as act %(number)s of %(id)s", number=number, id=self.key.verifier.name))


@contextmanager
def _machine(language: str, data: Path, key: Path | None) -> Iterator[Machine]:
    folder = DataFolder.open(data)
    marker = require_machine(folder)
    with Journal.open(folder) as journal:
        yield Machine(folder, journal, reviewer_key(marker, key), language)


@click.command("key")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--id", "id_", required=True, help="The reviewer's id, letters, digits and dashes.")
@click.option("--name", required=True, help="The reviewer's name.")
@click.option("--authority", default="", help="The body the reviewer works for.")
@click.option("--old-key", type=click.Path(path_type=Path), help="The key so far, when this one takes its place.")
@click.pass_obj
def key_command(language: str, *, target: Path, id_: str, name: str, authority: str, old_key: Path | None) -> None:
    """Make a reviewer's key and the file that registers it. 生成审查员密钥与登记文件。"""
    checked_id(id_)
    if target.exists():
        raise DataFolderError("%(path)s exists already; a key is never overwritten", path=str(target))
    made = keys.create(target, id_)
    note = registration(id_, checked_text(name), checked_text(authority), made, keys.load(old_key) if old_key else None)
    public = target.with_name(target.name + ".registration")
    public.write_text(note, "utf-8")
    click.echo(
        text(
            language,
            "Key: %(path)s (keep it secret). To be registered at the plant: %(public)s",
            path=str(target),
            public=str(public),
        )
    )
    click.echo(str(made.verifier))


@click.command("open")
@click.argument("package", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A new folder for the opened package.")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="The reviewer's key, to judge with.")
@click.option("--log-key", help="The plant's public key, received on another way.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8421, show_default=True, help="Of the pages.")
@click.option("--serve/--no-serve", default=True, show_default=True, help="Serve the pages at once.")
@click.pass_obj
def open_command(
    language: str, *, package: Path, data: Path, key: Path | None, log_key: str | None, port: int, serve: bool
) -> None:
    """Check an evidence package and open its pages here. 核验并打开证据包。"""
    report = check_package(package, log_key=log_key)
    for line in report.lines(language):
        click.echo(line)
    if not report.ok:
        raise ReviewError("the package does not hold; nothing was opened")
    open_package(package, data, key=key, report=report)
    click.echo(text(language, "Opened in %(path)s.", path=str(data)))
    if serve:
        if key is not None:
            words = _words(language, "people", "add", *_account(keys.load(key).verifier.name, data, port))
            subprocess.run(words, check=False)  # noqa: S603  # our own program
        sys.stdout.flush()
        words = _words(language, "serve", "--data", str(data), "--port", str(port))
        os.execv(words[0], words)  # noqa: S606  # our own program, in this one's place


def _account(reviewer: str, data: Path, port: int) -> Sequence[str]:
    """An account on this machine for the reviewer, so that the pages here take judgements."""
    until = to_datetime(SystemClock().utc_us() + ACCOUNT_DAYS * US_PER_DAY).date().isoformat()
    options = {"--data": str(data), "--role": "review_leader", "--until": until, "--actor": reviewer}
    options["--address"] = f"http://127.0.0.1:{port}"
    return [reviewer.lower()[:40], *(part for pair in options.items() for part in pair)]


def _words(language: str, *arguments: str) -> list[str]:
    """The command line of another command of this program: pages and accounts are not the gateway's own."""
    return [sys.executable, "-P", "-m", "gateway.cli.main", "--lang", language, *arguments]


@click.command("judge")
@click.argument("review")
@click.argument("item")
@click.argument("verdict", type=click.Choice(VERDICTS))
@_DATA
@click.option("--remark", default="", help="Why.")
@_PHOTOS
@_KEY
@click.pass_obj
def judge_command(
    language: str,
    *,
    review: str,
    item: str,
    verdict: str,
    data: Path,
    remark: str,
    files: tuple[Path, ...],
    key: Path | None,
) -> None:
    """Judge an item; the evidence of this moment is kept with it. 对审查项作出判定。"""
    with _machine(language, data, key) as machine:
        content = judged_evidence(machine.folder, machine.journal, review, item)
        documents = [Attachment(f"evidence-{item}.json", content, "application/json"), *attached(files)]
        said = {
            "item": item,
            "verdict": verdict,
            "remark": checked_text(remark),
            "evidence": documents[0].sha256,
            "proposal": str(json.loads(content)["proposal"]),
        }
        machine.sign(review, statement.JUDGED, said, documents)


def judged_evidence(folder: DataFolder, journal: Journal, review: str, item: str) -> bytes:
    """The snapshot of an item's evidence at the newest reading of the folder."""
    found = current(folder, journal).review(review)
    with open_for_reading(folder) as reader:
        gathered = Gathered(reader.sources, reader.asking(require_machine(folder).until_us), editions(), review=found)
        return snapshot(evidence(gathered, found.checklist.item(item)), found)


@click.command("check")
@click.argument("review")
@click.argument("instrument")
@_DATA
@click.option("--at", "at", required=True, help="When the display was read, RFC 3339 or local.")
@click.option("--index", default="", help="The index on the display.")
@click.option("--serial", default="", help="Serial number on the plate.")
@click.option("--number", default="", help="The unit's own number on the label.")
@click.option("--seal", default="", help="Number of the seal.")
@click.option("--ct-plate", default="", help="CT ratio on the plate, 200/5.")
@click.option("--pt-plate", default="", help="PT ratio on the plate.")
@click.option("--label", type=click.Choice(("right", "wrong", "")), default="", help="The state label.")
@click.option("--environment", type=click.Choice(("right", "wrong", "")), default="", help="The surroundings.")
@click.option("--not-found", is_flag=True, help="The instrument is not there.")
@click.option("--remark", default="", help="A remark.")
@_PHOTOS
@_KEY
@click.pass_obj
def check_command(
    language: str,
    /,
    *,
    review: str,
    instrument: str,
    data: Path,
    at: str,
    not_found: bool,
    key: Path | None,
    files: tuple[Path, ...],
    **found: str,
) -> None:
    """Record a check on site: what was found beside what the gateway says of that minute. 记录现场核对。"""
    with _machine(language, data, key) as machine:
        current(machine.folder, machine.journal).review(review)
        at_us = local_instant(language, at, ZoneInfo(machine.folder.time_zone))
        said = {**found, "found": "no" if not_found else "yes", "remark": checked_text(found.get("remark", ""))}
        with open_for_reading(machine.folder) as reader:
            against = expected(reader.sources, reader.asking(at_us), instrument, at_us)
        try:
            made = compare(said, against)
        except ValueError as error:
            raise ReviewError("'%(value)s' is no number", value=found.get("index", "")) from error
        documents = attached(files)
        machine.sign(review, statement.CHECKED, check_object(said, against, made), documents)
        click.echo(json.dumps(check_object(said, against, made), ensure_ascii=False))


@click.command("nonconformity")
@click.argument("review")
@click.argument("number")
@click.argument("item")
@click.option("--text", "text_", required=True, help="What was found.")
@click.option("--demand", default="", help="What is demanded, and by which rule.")
@_DATA
@_PHOTOS
@_KEY
@click.pass_obj
def nonconformity_command(
    language: str,
    *,
    review: str,
    number: str,
    item: str,
    text_: str,
    demand: str,
    data: Path,
    files: tuple[Path, ...],
    key: Path | None,
) -> None:
    """Write a nonconformity report. 开具不符合项报告。"""
    with _machine(language, data, key) as machine:
        current(machine.folder, machine.journal).review(review).checklist.item(item)
        said = {
            "number": checked_id(number),
            "item": item,
            "text": checked_text(text_),
            "demand": checked_text(demand),
        }
        machine.sign(review, statement.NONCONFORMITY, said, attached(files))


@click.command("accept")
@click.argument("review")
@click.argument("number")
@click.option("--accepted/--not-accepted", default=True, show_default=True, help="Whether the rectification holds.")
@click.option("--remark", default="", help="Why.")
@_DATA
@_PHOTOS
@_KEY
@click.pass_obj
def accept_command(
    language: str,
    *,
    review: str,
    number: str,
    accepted: bool,
    remark: str,
    data: Path,
    files: tuple[Path, ...],
    key: Path | None,
) -> None:
    """Judge a rectification. 验证整改。"""
    with _machine(language, data, key) as machine:
        if number not in current(machine.folder, machine.journal).review(review).nonconformities:
            raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
        said = {"number": number, "accepted": int(accepted), "remark": checked_text(remark)}
        machine.sign(review, statement.RECTIFICATION_CHECKED, said, attached(files))


@click.command("stage-done")
@click.argument("review")
@click.argument("stage")
@click.option("--step", default="", help="A step of the stage.")
@click.option("--remark", default="", help="A remark.")
@_DATA
@_KEY
@click.pass_obj
def stage_done_command(
    language: str, *, review: str, stage: str, step: str, remark: str, data: Path, key: Path | None
) -> None:
    """Sign that a stage of the reviewers is done. 签署审查阶段完成。"""
    with _machine(language, data, key) as machine:
        found = current(machine.folder, machine.journal).review(review).checklist.stage(stage)
        if found.by != "reviewer":
            raise ReviewError("the stage '%(id)s' is not the reviewers'", id=stage)
        if step and step not in {each.id for each in found.steps}:
            raise UnknownObjectError("the stage has no step '%(id)s'", id=step)
        said = {"stage": stage, "step": step, "state": "done", "remark": checked_text(remark)}
        machine.sign(review, statement.REVIEWER_STAGE, said)


@click.command("report")
@click.argument("review")
@click.option("--conclusion", required=True, help="The conclusion in a few sentences.")
@_DATA
@_PHOTOS
@_KEY
@click.pass_obj
def report_command(
    language: str, *, review: str, conclusion: str, data: Path, files: tuple[Path, ...], key: Path | None
) -> None:
    """Sign the review report; its files go with it. 签署审查报告。"""
    with _machine(language, data, key) as machine:
        found = current(machine.folder, machine.journal).review(review)
        said = {
            "conclusion": checked_text(conclusion),
            "verdicts": [[each.id, found.verdict(each.id)] for each in found.checklist.items],
        }
        machine.sign(review, statement.REPORTED, said, attached(files))


@click.command("hand-back")
@click.argument("review")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@_DATA
@_KEY
@click.pass_obj
def hand_back_command(language: str, *, review: str, target: Path, data: Path, key: Path | None) -> None:
    """Write the signed file that goes back to the plant. 生成交回的签名文件。"""
    with _machine(language, data, key) as machine:
        made = hand_back(machine.folder, machine.journal, machine.key, review)
        target.write_bytes(write_hand_back(made))
        message = "%(path)s: %(acts)s acts and %(files)s files, signed by %(id)s"
        click.echo(
            text(language, message, path=str(target), acts=len(made.notes), files=len(made.documents), id=made.reviewer)
        )


COMMANDS = (
    key_command,
    open_command,
    judge_command,
    check_command,
    nonconformity_command,
    accept_command,
    stage_done_command,
    report_command,
    hand_back_command,
)
