"""What a catalogue of accounting holds: units, coefficients, fuels, grid factors, packs, tiers, codes.

Every file names its edition, every row its source and standing. Numbers are decimal text; a float never enters.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from config.model import FileModel, Identifier, Name, Text


def _divisible(text: str) -> str:
    """Refuse a quotient by zero."""
    divisor = text.partition("/")[2]
    if divisor and not Decimal(divisor):
        raise ValueError("a quotient by zero")
    return text


Number = Annotated[
    str,
    StringConstraints(pattern=r"^-?\d{1,15}(\.\d{1,15})?(/\d{1,15}(\.\d{1,15})?)?$", max_length=66),
    AfterValidator(_divisible),
]
"""An exact decimal, or a quotient of two, as text."""

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Standing = Literal["原文", "转载", "程序引用", "记忆", "推断"]
"""How far a number may be trusted: read in the official text, quoted, used by a program, remembered, inferred.

Nothing that ships is 原文; an operator who copied the official table may say so in a file of his own.
"""

SourceKind = Literal[
    "fuel_heat",
    "fuel_volume",
    "fuel_mass",
    "electricity_in",
    "electricity_out",
    "heat_in",
    "heat_out",
    "clinker",
    "carbonate",
]


class Sourced(FileModel):
    """A row that says where its numbers come from."""

    standing: Standing
    source: Text
    note: Text | None = None


class Unit(FileModel):
    """A unit of input; value in the base unit = value · factor + offset."""

    id: Text
    dimension: Identifier
    factor: Number
    offset: Number | None = None
    law: Literal["legal", "statistical", "foreign"]
    aliases: list[Text] = Field(default_factory=list)


class GasRestatement(FileModel):
    """Between the two reference states of gas volumes, by a named act only."""

    from_: Text = Field(alias="from")
    to: Text
    factor: Number
    note: Text


class UnitCatalogue(FileModel):
    """All units."""

    catalogue: Literal["units"]
    edition: int
    standing: Standing
    source: Text
    gas_restatement: GasRestatement
    units: list[Unit]


class Validity(FileModel):
    """Civil dates between which an edition is in force; ``to`` exclusive, null: still."""

    from_: Day = Field(alias="from")
    to: Day | None


class Coefficient(Sourced):
    """Standard coal per physical unit: one value, a range (which is no coefficient), or none (changes every year)."""

    id: Identifier
    name: Text
    unit: Text
    basis: Literal["equivalent", "primary"]
    kgce_min: Number | None = None
    kgce_max: Number | None = None
    ncv_kj_min: Number | None = None
    ncv_kj_max: Number | None = None


class CoefficientCatalogue(FileModel):
    """One edition of GB/T 2589; ``energy_kinds`` says which row an energy kind takes."""

    catalogue: Literal["coefficients"]
    id: Identifier
    edition: Text
    valid: Validity
    valid_standing: Standing
    coefficients: list[Coefficient]
    energy_kinds: dict[Identifier, Identifier]


class OxidationByUse(FileModel):
    """Oxidation of solid fuels by where they burn."""

    id: Identifier
    name: Text
    percent: Number


class Fuel(Sourced):
    """Default values of one fuel; ``refused``: the row contradicts its neighbours and must not be used."""

    id: Identifier
    name: Text
    unit: Text
    ncv_gj: Number | None = None
    carbon_tc_per_gj: Number | None = None
    carbon_tc_per_unit: Number | None = None
    oxidation_percent: Number | None = None
    u_percent: Number | None = None
    refused: bool = False


class FuelCatalogue(FileModel):
    """Defaults of one guideline and edition."""

    catalogue: Literal["fuels"]
    id: Identifier
    edition: Text
    scope: Text
    oxidation_by_use: list[OxidationByUse] = Field(default_factory=list)
    fuels: list[Fuel]


class FuelIntensity(Sourced):
    """CO2 per energy of a fuel, oxidation included."""

    id: Identifier
    name: Text
    data_year: Text
    t_co2_per_tj: Number


class FuelIntensityCatalogue(FileModel):
    """One edition of a factor database."""

    catalogue: Literal["fuel_intensities"]
    id: Identifier
    edition: Text
    fuels: list[FuelIntensity]


class GridFactor(Sourced):
    """CO2 of a kilowatt-hour in a data year, region and calibre (口径)."""

    year: Text
    calibre: Literal["average", "excluding_market_non_fossil", "fossil_only", "ets"]
    scope: Literal["national", "grid_region", "province"]
    region: Text
    kg_per_kwh: Number
    announcement: Text
    announced: Text | None = None
    u_percent: Number | None = None


class GridCatalogue(FileModel):
    """The factors of one announcement."""

    catalogue: Literal["grid_factors"]
    id: Identifier
    edition: Text
    factors: list[GridFactor]


class Carbonate(Sourced):
    """CO2 of a tonne of a carbonate."""

    id: Identifier
    formula: Text
    t_co2_per_t: Number


class CarbonateCatalogue(FileModel):
    """A table of carbonates."""

    catalogue: Literal["carbonates"]
    id: Identifier
    edition: Text
    carbonates: list[Carbonate]


class HeatRule(FileModel):
    """How a guideline turns steam and hot water into heat: the enthalpy as it is, or less a reference."""

    steam: Literal["enthalpy", "less_reference"]
    reference_kj_per_kg: Number
    standing: Standing
    factor_t_per_gj: Number | None
    factor_standing: Standing
    factor_source: Text
    water_reference_c: Number
    water_standing: Standing


class Boundary(FileModel):
    """A boundary (核算边界) and the kinds of sources inside it."""

    id: Identifier
    name: Name
    sources: list[SourceKind] = Field(min_length=1)


class EmissionPack(Sourced):
    """One industry's guideline in one edition; a plant's figures use one pack."""

    catalogue: Literal["emission_pack"]
    id: Identifier
    industry: Identifier
    edition: Text
    name: Name
    rule: Text
    sources: list[SourceKind] = Field(min_length=1)
    boundaries: list[Boundary] = Field(min_length=1)
    fuels: Identifier | None
    defaults_from_operator: bool
    heat: HeatRule


class TierTable(FileModel):
    """Maximum uncertainty in percent by tier, tier 1 first."""

    id: Identifier
    name: Name
    limits: list[Number] = Field(min_length=1)


class TierCatalogue(Sourced):
    """The tiers of one law."""

    catalogue: Literal["tiers"]
    id: Identifier
    law: Text
    tiers: list[TierTable]


class EnergyCode(Sourced):
    """A code of the national online monitoring platform."""

    code: Annotated[str, StringConstraints(pattern=r"^\d{4}$")]
    name: Text
    unit: Text
    statistical: Text | None = None


class EnergyCodeCatalogue(FileModel):
    """Codes, and which one an energy kind has."""

    catalogue: Literal["energy_codes"]
    id: Identifier
    edition: Text
    codes: list[EnergyCode]
    energy_kinds: dict[Identifier, str]


Catalogue = (
    UnitCatalogue
    | CoefficientCatalogue
    | FuelCatalogue
    | FuelIntensityCatalogue
    | GridCatalogue
    | CarbonateCatalogue
    | EmissionPack
    | TierCatalogue
    | EnergyCodeCatalogue
)
MODELS: dict[str, type[Catalogue]] = {
    "units": UnitCatalogue,
    "coefficients": CoefficientCatalogue,
    "fuels": FuelCatalogue,
    "fuel_intensities": FuelIntensityCatalogue,
    "grid_factors": GridCatalogue,
    "carbonates": CarbonateCatalogue,
    "emission_pack": EmissionPack,
    "tiers": TierCatalogue,
    "energy_codes": EnergyCodeCatalogue,
}
