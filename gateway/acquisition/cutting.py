"""What a finished turn teaches about the ranges a meter refuses."""

from collections.abc import Callable

from gateway.acquisition.limits import REFUSAL_EXCEPTIONS
from gateway.acquisition.line import Line
from gateway.acquisition.outbox import Committed, EntrySink
from gateway.acquisition.turn import Turn
from gateway.domain.reading import Outcome
from gateway.ports import ReadPlan


def learn_from(turn: Turn, outbox: EntrySink, now_us: int) -> None:
    """Count refusals; a request refused again and again is cut, journaled, and polled that way once committed."""
    line = turn.line
    limits = line.limits
    if limits is None:
        return
    for position, answer in enumerate(turn.answers):
        if answer is None:
            continue
        if answer.outcome != Outcome.EXCEPTION or answer.code not in REFUSAL_EXCEPTIONS:
            limits.answered(line.group.id, position)
            continue
        plan = limits.refused(line.group.id, position, turn.plan)
        if plan is not None:
            draft, committed = limits.entry(line.group.id, plan, now_us)
            outbox.put(draft, _adopting(line, plan, committed), urgent=True)
            return


def _adopting(line: Line, plan: ReadPlan, committed: Callable[[], None]) -> Committed:
    def adopt(seq: int) -> None:
        committed()
        line.cut = (plan, seq)

    return adopt
