"""An audit event with the circumstances it happened in: clock, software, configuration."""

from typing import Any

from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder, software_version
from gateway.journal.journal import Journal
from gateway.ports import Clock


def audit_event(
    folder: DataFolder,
    journal: Journal,
    clock: Clock,
    *,
    actor: str,
    action: str,
    about: str,
    new: str | None = None,
    reason: str = "",
    facts: dict[str, Any] | None = None,
) -> Draft:
    """An event of the site. Its number and object version are the entry's place in the journal."""
    body = {
        "actor": actor,
        "action": action,
        "object": about,
        "old": None,
        "new": new,
        "reason": reason,
        "result": "ok",
        **circumstances(folder, journal),
        **(facts or {}),
    }
    return Draft("event", folder.site_subject, clock.utc_us(), body)


def circumstances(folder: DataFolder, journal: Journal) -> dict[str, Any]:
    """What every audit event says of the moment it was written in.

    ``clock`` is what the newest clock entry says (``synchronised`` 0, 1 or null; ``offset_us`` in µs; ``entry`` its
    number), null when there is none yet; ``configuration`` the hash of the site's newest configuration entry, or null;
    ``software`` the program and its version.
    """
    state = journal.latest("clock", folder.subject("gateway", "clock"))
    site = journal.latest("configuration", folder.site_subject)
    return {
        "clock": None if state is None else _clock(state.seq, state.body),
        "configuration": None if site is None else site.body.get("hash"),
        "software": software_version(),
    }


def _clock(seq: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"entry": seq, "synchronised": body.get("synchronised"), "offset_us": body.get("offset_us")}
