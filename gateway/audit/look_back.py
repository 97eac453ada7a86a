"""Looking back (ISO 10012): which readings a failure or a withdrawal puts in question, and what that does to totals,
to recorded results and to reports already issued.

What is in question stands in the journal as verdicts (``gateway.audit.questioned``), and so does what a person decided
about it. Nothing is changed by either: a figure is accepted, corrected or restated by a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Cards, cards
from gateway.audit.look_back_results import TouchedResult, touched_results
from gateway.audit.look_back_spans import Questioned, questioned
from gateway.audit.made import made_events, restatements
from gateway.audit.plant import plant
from gateway.audit.questioned import Decision, answers, decisions, questioning
from gateway.domain.errors import UnknownObjectError


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBack:
    """Everything in question, for one certificate or for all. ``past``: decisions whose verdict no longer stands."""

    certificate: str
    spans: Sequence[Questioned]
    results: Sequence[TouchedResult]
    past: Sequence[Decision]


def look_back(sources: Sources, asking: Asking, certificate: str = "", *, verdict: int | None = None) -> LookBack:
    """What a certificate put in question; blank: every one. A certificate of a laboratory standard stands for all that
    were made with it. UnknownObjectError when it is not on record. ``verdict``: that entry's alone."""
    causes = _causes(cards(sources, asking), certificate) if certificate else None
    verdicts = [
        each
        for each in questioning(sources, asking)
        if (causes is None or each.certificate in causes) and verdict in {None, each.seq}
    ]
    answered = answers(sources, asking, verdicts)
    there, made = plant(sources, asking), made_events(sources, asking)
    spans = [
        questioned(
            sources,
            asking,
            there,
            each,
            answer=answered[each.seq],
            restating=[one.made.name for one in restatements(made, each)],
        )
        for each in sorted(verdicts, key=lambda each: (each.from_us, each.instrument or ""))
    ]
    standing = {each.entry_seq for each in spans}
    return LookBack(
        certificate=certificate,
        spans=spans,
        results=touched_results(sources, asking, spans, made),
        past=[
            each
            for seq, said in decisions(sources, asking).items()
            for each in said
            if verdict is None and seq not in standing and (causes is None or each.certificate in causes)
        ],
    )


def _causes(there: Cards, number_: str) -> set[str]:
    """The certificate, and all that were made with a standard it is the certificate of, upwards through the chain."""
    view = there.view
    known = set(view.by_number) | view.withdrawn_numbers
    if number_ not in known:
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number_)
    causes, new = {number_}, {number_}
    made = [*view.by_number.values(), *(each for found in view.withdrawn.values() for each in found)]
    numbers = {
        id_: {str(record.object.get("certificate_number") or "") for record in records}
        for id_, records in view.standards.items()
    }
    while new:
        standards = {id_ for id_, said in numbers.items() if said & new}
        new = {each.certificate.id for each in made if standards & set(each.certificate.standards.split(";"))} - causes
        causes |= new
    return causes
