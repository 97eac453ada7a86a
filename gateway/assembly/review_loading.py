"""Checklist and edition files to what the review works with: their journal form, with the file's hash."""

from pathlib import Path
from typing import Any

from config.review_catalogues import (
    EquippingEdition as EditionFile,
)
from config.review_catalogues import (
    ReviewCatalogue,
    ReviewChecklist,
    read_review_catalogue,
    shipped_review_catalogues,
)
from gateway.assembly.file_problems import problems_said
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.i18n import text
from gateway.journal import canonical
from gateway.review.checklist import Checklist, EquippingEdition


def _document(found: ReviewCatalogue, sha256: str) -> dict[str, Any]:
    document: dict[str, Any] = canonical.plain(found.model_dump(by_alias=True, mode="json"))
    return {**document, "file_sha256": sha256}


def checklist_documents() -> dict[str, dict[str, Any]]:
    """The shipped checklists in journal form, by id."""
    return {
        each.id: _document(each, sha256)
        for each, sha256 in shipped_review_catalogues()
        if isinstance(each, ReviewChecklist)
    }


def checklists() -> dict[str, Checklist]:
    """The shipped checklists by id."""
    return {id_: Checklist.of(document) for id_, document in checklist_documents().items()}


def editions() -> list[EquippingEdition]:
    """The shipped editions of equipping rates, the oldest first."""
    found = [
        EquippingEdition.of(_document(each, sha256))
        for each, sha256 in shipped_review_catalogues()
        if isinstance(each, EditionFile)
    ]
    return sorted(found, key=lambda each: each.from_day)


def chosen_checklist(wanted: str, language: str) -> dict[str, Any]:
    """A checklist in journal form: a shipped one by its id, or an operator's file by its path."""
    shipped = checklist_documents()
    if wanted in shipped:
        return shipped[wanted]
    path = Path(wanted)
    if not path.is_file():
        raise UnknownObjectError(
            "there is no checklist '%(id)s'; shipped are %(known)s, or name a file",
            id=wanted,
            known=", ".join(sorted(shipped)),
        )
    return _read(path, ReviewChecklist, language)


def edition_document(path: Path, language: str) -> dict[str, Any]:
    """An operator's edition file in journal form."""
    return _read(path, EditionFile, language)


def _read(path: Path, wanted: type[ReviewCatalogue], language: str) -> dict[str, Any]:
    with problems_said(language):
        found, sha256 = read_review_catalogue(path)
    if not isinstance(found, wanted):
        raise ConfigurationError([text(language, "%(path)s holds another kind of catalogue", path=str(path))])
    return _document(found, sha256)
