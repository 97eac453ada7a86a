"""What became of the readings after the journal: every sink with its courier's state, verified days, dead letters."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.delivery.state import CourierState
from gateway.domain.time import US_PER_DAY

MAX_SINKS = 50
SHOWN_DEAD_LETTERS = 20
_NAMED = "courier-{}.sqlite"
STATES = ("idle", "delivering", "retrying", "holding")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDay:
    """A UTC day read back from the sink: series compared, and how many of them were not equal to the journal."""

    start_us: int
    series: int
    differing: int
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPoint:
    """A point the sink refused for good at ``since_us``; ``line`` is what was sent, ``seq`` its entry."""

    device: str
    group: str
    at_us: int
    seq: int
    line: str
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """One sink. ``state``: idle, delivering, retrying, holding, or unknown before the first word.

    ``seq``: every journal entry up to this one is written there or among the dead letters. ``since_us``: since when it
    is in that state; 0 unknown. ``dead``: points refused for good, the newest of them in ``dead_letters``.
    """

    name: str
    state: str
    seq: int
    behind: int
    detail: str
    since_us: int
    dead: int
    dead_letters: Sequence[RefusedPoint]
    verified: VerifiedDay | None


def sink_states(state_folder: Path, head: int) -> list[SinkState]:
    """Every sink a courier ever served here, by name; ``head`` is the journal's newest entry."""
    found = []
    for path in sorted(state_folder.glob(_NAMED.format("*")))[:MAX_SINKS]:
        try:
            state = CourierState(path, read_only=True)
        except sqlite3.Error:
            continue  # gone or being made this instant
        try:
            found.append(_sink(path.stem.removeprefix("courier-"), state, head))
        except sqlite3.Error:
            continue  # made this instant, without its tables yet
        finally:
            state.close()
    return found


def _sink(name: str, state: CourierState, head: int) -> SinkState:
    noted = state.noted("status")
    word, since = noted.get("state"), noted.get("since_us")
    return SinkState(
        name=name,
        state=str(word) if word in STATES else "unknown",
        seq=state.seq,
        behind=max(0, head - state.seq),
        detail=str(noted.get("detail") or "")[:300],
        since_us=since if isinstance(since, int) else 0,
        dead=state.dead_count(),
        dead_letters=[
            RefusedPoint(
                device=each.device,
                group=each.group,
                at_us=each.at_us,
                seq=each.seq,
                line=each.line.decode("utf-8", "replace")[:500],
                reason=each.reason[:300],
                since_us=each.since_us,
            )
            for each in state.dead_letters(SHOWN_DEAD_LETTERS)
        ],
        verified=_last_day(state),
    )


def _last_day(state: CourierState) -> VerifiedDay | None:
    start_us = state.last_verified_us()
    if start_us is None:
        return None
    found = state.verified(start_us, start_us + US_PER_DAY)
    return VerifiedDay(
        start_us=start_us,
        series=len(found),
        differing=sum(not each.equal for each in found),
        at_us=max(each.at_us for each in found),
    )
