"""Catalogues of accounting, loaded: the shipped ones and an operator's own.

A new edition is a new file: below ``catalogue/`` it ships, below a folder of the operator's it is loaded beside the
shipped ones (``load_accounting``). Limits: those of ``config.loading``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from config.accounting_rows import (
    MODELS,
    CarbonateCatalogue,
    Catalogue,
    CoefficientCatalogue,
    EmissionPack,
    EnergyCodeCatalogue,
    FuelCatalogue,
    FuelIntensityCatalogue,
    GridCatalogue,
    TierCatalogue,
    UnitCatalogue,
)
from config.catalogues import catalogue_folder
from config.loading import FileProblem, LoadedFile, UnusableFileError, load_yaml, validated

MAX_FILES = 200


@dataclass(slots=True)
class AccountingCatalogues:
    """Everything loaded, by id; ``sha256`` of each file by its catalogue id."""

    units: UnitCatalogue | None = None
    coefficients: dict[str, CoefficientCatalogue] = field(default_factory=dict)
    fuels: dict[str, FuelCatalogue] = field(default_factory=dict)
    intensities: dict[str, FuelIntensityCatalogue] = field(default_factory=dict)
    grid: dict[str, GridCatalogue] = field(default_factory=dict)
    carbonates: dict[str, CarbonateCatalogue] = field(default_factory=dict)
    packs: dict[str, EmissionPack] = field(default_factory=dict)
    tiers: dict[str, TierCatalogue] = field(default_factory=dict)
    codes: dict[str, EnergyCodeCatalogue] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)

    def table(self, catalogue: Catalogue) -> dict[str, Catalogue]:
        """Where a catalogue of this kind is kept."""
        tables: dict[type[Catalogue], object] = {
            CoefficientCatalogue: self.coefficients,
            FuelCatalogue: self.fuels,
            FuelIntensityCatalogue: self.intensities,
            GridCatalogue: self.grid,
            CarbonateCatalogue: self.carbonates,
            EmissionPack: self.packs,
            TierCatalogue: self.tiers,
            EnergyCodeCatalogue: self.codes,
        }
        return tables[type(catalogue)]  # type: ignore[return-value]  # each table holds its own kind only


def accounting_files(folder: Path) -> list[Path]:
    """The accounting catalogues below a folder, sorted; at most ``MAX_FILES``."""
    found = [path for path in sorted(folder.rglob("*.yaml")) if path.is_file()]
    return found[:MAX_FILES]


def load_accounting(folders: Sequence[Path] = ()) -> AccountingCatalogues:
    """The shipped catalogues and those below the operator's ``folders``; UnusableFileError lists every problem."""
    return _loaded(folders)


def read_catalogue(loaded: LoadedFile, problems: list[FileProblem]) -> Catalogue | None:
    """One file as the catalogue it names; None, with every problem appended, when it is none or does not fit."""
    named = loaded.value.get("catalogue") if isinstance(loaded.value, dict) else None
    model = MODELS.get(str(named))
    if model is None:
        facts = {"kinds": ", ".join(sorted(MODELS))}
        problems.append(loaded.problem(("catalogue",), "'catalogue' must be one of %(kinds)s", **facts))
        return None
    return validated(loaded, model, problems)


@cache
def shipped_accounting() -> AccountingCatalogues:
    """The shipped catalogues; a fault in them is ours and raises."""
    return _loaded(())


def _loaded(folders: Iterable[Path]) -> AccountingCatalogues:
    found = AccountingCatalogues()
    problems: list[FileProblem] = []
    ours = accounting_files(catalogue_folder())
    for path in [*ours, *(file for folder in folders for file in accounting_files(folder))]:
        try:
            loaded = load_yaml(path)
        except UnusableFileError as error:
            problems += error.problems
            continue
        if path in ours and isinstance(loaded.value, dict) and loaded.value.get("catalogue") not in MODELS:
            continue  # another room's catalogue ships in the same folder
        catalogue = read_catalogue(loaded, problems)
        if catalogue is not None:
            _add(found, loaded, catalogue, problems)
    if problems:
        raise UnusableFileError(problems)
    return found


def _add(found: AccountingCatalogues, loaded: LoadedFile, catalogue: Catalogue, problems: list[FileProblem]) -> None:
    if isinstance(catalogue, UnitCatalogue):
        if found.units is not None:
            problems.append(loaded.problem((), "there is one catalogue of units, and it ships"))
        found.units = catalogue
        found.sha256["units"] = loaded.sha256
        return
    table = found.table(catalogue)
    if catalogue.id in table:
        problems.append(loaded.problem(("id",), "the id '%(id)s' is taken by another file", id=catalogue.id))
        return
    table[catalogue.id] = catalogue
    found.sha256[catalogue.id] = loaded.sha256
