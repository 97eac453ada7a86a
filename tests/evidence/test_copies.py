"""Backup, restore, copy-out, witnesses, time stamps, proofs: through the commands a person uses."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.assembly.platform import SystemClock
from gateway.assembly.sealing_now import sealed_up_to
from gateway.assembly.witness_client import ask_witness
from gateway.cli.main import root
from gateway.domain.errors import ConfigurationError, DataFolderError, JournalError, MeterproofError
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.backup import back_up, copy_archive, restore, verify
from gateway.sealing.keys import load
from gateway.sealing.note import Checkpoint, Note, VerifierKey
from gateway.sealing.proof import Prover
from gateway.sealing.sealer import Sealer
from gateway.sealing.timestamp import request, stamped_draft
from gateway.sealing.witness import Witness
from gateway.verifier.__main__ import main as verify_main
from tests.born_folder import MovableClock
from tests.evidence.plant import build


@pytest.fixture
def plant(tmp_path):
    return build(tmp_path / "plant")


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(root, ["--lang", "en", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_a_backup_is_whole_without_the_key_and_goes_on_from_the_one_before(plant, tmp_path):
    target = tmp_path / "backup"
    assert back_up(plant.folder, target).problems == []
    assert not (target / "seal" / "key").exists()
    with Journal.open(plant.folder) as journal:
        for number in range(300):
            journal.append([Draft("event", plant.folder.site_subject, plant.clock.now_us + number, {"action": "x"})])
        Sealer(plant.folder, plant.clock).seal(journal)
        report = back_up(plant.folder, target)
        assert report.problems == []
        assert report.counts["entries"] == journal.head()
    assert "holds no signing key" in run("backup", target, "--data", plant.folder.path)
    assert "holds no signing key" not in run("backup", target, "--data", plant.folder.path, "--with-key")
    assert (target / "seal" / "key").stat().st_mode & 0o777 == 0o600


def test_restore_checks_first_and_puts_the_old_folder_aside(plant, tmp_path):
    target, place = tmp_path / "backup", plant.folder.path
    back_up(plant.folder, target, with_key=True)
    with pytest.raises(DataFolderError, match="--replace"):
        restore(target, place)
    damaged = tmp_path / "damaged"
    shutil.copytree(target, damaged)
    tile = next((damaged / "seal" / "tile" / "0").rglob("*.p")).iterdir()
    path = max(tile, key=lambda each: int(each.name))
    path.write_bytes(bytes(len(path.read_bytes())))
    report = restore(damaged, place, replace=True)
    assert {each.code for each in report.problems} == {"tile.differs"}
    assert not place.with_name("plant.replaced").exists()
    output = run("restore", target, "--data", place, "--replace")
    assert "meterproof rebuild" in output
    assert "no signing key" not in output
    assert place.with_name("plant.replaced").is_dir()
    with Journal.open(place) as journal:  # sealing goes on where the backup ended
        assert Sealer(journal.folder, plant.clock).seal(journal).size == journal.head()
    assert verify(place).problems == []


def test_a_log_restored_without_its_key_says_what_to_do(plant, tmp_path):
    target, place = tmp_path / "backup", tmp_path / "restored"
    back_up(plant.folder, target)
    assert f"the one kept apart in {place / 'seal' / 'key'}" in run("restore", target, "--data", place)
    folder = DataFolder.open(place)
    with pytest.raises(JournalError, match="put back the one kept apart"):
        Sealer(folder, plant.clock)
    shutil.copy2(plant.folder.seal / "key", place / "seal" / "key")
    with Journal.open(folder) as journal:
        assert Sealer(folder, plant.clock).seal(journal).size == journal.head()


def test_an_older_backup_does_not_replace_a_longer_log(plant, tmp_path):
    target = tmp_path / "backup"
    back_up(plant.folder, target)
    with Journal.open(plant.folder) as journal:
        journal.append([Draft("event", plant.folder.site_subject, plant.clock.now_us, {"action": "x"})])
        Sealer(plant.folder, plant.clock).seal(journal)
    with pytest.raises(DataFolderError, match="would lose entries"):
        restore(target, plant.folder.path, replace=True)
    assert restore(target, tmp_path / "elsewhere").problems == []
    assert DataFolder.open(tmp_path / "elsewhere").origin == plant.folder.origin


def test_a_backup_does_not_go_into_a_foreign_folder(plant, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    for target in (tmp_path / "mine", plant.folder.path):
        with pytest.raises(DataFolderError):
            back_up(plant.folder, target)
    other = build(tmp_path / "other" / "plant", days=0)
    back_up(other.folder, tmp_path / "of-other")
    if other.folder.origin != plant.folder.origin:
        with pytest.raises(DataFolderError):
            back_up(plant.folder, tmp_path / "of-other")


def test_a_copy_of_the_archive_verifies_alone(plant, tmp_path):
    report = copy_archive(plant.folder, tmp_path / "usb")
    assert report.problems == []
    assert report.about["kind"] == "archive copy"
    assert report.counts["hashes_only"] > 50
    assert "OK" in run("archive", "copy", tmp_path / "usb2", "--data", plant.folder.path)
    segment = next((tmp_path / "usb" / "archive").rglob("*.polls"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    assert not verify(tmp_path / "usb").ok


def test_archive_commands_close_and_prune_with_their_limits(plant):
    data = plant.folder.path
    for name in ("one", "two"):  # entries of today, sealed: then the half day of the plant is over
        run("seal", "checkpoint", data.parent / name, "--data", data, "--to", "office")
    assert "closed" in run("archive", "close", "--data", data)
    assert "No finished day" in run("archive", "close", "--data", data)
    with pytest.raises(ConfigurationError):
        run("archive", "prune", "--data", data, "--before", "2025-12-01", "--reason", "too early")
    words = ["--lang", "en", "archive", "prune", "--data", str(data), "--before", "soon", "--reason", "x"]
    refused = CliRunner().invoke(root, words)
    assert refused.exit_code == ConfigurationError.exit_code
    assert "'soon' is no date" in refused.output
    pruned = run("archive", "prune", "--data", data, "--before", "2015-12-01", "--reason", "retention")
    assert "0 file(s)" in pruned
    assert "on record" not in pruned, "nothing was removed, and nothing recorded"


def test_a_proof_holds_for_its_entry_and_for_no_other(plant, tmp_path, capsys):
    run("seal", "prove", 7, tmp_path / "seven.tlog-proof", "--data", plant.folder.path)
    run("seal", "prove", 8, tmp_path / "eight.tlog-proof", "--data", plant.folder.path)
    key = run("seal", "key", "--data", plant.folder.path).strip()
    good = [str(tmp_path / "seven.tlog-proof"), "--key", key, "--json", "--entry"]
    assert verify_main([*good, str(tmp_path / "seven.entry")]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert verify_main([*good, str(tmp_path / "eight.entry")]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "proof.root"
    assert verify_main([*good[:1], "--entry", str(tmp_path / "seven.entry")]) == 1
    assert verify_main([*good[:1], "--key", plant.key, "--entry", str(tmp_path / "seven.entry")]) == 1


def test_the_proof_vector_of_another_implementation_is_accepted(tmp_path):
    vectors = json.loads((Path(__file__).parents[1] / "cases/journal/tree.json").read_text("utf-8"))
    (tmp_path / "v.tlog-proof").write_text(vectors["proof"])
    (tmp_path / "v.entry").write_bytes(b'{"n":417}')
    arguments = [str(tmp_path / "v.tlog-proof"), "--entry", str(tmp_path / "v.entry"), "--key", vectors["vkey"]]
    assert verify_main(arguments) == 0
    (tmp_path / "v.entry").write_bytes(b'{"n":418}')
    assert verify_main(arguments) == 1


def test_a_witness_cosigns_growth_and_refuses_another_past(plant, tmp_path):
    data, office = plant.folder.path, tmp_path / "office"
    key = (plant.folder.seal / "key.pub").read_text().strip()
    run("seal", "witness-request", tmp_path / "r1", "--old", 0, "--data", data)
    cosign = ["seal", "cosign", "--witness", office, "--name", "witness.example/office", "--trust", key]
    witness_key = run(*cosign, tmp_path / "r1", tmp_path / "a1").split(": ")[1].strip()
    run("seal", "witness-add", tmp_path / "r1", tmp_path / "a1", "--data", data, "--witness-key", witness_key)
    with Journal.open(plant.folder) as journal:
        size = Sealer(plant.folder, plant.clock).seal(journal).size
    report = verify(data)
    assert report.problems == []
    assert "note.cosigned" in {each.code for each in report.notes}
    seen = Checkpoint.parse(Note.parse((tmp_path / "r1").read_text().partition("\n\n")[2]).text).size
    run("seal", "witness-request", tmp_path / "r2", "--old", seen, "--data", data)
    run(*cosign, tmp_path / "r2", tmp_path / "a2")
    witness = Witness(office, "witness.example/office", MovableClock())
    assert witness.last(plant.folder.origin).size == size
    with pytest.raises(JournalError, match="from there"):
        witness.cosign((tmp_path / "r2").read_text(), VerifierKey.parse(key))
    # the holder of the key signs another past: same origin, same size, another root
    forged = Checkpoint(plant.folder.origin, size, hashlib.sha256(b"another past").digest())
    note = Note(forged.text(), (load(plant.folder.seal / "key").sign(forged.text()),))
    with pytest.raises(JournalError, match="does not continue"):
        witness.cosign(f"old {size}\n\n{note}", VerifierKey.parse(key))
    with pytest.raises(JournalError, match="no request"):
        witness.cosign("hello", VerifierKey.parse(key))


class WitnessServer(BaseHTTPRequestHandler):
    """A witness over HTTP in a few lines, as c2sp.org/tlog-witness says."""

    witness: Witness
    trusted: VerifierKey

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"])).decode()
        old = int(request.split("\n", 1)[0].removeprefix("old "))
        last = self.witness.last(self.trusted.name)
        if last is not None and old != last.size:
            return self._answer(409, f"{last.size}\n")
        return self._answer(200, self.witness.cosign(request, self.trusted))

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def test_a_witness_is_asked_over_http(plant, tmp_path):
    WitnessServer.witness = Witness(tmp_path / "w", "witness.example/http", MovableClock())
    WitnessServer.trusted = VerifierKey.parse((plant.folder.seal / "key.pub").read_text())
    server = HTTPServer(("127.0.0.1", 0), WitnessServer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        ask = ["seal", "witness-ask", url, "--data", plant.folder.path, "--witness-key", WitnessServer.witness.vkey]
        run(*ask)
        with Journal.open(plant.folder) as journal:
            Sealer(plant.folder, plant.clock).seal(journal)
        run(*ask)  # the witness says from where, and gets the proof
        with Journal.open(plant.folder) as journal:
            size = Sealer(plant.folder, plant.clock).seal(journal).size
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert WitnessServer.witness.last(plant.folder.origin).size < size
    report = verify(plant.folder.path)
    assert report.problems == []
    assert sum(each.code == "note.cosigned" for each in report.notes) == 2
    with pytest.raises(JournalError, match="cannot be reached"):
        ask_witness(url, Prover(plant.folder))
    with pytest.raises(JournalError, match="http"):
        ask_witness("file:///etc", Prover(plant.folder))


def test_a_command_waits_for_the_gateway_to_seal(plant):
    with plant.folder.hold_lock("collect"), Journal.open(plant.folder) as journal:
        (seq,) = journal.append([Draft("event", plant.folder.site_subject, plant.clock.now_us, {"action": "x"})])
        sealer = Sealer(plant.folder, plant.clock)
        gateway = threading.Timer(0.3, lambda: sealer.seal(journal))
        gateway.start()
        begin = time.monotonic()
        sealed_up_to(plant.folder, journal, SystemClock())(seq)
        assert time.monotonic() - begin > 0.25
        gateway.join()
        assert sealer.sealed >= seq


def test_a_cosignature_in_an_entry_must_verify(plant, tmp_path):
    data = plant.folder.path
    run("seal", "witness-request", tmp_path / "r", "--old", 0, "--data", data)
    witness, other = (Witness(tmp_path / name, f"w.example/{name}", MovableClock()) for name in ("a", "b"))
    key = VerifierKey.parse((plant.folder.seal / "key.pub").read_text())
    (tmp_path / "answer").write_text(witness.cosign((tmp_path / "r").read_text(), key))
    command = ["seal", "witness-add", tmp_path / "r", tmp_path / "answer", "--data", data, "--witness-key"]
    with pytest.raises(MeterproofError, match="no cosignature"):
        CliRunner().invoke(root, [str(each) for each in [*command, other.vkey]], catch_exceptions=False)
    run(*command, witness.vkey)


def test_a_time_stamp_request_is_what_openssl_reads_and_an_answer_is_kept(plant, tmp_path):
    note = Prover(plant.folder).note
    run("seal", "timestamp-request", tmp_path / "q.tsq", "--data", plant.folder.path)
    shown = subprocess.run(
        ["openssl", "ts", "-query", "-in", tmp_path / "q.tsq", "-text"], capture_output=True, text=True, check=True
    ).stdout
    dump = "".join(re.findall(r"^ {4}\d{4} - ([0-9a-f -]+?)  ", shown, re.MULTILINE)).replace(" ", "").replace("-", "")
    assert "sha256" in shown
    assert dump == hashlib.sha256(note.text.encode()).hexdigest()
    imprint = hashlib.sha256(note.text.encode()).digest()
    granted = bytes.fromhex("30") + bytes([5 + 34]) + bytes.fromhex("3003020100") + b"\x04\x20" + imprint
    with Journal.open(plant.folder) as journal:
        (seq,) = journal.append(
            [stamped_draft(plant.folder, journal, note, granted, clock=plant.clock, actor="custodian")]
        )
        Sealer(plant.folder, plant.clock).seal(journal)
        document = journal.entry(seq).body["document"]
    assert verify(plant.folder.path).problems == []
    (plant.folder.blobs / document).unlink()
    assert {each.code for each in verify(plant.folder.path).problems} == {"blob.missing"}
    refused = granted.replace(bytes.fromhex("3003020100"), bytes.fromhex("3003020102"))
    for answer in (refused, granted[:-32] + bytes(32), b"", base64.b64decode("MAA=")):
        with Journal.open(plant.folder) as journal, pytest.raises(JournalError):
            stamped_draft(plant.folder, journal, note, answer, clock=plant.clock, actor="custodian")
    assert request(note)[0] == 0x30
