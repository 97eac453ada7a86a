"""The verifier over a whole folder: what holds, and each promise broken once by hand."""

import re
import shutil
import sqlite3
from datetime import date

import pytest

from gateway.journal.entry import Draft, leaf_hash
from gateway.journal.journal import Journal
from gateway.journal.segment import Segment
from gateway.sealing.archivist import Archivist
from gateway.sealing.sealer import Sealer
from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.folder import FolderCheck
from gateway.verifier.report import Report
from gateway.verifier.texts import TEXTS
from tests.evidence.plant import build


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return build(tmp_path_factory.mktemp("template") / "plant")


@pytest.fixture
def plant(template, tmp_path):
    shutil.copytree(template.folder.path, tmp_path / "plant")
    return tmp_path / "plant"


def check(path, *, key=None, against=()):
    report = Report()
    outside = [Signed("given", notes.parse_checkpoint(content), outside=True) for content in against]
    FolderCheck(path, report, Options(notes.parse_key(key) if key else None, outside)).run()
    return report


def codes(report):
    return {each.code for each in report.problems}


def alter(path, statement, *values):
    with sqlite3.connect(path / "journal.sqlite") as connection:
        connection.execute(statement, values)
    connection.close()


def test_an_untouched_folder_passes(template, plant):
    report = check(plant, key=template.key, against=template.handed_out)
    assert report.problems == []
    assert report.counts["against"] == 2
    assert report.counts["entries"] == report.counts["sealed"] + 3
    notes_found = {each.code for each in report.notes}
    assert notes_found == {"note.virtual", "note.unsealed"}
    assert report.about["simulated"] == "simulated"


def test_what_was_not_given_is_said_plainly(plant):
    assert {"note.trust", "note.witness"} <= {each.code for each in check(plant).notes}


def test_both_languages_have_a_sentence_for_every_code_and_their_placeholders_agree():
    for code, (english, chinese) in TEXTS.items():
        assert set(re.findall(r"%\((\w+)\)s", english)) == set(re.findall(r"%\((\w+)\)s", chinese)), code


def test_a_changed_body_with_its_hash_and_columns_is_seen(plant):
    alter(plant, "UPDATE entry SET body = CAST(replace(body, 'ok', 'no') AS BLOB) WHERE seq = 250")
    assert codes(check(plant)) >= {"entry.leaf", "checkpoint.root"}


def test_a_clever_change_of_body_and_leaf_is_seen_by_the_tree(plant):
    with sqlite3.connect(plant / "journal.sqlite") as connection:
        (body,) = connection.execute("SELECT body FROM entry WHERE seq = 250").fetchone()
        body = body.replace(b'"outcome":"ok"', b'"outcome":"no"')
        connection.execute("UPDATE entry SET body = ?, leaf = ? WHERE seq = 250", (body, leaf_hash(body)))
    connection.close()
    assert codes(check(plant)) == {"checkpoint.root", "tile.differs"}


@pytest.mark.parametrize("column", ["at", "kind", "subject"])
def test_a_changed_column_is_seen(plant, column):
    alter(plant, f"UPDATE entry SET {column} = 5 WHERE seq = 250")
    assert codes(check(plant)) == {"entry.column"}


def test_a_dropped_a_swapped_and_a_doubled_row_are_seen(plant):
    alter(plant, "DELETE FROM entry WHERE seq = 250")
    assert "entry.gap" in codes(check(plant))
    alter(plant, "UPDATE entry SET seq = 250 WHERE seq = 251")
    assert codes(check(plant)) >= {"entry.gap"}


def test_a_seal_that_was_removed_whole_is_seen(plant):
    for name in ("checkpoints", "tile"):
        shutil.rmtree(plant / "seal" / name)
    (plant / "seal/checkpoint").unlink()
    assert "checkpoint.none" in codes(check(plant))


def test_a_cut_tail_is_seen_while_a_checkpoint_covers_it(template, plant):
    alter(plant, "DELETE FROM entry WHERE seq > 280")
    assert "checkpoint.beyond" in codes(check(plant))


def test_a_tail_cut_with_its_checkpoints_needs_an_outside_one(tmp_path):
    whole = build(tmp_path / "p", days=0)
    plant = whole.folder.path
    checkpoints = sorted((plant / "seal/checkpoints").iterdir())
    size = int(checkpoints[-2].read_text().split("\n")[1])
    alter(plant, "DELETE FROM entry WHERE seq > ?", size)
    checkpoints[-1].unlink()
    shutil.copy(checkpoints[-2], plant / "seal/checkpoint")
    for tile in [path for path in (plant / "seal/tile/0/000.p").iterdir() if int(path.name) > size]:
        tile.unlink()
    without = check(plant)
    assert without.problems == []
    assert "note.witness" in {each.code for each in without.notes}
    assert codes(check(plant, against=whole.handed_out)) == {"checkpoint.beyond"}


@pytest.mark.parametrize("name", ["seal/checkpoints/note.txt", "archive/note.txt", "archive/1970/note.facts"])
def test_a_file_that_is_none_of_ours_is_named(plant, name):
    (plant / name).parent.mkdir(exist_ok=True)
    (plant / name).write_text("a word")
    assert codes(check(plant)) == {"file.foreign"}


