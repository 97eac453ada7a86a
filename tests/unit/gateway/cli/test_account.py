"""``meterproof account`` from a plan to a frozen result, over a folder made by the real projection."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection
from gateway.cli.account import command
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.time import parse_iso
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft

START = parse_iso("2026-01-01T00:00:00+08:00")
SPAN = ["--from", "2026-01-01T00:00:00+08:00", "--to", "2026-01-02T00:00:00+08:00"]
PLAN = """
accounting_plan: 1
title: Two weighbridges
pack: cets-cement-2024
coefficients: gbt2589-2020
sources:
  - id: clinker
    name: clinker
    kind: clinker
    amount: clinker
    parameters:
      cao: {laboratory: clinker, property: cao, u_percent: "0.3"}
      mgo: {value: "1.5", unit: "%", reason: analysis, u_percent: "2"}
products: [{id: clinker, name: clinker, amount: clinker}]
"""
LABORATORY = "number,point,from,to,cao [%]\nL1,clinker,2026-01-01,2026-01-01,65\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    folder = DataFolder.create(
        path, organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=SystemClock()
    )
    said = {"actor": "a", "reason": "r", "source": "s"}
    point = {"energy_kind": "product", "level": 2}
    ticket = {"number": "T1", "at": START + 1, "net": "1000", "unit": "t"}
    entered = {"object": ticket, "withdrawn": 0, **said}
    with Journal.open(folder) as journal:
        journal.append(
            [
                object_draft("point", "o", "clinker", point, at_us=START, from_us=None, to_us=None, **said),
                Draft("batch", "o/point/clinker", START + 2, entered),
            ]
        )
    project(path)
    return path


def project(path: Path) -> None:
    folder = DataFolder.open(path)
    projection = Projection(folder, SystemClock())
    while projection.step().applied:
        pass
    projection.close()


def run(data: Path, *words: str) -> Result:
    result = CliRunner().invoke(command, [*words, "--data", str(data)], obj="en")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    project(data)
    return result


def refused(data: Path, verb: str, table: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        run(data, verb, str(table))
    return "\n".join(caught.value.lines)


def test_from_a_plan_to_a_frozen_result(data: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "lab.csv").write_text(LABORATORY, encoding="utf-8")
    run(data, "plan", str(tmp_path / "plan.yaml"))
    run(data, "laboratory", str(tmp_path / "lab.csv"))
    shown = json.loads(run(data, "show", "--json", *SPAN).output)
    assert shown["figures"]["carbon/source/clinker"]["exact"].startswith("527.2142857")
    assert "CETS—AG—02.01—V01—2024" in run(data, "show", *SPAN).output
    run(data, "compute", "2026", *SPAN)
    for action in ("submitted", "verified", "frozen"):
        run(data, "step", "2026", action, "--actor", "reviewer" if action == "verified" else "energy manager")
    listed = json.loads(run(data, "list", "--json").output)["result"]
    assert [(each["version"], each["state"]) for each in listed] == [(1, "frozen")]
    run(data, "compute", "2026", *SPAN)
    compared = run(data, "compare", "2026", "1", "2").output
    assert "carbon/clinker/total: 527.2143 → 527.2143 tCO2" in compared


def test_a_plan_that_names_what_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    bad = PLAN.replace("amount: clinker\n    parameters", "amount: raw-meal\n    parameters")
    bad = bad.replace('{value: "1.5", unit: "%", reason: analysis, u_percent: "2"}', "{factor: fuel/none}")
    (tmp_path / "plan.yaml").write_text(bad.replace("gbt2589-2020", "gbt2589-1990"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        run(data, "plan", str(tmp_path / "plan.yaml"))
    said = "\n".join(caught.value.lines)
    for name in ("raw-meal", "fuel/none", "gbt2589-1990"):
        assert name in said
    with pytest.raises(UnknownObjectError):
        run(data, "show", *SPAN)


@pytest.mark.parametrize("row", ["L1,clinker,2026-01-01,2026-01-01,x", "L1,clinker,2026-01-02,2026-01-01,65", ",c,,,1"])
def test_a_laboratory_row_that_cannot_be_used_is_named(data: Path, tmp_path: Path, row: str) -> None:
    (tmp_path / "lab.csv").write_text(LABORATORY.splitlines()[0] + "\n" + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        run(data, "laboratory", str(tmp_path / "lab.csv"))
    assert "lab.csv:2:" in caught.value.lines[0]


@pytest.mark.parametrize(
    "cell", ["NaN", "-1", "Infinity", "1e400", "120", "65 %", "0x41", "1" * 31, "6,5"], ids=lambda cell: cell[:8]
)
def test_no_oxide_is_below_nothing_above_all_or_no_number(data: Path, tmp_path: Path, cell: str) -> None:
    row = f'L1,clinker,2026-01-01,2026-01-01,"{cell}"\n'
    (tmp_path / "lab.csv").write_text(LABORATORY.splitlines()[0] + "\n" + row, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        run(data, "laboratory", str(tmp_path / "lab.csv"))
    assert "lab.csv:2:" in caught.value.lines[0]


def test_a_table_in_another_encoding_of_another_point_or_with_a_number_twice(data: Path, tmp_path: Path) -> None:
    table = tmp_path / "lab.csv"
    table.write_bytes(LABORATORY.replace("L1", "样品").encode("gb18030"))
    assert "UTF-8" in refused(data, "laboratory", table)
    table.write_text(LABORATORY.replace(",clinker,", ",clincker,"), encoding="utf-8")
    assert "clincker" in refused(data, "laboratory", table)
    table.write_text(LABORATORY + LABORATORY.splitlines()[1] + "\n", encoding="utf-8")
    assert "twice" in refused(data, "laboratory", table)
    table.write_text("point,at,amount,unit\nclinker,2026-01-01,NaN,t\nclinker,2026-01-01,,t\n", encoding="utf-8")
    assert [line.split(":")[1] for line in refused(data, "stock", table).splitlines()] == ["2", "3"]
    head, row = LABORATORY.splitlines()
    far = [row.replace("2026-01-01,65", "9999-12-31,65"), row.replace("clinker,2026", "clinker,0001")]
    table.write_text("\n".join([head, *far]), encoding="utf-8")
    assert [line.split(":")[1] for line in refused(data, "laboratory", table).splitlines()] == ["2", "3"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('value: "1.5"', 'value: "1/0"', "zero"),
        ('u_percent: "2"', 'u_percent: "-2"', "u_percent"),
        ("products: [", "products: [{id: clinker, name: again, amount: clinker}, ", "twice"),
        (
            "sources:\n",
            "virtual_points: [{id: clinker, name: v, energy_kind: p, formula: clinker}]\nsources:\n",
            "id of",
        ),
        ("amount: clinker\n", "amount: clinker - -\n", "no formula"),
        ("kind: clinker\n", "kind: clinker\n    boundaries: [klinker]\n", "klinker"),
    ],
)
def test_a_wrong_plan_is_refused_with_what_is_wrong(data: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in PLAN
    (tmp_path / "plan.yaml").write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        run(data, "plan", str(tmp_path / "plan.yaml"))
    assert said in "\n".join(caught.value.lines)


def test_no_fuel_is_burnt_twice(data: Path, tmp_path: Path) -> None:
    fuel = """
  - {id: %s, name: coal, kind: fuel_mass, amount: %s, parameters: {}}"""
    plan = PLAN.replace("\nproducts:", fuel % ("one", "0.5 * clinker") + fuel % ("two", "clinker") + "\nproducts:")
    (tmp_path / "plan.yaml").write_text(plan.replace("cets-cement-2024", "generic-1"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        run(data, "plan", str(tmp_path / "plan.yaml"))
    assert "more than once" in "\n".join(caught.value.lines)
