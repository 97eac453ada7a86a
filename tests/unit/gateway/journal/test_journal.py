import hashlib
import json
import sqlite3
import threading

import pytest

from gateway.domain.errors import DiskFullError, JournalError
from gateway.journal.canonical import BodyError
from gateway.journal.entry import Draft
from gateway.journal.journal import Journal


def poll(number, device="kiln-main"):
    return Draft(
        "poll", f"demo-cement/device/{device}", 1_764_000_000_000_000 + number, {"group": "main", "slot": number}
    )


def rows(folder):
    with sqlite3.connect(folder.journal) as connection:
        found = connection.execute("SELECT seq, at, kind, subject, body, leaf FROM entry ORDER BY seq").fetchall()
    connection.close()
    return found


def test_append_numbers_without_gaps_and_stores_body_and_leaf(folder, journal):
    assert journal.append([poll(1), poll(2)]) == [2, 3]
    assert journal.append([]) == []
    assert journal.append([poll(3)]) == [4]
    assert journal.head() == 4
    for seq, at, kind, subject, body, leaf in rows(folder):
        parsed = json.loads(body)
        assert (parsed["at"], parsed["kind"], parsed["subject"], parsed["v"]) == (at, kind, subject, 1)
        assert leaf == hashlib.sha256(b"\x00" + body).digest()
        assert journal.entry(seq).body == parsed


def test_a_bad_draft_appends_nothing(journal):
    with pytest.raises(BodyError):
        journal.append([poll(1), Draft("event", "x", 1, {"a": 0.5})])
    with pytest.raises(ZeroDivisionError):
        journal.append_from(lambda first: [poll(1 // 0)])
    assert journal.head() == 1
    assert journal.append([poll(1)]) == [2]


def test_drafts_can_name_each_other(journal):
    def make(first):
        return [Draft("configuration", "d", 1, {"hash": "x"}), Draft("poll", "d", 2, {"cfg": first})]

    configuration, entry = journal.append_from(make)
    assert journal.entry(entry).body["cfg"] == configuration


def test_reading_pages_and_filters(journal):
    journal.append([poll(number) for number in range(10)])
    journal.append([Draft("event", "demo-cement/site/works", 5, {"action": "x"}), poll(99)])
    assert [entry.seq for entry in journal.read(0, limit=3)] == [1, 2, 3]
    assert [entry.seq for entry in journal.read(10)] == [11, 12, 13]
    assert [entry.seq for entry in journal.read(0, kinds=["event"])] == [1, 12]
    assert [entry.seq for entry in journal.read(1, limit=1, kinds={"event", "poll"})] == [2]
    assert journal.read(13) == []
    with pytest.raises(JournalError, match="no entry 14"):
        journal.entry(14)


def test_latest_of_a_subject(journal):
    journal.append([Draft("configuration", "a", n, {"n": n}) for n in range(3)] + [poll(1), poll(2)])
    assert journal.latest("configuration", "a").body["n"] == 2
    assert journal.latest("configuration", "a", at_or_before_seq=3).body["n"] == 1
    assert journal.latest("configuration", "b") is None
    assert journal.latest("poll", "demo-cement/device/kiln-main").body["slot"] == 2


def test_several_programs_append_without_gap(folder):
    def work():
        with Journal.open(folder) as journal:
            for number in range(25):
                journal.append([poll(number), poll(number)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row[0] for row in rows(folder)] == list(range(1, 202))


def test_a_full_journal_says_so_and_keeps_what_it_had(folder):
    with Journal.open(folder, max_bytes=200 * 4096) as journal:
        acknowledged = [1]

        def fill():
            for number in range(10_000):
                acknowledged.extend(journal.append([Draft("event", "s", number, {"reason": "x" * 3000})]))

        with pytest.raises(DiskFullError, match="no room left"):
            fill()
        assert journal.head() == acknowledged[-1]
    with Journal.open(folder) as journal:
        assert journal.append([poll(1)]) == [acknowledged[-1] + 1]


def test_a_journal_opened_for_reading_refuses_to_append(folder):
    with Journal.open(folder, read_only=True) as journal, pytest.raises(JournalError, match="reading only"):
        journal.append([poll(1)])


def test_the_journal_syncs_at_every_commit(journal):
    connection = journal._write
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
