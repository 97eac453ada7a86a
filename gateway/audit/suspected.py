"""Suspected events of the readings that wait for a person, and what persons have decided about them.

Two kinds wait. A *conflict* is two values for one time of a device, of which one stands.
A *suspicion* is what a rule saw in the readings of a channel, a fall of a counter for example: a person says whether it
is so or a false alarm, with a note. The decision is an entry; what is seen again after it waits again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.findings import FindingView, findings
from gateway.audit.judged import CONFIRMED, DECIDED, DISMISSED, Judgement, judgement_of, judgements
from gateway.domain.errors import UnknownObjectError
from gateway.domain.finding import Severity
from gateway.journal.entry import Draft

CONFLICT = "reading.conflict"
SUSPECTED_AREAS = frozenset({"readings"})
CLASSIFIED = frozenset({"counter.exchange", "counter.rollover", "counter.reset", "counter.glitch"})
"""A fall of a counter that a rule has explained: the explanation is a guess until a person says that it was so."""
MAX_NOTE_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspected:
    """One thing to decide: ``conflict`` (accept the later value or keep the first) or ``suspicion`` (so, or not)."""

    sort: str
    finding: FindingView
    last_decision: Judgement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits, worst first, and the newest decisions."""

    waiting: Sequence[Suspected]
    decided: Sequence[Judgement]


def queue(sources: Sources, asking: Asking, *, decided: int = 20) -> Queue:
    """The queue of the moment."""
    known = judgements(sources, asking)
    waiting = [
        Suspected(
            sort="conflict" if each.rule == CONFLICT else "suspicion",
            finding=each,
            last_decision=known.get((each.rule, each.device, each.channel)),
        )
        for each in findings(sources, asking)
        if each.area in SUSPECTED_AREAS and _waits(each, known)
    ]
    newest = sorted(known.values(), key=lambda each: -each.entry_seq)[:decided]
    return Queue(waiting=waiting, decided=newest)


def _waits(each: FindingView, known: Mapping[tuple[str, str, str], Judgement]) -> bool:
    if each.rule == CONFLICT:
        return each.source == "verdict" and each.open
    matters = each.severity != Severity.INFO or each.rule in CLASSIFIED
    return each.source == "reading" and matters and judgement_of(each, known) is None


def judging_draft(
    sources: Sources,
    asking: Asking,
    *,
    rule: str,
    device: str,
    channel: str,
    confirmed: bool,
    note: str,
    actor: str,
    at_us: int,
    circumstances: Mapping[str, Any],
) -> Draft:
    """A person's decision about a suspicion that waits; UnknownObjectError when none such does."""
    for each in queue(sources, asking).waiting:
        found = each.finding
        if each.sort == "suspicion" and (found.rule, found.device, found.channel) == (rule, device, channel):
            about = {"rule": rule, "device": device, "channel": channel, "entry": found.entry_seq}
            about |= {"from": found.from_us, "to": found.to_us or found.from_us, "count": found.count}
            body = {
                "actor": actor,
                "action": DECIDED,
                "object": about,
                "old": None,
                "new": CONFIRMED if confirmed else DISMISSED,
                "reason": note,
                "result": "ok",
                **circumstances,
            }
            return Draft("event", f"{asking.organisation}/device/{device}", at_us, body)
    raise UnknownObjectError("no suspicion of %(rule)s at %(device)s waits for a decision", rule=rule, device=device)
