"""Catalogue files to what accounting works with: units, and the journal form of factor sets."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from config.accounting_catalogues import AccountingCatalogues, load_accounting, shipped_accounting
from config.accounting_rows import (
    CarbonateCatalogue,
    CoefficientCatalogue,
    EmissionPack,
    FuelCatalogue,
    FuelIntensityCatalogue,
    GridCatalogue,
    TierCatalogue,
)
from gateway.accounting.reference import Reference
from gateway.accounting.tiers import TierTable
from gateway.accounting.units import Law, Unit, Units
from gateway.assembly.file_problems import problems_said
from gateway.domain.figure import decimal_fraction

Row = list[str | None]
Set = CoefficientCatalogue | FuelCatalogue | FuelIntensityCatalogue | GridCatalogue | CarbonateCatalogue | EmissionPack


def catalogues(folders: Sequence[Path], language: str) -> AccountingCatalogues:
    """Shipped catalogues and the operator's; ConfigurationError with every problem as a sentence."""
    with problems_said(language):
        return load_accounting(folders)


def units_of(found: AccountingCatalogues) -> Units:
    """The units of the catalogue."""
    catalogue = found.units
    if catalogue is None:
        raise ValueError("no catalogue of units was loaded")
    rule = catalogue.gas_restatement
    return Units(
        (
            Unit(
                id=each.id,
                dimension=each.dimension,
                factor=decimal_fraction(each.factor),
                offset=decimal_fraction(each.offset or "0"),
                law=Law(each.law),
                aliases=tuple(each.aliases),
            )
            for each in catalogue.units
        ),
        gas_0c=rule.from_,
        gas_20c=rule.to,
        gas_factor=decimal_fraction(rule.factor),
    )


def factor_sets(found: AccountingCatalogues) -> dict[str, dict[str, Any]]:
    """Every set of factors as the ``object`` of a ``factor_set`` entry, by id."""
    sets: list[Set] = [
        *found.coefficients.values(),
        *found.fuels.values(),
        *found.intensities.values(),
        *found.grid.values(),
        *found.carbonates.values(),
        *found.packs.values(),
    ]
    return {each.id: _document(each, found.sha256[each.id]) for each in sets}


@cache
def reference() -> Reference:
    """Units and tiers as shipped, for queries; read when first asked for."""
    found = shipped_accounting()
    return Reference(units=units_of(found), tiers=tuple(_tier_rows(found)))


def _tier_rows(found: AccountingCatalogues) -> Iterator[TierTable]:
    for catalogue in found.tiers.values():
        for each in catalogue.tiers:
            yield TierTable(
                id=f"{catalogue.id}/{each.id}",
                law=catalogue.law,
                name_zh=each.name.zh,
                name_en=each.name.en,
                limits=tuple(decimal_fraction(limit) for limit in each.limits),
                standing=catalogue.standing,
                note=catalogue.note or "",
            )


def tiers_of(found: AccountingCatalogues) -> dict[str, TierCatalogue]:
    """Tier tables by id."""
    return dict(found.tiers)


def _document(catalogue: Set, sha256: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "catalogue": catalogue.catalogue,
        "edition": catalogue.edition,
        "sha256": sha256,
        "factors": list(_rows(catalogue)),
    }
    if isinstance(catalogue, CoefficientCatalogue):
        document["energy_kinds"] = dict(catalogue.energy_kinds)
    if isinstance(catalogue, EmissionPack):
        document["pack"] = _pack(catalogue)
    return document


def _rows(catalogue: Set) -> Iterator[Row]:
    if isinstance(catalogue, CoefficientCatalogue):
        yield from _coefficients(catalogue)
    elif isinstance(catalogue, FuelCatalogue):
        yield from _fuels(catalogue)
    elif isinstance(catalogue, FuelIntensityCatalogue):
        for each in catalogue.fuels:
            yield _row(f"intensity/{catalogue.id}/{each.id}", each.t_co2_per_tj, "tCO2/TJ", each)
    elif isinstance(catalogue, GridCatalogue):
        for factor in catalogue.factors:
            id_ = f"grid/{factor.year}/{factor.calibre}/{factor.region}"
            row = _row(id_, factor.kg_per_kwh, "tCO2/MWh", factor, factor.u_percent)
            row[4] = f"{factor.announcement}; {factor.source}"
            yield row
    elif isinstance(catalogue, CarbonateCatalogue):
        for carbonate in catalogue.carbonates:
            yield _row(f"carbonate/{catalogue.id}/{carbonate.id}", carbonate.t_co2_per_t, "tCO2/t", carbonate)
    elif catalogue.heat.factor_t_per_gj is not None:
        heat = catalogue.heat
        yield [
            f"heat/{catalogue.id}",
            heat.factor_t_per_gj,
            "tCO2/GJ",
            heat.factor_standing,
            heat.factor_source,
            None,
            None,
        ]


def _coefficients(catalogue: CoefficientCatalogue) -> Iterator[Row]:
    for each in catalogue.coefficients:
        # a range is no coefficient, and a yearly value has none: the plan must name a measured one
        if each.kgce_min is not None and each.kgce_min == each.kgce_max:
            yield _row(f"coefficient/{catalogue.id}/{each.id}", each.kgce_min, f"kgce/{each.unit}", each)


def _fuels(catalogue: FuelCatalogue) -> Iterator[Row]:
    for each in catalogue.fuels:
        if each.refused:
            continue
        for name, value, unit in (
            ("ncv", each.ncv_gj, f"GJ/{each.unit}"),
            ("carbon", each.carbon_tc_per_gj, "tC/GJ"),
            ("carbon-per-unit", each.carbon_tc_per_unit, f"tC/{each.unit}"),
            ("oxidation", each.oxidation_percent, "%"),
        ):
            if value is not None:
                yield _row(f"fuel/{catalogue.id}/{each.id}/{name}", value, unit, each, each.u_percent)
    for use in catalogue.oxidation_by_use:
        id_ = f"oxidation/{catalogue.id}/{use.id}"
        yield [id_, use.percent, "%", catalogue.fuels[0].standing, catalogue.edition, None, use.name]


def _row(id_: str, value: str, unit: str, row: Any, u_percent: str | None = None) -> Row:  # any sourced row
    return [id_, value, unit, row.standing, row.source, u_percent, row.note]


def _pack(pack: EmissionPack) -> dict[str, Any]:
    return {
        "industry": pack.industry,
        "name": {"zh": pack.name.zh, "en": pack.name.en},
        "rule": pack.rule,
        "standing": pack.standing,
        "note": pack.note,
        "sources": list(pack.sources),
        "boundaries": [
            {"id": each.id, "zh": each.name.zh, "en": each.name.en, "sources": list(each.sources)}
            for each in pack.boundaries
        ],
        "defaults_from_operator": int(pack.defaults_from_operator),
        "steam_reference": pack.heat.reference_kj_per_kg if pack.heat.steam == "less_reference" else "0",
        "water_reference": pack.heat.water_reference_c,
    }
