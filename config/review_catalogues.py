"""Review checklists and equipping editions as data: a new local norm or a new edition is a new file, no code.

What ships says of every row how far it may be trusted; titles that are no quotation are marked ``paraphrased``. An
operator's own file has the same shape and goes on record with ``meterproof review``.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from config.accounting_rows import Day, Standing
from config.catalogues import catalogue_folder
from config.loading import FileProblem, LoadedFile, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Name, Text

LongText = Annotated[str, StringConstraints(max_length=400)]
ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.]{0,11}$")]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.([a-z0-9_]+|\*)$", max_length=60)]
Percent = Annotated[int, Field(ge=0, le=100)]
View = Literal["instruments", "data", "behaviour", "result"]
IndicatorFamily = Literal[
    "equipping", "class", "verified", "compulsory", "completeness", "slots", "online", "traceable"
]
AuditView = Literal[
    "people",
    "ledger",
    "checks",
    "certificates",
    "use",
    "completeness",
    "anomalies",
    "integrity",
    "exposure",
    "revisions",
    "configurations",
    "balance",
    "stack",
    "results",
    "handed_in",
    "rectification",
    "platform",
    "sources",
    "samples",
    "factors",
    "verification",
]


class Focus(FileModel):
    """One of the groups a review looks at."""

    id: Identifier
    name: Name


class Chapter(FileModel):
    """A chapter of the norm."""

    id: ItemId
    title: Name
    paraphrased: bool


class ChecklistItem(FileModel):
    """One thing to review. ``practice``: no norm at hand asks for it. The question is always our own wording."""

    id: ItemId
    chapter: ItemId
    title: Name
    question: Name
    focus: Identifier
    view: View
    law: list[Text] = Field(default_factory=list)
    standing: Standing
    paraphrased: bool
    confidence: Literal["confirmed", "unconfirmed"]
    practice: bool = False
    indicators: list[IndicatorFamily] = Field(default_factory=list)
    rules: list[RuleName] = Field(default_factory=list)
    views: list[AuditView] = Field(default_factory=list)
    documents: list[Identifier] = Field(default_factory=list)


class Step(FileModel):
    """A step within a stage."""

    id: Identifier
    name: Name


class Stage(FileModel):
    """One stage of the way a review goes; ``by`` says whose it is; ``practice``: it has no source."""

    id: Identifier
    name: Name
    by: Literal["organiser", "enterprise", "reviewer"]
    practice: bool
    source: LongText
    steps: list[Step] = Field(default_factory=list)


class ReviewChecklist(FileModel):
    """One norm's items and stages in one version."""

    catalogue: Literal["review_checklist"]
    id: Identifier
    kind: Literal["energy", "carbon"]
    edition: Text
    version: Text
    title: Name
    standing: Standing
    source: LongText
    note: Name
    law: LongText
    focuses: list[Focus] = Field(min_length=1)
    chapters: list[Chapter] = Field(min_length=1)
    items: list[ChecklistItem] = Field(min_length=1, max_length=200)
    stages: list[Stage] = Field(min_length=1, max_length=30)

    @model_validator(mode="after")
    def _hangs_together(self) -> "ReviewChecklist":
        ids = [each.id for each in self.items]
        if len(set(ids)) < len(ids):
            raise ValueError("an item stands twice")
        chapters, focuses = {each.id for each in self.chapters}, {each.id for each in self.focuses}
        for item in self.items:
            if item.chapter not in chapters or item.focus not in focuses:
                raise ValueError(f"item {item.id} names an unknown chapter or focus")
        return self


class RequiredRate(FileModel):
    """Percent demanded of one energy kind at levels 1, 2, 3; ``name`` as the table prints it."""

    energy_kind: Identifier
    name: Text
    percent: tuple[Percent, Percent, Percent]
    note: LongText | None = None

    @model_validator(mode="before")
    @classmethod
    def _three(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("percent"), list):
            return {**value, "percent": tuple(value["percent"])}
        return value


class EquippingEdition(FileModel):
    """One edition of the equipping rates, in force from ``from`` until before ``to``. ``table``: it was at hand."""

    catalogue: Literal["equipping_edition"]
    id: Identifier
    edition: Text
    name: Name
    from_: Day = Field(alias="from")
    to: Day | None
    table: bool
    standing: Standing
    source: LongText
    note: LongText
    rates: list[RequiredRate]


ReviewCatalogue = ReviewChecklist | EquippingEdition
_MODELS: dict[str, type[ReviewCatalogue]] = {
    "review_checklist": ReviewChecklist,
    "equipping_edition": EquippingEdition,
}


def read_review_catalogue(path: Path) -> tuple[ReviewCatalogue, str]:
    """One file and the SHA-256 of its bytes; UnusableFileError lists everything wrong with it."""
    loaded = load_yaml(path)
    problems: list[FileProblem] = []
    found = _read(loaded, problems)
    if found is None or problems:
        raise UnusableFileError(problems)
    return found, loaded.sha256


def _read(loaded: LoadedFile, problems: list[FileProblem]) -> ReviewCatalogue | None:
    named = loaded.value.get("catalogue") if isinstance(loaded.value, dict) else None
    model = _MODELS.get(str(named))
    if model is None:
        problems.append(
            loaded.problem(("catalogue",), "'catalogue' must be one of %(kinds)s", kinds=", ".join(sorted(_MODELS)))
        )
        return None
    return validated(loaded, model, problems)


@cache
def shipped_review_catalogues() -> tuple[tuple[ReviewCatalogue, str], ...]:
    """What ships, with the SHA-256 of each file; a fault in it is ours and raises."""
    folders = [catalogue_folder() / name for name in ("review", "equipping")]
    return tuple(read_review_catalogue(path) for folder in folders for path in sorted(folder.glob("*.yaml")))
