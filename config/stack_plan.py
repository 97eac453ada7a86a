"""Rule packs of stack monitoring and the plan of a plant's stacks, as files.

Packs ship below ``catalogue/cems``; an operator's own stands beside the plan and is named by its path. Numbers are
decimal text; a float never enters.
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from config.accounting_rows import Day, Number, Standing
from config.catalogues import catalogue_folder
from config.loading import FileProblem, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Name, Text

MAX_PACKS = 50
FIRST_YEAR, LAST_YEAR = 1900, 2200


def _above_zero(text: str) -> str:
    """Refuse what cannot be zero or less."""
    if text.startswith("-") or not any(digit in "123456789" for digit in text.partition("/")[0]):
        raise ValueError("must be above zero")
    return text


def _not_negative(text: str) -> str:
    """Refuse what cannot be less than zero."""
    if text.startswith("-"):
        raise ValueError("must not be below zero")
    return text


def _civil(text: str) -> str:
    """Refuse a day no calendar has."""
    if not FIRST_YEAR <= date.fromisoformat(text).year <= LAST_YEAR:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return text


Positive = Annotated[Number, AfterValidator(_above_zero)]
"""A number above zero."""
Amount = Annotated[Number, AfterValidator(_not_negative)]
"""A number not below zero."""
CivilDay = Annotated[Day, AfterValidator(_civil)]
"""A day of the calendar."""
Note = Annotated[str, StringConstraints(max_length=400)]


class ValidityRule(FileModel):
    """When an hour counts: a share of its readings in permille, or readings in so many quarters of it."""

    least_permille: Annotated[int, Field(ge=1, le=1000)] | None
    quadrants: Annotated[int, Field(ge=1, le=4)] | None


class SubstitutionRule(FileModel):
    """Which filling rule of settlement replaces a missing concentration and a missing flow."""

    co2: Identifier | None
    flow: Identifier | None


class CheckRule(FileModel):
    """Limits of zero and span checks."""

    percent_of_span: Number | None
    absolute: Number | None
    out_factor: Number


class LinearityRule(FileModel):
    """Limits of linearity checks."""

    percent: Number
    absolute: Number | None


class AccuracyRule(FileModel):
    """Limits of relative accuracy tests and the terms to the next."""

    least_runs: Annotated[int, Field(ge=3, le=100)]
    percent: Number
    absolute: Number | None
    reduced_percent: Number
    reduced_absolute: Number | None
    quarters: Annotated[int, Field(ge=1, le=40)]
    reduced_quarters: Annotated[int, Field(ge=1, le=40)]
    bias: list[Literal["co2", "o2", "flow", "moisture"]]


class CemsPackFile(FileModel):
    """One law's rules; a block that is null is a rule whose text was not read."""

    catalogue: Literal["cems_pack"]
    id: Identifier
    law: Text
    name: Name
    chinese: bool
    text: Literal["read", "quoted", "unread"]
    standing: Standing
    source: Text
    note: Note = ""
    validity: ValidityRule | None
    substitution: SubstitutionRule
    check: CheckRule | None
    linearity: LinearityRule | None
    accuracy: AccuracyRule | None
    notice_days: Annotated[int, Field(ge=1, le=366)] | None

    def document(self) -> dict[str, Any]:
        """Its journal form."""
        return {**self.model_dump(exclude={"catalogue"}), "chinese": int(self.chinese)}


class StackChannels(FileModel):
    """Which channel of the device measures what."""

    co2: Identifier
    velocity: Identifier
    temperature: Identifier
    pressure: Identifier
    moisture: Identifier
    oxygen: Identifier | None = None


class StackUncertainty(FileModel):
    """Standard uncertainties (k = 1): relative in percent, temperature in K, pressure in kPa, moisture in percent by
    volume; ``scatter_percent`` is what each hour has of its own.
    """

    co2_percent: Amount
    velocity_percent: Amount
    area_percent: Amount
    moisture_points: Amount
    temperature_k: Amount
    pressure_kpa: Amount
    scatter_percent: Amount = "0"


class RelationScatter(FileModel):
    """How far the relations of the decomposition wander by themselves, standard, in percent."""

    undiluted_gas: Positive = "1"
    gas_per_emission: Positive = "1.5"
    specific_fuel: Positive = "2"
    stock: Positive = "1"
    checks: Positive = "0.5"


class ReferenceTime(FileModel):
    """The time whose ratios are taken as right: after an accuracy test, with verified scales. Civil days, both in."""

    from_: CivilDay = Field(alias="from")
    to: CivilDay
    reason: Text

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.from_ > self.to:
            raise ValueError("the first day is after the last")
        return self


class StackPlanned(FileModel):
    """One stack: its device and gas path, the sources of the accounting plan that leave through it."""

    id: Identifier
    name: Name
    pack: Identifier
    point: Text
    device: Identifier
    channels: StackChannels
    area_m2: Positive
    atmospheric_kpa: Positive = "101.325"
    basis: Literal["dry", "wet"]
    co2_density_kg_m3: Positive | None = None
    highest_co2_percent: Positive | None = None
    sources: Annotated[list[Identifier], Field(min_length=1)]
    uncertainty: StackUncertainty
    substitution_u_percent: Amount | None = None
    reference: ReferenceTime | None = None
    relations: RelationScatter = RelationScatter()

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: list[str]) -> list[str]:
        if len(set(sources)) < len(sources):
            raise ValueError("a source is named twice")
        return sources


class StackPlan(FileModel):
    """The plan of a plant's stacks."""

    stack_plan: Literal[1]
    title: Text
    stacks: Annotated[list[StackPlanned], Field(min_length=1, max_length=50)]

    @field_validator("stacks")
    @classmethod
    def _own_ids(cls, stacks: list[StackPlanned]) -> list[StackPlanned]:
        if len({each.id for each in stacks}) < len(stacks):
            raise ValueError("two stacks have one id")
        return stacks

    def document(self, packs: dict[str, CemsPackFile]) -> dict[str, Any]:
        """Its journal form, with the packs it names in full: later editions of a pack change nothing."""
        return {
            "title": self.title,
            "stacks": [each.model_dump(by_alias=True) for each in self.stacks],
            "packs": [packs[name].document() for name in sorted({each.pack for each in self.stacks})],
        }


@cache
def shipped_packs() -> dict[str, CemsPackFile]:
    """The packs that ship, by id; read once."""
    return load_packs(sorted((catalogue_folder() / "cems").glob("*.yaml")))


def load_packs(paths: list[Path]) -> dict[str, CemsPackFile]:
    """Packs of these files; UnusableFileError with every problem."""
    if len(paths) > MAX_PACKS:
        raise UnusableFileError(
            [FileProblem(str(paths[0]), 1, 1, "more than %(most)s rule packs", {"most": str(MAX_PACKS)})]
        )
    found: dict[str, CemsPackFile] = {}
    problems: list[FileProblem] = []
    for path in paths:
        loaded = load_yaml(path)
        pack = validated(loaded, CemsPackFile, problems)
        if pack is not None and pack.id in found:
            problems.append(loaded.problem(("id",), "the id '%(id)s' is taken by another file", id=pack.id))
        elif pack is not None:
            found[pack.id] = pack
    if problems:
        raise UnusableFileError(problems)
    return found


def load_stack_plan(path: Path) -> StackPlan:
    """A plan file; UnusableFileError with every problem."""
    problems: list[FileProblem] = []
    plan = validated(load_yaml(path), StackPlan, problems)
    if plan is None or problems:
        raise UnusableFileError(problems)
    return plan
