"""An item's automatic evidence, put together live, and the snapshot of it that a judgement names.

What the gateway sees (``proposal``) and what the reviewer judged stand side by side and never fill each other in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.audit.findings import FindingView
from gateway.domain.ledger import LedgerDocument
from gateway.journal import canonical
from gateway.journal.folder import software_version
from gateway.review.checklist import Item
from gateway.review.gathered import Entry, Gathered, Instant, Ref, Section, Word
from gateway.review.indicators import Indicator, indicators
from gateway.review.state import Act, HandedIn, Nonconformity, Review
from gateway.review.views import view

MAX_SNAPSHOT_ROWS = 100
ATTENTION, IN_ORDER, NOTHING = "attention", "in_order", "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document that speaks to an item: on record in the ledger, or handed in for the review."""

    category: str
    title: str
    seq: int
    at_us: int
    documents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the log shows about one item at a moment.

    ``proposal``: ``attention`` (an open fault, a view that wants looking at, a demand not met), ``in_order`` (all that
    can be checked automatically is), ``nothing`` (a person alone can say). It is no verdict.
    """

    item: Item
    as_of_us: int
    known_seq: int
    proposal: str
    indicators: Sequence[Indicator]
    findings: Sequence[FindingView]
    sections: Sequence[Section]
    papers: Sequence[Paper]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemState:
    """An item with its evidence, the judgement that counts, and the one of the review before."""

    evidence: Evidence
    verdict: str
    judgement: Act | None
    earlier: Sequence[Act]
    last_review: str
    last_verdict: str
    nonconformities: Sequence[Nonconformity]

    @property
    def item(self) -> Item:
        """The item."""
        return self.evidence.item


def evidence(gathered: Gathered, item: Item) -> Evidence:
    """The automatic evidence of an item."""
    numbers = _indicators(gathered, item)
    found = [each for each in gathered.findings if item.speaks_of(each.rule)]
    sections = [view(gathered, name) for name in item.views]
    papers = _papers(gathered, item)
    known = gathered.asking.known_seq
    return Evidence(
        item=item,
        as_of_us=gathered.asking.as_of_us,
        known_seq=gathered.sources.journal.head() if known is None else known,
        proposal=_proposal(numbers, found, sections, has_rules=bool(item.rules)),
        indicators=numbers,
        findings=found,
        sections=sections,
        papers=papers,
    )


def _indicators(gathered: Gathered, item: Item) -> list[Indicator]:
    found: list[Indicator] = []
    for family in item.indicators:
        key = f"indicator {family}"
        if key not in gathered.memory:
            gathered.memory[key] = indicators(gathered, [family])
        found += gathered.memory[key]
    return found


def _proposal(
    numbers: Sequence[Indicator], found: Sequence[FindingView], sections: Sequence[Section], *, has_rules: bool
) -> str:
    wrong = any(each.open and each.severity != "info" for each in found)
    wrong = wrong or any(each.state == ATTENTION for each in sections)
    wrong = wrong or any(each.meets is False or (each.meets is None and _short(each)) for each in numbers)
    if wrong:
        return ATTENTION
    spoke = numbers or has_rules or any(each.state == IN_ORDER for each in sections)
    return IN_ORDER if spoke else NOTHING


def _short(each: Indicator) -> bool:
    """Without a demand at hand a share of instruments or points below the whole is worth a look; shares of time are
    left to the views."""
    return each.family in {"equipping", "class", "verified", "compulsory"} and not each.whole


def _papers(gathered: Gathered, item: Item) -> list[Paper]:
    if not item.documents:
        return []
    asking, wanted = gathered.asking, set(item.documents)
    found = []
    for record in gathered.sources.registry.objects(asking.organisation, "document", asking.as_of_us, asking.known_seq):
        document = record.read_as(LedgerDocument)
        if document.kind in wanted:
            files = [{"name": document.title, "sha256": document.file}] if document.file else []
            found.append(
                Paper(category=document.kind, title=document.title, seq=record.seq, at_us=record.at_us, documents=files)
            )
    handed: Sequence[HandedIn] = () if gathered.review is None else gathered.review.handed_in
    found += [
        Paper(category=each.category, title=each.title, seq=each.seq, at_us=each.at_us, documents=each.documents)
        for each in handed
        if each.category in wanted
    ]
    return found


def item_state(gathered: Gathered, review: Review, item: Item) -> ItemState:
    """Evidence, judgement and comparison of one item."""
    before = gathered.reviews.before(review)
    return ItemState(
        evidence=evidence(gathered, item),
        verdict=review.verdict(item.id),
        judgement=review.judgements.get(item.id),
        earlier=[each for each in review.earlier if each.object.get("item") == item.id],
        last_review=before.id if before else "",
        last_verdict=before.verdict(item.id) if before else "",
        nonconformities=[each for each in review.nonconformities.values() if each.item == item.id],
    )


def item_states(gathered: Gathered, review: Review) -> list[ItemState]:
    """Every item of a review."""
    return [item_state(gathered, review, each) for each in review.checklist.items]


def snapshot(found: Evidence, review: Review) -> bytes:
    """The evidence as a file: canonical JSON, integers and text only, so that the judgement can name its hash."""
    document = {
        "v": 1,
        "format": "meterproof-evidence",
        "review": review.id,
        "item": found.item.id,
        "as_of": found.as_of_us,
        "known_seq": found.known_seq,
        "proposal": found.proposal,
        "software": software_version(),
        "indicators": [_indicator(each) for each in found.indicators],
        "findings": [_finding(each) for each in found.findings[:MAX_SNAPSHOT_ROWS]],
        "findings_in_all": len(found.findings),
        "sections": [_section(each) for each in found.sections],
        "papers": [
            {
                "category": each.category,
                "title": each.title,
                "entry": each.seq,
                "files": [dict(one) for one in each.documents],
            }
            for each in found.papers
        ],
    }
    return canonical.encode_any(canonical.plain(document))


def _indicator(each: Indicator) -> dict[str, Any]:
    return {
        "id": each.id,
        "numerator": each.numerator,
        "denominator": each.denominator,
        "day": each.day.isoformat(),
        "definition": each.definition,
        "required_percent": each.required_percent,
        "edition": each.edition,
        "not_counted": [
            [one.kind, one.id, one.part, one.whole, one.why] for one in each.members if one.part < one.whole
        ],
        "excluded": [[one.kind, one.id, one.why] for one in each.excluded],
    }


def _finding(each: FindingView) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "severity": str(each.severity),
        "open": int(each.open),
        "from": each.from_us,
        "to": each.to_us,
        "count": each.count,
        "point": each.point,
        "device": each.device,
        "instrument": each.instrument,
        "certificate": each.certificate,
        "entry": each.entry_seq,
    }


def _section(each: Section) -> dict[str, Any]:
    return {
        "view": each.id,
        "state": each.state,
        "said": [[sentence, {name: str(value) for name, value in facts.items()}] for sentence, facts in each.said],
        "columns": list(each.columns),
        "rows": [[_cell(cell) for cell in row] for row in each.rows[:MAX_SNAPSHOT_ROWS]],
        "rows_in_all": each.total,
    }


def _cell(cell: object) -> Any:  # a JSON value
    match cell:
        case Instant(at_us):
            return {"at": at_us}
        case Entry(seq):
            return {"entry": seq}
        case Ref(kind, id_):
            return {"kind": kind, "id": id_}
        case Word(family, words):
            return {"family": family, "words": list(words)}
        case _:
            return cell
