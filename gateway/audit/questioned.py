"""Which verdicts put readings in question, and how a person answered each: accepted, corrected or restated.

ISO 10012 asks the user of an instrument that was found not good enough to determine the consequences and to act. The
verdict says what is in question; the answer is an entry of a person and changes no figure by itself. A verdict waits
until it is answered, and waits again where the answer rests on less than is known now: the time in question reaches
further, or another error was found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Cards, cards
from gateway.metrology.ledger_view import DatedCertificate
from gateway.metrology.moment import number
from gateway.registry.record import Event, Verdict

LOOK_BACK, WITHDRAWN, TRACE_BROKEN = "calibration.look_back", "calibration.withdrawn", "calibration.trace_broken"
QUESTIONING_RULES = (LOOK_BACK, WITHDRAWN, TRACE_BROKEN)
_GONE = frozenset({"withdrawn", "failed"})
"""Why a chain broke later: its standard's certificate was taken back, or says that the standard had failed."""
DECIDED = "look_back.decided"
ACCEPTED, CORRECTED, RESTATED = DECISIONS = ("accepted", "corrected", "restated")
WAITING, AGAIN = "waiting", "again"
WAITS = frozenset({WAITING, AGAIN})
_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's answer to a verdict, as its entry says.

    ``to_us`` is the end of the time it speaks of (µs UTC), ``error`` the error in percent it rests on (blank: none was
    known). ``entries`` name what was done, ``result`` the version that restates (``march/2``), ``old`` the entry of the
    answer it stands in for. ``figures`` are the effect, U and the last entry known as they stood then.
    """

    verdict: int
    rule: str
    point: str
    instrument: str
    certificate: str
    decision: str
    reason: str
    actor: str
    at_us: int
    to_us: int
    error: str
    entries: Sequence[int]
    result: str
    figures: Mapping[str, Any]
    old: int | None
    entry_seq: int


@dataclass(frozen=True, slots=True)
class Answer:
    """How a verdict that puts readings in question stands. ``word``: the newest decision where that still covers it,
    else ``waiting`` (never answered) or ``again``; ``decisions`` oldest first."""

    word: str
    decisions: Sequence[Decision]

    @property
    def waits(self) -> bool:
        """Whether a person has to decide."""
        return self.word in WAITS


def puts_in_question(verdict: Verdict) -> bool:
    """Whether readings that were good before are in question by it."""
    if verdict.rule == TRACE_BROKEN:
        return verdict.facts.get("reason") in _GONE
    return verdict.rule in {LOOK_BACK, WITHDRAWN}


def questioning(sources: Sources, asking: Asking) -> list[Verdict]:
    """The verdicts that put readings in question, begun by the moment, as known then."""
    found = [
        each
        for rule in QUESTIONING_RULES
        for each in sources.registry.verdicts(asking.organisation, None, asking.known_seq, rule=rule)
    ]
    return [each for each in found if puts_in_question(each) and each.from_us < asking.as_of_us]


def answers(sources: Sources, asking: Asking, verdicts: Iterable[Verdict]) -> dict[int, Answer]:
    """Of verdicts, how each that puts readings in question was answered, by its entry."""
    asked = [each for each in verdicts if puts_in_question(each)]
    if not asked:
        return {}
    there, said = cards(sources, asking), decisions(sources, asking)
    return {each.seq: _answer(there, each, said.get(each.seq, ())) for each in asked}


def _answer(there: Cards, verdict: Verdict, said: Sequence[Decision]) -> Answer:
    if not said:
        return Answer(WAITING, ())
    newest = said[-1]
    # while it goes on the decision speaks of the time up to its own; what came after waits once it has ended
    further = verdict.to_us is not None and verdict.to_us > newest.to_us
    other = error_text(found_error(there, verdict)[0]) != newest.error
    return Answer(AGAIN if further or other else newest.decision, said)


def decisions(sources: Sources, asking: Asking) -> dict[int, list[Decision]]:
    """Every decision on record as known then, by the verdict it answers, oldest first."""
    found: dict[int, list[Decision]] = {}
    for each in sources.registry.events(asking.organisation, kind="event", action=DECIDED, limit=_LIMIT):
        if (asking.known_seq is None or each.seq <= asking.known_seq) and each.at_us <= asking.as_of_us:
            said = _decision(each)
            found.setdefault(said.verdict, []).append(said)
    return found


def _decision(event: Event) -> Decision:
    body, about = event.body, event.body["object"]
    return Decision(
        verdict=int(about["verdict"]),
        **{name: str(about[name] or "") for name in ("rule", "point", "instrument", "certificate")},
        decision=str(body["new"]),
        reason=str(body["reason"]),
        actor=event.actor,
        at_us=event.at_us,
        to_us=int(about["to"]),
        error=str(body["figures"]["error_percent"]),
        entries=[int(each) for each in body["entries"]],
        result=str(body["restated_by"]),
        figures=body["figures"],
        old=body["old"],
        entry_seq=event.seq,
    )


def found_error(there: Cards, verdict: Verdict) -> tuple[float | None, str]:
    """The error that was found, in percent, and the certificate that says so; None where nobody said how large."""
    view = there.view
    cause = view.by_number.get(verdict.certificate or "")
    if verdict.rule == LOOK_BACK and cause is not None:
        return _as_found(cause), cause.certificate.id
    # withdrawn: only what was determined afterwards says anything
    later = view.following(verdict.instrument or "", verdict.from_us)
    if later is None:
        return None, ""
    return _as_found(later), later.certificate.id


def _as_found(dated: DatedCertificate) -> float | None:
    as_found = number(dated.certificate.as_found_error_percent)
    return number(dated.certificate.error_percent) if as_found is None else as_found


def error_text(error: float | None) -> str:
    """An error in percent as entries write it; blank where none is known."""
    return "" if error is None else f"{error:.6g}"
