"""``/api/v1``: reviews with items, evidence and judgements, draws, indicators and audit views."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256 as file_hash
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.answers import ReplyFor, answered, described, tabled
from api.asked import AskedFor
from api.encoding import download
from api.questions.words import Offset
from api.reviewing import expected_at, found_draw, gathered_for, plain_cell, reviewed, summary
from api.tables import Table
from gateway.assembly.review_loading import checklists
from gateway.domain.errors import DataFolderError, UnknownObjectError
from gateway.review.checklist import Checklist
from gateway.review.draw import drawn_again
from gateway.review.evidence import ItemState, item_state, item_states
from gateway.review.gathered import Section
from gateway.review.indicators import FAMILIES, Indicator, indicators
from gateway.review.on_site import Expected
from gateway.review.state import Nonconformity, Review
from gateway.review.views import GROUPS, view

router = APIRouter(prefix="/api/v1")
Id = Annotated[str, Path(max_length=60)]
INDICATORS = Table(
    Indicator,
    "indicator=family energy_kind level numerator denominator permille day required_percent edition meets",
    ("excluded", lambda each: len(each.excluded)),
)


@router.get("/indicators", **tabled("IndicatorsAnswer", list[Indicator], "Indicators with their members."))
def get_indicators(asked: AskedFor, reply: ReplyFor, family: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Shares with numerator, denominator, day, members and exclusions; ``family`` chooses one kind."""
    if family and family not in FAMILIES:
        raise UnknownObjectError("there is no indicator '%(id)s'", id=family)
    found = indicators(gathered_for(asked), [family] if family else FAMILIES)
    documents = [indicator_document(each) for each in found]
    return reply.table(documents, INDICATORS, found, f"indicators-{asked.asking.today}")


def indicator_document(each: Indicator) -> dict[str, Any]:
    """An indicator with what is derived from its numbers."""
    return {**_fields(each), "permille": each.permille, "meets": each.meets}


@router.get("/audit-views", **described("ViewsAnswer", list[Section], "The audit views of one group."))
def get_views(asked: AskedFor, group: Annotated[str, Query(max_length=20)] = "data") -> Response:
    """The audit views of a group: instruments, data, behaviour, result."""
    if group not in GROUPS:
        raise UnknownObjectError("there is no audit view '%(id)s'", id=group)
    gathered = gathered_for(asked)
    return answered(asked, [view(gathered, name) for name in GROUPS[group]])


@router.get("/audit-views/{name}", **tabled("ViewAnswer", Section, "One audit view."))
def get_view(asked: AskedFor, reply: ReplyFor, name: Id) -> Response:
    """One audit view as a table."""
    found = view(gathered_for(asked), name)
    if not reply.is_table:
        return reply.found(found)
    rows = ([plain_cell(asked.view, each) for each in row] for row in found.rows)
    return reply.exported(found.columns, rows, f"{name}-{asked.asking.today}")


@router.get("/checklists", **described("ChecklistsAnswer", list[Checklist], "Checklists that ship."))
def get_checklists(asked: AskedFor) -> Response:
    """The checklists that ship, with the source of every row."""
    return answered(asked, [_checklist(each) for each in checklists().values()])


def _checklist(each: Checklist) -> dict[str, Any]:
    return {**_fields(each), "paraphrased_chapters": sorted(each.paraphrased_chapters)}


