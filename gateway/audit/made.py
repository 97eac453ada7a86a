"""Computed results and issued reports on record: which version was made, of what time, and knowing how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.accounting.results import KIND
from gateway.audit.asking import Asking, Sources
from gateway.registry.record import Event, Verdict

_MADE = frozenset({"computed", "issued"})
_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One version of a result (``march``) or of a report (``report/form-b3``).

    ``from_us`` and ``to_us`` (µs UTC) are the time its figures are of; of a report about a moment both are the moment.
    """

    id: str
    version: int
    action: str
    entry_seq: int
    from_us: int
    to_us: int

    @property
    def name(self) -> str:
        """How a version is named: ``march/2``."""
        return f"{self.id}/{self.version}"

    def is_of(self, from_us: int, to_us: int | None) -> bool:
        """Whether figures of it are of a time (µs UTC, None: open); one about a moment has none."""
        return self.from_us < self.to_us and from_us < self.to_us and (to_us is None or to_us > self.from_us)


@dataclass(frozen=True, slots=True)
class MadeEvent:
    """The version with the entry that says so. ``known_seq``: the last entry that was known to it."""

    made: Made
    event: Event
    known_seq: int

    @property
    def figures(self) -> Sequence[str]:
        """The figures its entry names."""
        return [str(each[0]) for each in self.event.body.get("figures") or ()]

    def knew(self, entry_seq: int) -> bool:
        """Whether it was made with an entry already on record."""
        return self.known_seq >= entry_seq


def made_events(sources: Sources, asking: Asking) -> list[MadeEvent]:
    """Every version on record as known then, newest first."""
    return [
        _made(each)
        for each in reversed(sources.registry.events(asking.organisation, kind=KIND, limit=_LIMIT))
        if each.action in _MADE and (asking.known_seq is None or each.seq <= asking.known_seq)
    ]


def restatements(made: Sequence[MadeEvent], verdict: Verdict) -> list[MadeEvent]:
    """Versions that may restate what a verdict put in question: of its time, made with it known, and after a version
    that was made without."""
    of_time = [each for each in made if each.made.is_of(verdict.from_us, verdict.to_us)]
    without: dict[str, int] = {}
    for each in of_time:
        if not each.knew(verdict.seq):
            without[each.made.id] = min(each.made.version, without.get(each.made.id, each.made.version))
    return [
        each
        for each in of_time
        if each.knew(verdict.seq) and without.get(each.made.id, each.made.version) < each.made.version
    ]


def _made(event: Event) -> MadeEvent:
    body = event.body
    moment = body.get("as_of") or 0
    made = Made(
        id=event.subject.split("/", 2)[2],
        version=int(body.get("version") or 1),
        action=event.action,
        entry_seq=event.seq,
        from_us=int(moment if body.get("from") is None else body["from"]),
        to_us=int(moment if body.get("to") is None else body["to"]),
    )
    return MadeEvent(made, event, int(body.get("known") or 0))
