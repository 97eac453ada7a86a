"""From rows of ledger files to entries: cross-checks against what is on record, and nothing for rows already there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

from gateway.domain.ledger import RECORD_TYPES, InstallationRole, normal_serial
from gateway.journal.entry import Draft
from gateway.journal.journal import MAX_PAGE_ENTRIES, Journal
from gateway.registry.columns import LEDGER_FILES
from gateway.registry.reading_files import LedgerProblem, LedgerRow
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.registry.writing import split_subject

_OPEN_END = 2**62
# (kind, field, kind of what it must name)
LINKS = (
    ("point", "parent", "point"),
    ("installation", "point", "point"),
    ("installation", "instrument", "instrument"),
    ("certificate", "instrument", "instrument"),
    ("certificate", "standards", "standard"),
    ("document", "instrument", "instrument"),
)


@cache
def _fields(kind: str) -> frozenset[str]:
    return frozenset(column.field for file in LEDGER_FILES if file.kind == kind for column in file.columns)


@cache
def _defaults(kind: str) -> Mapping[str, str | int]:
    columns = [column for file in LEDGER_FILES if file.kind == kind for column in file.columns]
    return {column.field: column.default for column in columns if column.default is not None}


@dataclass(frozen=True, slots=True)
class _Version:
    object: Mapping[str, Any]
    from_us: int | None
    to_us: int | None
    withdrawn: bool


@dataclass(slots=True)
class LedgerState:
    """The newest versions of every ledger object of an organisation, straight from the journal."""

    versions: dict[tuple[str, str], list[_Version]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, journal: Journal, organisation: str) -> "LedgerState":
        """All ledger objects of the organisation up to the journal's head."""
        state = cls()
        seq = 0
        while page := journal.read(seq, MAX_PAGE_ENTRIES, kinds=RECORD_TYPES):
            for entry in page:
                owner, _, id_ = split_subject(entry.subject)
                if owner == organisation:
                    body = entry.body
                    version = _Version(body["object"], body["from"], body["to"], bool(body["withdrawn"]))
                    state.versions[entry.kind, id_].append(version)
            seq = page[-1].seq
        return state

    @classmethod
    def of(cls, registry: Registry, organisation: str, known_seq: int | None = None) -> "LedgerState":
        """The same from the projection, as known then."""
        state = cls()
        for kind in RECORD_TYPES:
            for id_, records in registry.versions(organisation, kind, known_seq).items():
                state.versions[kind, id_] = [
                    _Version(each.object, each.from_us, each.to_us, each.withdrawn) for each in records
                ]
        return state

    def has(self, kind: str, id_: str) -> bool:
        """Whether the object is on record and not withdrawn."""
        found = self.versions.get((kind, id_))
        return found is not None and bool(found) and not found[-1].withdrawn

    def says(self, row: LedgerRow) -> bool:
        """Whether the newest version with the row's dates of effect already says what the row says."""
        for version in reversed(self.versions.get((row.kind, row.id), ())):
            if row.kind in {"installation", "certificate"} or (version.from_us, version.to_us) == (
                row.from_us,
                row.to_us,
            ):
                same_span = (version.from_us, version.to_us) == (row.from_us, row.to_us)
                in_columns = {name: value for name, value in version.object.items() if name in _fields(row.kind)}
                # what was recorded without a word about a field says the field's default, as a file does
                unsaid = _defaults(row.kind)
                return same_span and not version.withdrawn and {**unsaid, **in_columns} == {**unsaid, **row.object}
        return False

    def completed(self, rows: Sequence[LedgerRow]) -> list[LedgerRow]:
        """The rows with what is on record of the fields their files have no column for.

        A list of form B.3 or of e-CQS says less than a card holds; what it does not speak of stays. A row without a
        management number is the one instrument on record of that maker's serial number, where there is just one.
        """
        serials: dict[str, list[str]] = {}
        if any(row.kind == "instrument" and "id" in row.absent for row in rows):
            for (kind, id_), found in self.versions.items():
                if kind == "instrument" and not found[-1].withdrawn:
                    serials.setdefault(normal_serial(str(found[-1].object.get("serial") or "")), []).append(id_)
        made = []
        for row in rows:
            if row.kind == "instrument" and "id" in row.absent:
                same = serials.get(normal_serial(str(row.object.get("serial") or "")), [])
                row = replace(row, id=same[0]) if len(same) == 1 else row  # noqa: PLW2901  # the same row, named
            if row.absent and self.has(row.kind, row.id):
                known = self.versions[row.kind, row.id][-1].object
                kept = {name: known[name] for name in row.absent if name in known}
                row = replace(row, object={**row.object, **kept})  # noqa: PLW2901  # the same row, completed
            made.append(row)
        return made

    def beside(self, row: LedgerRow) -> dict[str, Any]:
        """What is on record of a certificate and has no column: read from its file, so it stays while the file does."""
        found = self.versions.get((row.kind, row.id)) if row.kind == "certificate" else None
        if not found or found[-1].object.get("document") != row.object.get("document"):
            return {}
        return {name: value for name, value in found[-1].object.items() if name not in _fields(row.kind)}


