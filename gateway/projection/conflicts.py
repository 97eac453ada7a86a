"""Two values for one key of the series: the finding that says so, and the decision which of them stands.

The first value stands. A later one that differs becomes an open verdict ``reading.conflict``, once for each key; a
person closes it, either accepting the later value or keeping the first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.domain.errors import UnknownObjectError
from gateway.i18n.rules import RULES
from gateway.journal.entry import Draft
from gateway.registry.record import Verdict
from gateway.series.index import ConflictKey

CONFLICT = "reading.conflict"
ACCEPTED = "reading.accepted"
KEPT = "reading.kept"
_EDITION = "1"


def opening_drafts(
    found: Iterable[ConflictKey], said: Iterable[Verdict], organisation: str, *, at_us: int, registry_seq: int
) -> list[Draft]:
    """Verdicts for conflicts that the record does not name yet; ``said``: all conflict verdicts on record."""
    known = {(each.device, str(each.facts["group"]), each.from_us) for each in said}
    return [
        Draft(
            "verdict",
            f"{organisation}/device/{each.device}",
            at_us,
            {
                "rule": CONFLICT,
                "state": "open",
                "opens": None,
                "severity": RULES[CONFLICT].severity,
                "about": {"device": each.device},
                "from": each.slot_us,
                "to": None,
                "facts": {"group": each.group, "kept": each.kept_seq, "refused": each.refused_seq},
                "registry": registry_seq,
                "rules": _EDITION,
            },
        )
        for each in found
        if (each.device, each.group, each.slot_us) not in known
    ]


def decision_drafts(
    verdict: Verdict, *, accept: bool, at_us: int, actor: str, reason: str, circumstances: Mapping[str, Any]
) -> list[Draft]:
    """The decision of a person about an open conflict: an event that says it, and the verdict's end.

    ``circumstances`` are those of the moment (``gateway.journal.audit_event``). UnknownObjectError when the verdict is
    no conflict or is decided already.
    """
    if verdict.rule != CONFLICT or verdict.to_us is not None:
        raise UnknownObjectError("entry %(seq)s is no open conflict", seq=str(verdict.seq))
    group, kept, refused = (verdict.facts[name] for name in ("group", "kept", "refused"))
    decided = {"group": group, "slot": verdict.from_us, "entry": refused if accept else kept}
    event = {
        "actor": actor,
        "action": ACCEPTED if accept else KEPT,
        "object": decided,
        "old": kept,
        "new": refused if accept else kept,
        "reason": reason,
        "result": "ok",
        **circumstances,
    }
    closing = {
        "rule": CONFLICT,
        "state": "closed",
        "opens": verdict.seq,
        "severity": verdict.severity,
        "about": {"device": verdict.device},
        "from": verdict.from_us,
        "to": max(at_us, verdict.from_us + 1),
        "facts": dict(verdict.facts),
        "registry": verdict.registry,
        "rules": verdict.rules,
    }
    return [
        Draft("event", verdict.subject, at_us, event),
        Draft("verdict", verdict.subject, at_us, closing),
    ]
