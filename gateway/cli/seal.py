"""``meterproof seal``: checkpoints to hand out, proofs, the key, witnesses and time stamps."""

from pathlib import Path

import click

from gateway.assembly.platform import SystemClock
from gateway.assembly.sealing_now import sealed_up_to
from gateway.assembly.witness_client import ask_witness
from gateway.cli.asked import ACTOR, DATA, FILE, MAX_TEXT_BYTES, read_bytes, read_text
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.note import Note, VerifierKey
from gateway.sealing.package import hand_out_draft
from gateway.sealing.proof import Prover
from gateway.sealing.sealer import Sealer
from gateway.sealing.timestamp import request, stamped_draft
from gateway.sealing.witness import Witness, cosigned_draft, parse_request

_TARGET = click.Path(path_type=Path, dir_okay=False)


@click.group("seal")
def command() -> None:
    """Checkpoints, proofs, keys, witnesses. 封存、证明、密钥与见证。"""


@command.command("checkpoint")
@click.argument("target", type=_TARGET)
@DATA
@ACTOR
@click.option("--to", "receiver", required=True, help="Who receives it; stands in the journal.")
@click.pass_obj
def checkpoint(language: str, *, target: Path, data: Path, actor: str, receiver: str) -> None:
    """Write the newest checkpoint for somebody outside, and record that. 交出检查点。"""
    folder, clock = DataFolder.open(data), SystemClock()
    with Journal.open(folder) as journal:
        sealed_up_to(folder, journal, clock)(journal.head())
        note = Prover(folder).note
        journal.append([hand_out_draft(folder, journal, note, clock, actor=actor, receiver=receiver)])
    target.write_text(str(note), "utf-8")
    click.echo(text(language, "%(path)s written; whoever keeps it can show a rewritten history.", path=str(target)))


@command.command("key")
@DATA
@click.pass_obj
def key(_language: str, *, data: Path) -> None:
    """Print the public key. 显示公钥。"""
    folder = DataFolder.open(data, read_only=True)
    click.echo((folder.seal / "key.pub").read_text("utf-8").strip())


@command.command("prove")
@click.argument("seq", type=click.IntRange(min=1))
@click.argument("target", type=_TARGET)
@DATA
@click.pass_obj
def prove(language: str, *, seq: int, target: Path, data: Path) -> None:
    """Write the offline proof of one entry, and its bytes beside it. 导出单条证明。"""
    folder = DataFolder.open(data, read_only=True)
    with Journal.open(folder, read_only=True) as journal:
        body = journal.entry(seq).body_bytes
    target.write_text(Prover(folder).prove(seq), "utf-8")
    beside = target.with_suffix(".entry")
    beside.write_bytes(body)
    click.echo(text(language, "%(proof)s and %(entry)s written.", proof=str(target), entry=str(beside)))


@command.command("rotate")
@DATA
@ACTOR
@click.option("--reason", required=True, help="Why; stands in the journal.")
@click.pass_obj
def rotate(language: str, *, data: Path, actor: str, reason: str) -> None:
    """Begin a new signing key; the gateway must be stopped. 更换签名密钥。"""
    folder, clock = DataFolder.open(data), SystemClock()
    with folder.hold_lock("collect"), Journal.open(folder) as journal:
        sealer = Sealer(folder, clock)
        sealer.rotate(journal, actor, reason)
    click.echo(text(language, "Public key, to be handed over on another way: %(key)s", key=sealer.vkey))


@command.command("witness-request")
@click.argument("target", type=_TARGET)
@DATA
@click.option(
    "--old", "old_size", type=click.IntRange(min=0), required=True, help="Entries the witness saw last; 0 at first."
)
@click.pass_obj
def witness_request(language: str, *, target: Path, data: Path, old_size: int) -> None:
    """Write a request to a witness. 生成见证请求。"""
    target.write_text(Prover(DataFolder.open(data, read_only=True)).witness_request(old_size), "utf-8")
    click.echo(text(language, "%(path)s written.", path=str(target)))


