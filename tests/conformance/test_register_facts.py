"""Shipped profiles against register facts that others wrote down: address, space, type and scale of a channel.

The facts are a third party's (a CSV in the folder named by METERPROOF_TEST_DATA), so they are not committed here.
"""

import csv
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MODELS = {
    "chint/dtsu666": ("Chint", "DTSU666"),
    "eastron/sdm630": ("Eastron", "SDM630"),
    "schneider/iem3155": ("Schneider Electric", "iEM3000"),
}
TYPES = {"float32": "f32", "float32 (kW)": "f32", "int64 (Wh)": "i64"}
PER_UNIT = {"W": 1000, "var": 1000, "VA": 1000}  # the catalogue's power is in kilo


@pytest.mark.third_party
@pytest.mark.parametrize("profile", MODELS)
def test_channels_stand_where_others_read_them(profile: str, third_party: Path) -> None:
    with (third_party / "reference-data" / "register_facts.csv").open(encoding="utf-8") as stream:
        facts = {
            (row["space"], int(row["address_pdu_0based"])): row
            for row in csv.DictReader(stream)
            if (row["vendor"], row["model"]) == MODELS[profile] and row["divide_raw_by"]
        }
    document = yaml.safe_load((ROOT / "config/profiles" / f"{profile}.yaml").read_text(encoding="utf-8"))
    compared = 0
    for group in document["groups"]:
        for channel in group["channels"]:
            source = channel["source"]
            fact = facts.get(
                (source.get("space", document.get("options", {}).get("space", "holding")), source["address"])
            )
            if fact is None or fact["raw_type"] not in TYPES:
                continue
            assert source["type"] == TYPES[fact["raw_type"]], channel["id"]
            scale = 1 / (Fraction(fact["divide_raw_by"]) * PER_UNIT.get(fact["unit_after"], 1))
            assert Fraction(source.get("scale", 1)) == scale, channel["id"]
            compared += 1
    assert compared >= 10
