"""计量审查: reviews with their stages and items, audit views with indicators, sheets for checks on site, draws."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.reviewing import (
    SECTION_CLASS,
    VERDICT_CLASS,
    cell,
    expected_at,
    found_draw,
    gathered_for,
    heading,
    marker_of,
    reviewed,
    summary,
)
from api.web.environment import page
from gateway.assembly.review_loading import checklists
from gateway.domain.errors import UnknownObjectError
from gateway.review.draw import drawn_again
from gateway.review.evidence import item_state, item_states
from gateway.review.indicators import FAMILIES, indicators
from gateway.review.on_site import expected
from gateway.review.views import GROUPS, VIEWS, view

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(max_length=60)]
Words = Annotated[str, Query(max_length=20)]
MAX_SHEETS = 100


@router.get("/reviews")
def show_reviews(asked: AskedFor) -> HTMLResponse:
    """Every review, registered reviewers, draws, what was refused."""
    gathered = gathered_for(asked)
    state = gathered.reviews
    return page(
        asked.view,
        "reviews.html",
        state=state,
        summaries=[summary(each) for each in reversed(state.reviews.values())],
        checklists=list(checklists().values()),
        marker=marker_of(asked),
        refusals=[*state.refusals, *(each for review in state.reviews.values() for each in review.refusals)],
    )


@router.get("/reviews/{review}")
def show_review(asked: AskedFor, review: Id, by: Words = "chapter") -> HTMLResponse:
    """One review: its stages, and its items by chapter or by focus."""
    gathered, found = reviewed(asked, review)
    checklist = found.checklist
    groups = checklist.focuses if by == "focus" else checklist.chapters
    items = item_states(gathered, found)
    grouped = [
        (group, [each for each in items if (each.item.focus if by == "focus" else each.item.chapter) == group.id])
        for group in groups
    ]
    return page(
        asked.view,
        "review.html",
        review=found,
        summary=summary(found),
        grouped=[(group, listed) for group, listed in grouped if listed],
        by=by,
        marker=marker_of(asked),
        verdict_class=VERDICT_CLASS,
        proposal_class=SECTION_CLASS,
        reviewers=gathered.reviews.reviewers,
    )


@router.get("/reviews/{review}/items/{item}")
def show_item(asked: AskedFor, review: Id, item: Id) -> HTMLResponse:
    """One item: what the gateway sees, what was judged, what the last review said."""
    gathered, found = reviewed(asked, review)
    state = item_state(gathered, found, found.checklist.item(item))
    names = [each.id for each in found.checklist.items]
    place = names.index(item)
    return page(
        asked.view,
        "review_item.html",
        review=found,
        state=state,
        evidence=state.evidence,
        neighbours=(names[place - 1] if place else "", names[place + 1] if place + 1 < len(names) else ""),
        marker=marker_of(asked),
        verdict_class=VERDICT_CLASS,
        section_class=SECTION_CLASS,
        show=lambda content: cell(asked.view, gathered, content),
        heading=lambda column: heading(asked.view, column),
    )


@router.get("/reviews/{review}/sheet")
def show_sheet(
    asked: AskedFor,
    review: Id,
    draw: Annotated[str, Query(max_length=60)] = "",
    instruments: str = Query("", max_length=8_000),
) -> HTMLResponse:
    """Sheets to print and fill in on site: one for each instrument of a draw, or of a list."""
    gathered, found = reviewed(asked, review)
    wanted = [each.strip() for each in instruments.split(",") if each.strip()]
    if draw:
        wanted += [str(each["object"]) for each in found_draw(asked, draw).document["drawn"]]
    known = gathered.plant.instruments
    sheets = [
        expected(gathered.sources, gathered.asking, each, gathered.asking.as_of_us)
        for each in wanted[:MAX_SHEETS]
        if each in known
    ]
    return page(
        asked.view,
        "review_sheet.html",
        review=found,
        sheets=sheets,
        fitted=sorted(gathered.fitted),
        draws=list(gathered.reviews.draws.values()),
        draw=draw,
    )


@router.get("/reviews/{review}/checks/{instrument}")
def show_check(
    asked: AskedFor,
    review: Id,
    instrument: Annotated[str, Path(max_length=120)],
    at: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    """The phone page of one instrument: what should be found, the gateway's value of the minute, what was found."""
    found, should = expected_at(asked, review, instrument, at)
    return page(
        asked.view,
        "review_check.html",
        review=found,
        expected=should,
        checks=[each for each in found.checks if each.object.get("instrument") == instrument],
        marker=marker_of(asked),
    )


@router.get("/draws/{draw}")
def show_draw(asked: AskedFor, draw: Id) -> HTMLResponse:
    """A draw as published."""
    found = found_draw(asked, draw)
    return page(
        asked.view,
        "draw.html",
        draw=found,
        document=found.document,
        again=drawn_again(found.document),
        reviews=list(gathered_for(asked).reviews.reviews.values()),
    )


@router.get("/audit")
def show_audit(asked: AskedFor, group: Words = "instruments") -> HTMLResponse:
    """Indicators and the audit views of a group: 器具, 数据, 行为, 结果."""
    if group not in GROUPS:
        raise UnknownObjectError("there is no audit view '%(id)s'", id=group)
    gathered = gathered_for(asked)
    return page(
        asked.view,
        "audit.html",
        group=group,
        groups=list(GROUPS),
        sections=[view(gathered, name) for name in GROUPS[group]],
        indicators=indicators(gathered, FAMILIES),
        families=FAMILIES,
        section_class=SECTION_CLASS,
        show=lambda content: cell(asked.view, gathered, content),
        heading=lambda column: heading(asked.view, column),
        csv=asked.view.here_at("/api/v1/indicators", format="csv"),
        names=list(VIEWS),
    )
