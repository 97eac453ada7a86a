"""失准更换: check orders, one order with its steps, and the form of the next one."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import Field

from api.asked import AskedFor
from api.commands.replacing import OrderId, OrderWish, StepWish, ordered, stepped
from api.web.environment import page
from api.writing import WritingFor
from gateway.audit.replacements import replacement, replacements
from gateway.registry.replacing import Step
from gateway.registry.stepping import FIELDS

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=1_000)]
Id = Annotated[str, Form(max_length=120)]


class StepForm(StepWish):
    """A step as a form sends it: without a reason, which may be said to be missing, and a time as browsers write it."""

    reason: str = Field("", max_length=1_000)


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
def take_step(writing: WritingFor, order: OrderId, step: Step, wish: Annotated[StepForm, Form()]) -> Response:
    """A step from a form."""
    return stepped(writing, order, step, wish.model_copy(update={"when": wish.when.replace("T", " ")}))
