"""计量确认: a calibration confirmed for its use."""

from typing import Literal
from urllib.parse import quote

from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.writing import Writing
from gateway.certificates.confirming import Confirmation, confirmation_draft
from gateway.certificates.recording import Act
from gateway.registry.importing import LedgerState


class ConfirmationWish(BaseModel):
    """计量确认: what the certificate was held against, the conclusion, by whom and on which day."""

    number: str = Field(max_length=120)
    requirement: str = Field(min_length=1, max_length=1_000)
    conclusion: Literal["pass", "fail"]
    person: str = Field(min_length=1, max_length=120)
    on: str = Field(max_length=10)
    valid_until: str = Field("", max_length=10)
    reason: str = Field("", max_length=1_000)


def confirmed(writing: Writing, wish: ConfirmationWish) -> Response:
    """Put a confirmation on record."""
    draft = confirmation_draft(
        LedgerState.read(writing.journal, writing.organisation),
        writing.organisation,
        wish.number,
        Confirmation(
            requirement=wish.requirement,
            conclusion=wish.conclusion,
            person=wish.person,
            on=wish.on,
            valid_until=wish.valid_until,
        ),
        Act(at_us=writing.at_us, actor=writing.actor, reason=wish.reason, source="confirmation"),
    )
    return writing.done([draft], then=f"/certificates/{quote(wish.number, safe='')}")
