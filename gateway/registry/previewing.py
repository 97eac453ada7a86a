"""A ledger import before anything is written: what is wrong, what is doubtful, what would change, field by field."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.journal.entry import Draft
from gateway.registry.attached import check_files
from gateway.registry.doubts import doubts
from gateway.registry.importing import LedgerState, check_rows, drafts_for
from gateway.registry.reading_files import LedgerProblem, LedgerRow
from gateway.registry.writing import split_subject


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that would say something else. Blank: it says nothing."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One object that would be put on record; ``new``: nothing is on record of it yet."""

    source: str
    kind: str
    id: str
    new: bool
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The whole of it. ``drafts`` are the entries; there are none while a problem stands."""

    rows: int
    problems: Sequence[LedgerProblem]
    doubts: Sequence[LedgerProblem]
    changes: Sequence[Change]
    drafts: Sequence[Draft]

    @property
    def same(self) -> int:
        """Rows that say what is on record already."""
        return self.rows - len(self.drafts)


def preview(
    rows: Sequence[LedgerRow],
    found: Sequence[LedgerProblem],
    state: LedgerState,
    organisation: str,
    *,
    is_kept: Callable[[str], bool],
    today: date,
    at_us: int,
    actor: str,
    reason: str,
) -> Preview:
    """Look at rows that were read, with what was ``found`` while reading them, beside what is on record.

    ``is_kept``: whether a file of that SHA-256 is in the data folder. ``at_us`` is the entries' time of record.
    """
    rows = state.completed(rows)
    problems = [each for each in found if not each.doubt]
    problems += check_rows(rows, state)
    problems += check_files(rows, is_kept)
    doubtful = [each for each in found if each.doubt] + doubts(rows, state, today)
    drafts = []
    if not problems:
        drafts = drafts_for(rows, state, organisation, at_us=at_us, actor=actor, reason=reason)
    return Preview(
        len(rows),
        sorted(problems, key=_place),
        sorted(doubtful, key=_place),
        [_change(each, state) for each in drafts],
        drafts,
    )


def _place(problem: LedgerProblem) -> tuple[str, int, int]:
    return (problem.file, problem.row, problem.column)


def _change(draft: Draft, state: LedgerState) -> Change:
    id_ = split_subject(draft.subject)[2]
    known = state.has(draft.kind, id_)
    before: Mapping[str, Any] = {}
    if known:
        newest = state.versions[draft.kind, id_][-1]
        before = {**newest.object, "from": newest.from_us, "to": newest.to_us}
    after = {**draft.body["object"], "from": draft.body["from"], "to": draft.body["to"]}
    fields = tuple(
        FieldChange(name, _shown(before.get(name)), _shown(after.get(name)))
        for name in dict.fromkeys([*after, *before])
        if _shown(before.get(name)) != _shown(after.get(name))
    )
    return Change(str(draft.body["source"]), draft.kind, id_, not known, fields)


def _shown(value: object) -> str:
    return "" if value is None else str(value)
