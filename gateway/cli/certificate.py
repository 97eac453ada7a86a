"""``meterproof certificate``: certificate files in, confirmed, shown with their chain; in-house DCCs written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import yaml

from config.loading import FileProblem, UnusableFileError, load_yaml, validated
from gateway.assembly.file_problems import problems_said
from gateway.assembly.platform import SystemClock
from gateway.certificates.confirming import Confirmation, confirmation_draft
from gateway.certificates.evidence import Evidence, examine
from gateway.certificates.recording import Act, certificate_drafts, store
from gateway.certificates.refusal import CertificateRefusedError
from gateway.certificates.signature import read_anchors
from gateway.certificates.signing import sign_certificate
from gateway.certificates.traceability import chain
from gateway.certificates.withdrawing import withdrawal_draft
from gateway.certificates.writing import InHouseCalibration, write_certificate
from gateway.certificates.xml_reading import MAX_FILE_BYTES
from gateway.cli.asked import ACTOR, DATA, FILE, REASON, RECORDED_AT, WHY, recording_time
from gateway.cli.certificate_judging import decide, effect, outlook, policy
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.ledger import CertificateKind
from gateway.i18n import text
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.importing import LedgerState

MAX_FILES = 1_000
MAX_TRUSTED = 1_000
_FIELDS = (
    "instrument",
    "kind",
    "number",
    "serial",
    "laboratory",
    "result",
    "accuracy_class",
    "standards",
    "qr_address",
)
_SHOWN = ("kind", "instrument", "performed_on", "valid_until", "result")
DAY = click.DateTime(["%Y-%m-%d"])
_PATH = click.Path(path_type=Path, exists=True)


@click.group("certificate")
def command() -> None:
    """Certificate files: digital calibration certificates, PDF, OFD. 检定/校准证书文件。"""


for _each in (effect, decide, outlook, policy):
    command.add_command(_each)


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@DATA
@click.option("--instrument", default="", help="Management number; default: the instrument of that serial number.")
@click.option("--kind", type=click.Choice([each.value for each in CertificateKind]), default=None)
@click.option("--number", default="", help="Certificate number (PDF and OFD).")
@click.option("--serial", default="", help="Serial number as printed (PDF and OFD).")
@click.option("--performed-on", type=DAY, help="Day of verification or calibration (PDF and OFD).")
@click.option("--valid-until", type=DAY, help="Last day it holds: decided by the owner, not by the laboratory.")
@click.option("--accept-due", is_flag=True, help="Take the day of recalibration that a DCC names as last day.")
@click.option("--laboratory", default="", help="Who issued it (PDF and OFD).")
@click.option("--result", type=click.Choice(["pass", "fail", "none"]), default=None, help="PDF and OFD.")
@click.option("--accuracy-class", default="", help="Class it confirms.")
@click.option("--standards", default="", help="Ids of standards, separated by ; (PDF and OFD).")
@click.option("--qr", "qr_address", default="", help="Address that the certificate's QR code holds; kept, not opened.")
@click.option("--trust", type=_PATH, help="PEM file, or folder of them: whom to trust.")
@click.option("--schemas", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of PTB's XSDs.")
@click.option("--keep-untrusted", is_flag=True, help="Put a broken or revoked one on record as what it is.")
@ACTOR
@REASON
@RECORDED_AT
@click.pass_obj
def import_(language: str, /, files: tuple[Path, ...], data: Path, **options: Any) -> None:
    """Put certificate files on record. 导入证书文件。"""
    if len(files) > MAX_FILES:
        raise click.BadParameter(text(language, "at most %(limit)s files at once", limit=MAX_FILES))
    folder = DataFolder.open(data)
    act = _act(folder, options)
    anchors = read_anchors(_pem_files(options["trust"]))
    looked_at: list[tuple[Path, Evidence]] = []
    problems: list[str] = []
    for path in files:
        try:
            evidence = examine(_content(path), anchors=anchors, schemas=options["schemas"], now_us=act.at_us)
            evidence.require_whole(keep_untrusted=options["keep_untrusted"])
            looked_at.append((path, evidence))
        except CertificateRefusedError as error:
            problems.append(f"{path.name}: {text(language, error.message, **error.facts)}")
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        drafts: dict[str, Draft] = {}
        lines: list[str] = []
        for path, evidence in looked_at:
            from_file = replace(act, source=path.name)
            try:
                new = certificate_drafts(evidence, _said(options, evidence), state, folder.organisation, from_file)
            except CertificateRefusedError as error:
                problems.append(f"{path.name}: {text(language, error.message, **error.facts)}")
                continue
            drafts |= {each.subject: each for each in new}
            lines += _found(language, path, evidence, len(new))
        if problems:
            raise ConfigurationError(problems)
        for _, evidence in looked_at:  # durable before an entry names them
            store(folder, evidence)
        journal.append(list(drafts.values()))
    click.echo("\n".join(lines))


def _act(folder: DataFolder, options: Mapping[str, Any]) -> Act:
    at_us = recording_time(folder, options["at_us"])
    return Act(at_us=at_us, actor=options["actor"], reason=options["reason"], source="")


def _found(language: str, path: Path, evidence: Evidence, entries: int) -> list[str]:
    message = "%(file)s: %(entries)s entries; signature: %(authenticity)s; schema: %(schema)s"
    facts = {"authenticity": str(evidence.signature.authenticity), "schema": str(evidence.schema)}
    lines = [text(language, message, file=path.name, entries=entries, **facts)]
    if evidence.signature.note:
        lines.append(f"  {text(language, evidence.signature.note)}")
    return lines


def _said(options: Mapping[str, Any], evidence: Evidence) -> dict[str, str]:
    said = {name: str(options[name] or "") for name in _FIELDS}
    said |= {name: _day(options[name]) for name in ("performed_on", "valid_until")}
    if options["accept_due"] and not said["valid_until"] and evidence.certificate is not None:
        said["valid_until"] = evidence.certificate.recalibrate_on
    return said


@command.command("confirm")
@click.argument("number")
@DATA
@click.option("--requirement", required=True, help="What the use of the instrument demands.")
@click.option("--conclusion", type=click.Choice(["pass", "fail"]), required=True)
@click.option("--person", required=True, help="Who confirms it.")
@click.option("--on", "on", type=DAY, required=True, help="Day of the confirmation.")
@click.option("--valid-until", type=DAY, help="Last day it holds.")
@ACTOR
@REASON
@RECORDED_AT
@click.pass_obj
def confirm(language: str, /, number: str, data: Path, **options: Any) -> None:
    """Record the confirmation of a calibration for its use. 计量确认。"""
    folder = DataFolder.open(data)
    act = _act(folder, options)
    confirmation = Confirmation(
        requirement=options["requirement"],
        conclusion=options["conclusion"],
        person=options["person"],
        on=_day(options["on"]),
        valid_until=_day(options["valid_until"]),
    )
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        journal.append([confirmation_draft(state, folder.organisation, number, confirmation, act)])
    click.echo(text(language, "The confirmation of %(number)s is on record.", number=number))


@command.command("withdraw")
@click.argument("number")
@DATA
@ACTOR
@WHY
@RECORDED_AT
@click.pass_obj
def withdraw(language: str, /, number: str, data: Path, **options: Any) -> None:
    """Take a certificate back; readings that stood on it are in question. 撤销证书。"""
    folder = DataFolder.open(data)
    act = _act(folder, options)
    with Journal.open(folder) as journal:
        state = LedgerState.read(journal, folder.organisation)
        journal.append([withdrawal_draft(state, folder.organisation, number, act)])
    click.echo(text(language, "%(number)s is withdrawn; 'certificate effect' shows what stood on it.", number=number))


@command.command("list")
@DATA
@click.pass_obj
def list_(language: str, *, data: Path) -> None:
    """List the certificates on record. 列出证书。"""
    state = _state(DataFolder.open(data, read_only=True))
    for number, found in _certificates(state).items():
        shown = [str(found.get(name) or "-") for name in _SHOWN]
        signature = found.get("authenticity") or text(language, "no file")
        click.echo("  ".join([number, *shown, str(signature)]))


@command.command("show")
@click.argument("number")
@DATA
@click.pass_obj
def show(language: str, *, number: str, data: Path) -> None:
    """Show a certificate and everything it is traced to. 显示证书及其溯源链。"""
    folder = DataFolder.open(data, read_only=True)
    state = _state(folder)
    certificates = _certificates(state)
    if number not in certificates:
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number)
    shown = {name: each for name, each in certificates[number].items() if each not in (None, "")}
    click.echo(yaml.safe_dump({"number": number, **shown}, allow_unicode=True, sort_keys=False, width=120), nl=False)
    click.echo(text(language, "Traceability:"))
    for step in chain(state, number, lambda digest: _blob(folder, digest)):
        gaps = "; ".join(text(language, gap) for gap in step.gaps)
        click.echo(f"{'  ' * (step.depth + 1)}{step.id}  {step.about}{f'  !! {gaps}' if gaps else ''}")


@command.command("write")
@click.argument("record", type=FILE)
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", type=FILE, help="PEM file of the key to sign with (RSA or ECDSA).")
@click.option("--signer", type=FILE, help="PEM file of the signer's certificate, then those between it and the root.")
@click.option("--password-file", type=FILE, help="File whose first line opens the key.")
@click.pass_obj
def write(
    language: str, *, record: Path, target: Path, key: Path | None, signer: Path | None, password_file: Path | None
) -> None:
    """Write a DCC from the record (YAML) of an in-house calibration. 为内部校准出具数字校准证书。"""
    if (key is None) != (signer is None):
        raise ConfigurationError([text(language, "--key and --signer go together")])
    if target.exists():
        raise ConfigurationError([text(language, "%(file)s exists already", file=str(target))])
    written = write_certificate(_calibration(record, language), "Meterproof", version("meterproof"))
    if key is not None and signer is not None:
        password = _content(password_file).split(b"\n")[0].strip() if password_file is not None else None
        now_us = SystemClock().utc_us()
        written = sign_certificate(written, _content(key), _content(signer), password, now_us=now_us)
    target.write_bytes(written)
    click.echo(str(target))


def _calibration(record: Path, language: str) -> InHouseCalibration:
    """The record of a calibration; ConfigurationError with everything wrong in it, each at its line."""
    problems: list[FileProblem] = []
    with problems_said(language):
        found = validated(load_yaml(record), InHouseCalibration, problems)
        if found is None:
            raise UnusableFileError(problems)
    return found


def _certificates(state: LedgerState) -> dict[str, Mapping[str, Any]]:
    return {
        number: versions[-1].object
        for (kind, number), versions in sorted(state.versions.items())
        if kind == "certificate" and not versions[-1].withdrawn
    }


def _state(folder: DataFolder) -> LedgerState:
    with Journal.open(folder, read_only=True) as journal:
        return LedgerState.read(journal, folder.organisation)


def _blob(folder: DataFolder, digest: str) -> bytes | None:
    path = folder.blobs / digest
    return path.read_bytes() if len(digest) == 64 and digest.isalnum() and path.is_file() else None


def _content(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MAX_FILE_BYTES + 1)


def _pem_files(trust: Path | None) -> list[bytes]:
    if trust is None:
        return []
    paths = [trust] if trust.is_file() else sorted(each for each in trust.iterdir() if each.suffix in {".pem", ".crt"})
    return [_content(path) for path in paths[:MAX_TRUSTED]]


def _day(day: datetime | None) -> str:
    return "" if day is None else day.date().isoformat()
