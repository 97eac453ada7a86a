"""What has to outlive a restart: where each line stands, what its rules remember, which slots are filled. Which
messages were seen is read from the journal, for after a crash only the journal knows.

The file ``state/acquisition.json`` is a snapshot as of one journal entry; what came after that entry is read back from
the journal through the same rules. It is no evidence: without it the newest entries of the journal are read instead.
"""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.acquisition.duplicates import DUPLICATE_RULE
from gateway.acquisition.line import Line
from gateway.acquisition.listening import MessageIntake
from gateway.acquisition.parts import Joining
from gateway.acquisition.pushed import PushedSlots
from gateway.journal.canonical import encode_any
from gateway.journal.entry import HIGH_VOLUME_KINDS, Entry
from gateway.journal.journal import Journal

VERSION = 1
PAGE = 2_000
MOST_ENTRIES_READ = 200_000
MOST_ENTRIES_RECALLED = 50_000


@dataclass(frozen=True, slots=True)
class Listening:
    """What a listening endpoint keeps."""

    endpoint: str
    intake: MessageIntake
    slots: PushedSlots


class Keeper:
    """Takes and restores snapshots of the lines of a site."""

    def __init__(self, path: Path, lines: Sequence[Line], listening: Sequence[Listening]) -> None:
        self._path = path
        self._lines = {line.key: line for line in lines}
        self._by_subject = {(line.device.subject, line.group.id): line for line in lines}
        self._listening = {each.endpoint: each for each in listening}
        self._joining = Joining()

    def snapshot(self) -> dict[str, Any]:
        """The state as it is now, JSON-shaped."""
        return {
            "v": VERSION,
            "lines": {key: line.state() for key, line in self._lines.items()},
            "identity": {line.device.id: line.identity.known for line in self._lines.values()},
            "filled": {name: each.slots.state() for name, each in self._listening.items()},
        }

    def save(self, snapshot: Mapping[str, Any], seq: int) -> None:
        """Write a snapshot that holds everything up to entry ``seq``; an older file stays whole until then."""
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(encode_any({**snapshot, "seq": seq}))
        temporary.replace(self._path)

    def restore(self, journal: Journal) -> None:
        """Bring the lines to where the journal ends."""
        head = journal.head()
        seq = self._restore_snapshot(head)
        seq = max(seq or 0, head - MOST_ENTRIES_READ, 0)
        self._recall(journal, max(0, head - MOST_ENTRIES_RECALLED), seq)
        while page := journal.read(seq, PAGE):
            for entry in page:
                if entry.kind in HIGH_VOLUME_KINDS:
                    self._replay(entry)
            seq = page[-1].seq

    def _recall(self, journal: Journal, seq: int, last: int) -> None:
        """Remember the messages of the entries after ``seq`` up to ``last``. Only the end of the journal matters: what
        comes again is what was journaled just before the end, its acknowledgement unread by the broker."""
        while self._listening and seq < last and (page := journal.read(seq, PAGE, kinds=("message",))):
            for entry in page:
                listening = self._listening.get(entry.subject.rpartition("/")[2])
                if listening is not None and entry.seq <= last:
                    self._remember(listening, entry.body)
            seq = page[-1].seq

    def _remember(self, listening: Listening, body: Mapping[str, Any]) -> None:
        if any(finding[0] == DUPLICATE_RULE for finding in body["findings"]):
            return  # only the fact that a message came again; the message stands in an entry of its own
        message = self._joining.whole(listening.endpoint, body)
        if message is not None:
            listening.intake.recent.seen(message)

    def _restore_snapshot(self, head: int) -> int | None:
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
            seq = int(state["seq"])
            if state["v"] != VERSION or seq > head:
                return None
            for key, each in state["lines"].items():
                if key in self._lines:
                    self._lines[key].restore(each)
            for line in self._lines.values():
                line.identity.known.update(state["identity"].get(line.device.id, {}))
            for name, listening in self._listening.items():
                listening.slots.restore(state["filled"].get(name, {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return seq

    def _replay(self, entry: Entry) -> None:
        body = entry.body
        if entry.kind == "message":
            self._replay_message(entry.subject, body, entry.at_us)
            return
        line = self._by_subject.get((entry.subject, body["group"]))
        if line is None:
            return
        slot_us = int(body["slot"])
        after_us = int(body["to"]) if "to" in body else slot_us + line.grid.period_us
        line.next_slot_us = max(line.next_slot_us or after_us, after_us)
        if entry.kind == "poll" and body["cfg"] == line.cfg and line.plan is not None:
            raw = [None if each is None else b64decode(each) for each in body["raw"]]
            line.rules.judge(line.plan.decode(raw)[0], slot_us, int(body["received"]) or slot_us)

    def _replay_message(self, subject: str, body: Mapping[str, Any], at_us: int) -> None:
        listening = self._listening.get(subject.rpartition("/")[2])
        if listening is None:
            return
        self._remember(listening, body)
        for sample in body["samples"]:
            line = listening.intake.lines.get((sample["device"], sample["group"]))
            if line is None or sample["cfg"] != line.cfg:
                continue
            slot_us = int(sample["slot"])
            line.rules.judge(_integers(line, sample["values"]), slot_us, int(sample["at"]))
            if line.next_slot_us is None:
                # a stored sample may be days old: slots begin where collecting did
                line.next_slot_us = max(slot_us, line.grid.current(at_us) - line.grid.period_us)
            listening.slots.sampled(line, slot_us)


def _integers(line: Line, values: Sequence[int | str | None]) -> tuple[int | str | None, ...]:
    """Values as they were before encoding: integers beyond 2^53 stand as text in an entry."""
    return tuple(
        int(value) if isinstance(value, str) and channel.kind != "text" else value
        for value, channel in zip(values, line.group.channels, strict=True)
    )
