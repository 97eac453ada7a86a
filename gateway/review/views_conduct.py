"""行为 and 结果: who did what, who works on metering, what was handed in, which results and proofs there are."""

from collections import Counter
from collections.abc import Sequence

from gateway.accounting.results import results
from gateway.audit.record import seal_state
from gateway.domain.ledger import LedgerDocument, Person
from gateway.registry.record import Event
from gateway.review import acts
from gateway.review.gathered import Cell, Entry, Gathered, Instant, Section, said_word, section
from gateway.review.views_instruments import ATTENTION, EMPTY, IN_ORDER, STATED

MAX_EVENTS = 5_000
_CONDUCT = ("event", "user", "review", "result", "laboratory", "stock", "key")
"""Kinds of entries that are somebody's act; a version of the ledger or of what is entered by hand is one too."""
_QUIET = frozenset({"checkpoint.handed_out", "archive.closed"})


def people_view(gathered: Gathered) -> Section:
    """The people of table B.1 as on record, and qualifications that have run out."""
    asking = gathered.asking
    records = gathered.sources.registry.objects(asking.organisation, "person", asking.as_of_us, asking.known_seq)
    if not records:
        return section("people", EMPTY, [("No person is on record for energy metering.", {})])
    today = asking.today.isoformat()
    people = [each.read_as(Person) for each in records]
    ended = [each for each in people if each.valid_until and each.valid_until < today]
    untrained = [each for each in people if not each.trained_on]
    rows: list[Sequence[Cell]] = [
        [each.id, each.name, each.department, each.post, each.trained_on, each.qualification, each.valid_until]
        for each in people
    ]
    said = [
        (
            (
                "%(count)s people are on record, %(ended)s with a qualification that ran out, %(untrained)s without "
                "training on record."
            ),
            {"count": len(people), "ended": len(ended), "untrained": len(untrained)},
        )
    ]
    columns = ["id", "name", "department", "job", "trained on", "qualification", "valid until"]
    return section("people", ATTENTION if ended or untrained else IN_ORDER, said, columns=columns, rows=rows)


def actions_view(gathered: Gathered) -> Section:
    """Who did what: acts of people from the log, newest first, with a count by actor and action."""
    registry, asking = gathered.sources.registry, gathered.asking
    found = [
        each
        for kind in _CONDUCT
        for each in registry.events(asking.organisation, after_seq=gathered.before_seq, kind=kind, limit=MAX_EVENTS)
        if (asking.known_seq is None or each.seq <= asking.known_seq)
        and each.actor not in {"", "system"}
        and each.action not in _QUIET
    ]
    edits = [
        each
        for each in registry.recorded_after(asking.organisation, gathered.before_seq, asking.known_seq, MAX_EVENTS)
        if each.actor not in {"", "system"}
    ]
    acts_of = Counter([each.actor for each in found] + [each.actor for each in edits])
    said = [
        (
            "%(count)s acts of %(people)s people in the last %(days)s days.",
            {
                "count": acts_of.total(),
                "people": len(acts_of),
                "days": gathered.days,
            },
        )
    ]
    listed: list[tuple[int, int, str, str, str, str]] = [
        (each.seq, each.at_us, each.actor, each.action, _about(each), str(each.body.get("reason") or ""))
        for each in found
    ]
    listed += [
        (
            each.seq,
            each.at_us,
            each.actor,
            f"{each.kind}.{'withdrawn' if each.withdrawn else 'recorded'}",
            f"{each.kind}/{each.id}"[:120],
            each.reason or each.source,
        )
        for each in edits
    ]
    listed.sort(reverse=True)
    rows: list[Sequence[Cell]] = [
        [Instant(at_us), actor, action, about, reason[:200], Entry(seq)]
        for seq, at_us, actor, action, about, reason in listed
    ]
    columns = ["time", "who", "act", "about what", "reason", "entry"]
    return section("actions", STATED if rows else EMPTY, said, columns=columns, rows=rows, link="/journal")


def _about(each: Event) -> str:
    said = each.body.get("object")
    return (said if isinstance(said, str) else each.subject.split("/", 1)[1])[:120]


def documents_view(gathered: Gathered) -> Section:
    """Documents on record: rules, targets, manuals, reports."""
    asking = gathered.asking
    records = gathered.sources.registry.objects(asking.organisation, "document", asking.as_of_us, asking.known_seq)
    rows: list[Sequence[Cell]] = []
    for record in records:
        each = record.read_as(LedgerDocument)
        rows.append(
            [
                each.id,
                each.title,
                said_word("document_kind", each.kind),
                each.instrument,
                each.dated_on,
                Entry(record.seq),
            ]
        )
    said = [("%(count)s documents are on record.", {"count": len(rows)})]
    columns = ["id", "title", "kind", "instrument", "dated", "entry"]
    return section("documents", STATED if rows else EMPTY, said, columns=columns, rows=rows)


def handed_in_view(gathered: Gathered) -> Section:
    """What the enterprise handed in for this review (自查报告, tables, figures)."""
    review = gathered.review
    if review is None or not review.handed_in:
        return section("handed_in", EMPTY, [("Nothing has been handed in for this review yet.", {})])
    rows: list[Sequence[Cell]] = [
        [
            said_word("category", each.category),
            each.title,
            len(each.documents),
            Instant(each.at_us),
            each.actor,
            Entry(each.seq),
        ]
        for each in review.handed_in
    ]
    said = [("%(count)s submissions are on record.", {"count": len(rows)})]
    columns = ["kind", "title", "files", "time", "who", "entry"]
    return section("handed_in", STATED, said, columns=columns, rows=rows)


