"""``/api/v1``: findings, the ways from a figure to its evidence and from a paper to its figures, the journal."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, Response

from api.answers import Answer, ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.commands.effects import EffectDecision, decided
from api.questions.evidence import FindingsFor, TimesFor, own_entry
from api.questions.words import EntryNumber, Id, Offset, Time
from api.tables import Table
from api.writing import Recorded, WritingFor
from gateway.audit.decoding import entry_fact
from gateway.audit.delivery import SinkState, sink_states
from gateway.audit.findings import FindingView
from gateway.audit.judging import Judged, judged
from gateway.audit.look_back import LookBack, look_back
from gateway.audit.look_back_decision import Wish
from gateway.audit.look_back_spans import EffectOn, Questioned
from gateway.audit.record import JournalPage, journal_page, seal_state
from gateway.audit.touched import Touched, TouchedSpan, touched
from gateway.audit.trace_facts import IntervalFact, Trace
from gateway.domain.errors import UnknownObjectError
from gateway.sealing.proof import Prover

router = APIRouter(prefix="/api/v1")
ThingKind = Annotated[Literal["instrument", "certificate", "standard"], Query(description="What is asked about.")]
ThingId = Annotated[
    str, Query(min_length=1, max_length=120, description="Management number, certificate number or id.")
]
Number = Annotated[str, Query(max_length=120, description="Number of a certificate; every one where left out.")]
INTERVALS = Table(
    IntervalFact,
    "from=start_us to=end_us device channel start_register end_register meter_energy ratio energy=value unit",
    "coverage_permille method quality installation_entry=installation_seq settlement_entry=settlement.seq",
)
TOUCHED = Table(
    TouchedSpan,
    "instrument role installation certificate point from=from_us to=to_us open_ended amount=value unit quarter_hours",
    "missing installation_entry=installation_seq",
)


class _Effect(NamedTuple):
    """An effect on an amount of a span in question, or on a figure of a result."""

    of: str
    on: EffectOn
    span: Questioned | None = None


EFFECTS = Table(
    _Effect,
    "of id=on.id from=on.from_us to=on.to_us value=on.value questioned=on.questioned unit=on.unit bound=on.bound:.6g",
    "estimate=on.estimate:.6g u=on.u:.6g U_k2=on.expanded:.6g significant=on.significant",
    "verdict_entry=span.entry_seq decision=span.state",
)


@router.get("/findings", **tabled("FindingsAnswer", list[FindingView], "Findings."))
def get_findings(
    asked: AskedFor,
    reply: ReplyFor,
    wanted: FindingsFor,
    *,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=2_000)] = 500,
) -> Response:
    """Open verdicts and what readings showed, worst first; CSV holds every row that the filters leave."""
    listed = wanted.listed()
    if reply.is_table:
        columns = Table(
            FindingView,
            "rule",
            ("title", lambda each: asked.view.rule(each.rule)),
            "severity open from=from_us to=to_us count point device instrument certificate channel",
            ("facts", lambda each: "; ".join(f"{name}={value}" for name, value in each.facts.items())),
            "entry=entry_seq",
        )
        return reply.exported(columns.headers, columns.rows(listed), "findings")
    following = {"offset": offset + limit} if offset + limit < len(listed) else {}
    return reply.found(listed[offset : offset + limit], **following)


@router.get("/effects", **tabled("EffectsAnswer", LookBack, "What is in question."))
def get_effects(asked: AskedFor, reply: ReplyFor, certificate: Number = "") -> Response:
    """Spans in question with bound and estimate on every total, and the results and reports made before it was known;
    CSV holds the effects on amounts and figures, one a line."""
    found = look_back(asked.reader.sources, asked.asking, certificate)
    return reply.table(found, EFFECTS, _effects(found), f"effects-{asked.asking.today}")


def _effects(found: LookBack) -> Iterator[_Effect]:
    for span in found.spans:
        if span.total:
            yield _Effect(span.certificate, span.total, span)
    for span in found.spans:
        yield from (_Effect(span.certificate, each, span) for each in span.months)
    for result in found.results:
        yield from (_Effect(result.name, each) for each in result.figures)


@router.post("/effects/decisions", response_model=None, status_code=201, responses={201: {"model": Recorded}})
def post_decision(writing: WritingFor, wish: EffectDecision) -> Response:
    """Accept what a failure or a withdrawal put in question, or say what corrected or restated it; no figure changes by
    it, and a later decision stands in for an earlier one."""
    return decided(writing, Wish(**wish.model_dump()))


@router.get("/trace", **tabled("TraceAnswer", Trace, "A figure's whole walk."))
def get_trace(
    reply: ReplyFor,
    times: TimesFor,
    point: Annotated[str, Query(min_length=1, max_length=120)],
    window: Time = "",
) -> Response:
    """From a point's energy over a time to its evidence; ``window`` opens one quarter hour. CSV holds the intervals."""
    found = times.trace(point, window)
    return reply.table(found, INTERVALS, found.intervals, f"trace-{point}")


