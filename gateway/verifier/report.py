"""What was found: problems (something does not hold), notes (good to know), and counts."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.verifier.texts import reason, sentence, value

MAX_LISTED = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_INSTANT_US = 60_000_000_000_000_000
"""Of the year 3871 and its mirror: what lies further off is shown as it stands."""


@dataclass(frozen=True)
class Finding:
    """A stable code, where it is, and the facts its sentence needs."""

    code: str
    where: str
    facts: dict[str, str]

    def text(self, language: str) -> str:
        """The sentence in ``zh`` or ``en``."""
        facts = {name: reason(language, each) if name == "reason" else each for name, each in self.facts.items()}
        return f"{self.where}: {sentence(language, self.code, facts)}"


@dataclass
class Report:
    """The result of one verification. ``ok`` when no problem was found; every problem counts, the first are listed."""

    about: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    problem_count: int = 0

    @property
    def ok(self) -> bool:
        """True when everything holds."""
        return self.problem_count == 0

    def broken(self, code: str, where: str, **facts: object) -> None:
        """Something does not hold."""
        self.problem_count += 1
        if len(self.problems) < MAX_LISTED:
            self.problems.append(Finding(code, where, {name: str(value) for name, value in facts.items()}))

    def note(self, code: str, where: str, **facts: object) -> None:
        """Something the reader should know; it does not make the result bad."""
        if len(self.notes) < MAX_LISTED:
            self.notes.append(Finding(code, where, {name: str(value) for name, value in facts.items()}))

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter."""
        self.counts[name] = self.counts.get(name, 0) + number

    def json(self, language: str) -> str:
        """For programs."""
        return json.dumps(
            {
                "ok": self.ok,
                "about": self.about,
                "counts": self.counts,
                "problem_count": self.problem_count,
                "problems": [self._item(each, language) for each in self.problems],
                "notes": [self._item(each, language) for each in self.notes],
            },
            ensure_ascii=False,
            indent=2,
        )

    def lines(self, language: str) -> list[str]:
        """For people."""
        found = [
            f"{sentence(language, 'about.' + name, {})}: {_said(language, name, each)}"
            for name, each in self.about.items()
        ]
        found += [f"{sentence(language, 'count.' + name, {})}: {number}" for name, number in self.counts.items()]
        found += [f"{sentence(language, 'word.note', {})}: {each.text(language)}" for each in self.notes]
        found += [f"{sentence(language, 'word.problem', {})}: {each.text(language)}" for each in self.problems]
        if self.problem_count > len(self.problems):
            found.append(sentence(language, "word.more", {"count": str(self.problem_count - len(self.problems))}))
        found.append(sentence(language, "result.ok" if self.ok else "result.bad", {"count": str(self.problem_count)}))
        return [_printable(line) for line in found]

    @staticmethod
    def _item(each: Finding, language: str) -> dict[str, Any]:
        return {"code": each.code, "where": each.where, "facts": each.facts, "text": each.text(language)}


def _said(language: str, name: str, each: object) -> str:
    """What is said about the thing checked; an instant (µs UTC) as a time people read."""
    if name in {"from", "to"} and type(each) is int and abs(each) < LAST_INSTANT_US:
        return (EPOCH + timedelta(microseconds=each)).strftime("%Y-%m-%d %H:%M:%S UTC")
    return value(language, each)


def _printable(line: str) -> str:
    """Names come from what is checked: none of them may write a line of its own or steer the terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in line)
