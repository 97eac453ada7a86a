"""Versions of an accounting result: computed as drafts, then submitted, verified, frozen or returned."""

from datetime import date
from typing import Literal

from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.people.roles import allowed
from api.problems import DeniedError, UnreadableParameterError
from api.writing import Writing
from gateway.accounting.account import account
from gateway.accounting.results import result, result_draft, step_draft
from gateway.audit.accounts import inputs_of, whole_days
from gateway.audit.results import result_versions

MAX_REASON = 500
Action = Literal["submitted", "verified", "frozen", "returned"]
NEXT_ACTS: dict[str, tuple[Action, ...]] = {
    "draft": ("submitted",),
    "submitted": ("verified", "returned"),
    "verified": ("frozen", "returned"),
    "frozen": (),
}
"""What may follow from a state."""


class Computation(BaseModel):
    """A wish for a version of a result over civil days, both included."""

    result: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    first: date
    last: date
    reason: str = Field("", max_length=MAX_REASON)


class ResultStep(BaseModel):
    """A step of a result's version."""

    result: str = Field(min_length=1, max_length=60)
    version: int = Field(ge=1, le=1_000_000)
    action: Action
    reason: str = Field("", max_length=MAX_REASON)


def permission_of(state: str, action: str) -> str:
    """Whose a step is: the plant submits and freezes, a reviewer verifies; what stands verified, only a reviewer
    sends back.
    """
    if action == "verified" or (action == "returned" and state == "verified"):
        return "account.verify"
    return "account.step" if action == "returned" else "account.write"


def computed(writing: Writing, wish: Computation, *, then: str) -> Response:
    """Compute and put a version on record, as known up to what is projected now."""
    sources, asking = writing.asked.reader.sources, writing.asked.asking
    if wish.last > asking.today or wish.first > wish.last:
        raise UnreadableParameterError("the days are not over yet, or run backwards")
    known = sources.registry.applied_seq()
    made = account(inputs_of(sources, asking, whole_days(asking, wish.first, wish.last), known))
    versions = [each.version for each in result_versions(sources, asking) if each.id == wish.result]
    draft = result_draft(
        made,
        wish.result,
        max(versions, default=0) + 1,
        known_seq=known,
        at_us=writing.at_us,
        actor=writing.actor,
        reason=wish.reason,
    )
    return writing.done([draft], then=then)


def stepped(writing: Writing, wish: ResultStep, *, then: str) -> Response:
    """Move a version on, or send it back; ResultStateError when that does not follow from its state, DeniedError when
    the step is another role's.
    """
    found = result(writing.asked.reader.sources.registry, writing.organisation, wish.result, wish.version)
    if not allowed(writing.person.roles, permission_of(found.state, wish.action)):
        raise DeniedError("Your roles do not include this page or act; ask your administrator.")
    draft = step_draft(
        found, writing.organisation, wish.action, at_us=writing.at_us, actor=writing.actor, reason=wish.reason
    )
    return writing.done([draft], then=then)
