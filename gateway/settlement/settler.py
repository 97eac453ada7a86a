"""Which windows are due, and the entries that settle them: first values, and revisions where something changed."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.domain.ledger import Installation
from gateway.domain.quality import Status
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period, floor_to, iso
from gateway.journal.entry import Draft
from gateway.registry.record import Record
from gateway.series.row import SeriesRow
from gateway.settlement.counter import Observation, epochs
from gateway.settlement.installed import breaks, segments
from gateway.settlement.row import IntervalRow, Method
from gateway.settlement.store import CounterChannel, CounterGroup, Heard, SettlementProjection
from gateway.settlement.windows import ChannelCounter, settle_windows

SETTLEMENT_RULES = "1"
"""Edition of the settlement rules; stands in every entry."""
GRACE_US = 2 * US_PER_MINUTE
"""How long after its end a window waits for late readings."""
MAX_SPAN_US = 14 * US_PER_DAY
"""How much of one group is settled at a time; the rest waits for the next round."""
MAX_ROWS_PER_ENTRY = 200
MAX_ROWS_AT_ONCE = 50_000
"""How many readings of one group are looked at together."""
_CONTEXT_PERIODS = 8
_LEAST_CONTEXT_US = 2 * US_PER_MINUTE
_MOST_CONTEXT_US = 6 * US_PER_HOUR
_PATIENCE_PERIODS = 3

Key = tuple[str, str, str]
Windows = dict[tuple[int, str | None], list[IntervalRow]]
"""Rows to be recorded by window start and, for carried substituted values, the JSON of who substituted them."""
Installations = Callable[[str, str], Sequence[Record]]
"""(organisation, device) → every recorded meter installation at the device, oldest first."""
GroupOf = Callable[[int, str], CounterGroup | None]
"""(configuration entry, group) → its counters."""


class Readings(Protocol):
    """What settling needs of the series store."""

    def rows(self, device: str, group: str, period: Period) -> Iterator[SeriesRow]:
        """Rows by slot."""
        ...

    def neighbours(self, device: str, group: str, at_us: int) -> tuple[SeriesRow | None, SeriesRow | None]:
        """The rows nearest to an instant by observed time."""
        ...


@dataclass(slots=True)
class Round:
    """One round of settling: entries to append, and dirty spans that did not fit in."""

    drafts: list[Draft] = field(default_factory=list)
    left: list[tuple[Key, int, int]] = field(default_factory=list)
    had_dirty: bool = False
    revised: set[tuple[int, str, str]] = field(default_factory=set)  # (window, device, channel): spans may overlap


class Settler:
    """Makes settlement entries; keeps nothing, so that two runs over the same projections say the same."""

    def __init__(
        self,
        store: SettlementProjection,
        readings: Readings,
        installations: Installations,
        group_of: GroupOf,
        installation_id: Callable[[int], str | None],
    ) -> None:
        self._store = store
        self._readings = readings
        self._installations = installations
        self._group_of = group_of
        self._installation_id = installation_id

    def round(self, horizon_us: int, *, at_us: int, registry_seq: int, organisation: str) -> Round:
        """Settle what is due at ``horizon_us`` (newest recorded instant) for an organisation, recorded at ``at_us``.

        Call again, after its entries were applied, while it brings drafts or leaves spans.
        """
        result = Round()
        windows: Windows = {}
        dirty: dict[Key, list[tuple[int, int]]] = {}
        for key, from_us, to_us in self._store.dirty():
            if key[0] == organisation:
                dirty.setdefault(key, []).append((from_us, to_us))
            else:
                result.left.append((key, from_us, to_us))
        result.had_dirty = bool(dirty)
        for key, heard in sorted(self._store.heard.items()):
            if key[0] != organisation or not heard.first_us:
                continue
            first, due = self._due(key, heard, horizon_us)
            for from_us, to_us in dirty.get(key, ()):
                self._settle_again(key, heard, (from_us, to_us), first, windows, result)
            if due > first:
                settled_to = {
                    each.id: self._store.settled_to.get((*key[:2], each.id), 0) for each in heard.group.channels
                }
                for window, rows in self._settle(heard, first, due):
                    windows.setdefault((window, None), []).extend(
                        row for row in rows if window >= settled_to[row.channel]
                    )
        result.drafts = self._drafts(organisation, windows, at_us, registry_seq)
        return result

    def _due(self, key: Key, heard: Heard, horizon_us: int) -> tuple[int, int]:
        """The span of windows to settle for the first time: from the first unsettled one to the last that is closed."""
        start = _floor(heard.first_us)
        organisation, device, _group = key
        first = min(self._store.settled_to.get((organisation, device, each.id), start) for each in heard.group.channels)
        first = max(first, start)
        patience = max(GRACE_US, _PATIENCE_PERIODS * heard.group.period_us)
        answered = _floor(heard.last_us)
        ended = min(_floor(heard.slot_us), _floor(horizon_us - patience))
        return first, min(max(answered, ended), _floor(horizon_us - GRACE_US), first + _span_us(heard.group))

    def _settle_again(  # noqa: PLR0917  # one step of a round
        self,
        key: Key,
        heard: Heard,
        span: tuple[int, int],
        settled_to: int,
        windows: Windows,
        result: Round,
    ) -> None:
        organisation, device, group = key
        before, _ = self._readings.neighbours(device, group, span[0] - 1)
        _, after = self._readings.neighbours(device, group, span[1] + 1)
        first = max(_floor(before.observed_us if before else span[0]), self._first_readable(heard))
        last = min(_floor(after.observed_us if after else span[1]) + SETTLEMENT_WINDOW_US, settled_to)
        most = _span_us(heard.group)
        if last - first > most:
            result.left.append((key, first + most, max(span[1], first + most)))
            last = first + most
        if first >= last:
            return
        recorded = {
            channel.id: self._store.rows_of(organisation, device, channel.id, first, last)
            for channel in heard.group.channels
        }
        for window, rows in self._settle(heard, first, last):
            for channel_id in dict.fromkeys(row.channel for row in rows):
                if (window, device, channel_id) in result.revised:
                    continue
                result.revised.add((window, device, channel_id))
                former = recorded[channel_id].get(window, [])
                mine = [row for row in rows if row.channel == channel_id]
                filled = len(former) == len(mine) and any(map(_stands_in, former, mine))
                if filled:
                    mine = [_carried(old, new) for old, new in zip(former, mine, strict=True)]
                if not self._same(former, mine):
                    said = self._store.substitution(organisation, device, channel_id, window) if filled else None
                    windows.setdefault((window, said), []).extend(mine)

    def _first_readable(self, heard: Heard) -> int:
        """The first window that can be settled again: the first reading's; the one after it where raw readings before
        were pruned, because the recorded rows rest on more than what is left."""
        first, group = _floor(heard.first_us), heard.group
        before = first - SETTLEMENT_WINDOW_US
        pruned = any(
            self._store.rows_of(group.organisation, group.device, each.id, before, first) for each in group.channels
        )
        return first + SETTLEMENT_WINDOW_US if pruned else first

    def _same(self, one: Sequence[IntervalRow], other: Sequence[IntervalRow]) -> bool:
        """Whether rows say the same; another version of the same installation (now closed, say) is no difference."""
        if len(one) != len(other):
            return False
        for old, new in zip(one, other, strict=True):
            if old._replace(installation=None) != new._replace(installation=None):
                return False
            if old.installation != new.installation:
                if old.installation is None or new.installation is None:
                    return False
                if self._installation_id(old.installation) != self._installation_id(new.installation):
                    return False
        return True

    def _settle(self, heard: Heard, first: int, last: int) -> Iterator[tuple[int, list[IntervalRow]]]:
        group = heard.group
        readings = self._around(heard, first, last)
        installed = [
            (record, record.read_as(Installation)) for record in self._installations(group.organisation, group.device)
        ]
        stretches = segments(installed)
        windows: dict[int, list[IntervalRow]] = {}
        for place, channel in enumerate(group.channels):
            observations = readings[place]
            start = observations[0].at_us if observations else first
            declared = [
                each
                for each in breaks(installed, channel, is_first=place == 0)
                if each.at_us < last and (each.at_us > start or each.at_us >= first)
            ]
            counter = ChannelCounter(
                group.device,
                channel.id,
                channel.modulus,
                channel.primary,
                epochs(observations, declared, channel.modulus),
                stretches,
            )
            for window, row in settle_windows(counter, first, last):
                windows.setdefault(window, []).append(row)
        yield from windows.items()

    def _around(self, heard: Heard, first: int, last: int) -> list[list[Observation]]:
        """Usable readings of every channel in a span and around it, wide enough that both ends have one on either side,
        or as wide as is looked at all."""
        group = heard.group
        context = min(max(_CONTEXT_PERIODS * group.period_us, _LEAST_CONTEXT_US), US_PER_HOUR)
        while True:
            rows = self._rows(group, first, last, context)
            found = [self._observations(rows, channel, group) for channel in group.channels]
            whole = all(
                each and each[0].at_us <= first and each[-1].at_us >= last
                for channel, each in zip(group.channels, found, strict=True)
                if heard.mask >> channel.position & 1
            )
            if whole or context >= _MOST_CONTEXT_US:
                return found
            context = _MOST_CONTEXT_US

    def _rows(self, group: CounterGroup, first: int, last: int, context_us: int) -> list[SeriesRow]:
        device, name = group.device, group.group
        low, high = first - context_us, last + context_us
        rows = list(self._readings.rows(device, name, Period(low, high)))
        if not rows or min(row.observed_us for row in rows) > first:
            before, _ = self._readings.neighbours(device, name, low)
            rows += [before] if before is not None else []
        if not rows or max(row.observed_us for row in rows) < last:
            _, after = self._readings.neighbours(device, name, high)
            rows += [after] if after is not None else []
        rows.sort(key=lambda row: (row.observed_us, row.seq))
        return rows

    def _observations(
        self, rows: Iterable[SeriesRow], channel: CounterChannel, group: CounterGroup
    ) -> list[Observation]:
        """Usable readings of a channel; readings under another resolution of the same channel are not."""
        found: list[Observation] = []
        cfg, position, reach = group.cfg, channel.position, group.reach_us
        at_before = -1
        for row in rows:
            if row.cfg_seq != cfg:
                cfg = row.cfg_seq
                position, reach = self._position(cfg, channel, group)
            if position < 0:
                continue
            value, quality = row.values[position], row.quality[position]
            if value is not None and quality & 3 < Status.BAD and row.observed_us != at_before:
                at_before = row.observed_us
                found.append(Observation(at_before, value, quality, row.seq, reach))
        return found

    def _position(self, cfg: int, channel: CounterChannel, group: CounterGroup) -> tuple[int, int]:
        """Where the channel stands in rows of another configuration entry, -1 where it does not, and their reach."""
        other = group if cfg == group.cfg else self._group_of(cfg, group.group)
        for each in other.channels if other is not None else ():
            if other is not None and (each.id, each.decimals) == (channel.id, channel.decimals):
                return each.position, other.reach_us
        return -1, 0

    def _drafts(self, organisation: str, windows: Windows, at_us: int, registry_seq: int) -> list[Draft]:
        revisions = self._store.revisions(organisation, {window for window, _said in windows})
        drafts = []
        for (window, said), rows in sorted(windows.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            chunks = _chunks(rows) if rows else []
            for number, chunk in enumerate(chunks):
                body = {
                    "from": window,
                    "to": window + SETTLEMENT_WINDOW_US,
                    "revision": revisions[window],
                    "rules": SETTLEMENT_RULES,
                    "registry": registry_seq,
                    "chunk": number,
                    "chunks": len(chunks),
                    "rows": [row.document() for row in chunk],
                }
                if said is not None:
                    body["substitution"] = json.loads(said)
                drafts.append(Draft("settlement", f"{organisation}/window/{iso(window)}", at_us, body))
        return drafts


def _stands_in(old: IntervalRow, new: IntervalRow) -> bool:
    """Whether a value somebody entered or substituted still fills the same gap: between the same entries."""
    entered = old.method in {Method.SUBSTITUTED, Method.MANUAL} and new.method in {Method.MISSING, Method.CAUGHT_UP}
    return entered and old[11:] == new[11:]


def _carried(old: IntervalRow, new: IntervalRow) -> IntervalRow:
    """What stands in, under the installation now on record."""
    return old._replace(installation=new.installation, num=new.num, den=new.den) if _stands_in(old, new) else new


def _span_us(group: CounterGroup) -> int:
    """How much of a group is settled at a time: two weeks, or less where it is read often."""
    return min(MAX_SPAN_US, max(_floor(MAX_ROWS_AT_ONCE * group.period_us), SETTLEMENT_WINDOW_US))


def _floor(at_us: int) -> int:
    return floor_to(at_us, SETTLEMENT_WINDOW_US)


def _chunks(rows: Sequence[IntervalRow]) -> list[list[IntervalRow]]:
    """Pieces that fit an entry; the parts of one channel's window stay together."""
    chunks: list[list[IntervalRow]] = [[]]
    for row in rows:
        same = chunks[-1] and chunks[-1][-1][:2] == row[:2]
        if len(chunks[-1]) >= MAX_ROWS_PER_ENTRY and not same:
            chunks.append([])
        chunks[-1].append(row)
    return chunks
