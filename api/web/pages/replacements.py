"""失准更换: check orders, one order with its steps, and the form of the next one."""

from threading import Lock
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api.asked import AskedFor
from api.web.environment import page
from api.writing import Writing, WritingFor
from gateway.audit.replacements import replacement, replacements
from gateway.registry.replacement_steps import open_check_order
from gateway.registry.replacing import ReplacementBook, Step
from gateway.registry.stepping import FIELDS, SaidStep, step_drafts
from gateway.registry.writing import split_subject

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=1_000)]
Id = Annotated[str, Form(max_length=120)]
OrderId = Annotated[str, Path(max_length=120)]


class OrderWish(BaseModel):
    """A check order to be given: about the meter at a point, or an instrument where it hangs."""

    point: str = Field("", max_length=120)
    instrument: str = Field("", max_length=120)
    evidence: list[Annotated[str, Field(max_length=1_000)]] = Field([], max_length=50)
    reason: str = Field(min_length=1, max_length=1_000)


class StepWish(BaseModel):
    """A step to be recorded. ``when``: as people write it, site time; blank: now. Fields: those of the step."""

    when: str = Field("", max_length=40)
    reason: str = Field(min_length=1, max_length=1_000)
    closing_index: str = Field("", max_length=40)
    opening_index: str = Field("", max_length=40)
    people: str = Field("", max_length=200)
    seal: str = Field("", max_length=120)
    laboratory: str = Field("", max_length=200)
    certificate: str = Field("", max_length=120)
    instrument: str = Field("", max_length=120)
    ct_ratio: str = Field("", max_length=40)
    pt_ratio: str = Field("", max_length=40)


@router.get("/replacements")
def show(asked: AskedFor, state: Annotated[str, Query(max_length=10)] = "") -> HTMLResponse:
    """All orders, open ones first."""
    found = replacements(asked.reader.sources, asked.asking, only_open=state == "open")
    return page(
        asked.view,
        "replacements.html",
        found=found,
        state=state,
        csv=asked.view.here_at("/api/v1/replacements", format="csv"),
    )


@router.get("/replacements/{order}")
def show_order(asked: AskedFor, order: OrderId) -> HTMLResponse:
    """One order with its steps and the forms of what may come next."""
    found = replacement(asked.reader.sources, asked.asking, order)
    forms = [(step, FIELDS[Step(step)]) for step in found.next_steps]
    return page(asked.view, "replacement.html", order=found, forms=forms)


@router.post("/replacements")
def give_order(
    writing: WritingFor, *, point: Id = "", instrument: Id = "", evidence: Text = "", reason: Text = ""
) -> Response:
    """A check order from a form; each line of the evidence is one."""
    lines = [each for each in evidence.splitlines() if each.strip()]
    return ordered(writing, OrderWish(point=point, instrument=instrument, evidence=lines[:50], reason=reason or " "))


@router.post("/replacements/{order}/{step}")
def take_step(
    writing: WritingFor,
    order: OrderId,
    step: Step,
    *,
    when: Annotated[str, Form(max_length=40)] = "",
    reason: Text = "",
    closing_index: Id = "",
    opening_index: Id = "",
    people: Text = "",
    seal: Id = "",
    laboratory: Text = "",
    certificate: Id = "",
    instrument: Id = "",
    ct_ratio: Id = "",
    pt_ratio: Id = "",
) -> Response:
    """A step from a form."""
    fields = {
        "closing_index": closing_index,
        "opening_index": opening_index,
        "people": people,
        "seal": seal,
        "laboratory": laboratory,
        "certificate": certificate,
        "instrument": instrument,
        "ct_ratio": ct_ratio,
        "pt_ratio": pt_ratio,
    }
    return stepped(writing, order, step, when=when.replace("T", " "), reason=reason, fields=fields)


_ONE_AT_A_TIME = Lock()
"""Two steps at once would both be judged by the book as it was before either."""


def ordered(writing: Writing, wish: OrderWish) -> Response:
    """Put a check order on record."""
    with _ONE_AT_A_TIME:
        draft = open_check_order(
            ReplacementBook.read(writing.journal, writing.organisation),
            point=wish.point,
            instrument=wish.instrument,
            evidence=wish.evidence,
            actor=writing.actor,
            reason=wish.reason,
            at_us=writing.at_us,
        )
        seqs = writing.journal.append([draft])
    return writing.answer(seqs, then=f"/replacements/{quote(split_subject(draft.subject)[2], safe='')}")


def stepped(writing: Writing, order: str, step: Step, *, when: str, reason: str, fields: dict[str, str]) -> Response:
    """Put a step on record."""
    said = SaidStep(
        step=step, when=when, fields=fields, actor=writing.actor, reason=reason.strip(), at_us=writing.at_us
    )
    with _ONE_AT_A_TIME:
        book = ReplacementBook.read(writing.journal, writing.organisation)
        seqs = writing.journal.append(step_drafts(book, order, said, writing.asked.reader.zone))
    return writing.answer(seqs, then=f"/replacements/{quote(order, safe='')}")
