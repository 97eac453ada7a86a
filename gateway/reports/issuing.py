"""Issued reports: each is one entry of kind ``result`` with action ``issued``, its figures and its files' hashes.

The files stand in ``blobs/`` before the entry names them; the JSON file is always among them, so that every figure of a
long report is held by hash even where the entry itself has room for the first of them only. An issued report is never
changed; issuing again makes the next version.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.accounting.results import KIND, figure_document
from gateway.domain.errors import UnknownObjectError
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.registry import Registry
from gateway.reports.document import Document
from gateway.sealing.tiles import write_durably

ACTION = "issued"
PREFIX = "report/"
MAX_FIGURE_BYTES = 40_000
"""Of an entry's 60 000 bytes, what figures may take."""
MAX_REPORTS = 100_000
_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One file of an issued report, held in ``blobs/`` by its hash."""

    format: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReport:
    """An issued report as its entry says. ``figures``: [id, journal form] of the figures that the entry itself holds,
    ``figure_count`` of all of them."""

    id: str
    version: int
    kind: str
    title: str
    language: str
    seq: int
    at_us: int
    as_of_us: int
    known_seq: int
    from_us: int | None
    to_us: int | None
    actor: str
    reason: str
    review: str
    files: Sequence[ReportFile]
    figures: Sequence[tuple[str, Mapping[str, Any]]]
    figure_count: int

    def file(self, format_: str) -> ReportFile:
        """The file of a format; UnknownObjectError when the report was not issued in it."""
        found = next((each for each in self.files if each.format == format_), None)
        if found is None:
            raise UnknownObjectError(
                "the report '%(id)s' was not issued as %(format)s", id=f"{self.id}/{self.version}", format=format_
            )
        return found


def keep(folder: DataFolder, content: bytes) -> str:
    """Keep a file under ``blobs/`` by its hash, durably; the hash."""
    digest = sha256(content).hexdigest()
    path = folder.blobs / digest
    if not path.is_file():
        write_durably(path, content)
    return digest


def issue_draft(document: Document, files: Sequence[ReportFile], version: int, *, actor: str, reason: str) -> Draft:
    """The entry of an issued report; its files must be kept already."""
    figures: list[list[Any]] = []
    used = 0
    amounts = document.amounts()
    for id_, amount in amounts.items():
        one = [id_, figure_document(amount.figure)]
        used += len(json.dumps(one, ensure_ascii=False).encode()) + 1
        if used > MAX_FIGURE_BYTES:
            break
        figures.append(one)
    return Draft(
        kind=KIND,
        subject=f"{document.organisation}/result/{PREFIX}{document.id}",
        at_us=document.at_us,
        body={
            "action": ACTION,
            "actor": actor,
            "reason": reason,
            "version": version,
            "title": document.title,
            "language": document.language,
            "as_of": document.as_of_us,
            "known": document.known_seq or 0,
            "from": document.from_us,
            "to": document.to_us,
            "review": document.extra.get("review", ""),
            "files": [{"format": each.format, "sha256": each.sha256, "size": each.size} for each in files],
            "figures": figures,
            "figure_count": len(amounts),
        },
    )


def issued(registry: Registry, organisation: str, known_seq: int | None = None) -> list[IssuedReport]:
    """Every issued report, newest first."""
    found = []
    for event in registry.events(organisation, kind=KIND, limit=MAX_REPORTS):
        id_ = event.subject.split("/", 2)[2]
        if event.action == ACTION and id_.startswith(PREFIX) and (known_seq is None or event.seq <= known_seq):
            found.append(_issued(id_.removeprefix(PREFIX), event.seq, event.at_us, event.body))
    return found[::-1]


def issued_report(registry: Registry, organisation: str, id_: str, version: int | None = None) -> IssuedReport:
    """One issued report, the newest version where none is named; UnknownObjectError when there is none."""
    for each in issued(registry, organisation):
        if each.id == id_ and version in {None, each.version}:
            return each
    raise UnknownObjectError("no report '%(id)s' was issued", id=id_ if version is None else f"{id_}/{version}")


def next_version(registry: Registry, journal: Journal, organisation: str, id_: str) -> int:
    """The number the next issue of a report has, counting those too that the projection has not come to yet."""
    newest = max((each.version for each in issued(registry, organisation) if each.id == id_), default=0)
    subject = f"{organisation}/result/{PREFIX}{id_}"
    after = registry.applied_seq()
    while page := journal.read(after, _PAGE, {KIND}):
        versions = [int(each.body["version"]) for each in page if each.subject == subject]
        newest = max([newest, *versions])
        after = page[-1].seq
    return newest + 1


def _issued(id_: str, seq: int, at_us: int, body: Mapping[str, Any]) -> IssuedReport:
    return IssuedReport(
        id=id_,
        version=int(body["version"]),
        kind=id_,
        title=str(body["title"]),
        language=str(body["language"]),
        seq=seq,
        at_us=at_us,
        as_of_us=int(body["as_of"]),
        known_seq=int(body["known"]),
        from_us=body.get("from"),
        to_us=body.get("to"),
        actor=str(body["actor"]),
        reason=str(body["reason"]),
        review=str(body.get("review") or ""),
        files=[
            ReportFile(format=str(each["format"]), sha256=str(each["sha256"]), size=int(each["size"]))
            for each in body["files"]
        ],
        figures=[(str(name), dict(figure)) for name, figure in body["figures"]],
        figure_count=int(body["figure_count"]),
    )
