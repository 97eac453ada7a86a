"""失准更换: check orders given, and their steps put on record."""

from threading import Lock
from typing import Annotated
from urllib.parse import quote

from fastapi import Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.writing import Writing
from gateway.registry.replacement_steps import open_check_order
from gateway.registry.replacing import ReplacementBook, Step
from gateway.registry.stepping import SaidStep, step_drafts
from gateway.registry.writing import split_subject

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


def stepped(writing: Writing, order: str, step: Step, wish: StepWish) -> Response:
    """Put a step on record."""
    said = SaidStep(
        step=step,
        when=wish.when,
        fields=wish.model_dump(exclude={"when", "reason"}),
        actor=writing.actor,
        reason=wish.reason.strip(),
        at_us=writing.at_us,
    )
    with _ONE_AT_A_TIME:
        book = ReplacementBook.read(writing.journal, writing.organisation)
        seqs = writing.journal.append(step_drafts(book, order, said, writing.asked.reader.zone))
    return writing.answer(seqs, then=f"/replacements/{quote(order, safe='')}")