def check_rows(rows: Sequence[LedgerRow], state: LedgerState) -> list[LedgerProblem]:
    """Everything wrong that only shows between rows: ids twice, names that nothing bears, overlapping installations."""
    return [*_duplicates(rows), *_dangling(rows, state), *_loops(rows, state), *_overlaps(rows, state)]


def drafts_for(
    rows: Sequence[LedgerRow], state: LedgerState, organisation: str, *, at_us: int, actor: str, reason: str
) -> list[Draft]:
    """Entries for the rows that say something new.

    Later rows of an id are written again after one that changed, because a newer record covers older ones.
    """
    changed: set[tuple[str, str]] = set()
    drafts = []
    for row in rows:
        key = (row.kind, row.id)
        if key in changed or not state.says(row):
            changed.add(key)
            drafts.append(
                object_draft(
                    row.kind,
                    organisation,
                    row.id,
                    {**state.beside(row), **row.object},
                    at_us=at_us,
                    from_us=row.from_us,
                    to_us=row.to_us,
                    actor=actor,
                    reason=reason,
                    source=row.source,
                )
            )
    return drafts


def _duplicates(rows: Iterable[LedgerRow]) -> list[LedgerProblem]:
    seen: dict[tuple[str, str, int | None], LedgerRow] = {}
    problems = []
    for row in rows:
        start = None if row.kind in {"installation", "certificate"} else row.from_us
        first = seen.setdefault((row.kind, row.id, start), row)
        if first is not row:
            facts = {"id": row.id, "first": str(first.row)}
            problems.append(LedgerProblem(row.file, row.row, 1, "'%(id)s' stands in row %(first)s already", facts))
    return problems


def _dangling(rows: Sequence[LedgerRow], state: LedgerState) -> list[LedgerProblem]:
    here = {(row.kind, row.id) for row in rows}
    problems = []
    for row in rows:
        for kind, name, target_kind in LINKS:
            for target in str(row.object.get(name) or "").split(";") if row.kind == kind else ():
                if target and (target_kind, target) not in here and not state.has(target_kind, target):
                    facts = {"column": name, "id": target}
                    message = "'%(column)s' names '%(id)s', which is neither in these files nor on record"
                    problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
    return problems


def _loops(rows: Sequence[LedgerRow], state: LedgerState) -> list[LedgerProblem]:
    parents = {
        id_: str(found[-1].object.get("parent") or "")
        for (kind, id_), found in state.versions.items()
        if kind == "point"
    }
    parents |= {row.id: str(row.object.get("parent") or "") for row in rows if row.kind == "point"}
    problems = []
    for row in rows:
        if row.kind != "point":
            continue
        seen, at = {row.id}, parents.get(row.id, "")
        while at and at not in seen:
            seen.add(at)
            at = parents.get(at, "")
        if at == row.id:
            problems.append(LedgerProblem(row.file, row.row, 0, "the point hangs under itself", {}))
    return problems


def _overlaps(rows: Sequence[LedgerRow], state: LedgerState) -> list[LedgerProblem]:
    """Meters of one point, meters at one device, or one instrument in two places, at the same time."""
    spans: dict[tuple[str, str], list[tuple[int, int, str, LedgerRow | None]]] = defaultdict(list)
    here = {row.id for row in rows if row.kind == "installation"}
    recorded = [
        (id_, found[-1].object, found[-1].from_us, found[-1].to_us, None)
        for (kind, id_), found in state.versions.items()
        if kind == "installation" and id_ not in here and not found[-1].withdrawn
    ]
    imported = [(row.id, row.object, row.from_us, row.to_us, row) for row in rows if row.kind == "installation"]
    for id_, document, from_us, to_us, row in [*recorded, *imported]:
        span = (-_OPEN_END if from_us is None else from_us, _OPEN_END if to_us is None else to_us, id_, row)
        spans["instrument", str(document["instrument"])].append(span)
        if document.get("role", InstallationRole.METER) == InstallationRole.METER:
            spans["point", str(document["point"])].append(span)
            if document.get("device"):
                spans["device", str(document["device"])].append(span)
    problems = []
    for (what, target), group in spans.items():
        group.sort(key=lambda span: span[:3])
        for earlier, later in pairwise(group):
            row = later[3] or earlier[3]
            if later[0] < earlier[1] and row is not None:
                other = earlier[2] if row is later[3] else later[2]
                facts = {"what": what, "id": target, "other": other}
                message = "overlaps installation '%(other)s' at the same %(what)s '%(id)s'"
                problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
    return problems