@command.command("cosign")
@click.argument("request_file", type=FILE)
@click.argument("answer", type=_TARGET)
@click.option("--witness", "folder", type=click.Path(path_type=Path), required=True, help="This witness's own folder.")
@click.option("--name", required=True, help="This witness's name, like witness.example/office.")
@click.option("--trust", required=True, help="The log's public key, received from the plant.")
@click.pass_obj
def cosign(language: str, *, request_file: Path, answer: Path, folder: Path, name: str, trust: str) -> None:
    """Be the witness: check that the log only grew, and cosign. 充当见证方并联署。"""
    witness = Witness(folder, name, SystemClock())
    answer.write_text(witness.cosign(read_text(request_file), VerifierKey.parse(trust)), "utf-8")
    click.echo(text(language, "Cosigned. Key of this witness: %(key)s", key=witness.vkey))


@command.command("witness-add")
@click.argument("request_file", type=FILE)
@click.argument("answer", type=FILE)
@DATA
@ACTOR
@click.option("--witness-key", required=True, help="The witness's public key.")
@click.pass_obj
def witness_add(language: str, *, request_file: Path, answer: Path, data: Path, actor: str, witness_key: str) -> None:
    """Record a witness's cosignature. 登记见证联署。"""
    folder = DataFolder.open(data)
    note = parse_request(read_text(request_file))[2]
    witness = VerifierKey.parse(witness_key)
    with Journal.open(folder) as journal:
        lines = read_text(answer)
        draft = cosigned_draft(folder, journal, note, lines, witness=witness, clock=SystemClock(), actor=actor)
        (seq,) = journal.append([draft])
    click.echo(text(language, "Recorded as entry %(seq)s.", seq=seq))


@command.command("witness-ask")
@click.argument("url")
@DATA
@ACTOR
@click.option("--witness-key", required=True, help="The witness's public key.")
@click.pass_obj
def witness_ask(language: str, *, url: str, data: Path, actor: str, witness_key: str) -> None:
    """Ask a witness over HTTP and record its cosignature. 在线请求见证联署。"""
    folder = DataFolder.open(data)
    prover, witness = Prover(folder), VerifierKey.parse(witness_key)
    lines = ask_witness(url, prover)
    with Journal.open(folder) as journal:
        draft = cosigned_draft(folder, journal, prover.note, lines, witness=witness, clock=SystemClock(), actor=actor)
        (seq,) = journal.append([draft])
    click.echo(text(language, "Recorded as entry %(seq)s.", seq=seq))


@command.command("timestamp-request")
@click.argument("target", type=_TARGET)
@DATA
@click.pass_obj
def timestamp_request(language: str, *, target: Path, data: Path) -> None:
    """Write a time-stamp request (RFC 3161) over the newest checkpoint. 生成时间戳请求。"""
    note = Prover(DataFolder.open(data, read_only=True)).note
    target.write_bytes(request(note))
    target.with_suffix(".checkpoint").write_text(str(note), "utf-8")
    click.echo(text(language, "%(path)s written.", path=str(target)))


@command.command("timestamp-add")
@click.argument("answer", type=FILE)
@click.argument("checkpoint_file", type=FILE)
@DATA
@ACTOR
@click.pass_obj
def timestamp_add(language: str, *, answer: Path, checkpoint_file: Path, data: Path, actor: str) -> None:
    """Record the time-stamping authority's answer. 登记时间戳。"""
    folder = DataFolder.open(data)
    note = Note.parse(read_text(checkpoint_file))
    with Journal.open(folder) as journal:
        draft = stamped_draft(
            folder, journal, note, read_bytes(answer, MAX_TEXT_BYTES), clock=SystemClock(), actor=actor
        )
        (seq,) = journal.append([draft])
    click.echo(text(language, "Recorded as entry %(seq)s.", seq=seq))
