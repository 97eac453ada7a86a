"""The slot balance: what the schedule says should have happened, against what the journal says did.

The slots are counted from each configuration's period and the span between a line's first and last slot; the outcomes
are counted entry by entry. The two counts come by different ways and have to agree.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.acquisition.schedule import SlotGrid
from gateway.domain.reading import Outcome
from gateway.domain.time import US_PER_MINUTE
from gateway.journal.entry import Entry
from gateway.journal.journal import Journal
from gateway.ports import Document, ReadPlan

PAGE = 2_000
UNDER_WAY_US = US_PER_MINUTE
"""A slot that came due this recently may still be open: a slow bus, a second attempt, a pushed slot's grace."""

LoadPlan = Callable[[str, Document], ReadPlan]
"""(protocol, plan as journaled) → the plan."""


@dataclass(slots=True)
class _Configured:
    """One group under one configuration entry."""

    protocol: str
    grid: SlotGrid
    plan: ReadPlan | None
    since_us: int  # when the configuration entry was written


@dataclass(slots=True)
class _Account:
    """One (device, group): spans by schedule on one side, outcomes on the other."""

    spans: list[tuple[SlotGrid, int, int]] = field(default_factory=list)  # grid, first slot, end of the last slot
    outcomes: Counter[str] = field(default_factory=Counter)
    filled: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)

    def extend(self, grid: SlotGrid, slot_us: int, end_us: int) -> bool:
        """Let the span reach over a slot; False when the slot lies before everything counted."""
        if not self.spans:
            self.spans.append((grid, slot_us, end_us))
            return True
        last_grid, first_us, last_end_us = self.spans[-1]
        if slot_us < self.spans[0][1]:
            return False
        if last_grid == grid:
            # what a short first run left open before its first message is closed by the start after it
            self.spans[-1] = (grid, min(first_us, slot_us), max(last_end_us, end_us))
        else:
            self.spans.append((grid, slot_us, end_us))
        return True

    def extend_back(self, slot_us: int) -> None:
        """Let the first span begin earlier: a gap before the first sample is put on record after it."""
        grid, first_us, end_us = self.spans[0]
        self.spans[0] = (grid, min(first_us, slot_us), end_us)

    def scheduled(self) -> int:
        """Slots by schedule from the first to the last."""
        return sum(grid.count(first_us, end_us) for grid, first_us, end_us in self.spans)

    def overdue(self, until_us: int) -> int:
        """Slots that came due after the last one, long enough ago to have ended."""
        if not self.spans:
            return 0
        grid, _, end_us = self.spans[-1]
        return grid.count(end_us, until_us - UNDER_WAY_US - grid.period_us)


