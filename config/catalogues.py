"""The catalogues that ship as data under ``catalogue/``."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import Field

from config.loading import FileProblem, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Name, Text


class Measurand(FileModel):
    """A quantity meters measure: its unit, how it behaves, its limits in that unit, its OBIS code where one exists."""

    id: Identifier
    unit: Text
    kind: Literal["cumulative", "instantaneous", "text"]
    name: Name
    obis: str | None = Field(default=None, min_length=1, max_length=30)
    minimum: int | None = None
    maximum: int | None = None


class MeasurandCatalogue(FileModel):
    """All measurands."""

    catalogue: Literal["measurands"]
    edition: int
    measurands: list[Measurand]


class EnergyKind(FileModel):
    """What is metered at a point: energy, working medium, product or emission; the unit totals are shown in.

    ``measurands`` are the counters that may be a point's main register, the usual one first.
    """

    id: Identifier
    unit: Text
    role: Literal["energy", "working_medium", "product", "emission"]
    name: Name
    measurands: list[Identifier]


class EnergyKindCatalogue(FileModel):
    """All energy kinds."""

    catalogue: Literal["energy_kinds"]
    edition: int
    energy_kinds: list[EnergyKind]


def catalogue_folder() -> Path:
    """The folder of shipped catalogues."""
    return Path(str(files("config") / "catalogue"))


@cache
def measurands() -> dict[str, Measurand]:
    """The measurand catalogue by id. It ships with the product, so a fault in it is ours and raises."""
    loaded = load_yaml(catalogue_folder() / "measurands.yaml")
    problems: list[FileProblem] = []
    catalogue = validated(loaded, MeasurandCatalogue, problems)
    if catalogue is None or problems:
        raise UnusableFileError(problems)
    return {measurand.id: measurand for measurand in catalogue.measurands}


@cache
def energy_kinds() -> dict[str, EnergyKind]:
    """The energy kind catalogue by id; a fault in it is ours and raises."""
    loaded = load_yaml(catalogue_folder() / "energy_kinds.yaml")
    problems: list[FileProblem] = []
    catalogue = validated(loaded, EnergyKindCatalogue, problems)
    if catalogue is None or problems:
        raise UnusableFileError(problems)
    return {kind.id: kind for kind in catalogue.energy_kinds}
