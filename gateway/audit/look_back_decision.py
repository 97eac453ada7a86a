"""A person's decision about what is in question, as the entry that says it: accepted, corrected or restated.

The entry names the verdict it answers, who decided and why, what was done, and the effect, U and results as they stood
then. It changes no reading and no total; a later decision about the same verdict stands in for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.decoding import entry_or_none
from gateway.audit.look_back import LookBack, look_back
from gateway.audit.look_back_spans import EffectOn, Questioned
from gateway.audit.made import made_events
from gateway.audit.questioned import ACCEPTED, CORRECTED, DECIDED, DECISIONS, RESTATED, error_text
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.figure import decimal_text
from gateway.journal.entry import Draft

MAX_REASON_CHARACTERS = 500
MAX_ENTRIES = 50
MAX_RESULTS = 100
"""Touched results that the entry itself counts up; the rest is a number."""
CORRECTING = frozenset(
    {
        *("settlement", "manual", "batch", "invoice", "laboratory", "stock", "result", "replacement", "document"),
        *("certificate", "instrument", "installation", "point", "site", "standard", "factor_set", "event"),
    }
)
"""Kinds of entries that can say what was done; a poll, a message or a verdict is no act of a person."""


class DecisionRefusedError(MeterproofError):
    """A decision that lacks what it has to name, or names what does not bear it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to put on record about the verdict with this entry: ``entries`` with ``corrected`` or
    ``restated``, ``result`` (``march/2``) with ``restated``."""

    verdict: int
    decision: str
    reason: str
    entries: Sequence[int] = ()
    result: str = ""


def decision_draft(
    sources: Sources, asking: Asking, wish: Wish, *, actor: str, at_us: int, circumstances: Mapping[str, Any]
) -> Draft:
    """The entry of a decision. UnknownObjectError: the organisation has no such verdict, entry or result;
    DecisionRefusedError: a reason, an entry or a newer version is missing.

    ``circumstances`` are those of the moment (``gateway.journal.audit_event``).
    """
    found = look_back(sources, asking, verdict=wish.verdict)
    if not found.spans:
        raise UnknownObjectError("entry %(seq)s puts nothing in question", seq=str(wish.verdict))
    span = found.spans[0]
    _look_at(sources, asking, wish, span)
    old = span.decisions[-1].entry_seq if span.decisions else None
    body = {
        "actor": actor,
        "action": DECIDED,
        "object": {
            "verdict": span.entry_seq,
            "rule": span.rule,
            "point": span.point,
            "instrument": span.instrument,
            "installation": span.installation,
            "certificate": span.certificate,
            "from": span.from_us,
            # of what still goes on a decision speaks up to its own moment
            "to": asking.as_of_us if span.to_us is None else span.to_us,
        },
        "old": old,
        "new": wish.decision,
        "reason": wish.reason.strip(),
        "entries": sorted(set(wish.entries)),
        "restated_by": wish.result,
        "figures": _figures(sources, found, span),
        "result": "ok",
        **circumstances,
    }
    return Draft("event", f"{asking.organisation}/instrument/{span.instrument}", at_us, body)


def _look_at(sources: Sources, asking: Asking, wish: Wish, span: Questioned) -> None:
    if wish.decision not in DECISIONS:
        raise DecisionRefusedError("a decision is one of %(words)s", words=", ".join(DECISIONS))
    if not wish.reason.strip():
        raise DecisionRefusedError("a decision needs a reason")
    if wish.decision == ACCEPTED and (wish.entries or wish.result):
        raise DecisionRefusedError("'accepted' changes nothing, so it names no entry and no result")
    if wish.decision == CORRECTED and wish.result:
        raise DecisionRefusedError("a result is named with 'restated' only")
    if wish.decision == CORRECTED and not wish.entries:
        raise DecisionRefusedError("'corrected' names the entries that say what was done")
    if len(wish.entries) > MAX_ENTRIES:
        raise DecisionRefusedError("a decision names at most %(limit)s entries", limit=str(MAX_ENTRIES))
    for seq in wish.entries:
        _look_at_entry(sources, asking, seq)
    if wish.decision == RESTATED:
        _look_at_result(sources, asking, wish.result, span)


def _look_at_entry(sources: Sources, asking: Asking, seq: int) -> None:
    entry = entry_or_none(sources, seq)
    if entry is None or not entry.subject.startswith(f"{asking.organisation}/"):
        raise UnknownObjectError("the journal has no entry %(seq)s", seq=str(seq))
    if entry.kind not in CORRECTING or entry.body.get("action") == DECIDED:
        raise DecisionRefusedError("entry %(seq)s (%(kind)s) corrects nothing", seq=str(seq), kind=entry.kind)


def _look_at_result(sources: Sources, asking: Asking, name: str, span: Questioned) -> None:
    if not name:
        raise DecisionRefusedError("'restated' names the version that restates, such as 2026-03/2")
    made = next((each for each in made_events(sources, asking) if each.made.name == name), None)
    if made is None:
        raise UnknownObjectError("no result '%(id)s' is on record", id=name)
    if not made.made.is_of(span.from_us, span.to_us):
        raise DecisionRefusedError("'%(id)s' is not of the time in question", id=name)
    if not made.knew(span.entry_seq):
        raise DecisionRefusedError("'%(id)s' was made before this was known, so it restates nothing", id=name)
    if name not in span.restating:
        raise DecisionRefusedError("'%(id)s' restates nothing: no version before it is in question", id=name)


def _figures(sources: Sources, found: LookBack, span: Questioned) -> dict[str, Any]:
    """The effect, U and results as they stand, in journal form: text and integers."""
    effect = _effect(span.total) if span.total is not None else None
    touched = found.results
    return {
        "known": sources.registry.applied_seq(),
        "error_percent": error_text(span.error_percent),
        "error_from": span.error_from,
        "total": effect,
        "results": [
            [each.name, each.entry_seq, len(each.figures), sum(one.significant is True for one in each.figures)]
            for each in touched[:MAX_RESULTS]
        ],
        "more_results": max(0, len(touched) - MAX_RESULTS),
    }


def _effect(total: EffectOn) -> dict[str, Any]:
    exact = {"value": total.value, "questioned": total.questioned}
    stated = {"bound": total.bound, "estimate": total.estimate, "u": total.u, "expanded": total.expanded}
    return {
        "from": total.from_us,
        "to": total.to_us,
        "unit": total.unit,
        **{name: None if each is None else decimal_text(each) for name, each in exact.items()},
        **{name: None if each is None else f"{each:.6g}" for name, each in stated.items()},
        "significant": None if total.significant is None else int(total.significant),
    }
