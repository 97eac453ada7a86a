import sqlite3
import stat

import pytest

from gateway.domain.errors import DataFolderError, JournalError
from gateway.journal.entry import Draft
from gateway.sealing.history import History
from gateway.sealing.note import Note, VerifierKey
from gateway.sealing.proof import Prover
from gateway.sealing.sealer import InconsistentTreeError, Sealer


def polls(count, begin=0):
    return [
        Draft("poll", "demo-cement/device/kiln", number, {"slot": number}) for number in range(begin, begin + count)
    ]


def alter(folder, statement, *values):
    with sqlite3.connect(folder.journal) as connection:
        connection.execute(statement, values)
    connection.close()


def test_the_first_seal_makes_a_key_and_says_so_in_the_journal(folder, journal, clock):
    sealer = Sealer(folder, clock)
    checkpoint = sealer.seal(journal)
    assert (checkpoint.origin, checkpoint.size) == (folder.origin, 2)
    key = journal.entry(2)
    assert (key.kind, key.body["action"], key.body["vkey"]) == ("key", "created", sealer.vkey)
    assert stat.S_IMODE((folder.seal / "key").stat().st_mode) == 0o600
    assert (folder.seal / "key.pub").read_text() == sealer.vkey + "\n"
    note = Note.parse((folder.seal / "checkpoint").read_text())
    assert note.signed_by(VerifierKey.parse(sealer.vkey))


def test_sealing_goes_on_over_restarts_and_writes_nothing_when_nothing_is_new(folder, journal, clock):
    for begin in range(0, 900, 130):
        journal.append(polls(130, begin))
        checkpoint = Sealer(folder, clock).seal(journal)
        assert checkpoint.size == journal.head()
    count = len(History(folder.seal).numbers())
    sealer = Sealer(folder, clock)
    assert sealer.seal(journal) == checkpoint
    assert sealer.seal(journal) == checkpoint
    assert len(History(folder.seal).numbers()) == count == 7
    assert sorted(path.name for path in (folder.seal / "tile" / "0").iterdir()) == ["000", "001", "002", "003.p"]


def test_a_cut_journal_is_not_signed(folder, journal, clock):
    journal.append(polls(10))
    Sealer(folder, clock).seal(journal)
    alter(folder, "DELETE FROM entry WHERE seq > 5")
    with pytest.raises(InconsistentTreeError, match="ends at entry 5"):
        Sealer(folder, clock).seal(journal)


@pytest.mark.parametrize("column", ["leaf", "body"])
def test_an_altered_unsealed_entry_is_not_signed(folder, journal, clock, column):
    sealer = Sealer(folder, clock)
    journal.append(polls(10))
    alter(folder, f"UPDATE entry SET {column} = zeroblob(32) WHERE seq = 7")
    with pytest.raises(InconsistentTreeError, match="entry 7"):
        sealer.seal(journal)
    assert sealer.sealed == 0


def test_an_altered_sealed_entry_is_noticed_at_the_next_start(folder, journal, clock):
    journal.append(polls(10))
    Sealer(folder, clock).seal(journal)
    alter(folder, "UPDATE entry SET leaf = zeroblob(32) WHERE seq = 7")
    with pytest.raises(InconsistentTreeError, match="entry 7"):
        Sealer(folder, clock).seal(journal)


def test_a_missing_entry_is_not_signed_over(folder, journal, clock):
    sealer = Sealer(folder, clock)
    journal.append(polls(10))
    alter(folder, "DELETE FROM entry WHERE seq = 7")
    with pytest.raises(InconsistentTreeError, match="missing between"):
        sealer.seal(journal)


def test_damaged_tiles_and_a_lost_key_stop_the_sealer(folder, journal, clock):
    journal.append(polls(300))
    Sealer(folder, clock).seal(journal)
    tile = folder.seal / "tile" / "0" / "001.p" / "46"
    content = tile.read_bytes()
    tile.write_bytes(bytes(32) + content[32:])
    with pytest.raises(InconsistentTreeError, match="tiles"):
        Sealer(folder, clock)
    tile.write_bytes(content)
    (folder.seal / "key").rename(folder.seal / "elsewhere")
    with pytest.raises(JournalError, match="missing"):
        Sealer(folder, clock)
    (folder.seal / "elsewhere").rename(folder.seal / "key")
    (folder.seal / "key").chmod(0o644)
    with pytest.raises(DataFolderError, match="read by others"):
        Sealer(folder, clock)


def test_rotation_is_an_entry_and_one_checkpoint_carries_both_signatures(folder, journal, clock):
    sealer = Sealer(folder, clock)
    sealer.seal(journal)
    old = VerifierKey.parse(sealer.vkey)
    sealer.rotate(journal, actor="custodian", reason="yearly")
    new = VerifierKey.parse(sealer.vkey)
    assert new != old
    both = History(folder.seal).latest()
    assert both.signed_by(old)
    assert both.signed_by(new)
    journal.append(polls(1))
    again = Sealer(folder, clock)
    again.seal(journal)
    latest = History(folder.seal).latest()
    assert latest.signed_by(new)
    assert not latest.signed_by(old)
    assert journal.entry(3).body["previous"] == str(old)


def test_a_rotation_interrupted_after_its_entry_is_completed(folder, journal, clock, monkeypatch):
    sealer = Sealer(folder, clock)
    sealer.seal(journal)
    old = VerifierKey.parse(sealer.vkey)
    monkeypatch.setattr(sealer, "_grow_and_sign", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(sealer, "seal", lambda journal: None)
    sealer.rotate(journal, actor="custodian", reason="yearly")
    again = Sealer(folder, clock)
    again.seal(journal)
    assert VerifierKey.parse(again.vkey) != old
    assert History(folder.seal).latest().signed_by(old)
    assert History(folder.seal).latest().signed_by(VerifierKey.parse(again.vkey))


def test_a_crash_between_history_and_newest_is_mended(folder, journal, clock):
    sealer = Sealer(folder, clock)
    sealer.seal(journal)
    before = (folder.seal / "checkpoint").read_bytes()
    journal.append(polls(1))
    sealer.seal(journal)
    after = (folder.seal / "checkpoint").read_bytes()
    (folder.seal / "checkpoint").write_bytes(before)
    (folder.seal / "checkpoints" / "00000003.tmp").write_bytes(b"half")
    Sealer(folder, clock)
    assert (folder.seal / "checkpoint").read_bytes() == after
    assert not (folder.seal / "checkpoints" / "00000003.tmp").exists()


def test_an_entry_that_is_not_sealed_has_no_proof(folder, journal, clock):
    with pytest.raises(JournalError, match="nothing is sealed"):
        Prover(folder)
    Sealer(folder, clock).seal(journal)
    assert Prover(folder).prove(1).startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
    with pytest.raises(JournalError, match="not sealed yet"):
        Prover(folder).prove(3)
