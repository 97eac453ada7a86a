"""What somebody prepares with care: lines that sign nothing, endless sizes, names that print a result of their own."""

import hashlib
import json
import random
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from gateway.assembly.sealing_now import sealed_up_to
from gateway.domain.errors import JournalError
from gateway.domain.time import US_PER_HOUR
from gateway.journal import canonical
from gateway.journal.audit_event import audit_event
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.sealing.package import PackageWriter
from gateway.sealing.proof import Prover
from gateway.sealing.sealer import Sealer
from gateway.sealing.selection import Wish
from gateway.sealing.timestamp import stamped_draft
from gateway.verifier.__main__ import _parser, verify
from gateway.verifier.readings import Readings
from gateway.verifier.report import Report
from tests.born_folder import MovableClock
from tests.evidence.packages import Package, build_package, read_members, unpacked, unseen_changes, zipped, zipped_bomb
from tests.evidence.plant import Plant, build, configuration, poll
from tests.plant_folder import NOW, START, build_folder


def check(path: Path) -> Report:
    return verify(_parser().parse_args([str(path)]))


def codes(path: Path) -> set[str]:
    return {each.code for each in check(path).problems}


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Package:
    return build_package(tmp_path_factory.mktemp("package") / "plant")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Plant:
    return build(tmp_path_factory.mktemp("template") / "plant")


@pytest.fixture
def plant(template, tmp_path) -> Path:
    return Path(shutil.copytree(template.folder.path, tmp_path / "plant"))


def altered(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path / "journal.sqlite")) as connection, connection:
        connection.execute(statement)


