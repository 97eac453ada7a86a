"""One slot being served: the answers so far, and what they amount to."""

from dataclasses import dataclass, field
from enum import IntEnum

from gateway.acquisition.line import Line
from gateway.acquisition.unit import Unit, speaks, worth_repeating
from gateway.domain.reading import Arrival, Outcome
from gateway.ports import Answer, ReadPlan

NOT_ASKED = Answer(outcome=Outcome.TIMEOUT.value, detail="not asked: the unit had not answered")


class Purpose(IntEnum):
    """Why a line is served."""

    SLOT = 0
    IDENTITY = 1  # outside the slots: who answers there, after a fall of a counter or a return from silence


@dataclass(slots=True, eq=False)
class Turn:
    """A line in its slot. ``answers`` stand in the order of the plan's requests; ``attempt`` counts from 0."""

    line: Line
    unit: Unit
    slot_us: int
    purpose: Purpose = Purpose.SLOT
    attempt: int = 0
    answers: list[Answer | None] = field(default_factory=list)
    plan: ReadPlan = field(init=False)

    def __post_init__(self) -> None:
        assert self.line.plan is not None
        self.plan = self.line.plan
        self.answers = [None] * len(self.plan.requests)

    @property
    def outdated(self) -> bool:
        """Whether the line has another plan by now."""
        return self.plan is not self.line.plan

    def open_requests(self) -> list[int]:
        """The requests to ask in this attempt; a second attempt begins with one that the first did not get to."""
        positions = [
            n
            for n, answer in enumerate(self.answers)
            if answer is None or (answer.outcome != Outcome.OK and worth_repeating(answer))
        ]
        if self.attempt:
            positions.sort(key=lambda n: (self.answers[n] is not None, n))
        return positions

    def failed(self) -> bool:
        """Whether the unit was asked and kept silent, the way to it being open."""
        asked = [answer for answer in self.answers if answer is not None]
        return bool(asked) and not any(speaks(answer) or answer.outcome == Outcome.UNREACHABLE for answer in asked)

    def blocked(self, reason: str) -> Arrival:
        """The end of a slot that was not asked because a breaker is open."""
        return self._arrival(Outcome.BREAKER, detail=reason)

    def repeatable(self) -> bool:
        """Whether a second attempt is worth its time."""
        return any(
            answer is None or (answer.outcome != Outcome.OK and worth_repeating(answer)) for answer in self.answers
        )

    def arrival(self) -> Arrival:
        """The slot's end. The first failure gives outcome, code and detail when nothing was answered."""
        answers = [NOT_ASKED if answer is None else answer for answer in self.answers]
        good = [answer for answer in answers if answer.outcome == Outcome.OK]
        failed = NOT_ASKED
        if len(good) < len(answers):
            refused = (answer for answer in self.answers if answer is not None and answer.outcome != Outcome.OK)
            failed = next(refused, NOT_ASKED)
        if not good:
            return self._arrival(Outcome(failed.outcome), failed.code, failed.detail)
        whole = len(good) == len(answers)
        return Arrival(
            device=self.line.device.id,
            group=self.line.group.id,
            slot_us=self.slot_us,
            outcome=Outcome.OK if whole else Outcome.PARTIAL,
            sent_us=min(answer.sent_us for answer in good),
            received_us=max(answer.received_us for answer in good),
            raw=tuple(answer.data if answer.outcome == Outcome.OK else None for answer in answers),
            code=0 if whole else failed.code,
            detail="" if whole else failed.detail,
        )

    def _arrival(self, outcome: Outcome, code: int = 0, detail: str = "") -> Arrival:
        return Arrival(
            device=self.line.device.id,
            group=self.line.group.id,
            slot_us=self.slot_us,
            outcome=outcome,
            code=code,
            detail=detail,
        )