@router.get("/judgement", **described("JudgedAnswer", Judged, "A judged amount."))
def get_judgement(asked: AskedFor, times: TimesFor, point: Id) -> Response:
    """A point's amount over a time with error, U, policy, what its certificate shows and its worst word."""
    return answered(asked, judged(asked.reader.sources, asked.asking, point, times.period()))


@router.get("/touched", **tabled("TouchedAnswer", Touched, "What rests on it."))
def get_touched(
    asked: AskedFor,
    reply: ReplyFor,
    kind: ThingKind,
    id: ThingId,  # noqa: A002  # the address's word
) -> Response:
    """Amounts settled in its time, and results and issued reports whose time it touches; CSV holds the amounts."""
    found = touched(asked.reader.sources, asked.asking, kind, id)
    return reply.table(found, TOUCHED, found.spans, f"touched-{kind}-{id}")


@router.get("/journal", **described("JournalAnswer", JournalPage, "A page of the journal."))
def get_journal(
    asked: AskedFor,
    before: Annotated[int, Query(ge=0, le=2**62)] = 0,
    kind: Annotated[str, Query(max_length=30)] = "",
) -> Response:
    """Journal entries newest first, before a number, and how far the journal is sealed."""
    found = journal_page(asked.reader.sources, asked.asking, before=before, kind=kind)
    following = {"before": found.older_before} if found.older_before else {}
    return answered(asked, found, **following)


@router.get("/delivery", **described("DeliveryAnswer", list[SinkState], "Every sink and how its courier is doing."))
def get_delivery(asked: AskedFor) -> Response:
    """Sinks beside the embedded store: state, how far behind the journal, last day verified, points refused."""
    return answered(asked, sink_states(asked.reader.folder.state, asked.reader.sources.journal.head()))


@router.get("/journal/{seq}", response_model=None, responses={200: {"model": Answer}})
def get_entry(asked: AskedFor, seq: EntryNumber) -> Response:
    """One journal entry with its leaf hash."""
    entry = own_entry(asked, seq)
    return answered(asked, {"entry": entry_fact(entry), "body": entry.body})


@router.get("/journal/{seq}/proof", response_model=None, responses={200: {"content": {"text/plain": {}}}})
def get_proof(asked: AskedFor, seq: EntryNumber) -> Response:
    """The offline proof (c2sp.org/tlog-proof@v1) that an entry stands in the newest checkpoint; 404 until sealed."""
    own_entry(asked, seq)
    if seq > seal_state(asked.reader.sources).size:
        raise UnknownObjectError("entry %(seq)s is not sealed yet", seq=str(seq))
    name = f'attachment; filename="entry-{seq}.tlog-proof"'
    return PlainTextResponse(Prover(asked.reader.folder).prove(seq), headers={"content-disposition": name})