def rectification_view(gathered: Gathered) -> Section:
    """Nonconformities of this review and of the one before, and how far their rectification is."""
    review = gathered.review
    reviews = [] if review is None else [review]
    before = None if review is None else gathered.reviews.before(review)
    reviews += [] if before is None else [before]
    rows: list[Sequence[Cell]] = []
    pending = 0
    for each in reviews:
        for found in each.nonconformities.values():
            pending += found.state != "closed"
            rows.append(
                [
                    each.id,
                    found.number,
                    found.item,
                    str(found.act.object.get("text") or "")[:200],
                    said_word("nonconformity_state", found.state),
                    Entry(found.act.seq),
                ]
            )
    if not rows:
        return section("rectification", EMPTY, [("No nonconformity is on record.", {})])
    said = [("%(count)s nonconformities are on record, %(open)s not closed.", {"count": len(rows), "open": pending})]
    columns = ["review", "number", "item", "what", "state", "entry"]
    return section("rectification", ATTENTION if pending else IN_ORDER, said, columns=columns, rows=rows)


def results_view(gathered: Gathered) -> Section:
    """Results on record (能耗、碳排放核算) with their versions and states."""
    found = results(gathered.sources.registry, gathered.asking.organisation, gathered.asking.known_seq)
    if not found:
        return section("results", EMPTY, [("No computed result is on record.", {})], link="/energy")
    rows: list[Sequence[Cell]] = []
    for each in reversed(found):
        total = each.figures.get("carbon/total") or each.figures.get("tce/total") or {}
        rows.append(
            [
                each.id,
                each.version,
                Instant(each.period.start_us),
                Instant(each.period.end_us),
                said_word("result_state", each.state),
                f"{total.get('value') or '—'} {total.get('unit') or ''}".strip(),
                Entry(each.seq),
            ]
        )
    said = [
        (
            "%(count)s versions of %(ids)s results are on record.",
            {
                "count": len(found),
                "ids": len({each.id for each in found}),
            },
        )
    ]
    columns = ["result", "version", "from", "to", "state", "total", "entry"]
    return section("results", STATED, said, columns=columns, rows=rows)


def factors_view(gathered: Gathered) -> Section:
    """Factor sets on record, with the edition each states, and the versions a result used."""
    asking = gathered.asking
    records = gathered.sources.registry.objects(asking.organisation, "factor_set", None, asking.known_seq)
    if not records:
        return section("factors", EMPTY, [("No factor set is on record.", {})])
    rows: list[Sequence[Cell]] = [
        [
            each.id,
            str(each.object.get("edition") or ""),
            str(each.object.get("standing") or ""),
            str(each.object.get("source") or "")[:160],
            Entry(each.seq),
        ]
        for each in records
    ]
    said = [("%(count)s factor sets are on record.", {"count": len(rows)})]
    columns = ["factor set", "edition", "standing", "source", "entry"]
    return section("factors", STATED, said, columns=columns, rows=rows)


def verification_view(gathered: Gathered) -> Section:
    """The seal, and what the newest run of the verifier found."""
    seal = seal_state(gathered.sources)
    said: list[tuple[str, dict[str, object]]] = []
    rows: list[Sequence[Cell]] = []
    state = STATED
    if seal.size == 0:
        said.append(("Nothing is sealed yet.", {}))
        state = ATTENTION
    else:
        sentence = "The newest checkpoint covers %(size)s entries; its signature by the log's key verifies."
        if not seal.signed:
            sentence = "The newest checkpoint covers %(size)s entries; no signature by the log's key verifies."
            state = ATTENTION
        said.append((sentence, {"size": seal.size}))
    registry, asking = gathered.sources.registry, gathered.asking
    for each in reversed(registry.events(asking.organisation, kind=acts.KIND, limit=MAX_EVENTS)):
        if each.action != acts.VERIFIED or (asking.known_seq is not None and each.seq > asking.known_seq):
            continue
        found = each.body.get("object") or {}
        rows.append(
            [
                Instant(each.at_us),
                each.actor,
                said_word("verification", "ok" if found.get("ok") == 1 else "problems"),
                int(found.get("problems") or 0),
                int(found.get("entries") or 0),
                Entry(each.seq),
            ]
        )
    if rows:
        good = rows[0][2] == said_word("verification", "ok")
        state = ATTENTION if not good else (IN_ORDER if state == STATED else state)
    else:
        said.append(("No run of the verifier is on record; run 'meterproof review verify'.", {}))
    columns = ["time", "who", "result", "problems", "entries checked", "entry"]
    return section("verification", state, said, columns=columns, rows=rows, link="/journal")


def platform_view(gathered: Gathered) -> Section:
    """能耗在线监测系统: says plainly when no platform is connected; sinks that are no platform are named as such."""
    said: list[tuple[str, dict[str, object]]] = [
        ("No online energy monitoring platform is connected: this site uploads to none.", {})
    ]
    rows: list[Sequence[Cell]] = []
    if gathered.sinks is None:
        said.append(("Whether readings go to another store cannot be told from an evidence package.", {}))
    else:
        rows = [[each.name, said_word("courier_state", each.state), each.behind, each.dead] for each in gathered.sinks]
        if rows:
            said.append(
                (
                    "Readings are delivered to %(count)s stores of the enterprise; none is such a platform.",
                    {
                        "count": len(rows),
                    },
                )
            )
    columns = ["store", "state", "entries behind", "refused"]
    return section("platform", ATTENTION, said, columns=columns, rows=rows)
