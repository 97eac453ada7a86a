"""Somebody alters what is stored: one edit in a folder that was sound."""

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gateway.series.codec import decode, encode


def forge(folder: Path, chance: random.Random) -> str:
    """Alter one stored thing; says what was done."""
    edit = chance.choice(EDITS)
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        if edit is not series_value:
            what = edit(journal, chance)
            journal.commit()
            return what
        (month, *_) = sorted((folder / "series").glob("????-??.sqlite"))
        with closing(sqlite3.connect(month)) as series:
            what = edit(series, chance)
            series.commit()
            return what


def _poll(journal: sqlite3.Connection, chance: random.Random) -> tuple[int, bytes]:
    rows = journal.execute("SELECT seq, body FROM entry WHERE kind = 'poll'").fetchall()
    seq, body = chance.choice(rows)
    return int(seq), bytes(body) if not isinstance(body, str) else body.encode()


def one_byte(journal: sqlite3.Connection, chance: random.Random) -> str:
    """A character of the raw words, the rest left as it is."""
    seq, body = _poll(journal, chance)
    document = json.loads(body)
    place = body.index(document["raw"][0].encode()) + chance.randrange(4)
    other = b"B" if body[place : place + 1] == b"A" else b"A"
    journal.execute("UPDATE entry SET body = ? WHERE seq = ?", (body[:place] + other + body[place + 1 :], seq))
    return f"raw words of entry {seq}"


def outcome(journal: sqlite3.Connection, chance: random.Random) -> str:
    """A reading's time is moved by a microsecond, in good form."""
    seq, body = _poll(journal, chance)
    document = json.loads(body)
    document["received"] += 1
    altered = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    journal.execute("UPDATE entry SET body = ? WHERE seq = ?", (altered, seq))
    return f"time of entry {seq}"


def removed(journal: sqlite3.Connection, chance: random.Random) -> str:
    """An entry is taken out."""
    seq, _ = _poll(journal, chance)
    journal.execute("DELETE FROM entry WHERE seq = ?", (seq,))
    return f"entry {seq} removed"


def exchanged(journal: sqlite3.Connection, chance: random.Random) -> str:
    """Two entries change places."""
    (one, first), (other, second) = _poll(journal, chance), _poll(journal, chance)
    while first == second:
        other, second = _poll(journal, chance)
    for seq, body in ((one, second), (other, first)):
        journal.execute("UPDATE entry SET body = ? WHERE seq = ?", (body, seq))
    return f"entries {one} and {other} exchanged"


def series_value(series: sqlite3.Connection, chance: random.Random) -> str:
    """A value in the series store, beside a journal left alone."""
    rows = series.execute("SELECT series, slot, v FROM hot").fetchall()
    telling = [row for row in rows if any(each is not None for each in decode(row[2]))]  # texts stand elsewhere
    number, slot, packed = chance.choice(telling)
    values = list(decode(packed))
    at = chance.choice([at for at, each in enumerate(values) if each is not None])
    values[at] = (values[at] or 0) + 1
    series.execute("UPDATE hot SET v = ? WHERE series = ? AND slot = ?", (encode(values), number, slot))
    return f"value {at} of series {number} at {slot}"


EDITS: tuple[Callable[[sqlite3.Connection, random.Random], str], ...] = (
    one_byte,
    outcome,
    removed,
    exchanged,
    series_value,
)
