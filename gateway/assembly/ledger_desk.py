"""A ledger or certificate files as somebody hands them in, by command or form: looked at first, then put on record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from config.catalogues import energy_kinds
from gateway.certificates.evidence import Evidence, examine
from gateway.certificates.recording import Act, certificate_drafts, store
from gateway.certificates.signature import read_anchors
from gateway.certificates.xml_reading import MAX_FILE_BYTES
from gateway.domain.time import local_date
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.columns import LEDGER_FILES, LedgerFile
from gateway.registry.headers import MAX_HEADERS, ColumnMapping, mapping_draft
from gateway.registry.importing import LedgerState
from gateway.registry.previewing import Change, FieldChange, Preview, preview
from gateway.registry.reading_files import UNKNOWN_COLUMN, LedgerProblem, LedgerRow, Reading, read_contents
from gateway.registry.writing import split_subject

MAX_TRUSTED = 1_000
TRUST, SCHEMAS = "trust", "schemas"
"""Folders beside the journal where an operator may put whom to trust (PEM) and the published schemas (XSD)."""


def energy_kind_names() -> dict[str, str]:
    """What people write for an energy kind, lower case, to its id in the catalogue."""
    names: dict[str, str] = {}
    for kind in energy_kinds().values():
        for name in (kind.id, kind.name.zh, kind.name.en.lower()):
            names[name] = kind.id
    return names


@dataclass(frozen=True, slots=True)
class Handed:
    """A ledger as looked at, with the entries that remember what its headers stand for."""

    seen: Preview
    remembered: Sequence[Draft]
    unknown_headers: Sequence[tuple[str, str]]  # file, header

    @property
    def drafts(self) -> list[Draft]:
        """Everything that is put on record when somebody says so; nothing while a problem stands."""
        return [] if self.seen.problems else [*self.remembered, *self.seen.drafts]


Read = Callable[[ColumnMapping], tuple[list[LedgerRow], list[LedgerProblem]]]


def look_at_ledger(
    folder: DataFolder,
    journal: Journal,
    read: Read,
    *,
    said: Sequence[tuple[str, str]] = (),
    at_us: int,
    actor: str,
    reason: str,
) -> Handed:
    """Read with what is remembered of headers and what is ``said`` now (header, column; blank: not read); look at it.

    ValueError for a column that no file has.
    """
    mapping = ColumnMapping.read(journal, folder.organisation)
    about: dict[str, None] = {}
    for header, column in said[:MAX_HEADERS]:
        for file in _files_with(column):
            mapping.say(file.name, header, column)
            about[file.name] = None
    rows, found = read(mapping)
    seen = preview(
        rows,
        found,
        LedgerState.read(journal, folder.organisation),
        folder.organisation,
        is_kept=lambda digest: (folder.blobs / digest).is_file(),
        today=local_date(at_us, ZoneInfo(folder.time_zone)),
        at_us=at_us,
        actor=actor,
        reason=reason,
    )
    remembered = [
        mapping_draft(folder.organisation, name, mapping.files[name], at_us=at_us, actor=actor, reason=reason)
        for name in about
    ]
    unknown = [(each.file, each.facts["header"]) for each in seen.problems if each.message == UNKNOWN_COLUMN]
    return Handed(seen, remembered, unknown)


def reader_of(folder: DataFolder, contents: Sequence[tuple[str, bytes]]) -> Read:
    """How files in memory are read: ``(name, bytes)`` each."""
    zone, kinds = ZoneInfo(folder.time_zone), energy_kind_names()
    return lambda mapping: read_contents(contents, Reading(zone, kinds, mapping))


def _files_with(column: str) -> list[LedgerFile]:
    files = [file for file in LEDGER_FILES if not column or any(one.field == column for one in file.columns)]
    if not files:
        raise ValueError(column)
    return files


@dataclass(frozen=True, slots=True)
class HandedCertificate:
    """A certificate file as looked at. ``drafts`` empty: it is on record already."""

    evidence: Evidence
    drafts: Sequence[Draft]
    changes: Sequence[Change]


def look_at_certificate(
    folder: DataFolder, journal: Journal, content: bytes, said: Mapping[str, str], act: Act, *, keep_untrusted: bool
) -> HandedCertificate:
    """Examine a file and make its entries; nothing is stored or written yet.

    Raises:
        CertificateRefusedError: as ``examine`` and ``certificate_drafts``; a broken signature that is not to be kept.
    """
    schemas = folder.path / SCHEMAS
    evidence = examine(
        content,
        anchors=read_anchors(pem_files(folder.path / TRUST)),
        schemas=schemas if schemas.is_dir() else None,
        now_us=act.at_us,
    )
    evidence.require_whole(keep_untrusted=keep_untrusted)
    state = LedgerState.read(journal, folder.organisation)
    drafts = certificate_drafts(evidence, said, state, folder.organisation, act)
    return HandedCertificate(evidence, drafts, [_change(each, state) for each in drafts])


def keep_certificate(folder: DataFolder, handed: HandedCertificate) -> list[Draft]:
    """Store the file, durable before an entry names it; the entries to append."""
    store(folder, handed.evidence)
    return list(handed.drafts)


def pem_files(trust: Path | None) -> list[bytes]:
    """The PEM files of a folder, or the one file; none where there is neither."""
    if trust is None or not trust.exists():
        return []
    paths = [trust] if trust.is_file() else sorted(each for each in trust.iterdir() if each.suffix in {".pem", ".crt"})
    found = []
    for path in paths[:MAX_TRUSTED]:
        with path.open("rb") as stream:
            found.append(stream.read(MAX_FILE_BYTES + 1))
    return found


def _change(draft: Draft, state: LedgerState) -> Change:
    id_ = split_subject(draft.subject)[2]
    known = state.has(draft.kind, id_)
    before = dict(state.versions[draft.kind, id_][-1].object) if known else {}
    after = draft.body["object"]
    fields = tuple(
        FieldChange(name, str(before.get(name, "")), str(after.get(name, "")))
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name) and not isinstance(after.get(name), list | dict)
    )
    return Change(str(draft.body["source"]), draft.kind, id_, not known, fields)
