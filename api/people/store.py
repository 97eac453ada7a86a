"""``auth.sqlite``: accounts, sessions, one-time links, tokens and failed tries of one data folder.

Not in the journal and no projection: it holds what must not be in evidence (hashes of secrets) and what must be
forgettable. Who did what stands in the journal, by the person's id.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from api.people import hashing
from api.people.roles import Role
from gateway.domain.errors import DataFolderError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, US_PER_S
from gateway.ports import Clock, Random

AUTH_FILE = "auth.sqlite"
APPLICATION_ID = 0x4D505041  # "MPPA"
SCHEMA_VERSION = 1
SESSION_US = 12 * US_PER_HOUR
"""A session ends this long after its last use, and after ``SESSION_LIMIT_US`` whatever happens."""
SESSION_LIMIT_US = 7 * US_PER_DAY
LINK_US = 24 * US_PER_HOUR
MAX_PEOPLE = 2_000
MAX_TOKENS = 20
MAX_SESSIONS = 20
"""Of one person; an older one gives way."""
FREE_TRIES = 5
FIRST_PAUSE_US = 2 * US_PER_S
LONGEST_PAUSE_US = 15 * US_PER_MINUTE
MAX_FAILURES = 10_000
"""Names whose failed tries are remembered; the oldest are forgotten."""
_SEEN_EVERY_US = US_PER_MINUTE
_BUSY_S = 10.0

_SCHEMA = """
CREATE TABLE person (
    id TEXT PRIMARY KEY, organisation TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, password TEXT,
    created INTEGER NOT NULL, until INTEGER, disabled INTEGER
) STRICT;
CREATE TABLE session (
    digest BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES person (id),
    created INTEGER NOT NULL, seen INTEGER NOT NULL
) STRICT;
CREATE TABLE link (
    digest BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES person (id), expires INTEGER NOT NULL
) STRICT;
CREATE TABLE token (
    id TEXT PRIMARY KEY, person TEXT NOT NULL REFERENCES person (id), label TEXT NOT NULL, secret TEXT NOT NULL,
    created INTEGER NOT NULL, until INTEGER, revoked INTEGER, used INTEGER
) STRICT;
CREATE TABLE failure (name TEXT PRIMARY KEY, count INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account. ``until_us``: the end of the roles (µs UTC, exclusive), None without one."""

    id: str
    organisation: str
    name: str
    roles: frozenset[Role]
    created_us: int
    until_us: int | None
    disabled_us: int | None
    has_password: bool

    def is_active(self, now_us: int) -> bool:
        """Whether the account may be used now."""
        return self.disabled_us is None and (self.until_us is None or now_us < self.until_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token as it is listed: never its secret."""

    id: str
    person: str
    label: str
    created_us: int
    until_us: int | None
    revoked_us: int | None
    used_us: int | None


class People:
    """The accounts of one data folder. Any thread may call; each call is short and one transaction."""

    def __init__(self, path: Path, clock: Clock, random: Random) -> None:
        self.path = path
        self._clock = clock
        self._random = random
        self._lock = Lock()
        self._known: dict[str, bytes] = {}  # token ids whose secret was verified in this process, by its digest
        self._connection = _opened(path)

    def close(self) -> None:
        """Close the file; idempotent."""
        self._connection.close()

    # -- accounts

    def count(self) -> int:
        """How many accounts there are, disabled ones too."""
        return int(self._one("SELECT count(*) FROM person")[0])

    def person(self, id_: str) -> Person | None:
        """An account by id."""
        rows = self._rows("SELECT * FROM person WHERE id = ?", id_)
        return _person(rows[0]) if rows else None

    def listed(self, organisation: str) -> list[Person]:
        """The accounts of an organisation, by id."""
        return [
            _person(row) for row in self._rows("SELECT * FROM person WHERE organisation = ? ORDER BY id", organisation)
        ]

    def put(
        self, id_: str, *, organisation: str, name: str, roles: frozenset[Role], until_us: int | None = None
    ) -> None:
        """Add an account, or change name, roles and term of one."""
        with self._writing() as write:
            if write.execute("SELECT count(*) FROM person").fetchone()[0] >= MAX_PEOPLE:
                raise DataFolderError("there are %(count)s accounts already, no more fit", count=str(MAX_PEOPLE))
            write.execute(
                "INSERT INTO person (id, organisation, name, roles, created, until) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, until = excluded.until",
                (id_, organisation, name, " ".join(sorted(roles)), self._clock.utc_us(), until_us),
            )

    def disable(self, id_: str) -> None:
        """End an account: its sessions and links end at once, its tokens are revoked."""
        now = self._clock.utc_us()
        with self._writing() as write:
            write.execute("UPDATE person SET disabled = coalesce(disabled, ?) WHERE id = ?", (now, id_))
            write.execute("DELETE FROM session WHERE person = ?", (id_,))
            write.execute("DELETE FROM link WHERE person = ?", (id_,))
            write.execute("UPDATE token SET revoked = coalesce(revoked, ?) WHERE person = ?", (now, id_))

    def enable(self, id_: str) -> None:
        """Let a disabled account be used again; it needs a new link or its password."""
        with self._writing() as write:
            write.execute("UPDATE person SET disabled = NULL WHERE id = ?", (id_,))

    def set_password(self, id_: str, password: str) -> None:
        """Give an account a password of its own choosing; see ``end_other_sessions``."""
        hardened = hashing.hardened(password)
        with self._writing() as write:
            write.execute("UPDATE person SET password = ? WHERE id = ?", (hardened, id_))

    # -- signing in

    def pause_us(self, name: str, within: sqlite3.Connection | None = None) -> int:
        """How long this name must still wait before another try, 0 when it need not; ``within`` a transaction."""
        statement = "SELECT count, last FROM failure WHERE name = ?"
        rows = self._rows(statement, name) if within is None else within.execute(statement, (name,)).fetchall()
        if not rows or rows[0][0] < FREE_TRIES:
            return 0
        count, last = rows[0]
        pause = min(FIRST_PAUSE_US * 2 ** min(count - FREE_TRIES, 20), LONGEST_PAUSE_US)
        return max(int(last) + int(pause) - self._clock.utc_us(), 0)

    def begin_try(self, name: str) -> int:
        """Count a try by password before it is made: 0 when it may be made, else how long (µs) the name must wait.

        Counted first, so that many tries at once are no more than one after another; ``by_password`` takes a good
        one back.
        """
        with self._writing() as write:
            pause_us = self.pause_us(name, write)
            if pause_us:
                return pause_us
            write.execute(
                "INSERT INTO failure (name, count, last) VALUES (?, 1, ?)"
                " ON CONFLICT (name) DO UPDATE SET count = count + 1, last = excluded.last",
                (name, self._clock.utc_us()),
            )
            write.execute(
                "DELETE FROM failure WHERE name IN (SELECT name FROM failure ORDER BY last DESC LIMIT -1 OFFSET ?)",
                (MAX_FAILURES,),
            )
        return 0

    def by_password(self, name: str, password: str) -> Person | None:
        """The account whose password this is, after ``begin_try``. Takes tens of milliseconds."""
        rows = self._rows("SELECT password FROM person WHERE id = ?", name)
        good = hashing.matches(rows[0][0] if rows else None, password)
        person = self.person(name) if good else None
        if person is None or not person.is_active(self._clock.utc_us()):
            return None
        with self._writing() as write:
            write.execute("DELETE FROM failure WHERE name = ?", (name,))
        return person

    def new_link(self, id_: str) -> str:
        """A secret that signs this account in once, within ``LINK_US``; an earlier link of the account is void."""
        secret = hashing.drawn(self._random)
        now = self._clock.utc_us()
        with self._writing() as write:
            write.execute("DELETE FROM link WHERE person = ? OR expires <= ?", (id_, now))
            write.execute("INSERT INTO link VALUES (?, ?, ?)", (hashing.digest(secret), id_, now + LINK_US))
        return secret

    def of_link(self, secret: str) -> Person | None:
        """Whom a link would sign in; the link stays good."""
        return self._linked("SELECT person FROM link WHERE digest = ? AND expires > ?", secret)

    def by_link(self, secret: str) -> Person | None:
        """Whom a link signs in; the link is used up."""
        return self._linked("DELETE FROM link WHERE digest = ? AND expires > ? RETURNING person", secret)

    def _linked(self, statement: str, secret: str) -> Person | None:
        now = self._clock.utc_us()
        with self._writing() as write:
            row = write.execute(statement, (hashing.digest(secret), now)).fetchone()
        person = self.person(row[0]) if row else None
        return person if person is not None and person.is_active(now) else None

    # -- sessions

    def begin_session(self, id_: str) -> str:
        """A new session's secret."""
        secret = hashing.drawn(self._random)
        now = self._clock.utc_us()
        with self._writing() as write:
            write.execute(
                "DELETE FROM session WHERE created <= ? OR seen <= ?", (now - SESSION_LIMIT_US, now - SESSION_US)
            )
            write.execute(
                "DELETE FROM session WHERE digest IN"
                " (SELECT digest FROM session WHERE person = ? ORDER BY seen DESC LIMIT -1 OFFSET ?)",
                (id_, MAX_SESSIONS - 1),
            )
            write.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (hashing.digest(secret), id_, now, now))
        return secret

    def by_session(self, secret: str) -> Person | None:
        """Whose session this is, while it and the account last."""
        now = self._clock.utc_us()
        digest = hashing.digest(secret)
        rows = self._rows(
            "SELECT person.*, session.seen FROM session JOIN person ON person.id = session.person"
            " WHERE digest = ? AND session.created > ? AND seen > ?",
            digest,
            now - SESSION_LIMIT_US,
            now - SESSION_US,
        )
        if not rows:
            return None
        person = _person(rows[0][:-1])
        if not person.is_active(now):
            return None
        if now - rows[0][-1] >= _SEEN_EVERY_US:
            with self._writing() as write:
                write.execute("UPDATE session SET seen = ? WHERE digest = ?", (now, digest))
        return person

    def end_session(self, secret: str) -> None:
        """Sign out."""
        with self._writing() as write:
            write.execute("DELETE FROM session WHERE digest = ?", (hashing.digest(secret),))

    def end_other_sessions(self, id_: str, secret: str) -> None:
        """Sign out everywhere else, as after a new password."""
        with self._writing() as write:
            write.execute("DELETE FROM session WHERE person = ? AND digest != ?", (id_, hashing.digest(secret)))

    # -- tokens

    def new_token(self, id_: str, label: str, until_us: int | None = None) -> tuple[str, str]:
        """A token for programs: its id, and the text ``id.secret`` that is shown once."""
        secret = hashing.drawn(self._random)
        token_id = f"mp{self._random.token(6).hex()}"
        hardened = hashing.hardened(secret)
        with self._writing() as write:
            held = write.execute("SELECT count(*) FROM token WHERE person = ? AND revoked IS NULL", (id_,)).fetchone()[
                0
            ]
            if held >= MAX_TOKENS:
                raise DataFolderError("there are %(count)s tokens already; revoke one first", count=str(MAX_TOKENS))
            write.execute(
                "INSERT INTO token (id, person, label, secret, created, until) VALUES (?, ?, ?, ?, ?, ?)",
                (token_id, id_, label, hardened, self._clock.utc_us(), until_us),
            )
        return token_id, f"{token_id}.{secret}"

    def by_token(self, text: str) -> Person | None:
        """Whose token this is. The first use in a process costs an Argon2 run, later ones a digest."""
        token_id, _, secret = text.partition(".")
        now = self._clock.utc_us()
        rows = self._rows(
            "SELECT secret, person, used FROM token WHERE id = ? AND revoked IS NULL AND coalesce(until > ?, 1)",
            token_id,
            now,
        )
        if not rows or not secret:
            return None
        stored, person_id, used = rows[0]
        digest = hashing.digest(secret)
        if self._known.get(token_id) != digest:
            if not hashing.matches(stored, secret):
                return None
            if len(self._known) > MAX_PEOPLE:
                self._known.clear()
            self._known[token_id] = digest
        person = self.person(person_id)
        if person is None or not person.is_active(now):
            return None
        if used is None or now - used >= _SEEN_EVERY_US:
            with self._writing() as write:
                write.execute("UPDATE token SET used = ? WHERE id = ?", (now, token_id))
        return person

    def tokens(self, id_: str) -> list[Token]:
        """The tokens of an account, newest first."""
        rows = self._rows(
            "SELECT id, person, label, created, until, revoked, used FROM token WHERE person = ? ORDER BY created DESC",
            id_,
        )
        return [
            Token(
                id=row[0],
                person=row[1],
                label=row[2],
                created_us=row[3],
                until_us=row[4],
                revoked_us=row[5],
                used_us=row[6],
            )
            for row in rows
        ]

    def revoke_token(self, id_: str, token_id: str) -> bool:
        """End a token of an account; False when the account has no such token in force."""
        with self._writing() as write:
            done = write.execute(
                "UPDATE token SET revoked = ? WHERE id = ? AND person = ? AND revoked IS NULL",
                (self._clock.utc_us(), token_id, id_),
            )
        self._known.pop(token_id, None)
        return done.rowcount == 1

    # -- the file

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:  # SQLite's own types
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _one(self, statement: str) -> tuple[int, ...]:
        with self._lock:
            row: tuple[int, ...] = self._connection.execute(statement).fetchone()
            return row

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # a full disk has ended it already
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _person(row: tuple[object, ...]) -> Person:
    id_, organisation, name, roles, password, created, until, disabled = row
    return Person(
        id=str(id_),
        organisation=str(organisation),
        name=str(name),
        roles=frozenset(Role(each) for each in str(roles).split() if each in set(Role)),
        created_us=int(str(created)),
        until_us=None if until is None else int(str(until)),
        disabled_us=None if disabled is None else int(str(disabled)),
        has_password=password is not None,
    )


def _opened(path: Path) -> sqlite3.Connection:
    """The file, made when there is none; readable by this user alone."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise DataFolderError("%(path)s cannot be used: %(reason)s", path=str(path), reason=str(error)) from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("BEGIN IMMEDIATE")
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise DataFolderError("%(path)s cannot be used: %(reason)s", path=str(path), reason=str(error)) from error
    if application != APPLICATION_ID or found not in {0, SCHEMA_VERSION}:
        connection.close()
        raise DataFolderError("%(path)s holds no accounts of this program or of another version", path=str(path))
    return connection
