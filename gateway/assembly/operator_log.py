"""What a running collector tells the operator, in the operator's language."""

import logging
from collections.abc import Callable, Sequence

from gateway.acquisition.line import Line
from gateway.domain.time import US_PER_MINUTE, US_PER_S
from gateway.i18n import recorded, text

LOG = logging.getLogger(__name__)


def silence_reporter(language: str) -> Callable[[str, bool, str], None]:
    """Says on the log, in the operator's language, who fell silent and who is back."""

    def report(who: str, up: bool, detail: str) -> None:
        if up:
            LOG.warning("%s", text(language, "%(who)s answers again", who=who))
            return
        sentence = "%(who)s does not answer (%(detail)s); it is asked again from time to time, the rest goes on"
        LOG.warning("%s", text(language, sentence, who=who, detail=recorded.detail(language, detail)))

    return report


def step_reporter(language: str) -> Callable[[int], None]:
    """Says on the log that the wall clock was set."""

    def report(step_us: int) -> None:
        LOG.warning("%s", text(language, "the clock was set by %(step)s s", step=round(step_us / US_PER_S, 1)))

    return report


def warn_of_future(lines: Sequence[Line], now_us: int, language: str) -> None:
    """A clock that stands behind the journal: slots are not used twice, so collection waits for the clock."""
    waits_us = [line.next_slot_us - line.grid.period_us - now_us for line in lines if line.next_slot_us is not None]
    if waits_us and max(waits_us) > US_PER_MINUTE:
        sentence = (
            "this machine's clock stands %(wait)s s behind what is journaled; set it, for slots are not used twice: "
            "the lines concerned wait until then"
        )
        LOG.warning("%s", text(language, sentence, wait=round(max(waits_us) / US_PER_S)))
