"""``/api/v1``: reviews with items, evidence and judgements, draws, indicators and audit views."""

from collections.abc import Mapping, Sequence
from hashlib import sha256 as file_hash
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.asked import AskedFor, instant
from api.problems import RESPONSES
from api.reviewing import gathered_for, plain_cell, reviewed
from api.routes.v1 import Answer, Format, answered, described, exported, linked, wants_csv
from gateway.assembly.review_loading import checklists
from gateway.domain.errors import DataFolderError, UnknownObjectError
from gateway.review.checklist import Checklist
from gateway.review.draw import drawn_again
from gateway.review.evidence import ItemState, item_state, item_states
from gateway.review.gathered import Section
from gateway.review.indicators import FAMILIES, Indicator, indicators
from gateway.review.on_site import Expected, expected
from gateway.review.state import Draw, Refusal, Review
from gateway.review.views import GROUPS, view

router = APIRouter(prefix="/api/v1", responses=RESPONSES)
Id = Annotated[str, Path(max_length=60)]


class IndicatorsAnswer(Answer):
    """Indicators with their members."""

    result: list[Indicator]


class ViewsAnswer(Answer):
    """The audit views of one group."""

    result: list[Section]


class ViewAnswer(Answer):
    """One audit view."""

    result: Section


class ReviewsAnswer(Answer):
    """Reviews, reviewers and what was refused."""

    result: Any


class ReviewAnswer(Answer):
    """One review."""

    result: Any


class ItemAnswer(Answer):
    """One item with its evidence."""

    result: ItemState


class ExpectedAnswer(Answer):
    """What an instrument should show."""

    result: Expected


class DrawAnswer(Answer):
    """A published draw."""

    result: Any


class ChecklistsAnswer(Answer):
    """Checklists that ship."""

    result: list[Checklist]


@router.get("/indicators", **described(IndicatorsAnswer))
def get_indicators(
    request: Request,
    asked: AskedFor,
    *,
    family: Annotated[str, Query(max_length=20)] = "",
    format: Format = None,  # noqa: A002  # the address's word
) -> Response:
    """Shares with numerator, denominator, day, members and exclusions; ``family`` chooses one kind."""
    if family and family not in FAMILIES:
        raise UnknownObjectError("there is no indicator '%(id)s'", id=family)
    found = indicators(gathered_for(asked), [family] if family else FAMILIES)
    if not wants_csv(request, format):
        return answered(asked, [indicator_document(each) for each in found])
    columns = ["indicator", "energy_kind", "level", "numerator", "denominator", "permille", "day", "required_percent"]
    columns += ["edition", "meets", "excluded"]
    rows: list[Sequence[object]] = [
        [
            *(each.family, each.energy_kind, each.level, each.numerator, each.denominator, each.permille),
            *(each.day.isoformat(), each.required_percent, each.edition, each.meets, len(each.excluded)),
        ]
        for each in found
    ]
    return exported(asked, columns, rows, f"indicators-{asked.asking.today}")


def indicator_document(each: Indicator) -> dict[str, Any]:
    """An indicator with what is derived from its numbers."""
    fields = {name: getattr(each, name) for name in Indicator.__dataclass_fields__}
    return {**fields, "permille": each.permille, "meets": each.meets}


@router.get("/audit-views", **described(ViewsAnswer))
def get_views(asked: AskedFor, group: Annotated[str, Query(max_length=20)] = "data") -> Response:
    """The audit views of a group: instruments, data, behaviour, result."""
    if group not in GROUPS:
        raise UnknownObjectError("there is no audit view '%(id)s'", id=group)
    gathered = gathered_for(asked)
    return answered(asked, [view(gathered, name) for name in GROUPS[group]])


@router.get("/audit-views/{name}", **described(ViewAnswer))
def get_view(request: Request, asked: AskedFor, name: Id, format: Format = None) -> Response:  # noqa: A002
    """One audit view as a table."""
    found = view(gathered_for(asked), name)
    if not wants_csv(request, format):
        return answered(asked, found)
    rows = [[plain_cell(asked.view, each) for each in row] for row in found.rows]
    return exported(asked, list(found.columns), rows, f"{name}-{asked.asking.today}")