def test_a_new_key_that_the_one_before_did_not_sign_for_is_seen(tmp_path):
    plant = build(tmp_path / "p", days=0, tail=0).folder.path
    (rotated,) = [path for path in sorted((plant / "seal/checkpoints").iterdir()) if path.read_text().count("— ") == 2]
    text, lines = rotated.read_text().split("\n\n")
    without = []
    for kept in lines.splitlines():
        rotated.write_text(f"{text}\n\n{kept}\n")
        without.append(codes(check(plant)))
    assert without == [{"checkpoint.signature", "key.rotation"}, {"key.rotation"}]


def test_a_history_rewritten_whole_needs_an_outside_checkpoint(template, tmp_path):
    other = build(tmp_path / "other", tail=0)
    assert check(other.folder.path).ok
    assert codes(check(other.folder.path, against=template.handed_out)) >= {"checkpoint.root"}
    assert "key.given" in codes(check(other.folder.path, key=template.key))


def test_a_pruned_day_passes_with_its_signed_entry_and_not_without(template, plant):
    polls = next((plant / "archive").rglob("*.polls"))
    shutil.copy(polls, plant.parent / "kept")
    polls.unlink()
    assert codes(check(plant)) == {"archive.missing", "entry.gap"}
    shutil.copy(plant.parent / "kept", polls)
    with Journal.open(plant) as journal:
        archivist = Archivist(journal.folder, journal, template.clock)
        names = archivist.prune(date(2030, 1, 1), "custodian", "retention")
        assert names == [f"{polls.parent.name}/{polls.name}"]
        Sealer(journal.folder, template.clock).seal(journal)
        assert journal.read(0, 10_000)[0].seq == 1
    report = check(plant, against=template.handed_out)
    assert report.problems == []
    assert report.counts["hashes_only"] > 100


def test_closed_days_read_back_as_they_were(template):
    with Journal.open(template.folder, read_only=True) as journal:
        entries = journal.read(0, 10_000)
        assert [entry.seq for entry in entries] == list(range(1, journal.head() + 1))
        some = [entry.seq for entry in journal.read(0, 10_000, {"certificate", "key", "event"})]
        assert some == [entry.seq for entry in entries if entry.kind in {"certificate", "key", "event"}]
        assert journal.entry(20) == entries[19]
        assert journal.latest("certificate", "works/certificate/c1").seq == 5
        assert journal.latest("poll", "works/device/kiln", 30).seq == 30 - (entries[29].subject != "works/device/kiln")
        paged = []
        while page := journal.read(paged[-1].seq if paged else 0, 37):
            paged += page
        assert paged == entries


def test_an_interrupted_closing_is_finished(template, tmp_path, monkeypatch):
    plant = build(tmp_path / "p", days=2, tail=0)
    clock = plant.clock
    clock.now_us += 86_400_000_000
    with Journal.open(plant.folder) as journal:
        sealer = Sealer(plant.folder, clock)
        journal.append([Draft("event", plant.folder.site_subject, clock.now_us, {"action": "x"})])
        sealer.seal(journal)
        archivist = Archivist(plant.folder, journal, clock)
        monkeypatch.setattr(archivist, "_forget", lambda day: None)
        (day,) = archivist.close_days()
        assert check(plant.folder.path).problems == []  # both copies there
        sealer.seal(journal)
        Archivist(plant.folder, journal, clock).close_days()
        assert not [row for row in journal.leaves(1, 1) if row[0] <= day.last]
    assert check(plant.folder.path).problems == []


def test_a_crash_before_the_closing_entry_is_harmless(tmp_path, monkeypatch):
    plant = build(tmp_path / "p", tail=0)
    clock = plant.clock
    clock.now_us += 86_400_000_000
    with Journal.open(plant.folder) as journal:
        sealer = Sealer(plant.folder, clock)
        journal.append([Draft("event", plant.folder.site_subject, clock.now_us, {"action": "x"})])
        sealer.seal(journal)
        archivist = Archivist(plant.folder, journal, clock)

        def crash(*_):
            raise RuntimeError

        monkeypatch.setattr(archivist, "_check", crash)
        with pytest.raises(RuntimeError):
            archivist.close_days()
        report = check(plant.folder.path)
        assert report.problems == []
        assert "note.unfinished" in {each.code for each in report.notes}
        assert len(Archivist(plant.folder, journal, clock).close_days()) == 1
        sealer.seal(journal)
    assert check(plant.folder.path).problems == []


def test_the_newest_fact_is_found_without_unpacking_the_archive(tmp_path, monkeypatch):
    plant = build(tmp_path / "p", days=2, tail=0)
    with Journal.open(plant.folder) as journal:
        assert journal.leaves(1, 1)[0][0] > 300  # the configurations are archived
        expected = {kind: journal.latest(kind, subject) for kind, subject in _facts()}
        assert all(expected.values())
        monkeypatch.setattr(Segment, "read_before", None)
        assert {kind: journal.latest(kind, subject) for kind, subject in _facts()} == expected
        assert journal.latest("configuration", "works/device/nobody") is None
        assert journal.latest("configuration", "works/device/kiln", at_or_before_seq=2) is None
        monkeypatch.undo()
        (plant.folder.state / "archive-index.sqlite").unlink()
        assert {kind: journal.latest(kind, subject) for kind, subject in _facts()} == expected
        (plant.folder.state / "archive-index.sqlite").write_bytes(b"damaged" * 100)
        assert {kind: journal.latest(kind, subject) for kind, subject in _facts()} == expected


def _facts():
    return [("configuration", "works/device/kiln"), ("certificate", "works/certificate/c1")]