@router.get("/reviews", **described("ReviewsAnswer", Any, "Reviews, reviewers and what was refused."))
def get_reviews(
    asked: AskedFor,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> Response:
    """Every review with its progress, registered reviewers, draws, refused acts: each list from ``offset`` on."""
    state = gathered_for(asked).reviews
    lists: dict[str, Sequence[Any]] = {
        "reviews": list(state.reviews.values()),
        "reviewers": list(state.reviewers.values()),
        "draws": [{"id": each.id, "seq": each.seq, "at_us": each.at_us} for each in state.draws.values()],
        "refusals": state.refusals,
    }
    shown = {name: listed[offset : offset + limit] for name, listed in lists.items()}
    shown["reviews"] = [summary(each) for each in shown["reviews"]]
    totals = {name: len(listed) for name, listed in lists.items()}
    following = {"offset": offset + limit} if offset + limit < max(totals.values()) else {}
    return answered(asked, {**shown, "totals": totals}, **following)


@router.get("/reviews/{review}", **described("ReviewAnswer", Any, "One review."))
def get_review(asked: AskedFor, review: Id) -> Response:
    """One review: stages, items with verdict and proposal, nonconformities, checks, refusals."""
    gathered, found = reviewed(asked, review)
    items = [
        {
            "id": each.item.id,
            "name_zh": each.item.name_zh,
            "name_en": each.item.name_en,
            "focus": each.item.focus,
            "practice": each.item.practice,
            "paraphrased": each.item.paraphrased,
            "standing": each.item.standing,
            "proposal": each.evidence.proposal,
            "open_findings": sum(one.open for one in each.evidence.findings),
            "verdict": each.verdict,
            "last_review": each.last_review,
            "last_verdict": each.last_verdict,
        }
        for each in item_states(gathered, found)
    ]
    return answered(
        asked,
        {
            **summary(found),
            "stages": _stages(found),
            "items": items,
            "nonconformity_reports": [_nonconformity(each) for each in found.nonconformities.values()],
            "checks": found.checks,
            "handed_in": found.handed_in,
            "reports": found.reports,
            "refused": found.refusals,
        },
    )


def _stages(review: Review) -> Sequence[Mapping[str, Any]]:
    listed = []
    for stage in review.checklist.stages:
        said = review.stage_state(stage.id)
        steps = [(each, review.stage_state(stage.id, each.id)) for each in stage.steps]
        listed.append(
            {
                "id": stage.id,
                "name_zh": stage.name_zh,
                "name_en": stage.name_en,
                "by": stage.by,
                "practice": stage.practice,
                "source": stage.source,
                "state": said.state if said else "open",
                "entry": said.seq if said else None,
                "steps": [{"id": step.id, "state": known.state if known else "open"} for step, known in steps],
            }
        )
    return listed


def _nonconformity(each: Nonconformity) -> dict[str, Any]:
    said = {name: getattr(each, name) for name in ("number", "item", "act", "rectified", "checked")}
    return {**said, "state": each.state}


def _fields(record: Any) -> dict[str, Any]:  # a dataclass
    return {each.name: getattr(record, each.name) for each in fields(record)}


@router.get("/reviews/{review}/items/{item}", **described("ItemAnswer", ItemState, "One item with its evidence."))
def get_item(asked: AskedFor, review: Id, item: Id) -> Response:
    """One item: automatic evidence in full, the judgement that counts, earlier ones, the last review's."""
    gathered, found = reviewed(asked, review)
    state = item_state(gathered, found, found.checklist.item(item))
    numbers = [indicator_document(each) for each in state.evidence.indicators]
    said = {**_fields(state), "nonconformities": [_nonconformity(each) for each in state.nonconformities]}
    del said["evidence"]
    return answered(asked, {**said, "evidence": {**_fields(state.evidence), "indicators": numbers}})


@router.get(
    "/reviews/{review}/checks/{instrument}", **described("ExpectedAnswer", Expected, "What an instrument should show.")
)
def get_check(
    asked: AskedFor,
    review: Id,
    instrument: Annotated[str, Path(max_length=120)],
    at: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What ledger and gateway say of an instrument for the minute of ``at``: the register between its ends."""
    return answered(asked, expected_at(asked, review, instrument, at)[1])


@router.get(
    "/reviews/{review}/files/{sha256}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_file(asked: AskedFor, review: Id, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
    """A file that an act of the review names: photo, paper, evidence snapshot. Handed out as a download only."""
    _gathered, found = reviewed(asked, review)
    name = found.files().get(sha256)
    path = asked.reader.folder.blobs / sha256
    if name is None or not path.is_file():
        raise UnknownObjectError("no act of this review names the file %(id)s", id=sha256)
    content = path.read_bytes()
    if file_hash(content).hexdigest() != sha256:
        raise DataFolderError("%(path)s is not what the act names: its content was changed", path=str(path))
    return download(content, name, "application/octet-stream")


@router.get("/draws/{draw}", **described("DrawAnswer", Any, "A published draw."))
def get_draw(asked: AskedFor, draw: Id) -> Response:
    """A draw as published, and whether drawing again gives the same."""
    found = found_draw(asked, draw)
    return answered(asked, {"draw": found.document, "seq": found.seq, "again": drawn_again(found.document)})
