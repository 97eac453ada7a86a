"""The shipped factors: every row says where it is from, nothing claims the official text, a new edition is a file."""

from fractions import Fraction
from itertools import chain
from pathlib import Path

import pytest

from config.accounting_catalogues import load_accounting, shipped_accounting
from config.accounting_rows import Sourced
from config.catalogues import energy_kinds
from config.loading import UnusableFileError


def _rows() -> list[Sourced]:
    shipped = shipped_accounting()
    return [
        *chain.from_iterable(each.coefficients for each in shipped.coefficients.values()),
        *chain.from_iterable(each.fuels for each in shipped.fuels.values()),
        *chain.from_iterable(each.fuels for each in shipped.intensities.values()),
        *chain.from_iterable(each.factors for each in shipped.grid.values()),
        *chain.from_iterable(each.carbonates for each in shipped.carbonates.values()),
        *chain.from_iterable(each.codes for each in shipped.codes.values()),
        *shipped.packs.values(),
        *shipped.tiers.values(),
    ]


def test_every_row_has_a_source_and_none_claims_the_official_text() -> None:
    rows = _rows()
    assert len(rows) > 250
    assert all(row.source for row in rows)
    assert {row.standing for row in rows} <= {"转载", "程序引用", "记忆", "推断"}


def test_ids_are_unique_within_their_file() -> None:
    shipped = shipped_accounting()
    for ids in (
        *([row.id for row in each.coefficients] for each in shipped.coefficients.values()),
        *([row.id for row in each.fuels] for each in shipped.fuels.values()),
        *([(row.year, row.calibre, row.region) for row in each.factors] for each in shipped.grid.values()),
    ):
        assert len(ids) == len(set(ids))


def test_both_editions_of_gbt_2589_stand_beside_each_other() -> None:
    old, new = (shipped_accounting().coefficients[f"gbt2589-{year}"] for year in (2008, 2020))
    water = [next(row for row in each.coefficients if row.id == "fresh_water").kgce_min for each in (old, new)]
    assert water == ["0.0857", "0.2571"]
    assert old.valid.to == new.valid.from_
    primary = next(row for row in new.coefficients if row.id == "electricity_primary")
    assert primary.kgce_min is None  # changes every year: no constant may stand in for it


def test_coefficients_follow_from_their_calorific_values() -> None:
    """kgce = NCV / 29 307.6 within what four printed decimals allow; rows from the 2020 edition with one value."""
    for row in shipped_accounting().coefficients["gbt2589-2020"].coefficients:
        if row.kgce_min and row.ncv_kj_min and row.unit == "kg":
            assert abs(Fraction(row.ncv_kj_min) / Fraction("29307.6") - Fraction(row.kgce_min)) < Fraction("0.0005")


def test_energy_kinds_name_rows_and_kinds_that_exist() -> None:
    for each in shipped_accounting().coefficients.values():
        ids = {row.id for row in each.coefficients}
        assert set(each.energy_kinds) <= set(energy_kinds())
        assert set(each.energy_kinds.values()) <= ids


def test_the_grid_factor_of_the_same_year_differs_by_calibre() -> None:
    factors = shipped_accounting().grid["mee-nbs-2023"].factors
    national = {row.calibre: row.kg_per_kwh for row in factors if row.scope == "national"}
    assert national == {"average": "0.5306", "excluding_market_non_fossil": "0.6096", "fossil_only": "0.8273"}


def test_the_cement_pack_names_its_rule_and_brings_no_defaults() -> None:
    pack = shipped_accounting().packs["cets-cement-2024"]
    assert "CETS—AG—02.01—V01—2024" in pack.rule
    assert "CETS—VG—02.01—V01—2024" in pack.rule
    assert pack.defaults_from_operator
    assert pack.fuels is None
    assert pack.heat.factor_t_per_gj is None
    assert {each.id for each in pack.boundaries} == {"clinker", "enterprise"}


def test_a_new_edition_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(
        "catalogue: grid_factors\nid: mine\nedition: mine\nfactors:\n"
        '  - {year: "2024", calibre: average, scope: national, region: 全国, kg_per_kwh: "0.5", announcement: x,'
        " standing: 原文, source: the announcement}\n",
        encoding="utf-8",
    )
    assert load_accounting([tmp_path]).grid["mine"].factors[0].standing == "原文"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("catalogue: weather\nid: x\n", "'catalogue' must be one of"),
        ("catalogue: grid_factors\nid: mee-nbs-2023\nedition: x\nfactors: []\n", "is taken by another file"),
        ("catalogue: units\nedition: 1\n", "missing"),
        ("catalogue: carbonates\nid: c\nedition: 1\ncarbonates: []\n", "must be text"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UnusableFileError) as caught:
        load_accounting([tmp_path])
    assert any(said in problem.message for problem in caught.value.problems)