def test_bytes_that_parsers_like_to_pass_over_are_seen(package, tmp_path):
    members = read_members(package.path)
    for number, (name, content) in enumerate(unseen_changes(members)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(zipped([(each, content if each == name else old) for each, old in members]))
        assert codes(path), (number, name)


def test_a_line_that_signs_nothing_is_named_on_every_checkpoint(plant):
    path = min((plant / "seal" / "checkpoints").iterdir())
    content = path.read_bytes()
    lines = content.split(b"\n\n", 1)[1].splitlines(keepends=True)
    for extra in ("— stranger ".encode() + b"A" * 90 + b"AA==\n", lines[-1]):
        path.write_bytes(content + extra)
        assert codes(plant) & {"checkpoint.lines", "checkpoint.malformed"}
    path.write_bytes(content)
    assert codes(plant) == set()


def test_an_exporter_cannot_call_a_simulated_plant_real(tmp_path):
    class Liar(PackageWriter):
        changes: dict[str, object]

        def _manifest(self, *given: object) -> bytes:
            return canonical.encode_any(json.loads(super()._manifest(*given)) | self.changes)

    folder, clock = build_folder(tmp_path / "plant"), MovableClock(NOW)
    with Journal.open(folder) as journal:
        Sealer(folder, clock).seal(journal)
        liar = Liar(folder, journal, clock, sealed_up_to(folder, journal, clock), "custodian")
        for number, changes in enumerate(({"simulated": 0}, {"site": "elsewhere"}, {"organisation": "x"})):
            liar.changes = changes
            liar.write(Wish(START, START + US_PER_HOUR), tmp_path / f"{number}.zip", "")
            assert codes(tmp_path / f"{number}.zip") == {"package.birth"}
        liar.changes = {"to": START + 2 * US_PER_HOUR}
        liar.write(Wish(START, START + US_PER_HOUR), tmp_path / "span.zip", "")
        assert codes(tmp_path / "span.zip") == {"package.span"}


def test_documents_under_any_name_travel_with_the_package_and_are_missed_when_gone(tmp_path):
    folder, clock = build_folder(tmp_path / "plant"), MovableClock(NOW)
    manual = b"a manual"
    digest = hashlib.sha256(manual).hexdigest()
    (folder.blobs / digest).write_bytes(manual)
    with Journal.open(folder) as journal:
        sealer = Sealer(folder, clock)
        sealer.seal(journal)
        facts = {"object": {"title": "manual", "file": digest}, "from": 0, "to": None, "actor": "c", "reason": ""}
        subject = folder.subject("document", "d1")
        journal.append([Draft("document", subject, NOW, facts | {"source": "", "withdrawn": 0})])
        note = Prover(folder).note
        imprint = hashlib.sha256(note.text.encode()).digest()
        granted = bytes.fromhex("30273003020100") + b"\x04\x20" + imprint
        journal.append([stamped_draft(folder, journal, note, granted, clock=clock, actor="custodian")])
        writer = PackageWriter(folder, journal, clock, sealed_up_to(folder, journal, clock), "custodian")
        written = writer.write(Wish(START, START + US_PER_HOUR), tmp_path / "p.zip", "")
    assert written.documents == 2
    assert codes(tmp_path / "p.zip") == set()
    assert codes(folder.path) == set()
    (folder.blobs / digest).write_bytes(b"another")
    with Journal.open(folder) as journal:  # an exporter who puts another document under the sealed name
        writer = PackageWriter(folder, journal, clock, sealed_up_to(folder, journal, clock), "custodian")
        writer.write(Wish(START, START + US_PER_HOUR), tmp_path / "swapped.zip", "")
    assert codes(tmp_path / "swapped.zip") == {"blob.differs"}
    assert codes(folder.path) == {"blob.differs"}
    (folder.blobs / digest).unlink()
    assert codes(folder.path) == {"blob.missing"}


def test_sizes_that_promise_too_much_end_at_once(plant, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(plant / "archive", copy / "archive")
    shutil.copytree(plant / "seal", copy / "seal", ignore=shutil.ignore_patterns("key"))
    assert codes(copy) == set()
    newest = max((copy / "seal" / "checkpoints").iterdir())
    lines = newest.read_bytes().split(b"\n")
    for size in (b"1" + b"0" * 17, b"9" * 5_000):
        lines[1] = size
        newest.write_bytes(b"\n".join(lines))
        (copy / "seal" / "checkpoint").write_bytes(b"\n".join(lines))
        assert codes(copy) & {"entry.gap", "checkpoint.malformed"}
    facts = min((plant / "archive").rglob("*.facts"))
    facts.rename(facts.with_name(facts.name[:24] + "999999999999.facts"))
    assert "entry.gap" in codes(plant)


def test_a_bomb_a_link_and_a_cut_list_are_refused(package, tmp_path):
    (tmp_path / "bomb.zip").write_bytes(zipped_bomb())
    assert codes(tmp_path / "bomb.zip") == {"package.malformed"}
    folder = unpacked(package.path, tmp_path / "p")
    shutil.copyfile(folder / "key.pub", tmp_path / "elsewhere")
    (folder / "key.pub").unlink()
    (folder / "key.pub").symlink_to(tmp_path / "elsewhere")
    assert codes(folder) == {"package.malformed"}
    shutil.rmtree(folder)
    folder = unpacked(package.path, folder)
    planted = folder / "sub" / "__pycache__" / "x.pyc"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"")
    assert codes(folder) == {"package.foreign"}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE seq = NEW.seq; END", "journal.foreign"),
        ("CREATE TABLE notes (text TEXT)", "journal.foreign"),
        ("DROP INDEX entry_fact", None),
        ("DELETE FROM entry WHERE seq = 1", "entry.gap"),
    ],
)
def test_the_journal_file_holds_the_journal_and_nothing_else(plant, statement, code):
    altered(plant, statement)
    assert codes(plant) == (set() if code is None else {code})


def test_no_name_writes_a_line_of_its_own(package, tmp_path):
    name = "x\n\x1b[2J通过：核验内容全部成立。\u202e"
    with zipfile.ZipFile(tmp_path / "named.zip", "w") as target:
        for each, content in [*read_members(package.path), (name, b"")]:
            target.writestr(zipfile.ZipInfo(each), content)
    report = check(tmp_path / "named.zip")
    assert {each.code for each in report.problems} == {"package.foreign"}
    shown = report.lines("zh")
    assert all(each.isprintable() for each in shown)
    assert [each for each in shown if each.startswith("通过")] == []


def test_an_entry_of_wrong_types_is_named_and_the_rest_still_judged(template, tmp_path):
    path = Path(shutil.copytree(template.folder.path, tmp_path / "plant"))
    with Journal.open(path) as journal:
        at = template.clock.now_us
        subject = "works/site/plant"
        journal.append([Draft("event", subject, at, {"action": "archive.closed", "files": 5})])
        journal.append([Draft("event", subject, at, {"action": "archive.closed", "files": [{"name": "x"}, 7]})])
        journal.append([Draft("configuration", "works/device/kiln", at, {"groups": {"main": 3}})])
    report = check(path)
    assert {each.code for each in report.problems} >= {"entry.meaning"}
    assert report.counts["entries"] > 200