@router.get("/checklists", **described(ChecklistsAnswer))
def get_checklists(asked: AskedFor) -> Response:
    """The checklists that ship, with the source of every row."""
    return answered(asked, [_checklist(each) for each in checklists().values()])


def _checklist(each: Checklist) -> dict[str, Any]:
    fields = {name: getattr(each, name) for name in Checklist.__dataclass_fields__}
    return {**fields, "paraphrased_chapters": sorted(each.paraphrased_chapters)}


@router.get("/reviews", **described(ReviewsAnswer))
def get_reviews(
    asked: AskedFor,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
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
    return linked(asked, answered(asked, {**shown, "totals": totals}), **following)


def summary(review: Review) -> dict[str, Any]:
    """A review in a few words."""
    verdicts = dict.fromkeys(("conforming", "nonconforming", "not_applicable", "open"), 0)
    for item in review.checklist.items:
        verdicts[review.verdict(item.id)] = verdicts.get(review.verdict(item.id), 0) + 1
    return {
        "id": review.id,
        "kind": review.kind,
        "title": review.title,
        "checklist": review.checklist.id,
        "edition": review.checklist.edition,
        "from_us": review.from_us,
        "to_us": review.to_us,
        "enterprise": review.enterprise,
        "organiser": review.organiser,
        "team": review.team,
        "seq": review.seq,
        "verdicts": verdicts,
        "nonconformities": len(review.nonconformities),
        "nonconformities_open": sum(each.state != "closed" for each in review.nonconformities.values()),
        "refusals": len(review.refusals),
    }


@router.get("/reviews/{review}", **described(ReviewAnswer))
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
            "refused": [_refusal(each) for each in found.refusals],
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


def _nonconformity(each: Any) -> dict[str, Any]:  # gateway.review.state.Nonconformity
    fields = {name: getattr(each, name) for name in ("number", "item", "act", "rectified", "checked")}
    return {**fields, "state": each.state}


def _refusal(each: Refusal) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Refusal.__dataclass_fields__}


@router.get("/reviews/{review}/items/{item}", **described(ItemAnswer))
def get_item(asked: AskedFor, review: Id, item: Id) -> Response:
    """One item: automatic evidence in full, the judgement that counts, earlier ones, the last review's."""
    gathered, found = reviewed(asked, review)
    state = item_state(gathered, found, found.checklist.item(item))
    numbers = [indicator_document(each) for each in state.evidence.indicators]
    fields = {name: getattr(state, name) for name in ItemState.__dataclass_fields__ if name != "evidence"}
    evidence = {name: getattr(state.evidence, name) for name in type(state.evidence).__dataclass_fields__}
    reports = [_nonconformity(each) for each in state.nonconformities]
    return answered(asked, {**fields, "nonconformities": reports, "evidence": {**evidence, "indicators": numbers}})


@router.get("/reviews/{review}/checks/{instrument}", **described(ExpectedAnswer))
def get_check(
    asked: AskedFor,
    review: Id,
    instrument: Annotated[str, Path(max_length=120)],
    at: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """What ledger and gateway say of an instrument for the minute of ``at``: the register between its ends."""
    gathered, _found = reviewed(asked, review)
    at_us = instant("at", at, asked.reader.zone, end=False) if at else gathered.asking.as_of_us
    return answered(asked, expected(gathered.sources, gathered.asking, instrument, at_us))


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
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type="application/octet-stream", headers={"content-disposition": disposition})


@router.get("/draws/{draw}", **described(DrawAnswer))
def get_draw(asked: AskedFor, draw: Id) -> Response:
    """A draw as published, and whether drawing again gives the same."""
    found = found_draw(asked, draw)
    return answered(asked, {"draw": found.document, "seq": found.seq, "again": drawn_again(found.document)})


def found_draw(asked: AskedFor, draw: str) -> Draw:
    """A draw on record."""
    found = gathered_for(asked).reviews.draws.get(draw)
    if found is None:
        raise UnknownObjectError("no draw '%(id)s' is on record", id=draw)
    return found
