"""What the entries themselves say: birth, keys, closed days, documents, clock. Fed once with every entry, in order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.verifier import notes
from gateway.verifier.body import BodyError, missing_fields, parse
from gateway.verifier.report import Report
from gateway.verifier.reviews import ReviewActs

HIGH_VOLUME_KINDS = frozenset({"poll", "miss", "message"})
DOCUMENT = re.compile(r"^[0-9a-f]{64}\Z")
DOCUMENT_FIELDS = ("sha256", "document")
FILE_FIELDS = (*DOCUMENT_FIELDS, "file")  # what a ledger's document calls it
WITHOUT_DOCUMENTS = frozenset({"event", "configuration", "key", "verdict", "settlement", "clock", "factor_set"})
CHECKPOINT_ACTIONS = frozenset({"checkpoint.handed_out", "checkpoint.cosigned", "checkpoint.timestamped"})
MAX_SERIES = 100_000
# what reading a field of another type than an honest writer gives may raise
MALFORMED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)


@dataclass(frozen=True)
class LogKey:
    """A key from entry ``seq`` on."""

    seq: int
    key: notes.Key
    at_us: int = 0


class LogFacts:
    """Collects while entries pass."""

    def __init__(self, report: Report, reviewers: Sequence[notes.Key] = ()) -> None:
        self.report = report
        self.reviews = ReviewActs(report, reviewers)
        self.birth: dict[str, Any] = {}
        self.keys: list[LogKey] = []
        self.closings: dict[str, tuple[int, str]] = {}  # archive file name -> (seq, sha256)
        self.closed_numbers: list[tuple[int, int]] = []  # checkpoint numbers that went into the archive
        self.pruned: set[str] = set()
        self.documents: dict[str, int] = {}  # sha256 -> seq of the entry that names it
        self.handed_out: list[tuple[int, str]] = []
        self.newest_at = 0
        self._steps_back = 0
        self._largest_step_us = 0
        self._first_step = ""
        self._periods: dict[tuple[int, str], int] = {}
        self._slots: dict[tuple[str, str], tuple[int | None, int]] = {}  # newest slot, its period
        self._holes: dict[tuple[str, str], list[int]] = {}

    def entry(self, seq: int, body: bytes) -> dict[str, Any] | None:
        """Take one entry; its parsed form, or None when it is malformed (reported)."""
        try:
            parsed = parse(body)
        except BodyError as error:
            self.report.broken("entry.body", f"entry {seq}", reason=error)
            return None
        wrong = missing_fields(parsed)
        if wrong:
            self.report.broken("entry.fields", f"entry {seq}", fields=", ".join(wrong))
            return None
        self.take(seq, parsed)
        return parsed

    def take(self, seq: int, entry: dict[str, Any]) -> None:
        """What a well-formed entry says."""
        at = entry["at"]
        if at < self.newest_at:
            if self._steps_back == 0:
                self._first_step = f"entry {seq}"
            self._steps_back += 1
            self._largest_step_us = max(self._largest_step_us, self.newest_at - at)
        else:
            self.newest_at = at
        kind = entry["kind"]
        if kind in HIGH_VOLUME_KINDS:
            if kind != "message":
                self._slot(entry, kind)
            return
        if seq == 1:
            self.birth = entry
        if kind == "configuration":
            self._configuration(seq, entry)
        elif kind == "key":
            self._key(seq, entry)
        elif kind == "event":
            self._event(seq, entry)
        elif kind == "review":
            self.reviews.take(seq, entry, str(self.birth.get("origin")))
        elif kind == "clock" and entry.get("step_us"):
            self.report.note("note.clock_step", f"entry {seq}", offset=entry["step_us"])
        if kind not in WITHOUT_DOCUMENTS:
            self._documents(seq, entry, FILE_FIELDS if kind == "document" else DOCUMENT_FIELDS)

    def key_at(self, size: int) -> notes.Key | None:
        """The key in force for a checkpoint over ``size`` entries."""
        found = None
        for each in self.keys:
            if found is None or each.seq <= size:
                found = each.key
        return found

    def finish(self) -> None:
        """Report what only the whole shows."""
        self.reviews.finish()
        if self._steps_back:
            seconds = f"{self._largest_step_us / 1e6:.1f}"
            self.report.note("note.clock_back", self._first_step, seconds=seconds, count=self._steps_back)
        for (subject, group), (count, first) in self._holes.items():
            self.report.note("note.slots", f"{subject} {group}", count=count, slot=first)

    def _configuration(self, seq: int, entry: dict[str, Any]) -> None:
        groups = entry.get("groups")
        for name, group in groups.items() if isinstance(groups, dict) else ():
            if isinstance(group, dict) and isinstance(group.get("period_us"), int):
                self._periods[seq, name] = group["period_us"]

    def _slot(self, entry: dict[str, Any], kind: str) -> None:
        slot, group, cfg = entry.get("slot"), entry.get("group"), entry.get("cfg")
        if type(slot) is not int or type(group) is not str:
            return
        series = (entry["subject"], group)
        period = self._periods.get((cfg, group)) if type(cfg) is int else None
        previous, before = self._slots.get(series, (None, 0))
        # where a configuration changes the period, one longer step is no hole
        step = max(period or 0, before)
        if previous is not None and period and slot > previous + step and len(self._holes) < MAX_SERIES:
            hole = self._holes.setdefault(series, [0, previous + step])
            hole[0] += (slot - previous - step) // period
        if kind == "miss" and type(entry.get("to")) is int and period:
            slot = entry["to"] - period
        if previous is None or slot > previous:
            self._slots[series] = (slot, period or 0)

    def _key(self, seq: int, entry: dict[str, Any]) -> None:
        try:
            self.keys.append(LogKey(seq, notes.parse_key(str(entry.get("vkey"))), entry["at"]))
        except notes.NoteError as error:
            self.report.broken("key.malformed", f"entry {seq}", reason=error)

    def _event(self, seq: int, entry: dict[str, Any]) -> None:
        action = entry.get("action")
        if action == "archive.closed":
            for file in entry.get("files") or []:
                self.closings[str(file.get("name"))] = (seq, str(file.get("sha256")))
            numbers = entry.get("checkpoints")
            if isinstance(numbers, list) and [type(each) for each in numbers] == [int, int]:
                self.closed_numbers.append((numbers[0], numbers[1]))
        elif action == "archive.pruned":
            self.pruned.update(str(name) for name in entry.get("files") or [])
        elif action in CHECKPOINT_ACTIONS and isinstance(entry.get("new"), str):
            self.handed_out.append((seq, entry["new"]))
            if isinstance(entry.get("document"), str):
                self.documents.setdefault(entry["document"], seq)
            if action == "checkpoint.cosigned":
                self._cosigned(seq, entry)

    def _cosigned(self, seq: int, entry: dict[str, Any]) -> None:
        """A cosignature that an entry keeps must verify with the witness key that stands beside it."""
        try:
            witness = notes.parse_key(str(entry.get("witness")))
            good = notes.parse_checkpoint(entry["new"].encode()).signed_by(witness)
        except notes.NoteError as error:
            self.report.broken("checkpoint.signature", f"entry {seq}", reason=error)
            return
        if good:
            self.report.note("note.cosigned", f"entry {seq}", witness=witness)
        else:
            self.report.broken("checkpoint.signature", f"entry {seq}", reason=witness.name)

    def _documents(self, seq: int, value: Any, names: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, each in value.items():
                if name in names and isinstance(each, str) and DOCUMENT.match(each):
                    self.documents.setdefault(each, seq)
                elif isinstance(each, dict | list):
                    self._documents(seq, each, names)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict | list):
                    self._documents(seq, each, names)
