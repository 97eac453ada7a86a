"""What is done to accounts, each act with its entry of kind ``user``: who, what, to whom; never a secret."""

import re
from typing import Any

from api.people.roles import FOR_A_TIME, Role
from api.people.store import People, Person
from api.problems import PersonError
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import iso
from gateway.journal.audit_event import circumstances
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MAX_NAME_CHARACTERS = 80
MAX_LABEL_CHARACTERS = 80


class Acts:
    """Changes to accounts on behalf of ``actor``: the store first, then the entry that says so."""

    def __init__(self, people: People, folder: DataFolder, journal: Journal, clock: Clock) -> None:
        self._people = people
        self._folder = folder
        self._journal = journal
        self._clock = clock

    def add(
        self,
        id_: str,
        *,
        name: str,
        roles: frozenset[Role],
        until_us: int | None,
        actor: str,
        organisation: str | None = None,
        reason: str = "",
    ) -> Person:
        """Add an account or change one's name, roles and term; a change holds from the next request on."""
        if not ID.fullmatch(id_):
            raise PersonError(
                "'%(id)s' cannot be an account's id: 1 to 40 of a-z, 0-9, '.', '_', '-', beginning with a letter or "
                "digit",
                id=id_,
            )
        if not name.strip() or len(name) > MAX_NAME_CHARACTERS:
            raise PersonError("the name of account %(id)s is empty or longer than 80 characters", id=id_)
        if not roles:
            raise PersonError("account %(id)s needs a role", id=id_)
        if roles & FOR_A_TIME and until_us is None:
            raise PersonError("a reviewer's account needs the day it ends (account %(id)s)", id=id_)
        old = self._people.person(id_)
        organisation = organisation or (old.organisation if old else self._folder.organisation)
        if old is not None and old.organisation != organisation:
            raise PersonError("account %(id)s belongs to another organisation", id=id_)
        self._last_administrator(old, roles)
        self._people.put(id_, organisation=organisation, name=name.strip(), roles=roles, until_us=until_us)
        made = self._existing(id_)
        self._record("user.changed" if old else "user.added", made, actor, old=old, new=made, reason=reason)
        return made

    def link(self, id_: str, *, actor: str) -> str:
        """A one-time sign-in link's secret for an account in use."""
        person = self._existing(id_)
        if not person.is_active(self._clock.utc_us()):
            raise PersonError("account %(id)s is disabled or over", id=id_)
        secret = self._people.new_link(id_)
        self._record("user.link_issued", person, actor)
        return secret

    def disable(self, id_: str, *, actor: str, reason: str = "") -> None:
        """End an account."""
        person = self._existing(id_)
        self._last_administrator(person, frozenset())
        self._people.disable(id_)
        self._record("user.disabled", person, actor, reason=reason)

    def enable(self, id_: str, *, actor: str, reason: str = "") -> None:
        """Let a disabled account be used again."""
        person = self._existing(id_)
        self._people.enable(id_)
        self._record("user.enabled", person, actor, reason=reason)

    def token(self, id_: str, *, label: str, until_us: int | None, actor: str) -> tuple[str, str]:
        """A token for programs: id and the text shown once."""
        person = self._existing(id_)
        if not label.strip() or len(label) > MAX_LABEL_CHARACTERS:
            raise PersonError("a token needs a name of at most 80 characters that says what it is for")
        if not person.is_active(self._clock.utc_us()):
            raise PersonError("account %(id)s is disabled or over", id=id_)
        token_id, text = self._people.new_token(id_, label.strip(), until_us)
        self._record("user.token_issued", person, actor, facts={"token": token_id, "label": label.strip()})
        return token_id, text

    def revoke(self, id_: str, token_id: str, *, actor: str) -> None:
        """End a token."""
        person = self._existing(id_)
        if not self._people.revoke_token(id_, token_id):
            raise UnknownObjectError("account %(id)s has no token %(token)s in force", id=id_, token=token_id)
        self._record("user.token_revoked", person, actor, facts={"token": token_id})

    def password(self, id_: str, password: str, *, actor: str) -> None:
        """A new password of an account's own choosing."""
        person = self._existing(id_)
        self._people.set_password(id_, password)
        self._record("user.password_changed", person, actor)

    def signed_in(self, person: Person, *, way: str) -> None:
        """Somebody came in by ``password`` or ``link``."""
        self._record("user.signed_in", person, person.id, facts={"way": way})

    def signed_out(self, person: Person) -> None:
        """Somebody left."""
        self._record("user.signed_out", person, person.id)

    def refused(self, person: Person) -> None:
        """Too many wrong passwords for an account: said once, when its tries begin to be slowed."""
        self._record("user.sign_in_refused", person, person.id, result="refused")

    def _existing(self, id_: str) -> Person:
        person = self._people.person(id_)
        if person is None:
            raise UnknownObjectError("there is no account %(id)s", id=id_)
        return person

    def _last_administrator(self, old: Person | None, roles: frozenset[Role]) -> None:
        """Somebody must be left who can let others in."""
        now = self._clock.utc_us()
        if old is None or Role.ADMINISTRATOR not in old.roles or Role.ADMINISTRATOR in roles or not old.is_active(now):
            return
        others = (
            each
            for each in self._people.listed(old.organisation)
            if each.id != old.id and Role.ADMINISTRATOR in each.roles and each.is_active(now)
        )
        if next(others, None) is None:
            raise PersonError("account %(id)s is the last administrator; make another one first", id=old.id)

    def _record(
        self,
        action: str,
        about: Person,
        actor: str,
        *,
        old: Person | None = None,
        new: Person | None = None,
        reason: str = "",
        result: str = "ok",
        facts: dict[str, Any] | None = None,
    ) -> None:
        body = {
            "actor": actor,
            "action": action,
            "object": about.id,
            "old": _fact(old),
            "new": _fact(new),
            "reason": reason,
            "result": result,
            **circumstances(self._folder, self._journal),
            **(facts or {}),
        }
        self._journal.append([Draft("user", f"{about.organisation}/user/{about.id}", self._clock.utc_us(), body)])


def _fact(person: Person | None) -> dict[str, Any] | None:
    """What the record keeps of an account: its roles and term, never its name, which is a person's own."""
    if person is None:
        return None
    return {
        "roles": [str(each) for each in sorted(person.roles)],
        "until": None if person.until_us is None else iso(person.until_us),
    }