class SlotBalance:
    """Counts entries in the order of the journal."""

    def __init__(self, journal: Journal, load_plan: LoadPlan) -> None:
        self._journal = journal
        self._load_plan = load_plan
        self._configured: dict[tuple[int, str], _Configured] = {}
        self._subjects: dict[int, str] = {}
        self._accounts: dict[tuple[str, str], _Account] = {}
        self.readings: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.entries = 0
        self._latest_us = 0
        self._first_us = 0  # of the entries that are counted

    def read(self, after_seq: int) -> None:
        """Take in everything after an entry."""
        while page := self._journal.read(after_seq, PAGE):
            for entry in page:
                self.entries += 1
                self._latest_us = max(self._latest_us, entry.at_us)
                self._first_us = self._first_us or entry.at_us
                self._take(entry)
            after_seq = page[-1].seq

    def report(self) -> dict[str, Any]:
        """Slots by schedule, outcomes by count, whether they agree, readings by protocol, findings by rule."""
        outcomes: Counter[str] = Counter()
        slots = overdue = 0
        differing = []
        for (subject, group), account in sorted(self._accounts.items()):
            ended = account.outcomes + Counter({Outcome.OK.value: len(account.filled)})
            scheduled = account.scheduled()
            if scheduled != ended.total():
                line = f"{subject.rpartition('/')[2]}/{group}"
                differing.append({"line": line, "scheduled": scheduled, "ended": ended.total()})
            slots += scheduled
            overdue += account.overdue(self._latest_us)
            outcomes += ended
        return {
            "readings": self.readings.total(),
            "slots": slots,
            "outcomes": dict(sorted(outcomes.items())),
            "agree": not differing and not overdue,
            "differing": differing[:100],
            "overdue": overdue,
            "by_protocol": dict(sorted(self.readings.items())),
            "entries": self.entries,
            "findings": dict(sorted(self.findings.items())),
        }

    def _take(self, entry: Entry) -> None:
        if entry.kind == "poll":
            self._take_poll(entry.subject, entry.body)
        elif entry.kind == "miss":
            self._take_miss(entry.subject, entry.body)
        elif entry.kind == "message":
            self._take_message(entry.body)
        elif entry.kind == "verdict" and entry.body["state"] == "open":
            self.findings[entry.body["rule"]] += 1
        elif entry.kind == "event":
            self._count_findings(entry.body.get("findings", ()))

    def _take_poll(self, subject: str, body: Mapping[str, Any]) -> None:
        configured = self._group(body["cfg"], body["group"])
        account = self._account(subject, body["group"])
        slot_us = body["slot"]
        account.extend(configured.grid, slot_us, slot_us + configured.grid.period_us)
        account.outcomes[body["outcome"]] += 1
        if configured.plan is not None:
            values = configured.plan.decode([None if each is None else b64decode(each) for each in body["raw"]])[0]
            self.readings[configured.protocol] += len(values) - values.count(None)
        self._count_findings(body["findings"])

    def _take_miss(self, subject: str, body: Mapping[str, Any]) -> None:
        configured = self._group(body["cfg"], body["group"])
        account = self._account(subject, body["group"])
        slot_us = body["slot"]
        end_us = body.get("to", slot_us + configured.grid.period_us)
        if not account.extend(configured.grid, slot_us, end_us):
            account.extend_back(slot_us)
        account.outcomes[body["outcome"]] += body.get("count", 1)
        account.missed.add(slot_us)

    def _take_message(self, body: Mapping[str, Any]) -> None:
        self._count_findings(body["findings"])
        for sample in body["samples"]:
            configured = self._group(sample["cfg"], sample["group"])
            values = sample["values"]
            self.readings[configured.protocol] += len(values) - values.count(None)
            self._count_findings(sample["findings"])
            account = self._account(self._subjects[sample["cfg"]], sample["group"])
            slot_us = sample["slot"]
            if not account.spans and slot_us < configured.grid.current(max(configured.since_us, self._first_us)):
                continue  # out of the meter's memory, from before anybody collected: a reading, and no slot of ours
            closed = slot_us in account.missed or slot_us in account.filled
            if not closed and account.extend(configured.grid, slot_us, slot_us + configured.grid.period_us):
                account.filled.add(slot_us)

    def _count_findings(self, findings: Sequence[Sequence[Any]]) -> None:
        for each in findings:
            self.findings[each[0]] += 1

    def _account(self, subject: str, group: str) -> _Account:
        return self._accounts.setdefault((subject, group), _Account())

    def _group(self, cfg: int, group: str) -> _Configured:
        known = self._configured.get((cfg, group))
        if known is None:
            entry = self._journal.entry(cfg)
            body = entry.body
            self._subjects[cfg] = entry.subject
            protocol = body["device"]["protocol"]
            for name, each in body["groups"].items():
                plan = None if each["plan"] is None else self._load_plan(protocol, each["plan"])
                self._configured[cfg, name] = _Configured(
                    protocol, SlotGrid(each["period_us"], each["offset_us"]), plan, entry.at_us
                )
            known = self._configured[cfg, group]
        return known
