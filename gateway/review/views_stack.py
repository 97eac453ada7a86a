"""数据: continuous monitoring of the stack against the fuel side, as one view of the audit."""

from collections.abc import Sequence
from datetime import timedelta

from gateway.audit.stack_comparison import StackComparison, comparison
from gateway.domain.errors import UnknownObjectError
from gateway.review.gathered import Cell, Gathered, Instant, Section, said_word, section
from gateway.review.views_instruments import ATTENTION, EMPTY, IN_ORDER, STATED

MAX_STACKS = 10


def stack_view(gathered: Gathered) -> Section:
    """Month by month: what the stack's analyser says against the fuel, the limit of their difference (U, k = 2, in
    tCO2), and what the relations speak for where it is beyond."""
    try:
        compared = _compared(gathered)
    except UnknownObjectError:
        return section(
            "stack", EMPTY, [("No stack with continuous monitoring and an accounting plan is on record.", {})]
        )
    steps = [(found, each) for found in compared for each in found.steps]
    rows: list[Sequence[Cell]] = [
        [
            found.stack,
            Instant(each.start_us),
            Instant(each.end_us),
            each.difference,
            each.limit,
            said_word("stack_agreement", each.agreement),
            said_word("stack_cause", *(name.partition(":")[0] for name in each.causes)),
        ]
        for found, each in steps
    ]
    words = [str(each.agreement) for _, each in steps]
    facts = {"count": len(words), "beyond": words.count("differs"), "open": words.count("undecided")}
    said = [("%(count)s months of stacks compared with fuel: %(beyond)s beyond U, %(open)s cannot be judged.", facts)]
    state = ATTENTION if facts["beyond"] else IN_ORDER if facts["count"] > facts["open"] else STATED
    columns = ["stack", "from", "to", "difference, tCO2", "limit U, tCO2", "judged", "speaks for"]
    return section("stack", state, said, columns=columns, rows=rows, link="/comparison")


def _compared(gathered: Gathered) -> list[StackComparison]:
    """Every stack over the days the views look at; UnknownObjectError where there is none."""
    sources, asking = gathered.sources, gathered.asking
    first = asking.today - timedelta(days=gathered.days)
    found = [comparison(sources, asking, first=first, last=asking.today)]
    others = [id_ for id_, _, _ in found[0].stacks if id_ != found[0].stack][: MAX_STACKS - 1]
    return found + [comparison(sources, asking, first=first, last=asking.today, stack=each) for each in others]
