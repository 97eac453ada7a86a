"""What persons have decided about suspicions: the newest decision for each rule, device and channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.audit.asking import Asking, Sources

DECIDED = "finding.judged"
CONFIRMED = "confirmed"
DISMISSED = "dismissed"
MAX_DECISIONS = 20_000
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One decision: ``decision`` is ``confirmed`` or ``dismissed``; it covers what was seen up to ``to_us`` (µs)."""

    rule: str
    device: str
    channel: str
    decision: str
    note: str
    actor: str
    at_us: int
    to_us: int
    count: int
    entry_seq: int


class Counted(Protocol):
    """What a rule saw in a channel's readings."""

    @property
    def rule(self) -> str:
        """The rule."""
        ...

    @property
    def device(self) -> str:
        """The device."""
        ...

    @property
    def channel(self) -> str:
        """The channel, empty where the rule is about the device."""
        ...

    @property
    def to_us(self) -> int | None:
        """When it was seen last (µs UTC)."""
        ...


def judgements(sources: Sources, asking: Asking) -> dict[Key, Judgement]:
    """The newest decision for each key, as known then."""
    found: dict[Key, Judgement] = {}
    after = 0
    while page := sources.registry.events(asking.organisation, after_seq=after, kind="event", action=DECIDED):
        for each in page:
            if (asking.known_seq is not None and each.seq > asking.known_seq) or each.at_us > asking.as_of_us:
                continue
            about = each.body["object"]
            key = (str(about["rule"]), str(about["device"]), str(about["channel"]))
            found[key] = Judgement(
                rule=key[0],
                device=key[1],
                channel=key[2],
                decision=str(each.body["new"]),
                note=str(each.body["reason"]),
                actor=each.actor,
                at_us=each.at_us,
                to_us=int(about["to"]),
                count=int(about["count"]),
                entry_seq=each.seq,
            )
        after = page[-1].seq
        if len(found) >= MAX_DECISIONS:
            break
    return found


def judgement_of(each: Counted, known: Mapping[Key, Judgement]) -> Judgement | None:
    """The decision that covers everything seen so far; None where something was seen after it."""
    decided = known.get((each.rule, each.device, each.channel))
    return decided if decided is not None and (each.to_us or 0) <= decided.to_us else None