def test_the_log_keeps_no_cosignature_or_time_stamp_of_another_log(template, tmp_path):
    other = Path(shutil.copytree(template.folder.path, tmp_path / "other"))
    folder, clock = build_folder(tmp_path / "plant"), MovableClock(NOW)
    with Journal.open(folder) as journal:
        Sealer(folder, clock).seal(journal)
        note = Prover(DataFolder.open(other)).note
        imprint = hashlib.sha256(note.text.encode()).digest()
        granted = bytes.fromhex("30273003020100") + b"\x04\x20" + imprint
        head = journal.head()
        with pytest.raises(JournalError, match="none that this log signed"):
            stamped_draft(folder, journal, note, granted, clock=clock, actor="custodian")
        assert journal.head() == head


def test_an_audit_event_says_under_which_clock_and_configuration(tmp_path):
    folder, clock = build_folder(tmp_path / "plant"), MovableClock(NOW)
    with Journal.open(folder) as journal:
        state = {"synchronised": 1, "offset_us": -12, "step_us": 0, "source": "kernel"}
        (seq,) = journal.append([Draft("clock", folder.subject("gateway", "clock"), NOW, state)])
        draft = audit_event(folder, journal, clock, actor="li", action="probe", about="x", new="2", reason="why")
    assert draft.body["clock"] == {"entry": seq, "synchronised": 1, "offset_us": -12}
    assert draft.body["configuration"] == "00"
    named = {"actor", "action", "object", "old", "new", "reason", "clock", "configuration", "software", "result"}
    assert draft.body.keys() == named


def test_raw_words_are_never_read_by_another_devices_plan():
    report = Report()
    readings = Readings(report)
    for seq, device in ((2, "kiln"), (3, "mill")):
        draft = configuration(device, seq, NOW)
        readings.configuration(seq, draft.body | {"kind": "configuration", "subject": draft.subject})
    for cfg, rows in ((3, 1), (2, 0)):
        draft = poll("mill", cfg, NOW, 1000, random.Random(1))
        body = canonical.decode(draft.encode().body_bytes)
        assert len(list(readings.rows(9, body))) == rows
    assert [each.code for each in report.problems] == ["value.undecodable"]


def test_a_damaged_store_beside_malformed_entries_is_still_named(tmp_path):
    folder = build_folder(tmp_path / "plant")
    with Journal.open(folder) as journal:
        bad = [{"action": "archive.closed", "files": 5}]
        journal.append([Draft("event", folder.site_subject, NOW, each) for each in bad])
    (month,) = (folder.path / "series").glob("????-??.sqlite")
    with closing(sqlite3.connect(month)) as connection, connection:
        connection.execute("UPDATE hot SET dt = dt + 1 WHERE (series, slot) = (SELECT series, slot FROM hot LIMIT 1)")
    assert codes(folder.path) >= {"entry.meaning", "value.differs"}


def test_whatever_types_entries_hold_the_verifier_ends_with_a_report(tmp_path):
    folder, rng = build_folder(tmp_path / "plant"), random.Random(7)
    odd = [None, 0, -1, "x", [], {}, [1, [2]], {"a": 1}, 2**53 - 1, ["x"] * 3]
    with Journal.open(folder) as journal:
        kinds: dict[str, list] = {}
        for entry in journal.read(0, 5_000):
            kinds.setdefault(entry.kind, []).append(entry)
        drafts = []
        for _ in range(300):
            entry = rng.choice(kinds[rng.choice(sorted(kinds))])
            body = {name: each for name, each in entry.body.items() if name not in {"v", "at", "kind", "subject"}}
            body[rng.choice(sorted(body))] = rng.choice(odd)
            drafts.append(Draft(entry.kind, rng.choice([entry.subject, "x", "a/b/c"]), entry.at_us, body))
        for action in ("archive.closed", "archive.pruned", "checkpoint.handed_out", "checkpoint.cosigned"):
            for each in odd:
                body = {"files": each, "new": each, "checkpoints": [each, each], "document": each, "witness": each}
                drafts.append(Draft("event", folder.site_subject, NOW, body | {"action": action}))
        journal.append(drafts)
    with closing(sqlite3.connect(folder.path / "series" / "index.sqlite")) as index, index:
        index.execute("UPDATE cursor SET seq = 1000000")
    assert codes(folder.path) >= {"entry.meaning", "checkpoint.malformed", "value.undecodable"}
