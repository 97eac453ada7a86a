"""The demo: what is planted is there, and nothing else is wrong."""

import csv
import json
from base64 import b64decode
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from config.site import load_site
from simulators.demo import faults
from simulators.demo.faults import Calendar
from simulators.demo.folder import DemoState, port_is_free, settled_ports
from simulators.demo.history import History
from simulators.demo.ledger import exchange_records, ledger_files, write_ledger
from simulators.demo.places import FITTED, PLACES
from simulators.demo.plant import DemoPlant, build_plant
from simulators.demo.pushing import Pushers
from simulators.demo.site import MODBUS_ENDPOINTS, site_text
from simulators.profiles import shipped_profile

BORN_US = 1_795_300_123_456_789  # 2026-11-21T22:28:43Z
DAY_US = 86_400_000_000


@cache
def plant(days: int = 35) -> DemoPlant:
    return build_plant(11, Calendar(BORN_US, days))


@cache
def ledger() -> dict[str, list[dict[str, str]]]:
    return ledger_files(plant())


def test_the_tree_of_points_is_whole() -> None:
    points = {place.point: place for place in PLACES}
    assert len(points) == len(PLACES)
    assert all(not place.parent or place.parent in points for place in PLACES)
    assert len({place.device for place in FITTED}) == len(FITTED) == 31
    units = [(place.endpoint, place.unit) for place in FITTED if place.unit]
    assert len(set(units)) == len(units)
    serial_line = [unit for endpoint, unit in units if endpoint == "raw-line"]
    assert len(serial_line) >= 4


def test_the_site_file_is_right(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(site_text({each: 5_000 + k for k, each in enumerate((*MODBUS_ENDPOINTS, "broker"))}), "utf-8")
    site, _, problems = load_site(path)
    assert problems == []
    assert site is not None
    assert site.simulated
    assert {device.id for device in site.devices} == {place.device for place in FITTED}


def test_only_two_certificates_are_not_what_they_should_be() -> None:
    instruments = {row["id"]: row for row in ledger()["instruments.csv"]}
    start = date(1970, 1, 1) + timedelta(days=plant().calendar.first_day + 1)
    soon = start + timedelta(days=35 + 60)
    expired, unverified = [], []
    for row in ledger()["certificates.csv"]:
        instrument = instruments[row["instrument"]]
        assert row["serial"] == instrument["serial"]
        assert date.fromisoformat(row["performed_on"]) < start
        superseded = any(row["number"] == other.get("supersedes") for other in ledger()["certificates.csv"])
        if date.fromisoformat(row["valid_until"]) < soon and not superseded:
            expired.append(row["instrument"])
        if instrument["compulsory"] == "1" and row["kind"] != "verification" and not superseded:
            unverified.append(row["instrument"])
    assert expired == ["JL-coal-mill"]
    assert unverified == ["JL-weighbridge"]
    assert {row["instrument"] for row in ledger()["certificates.csv"]} == instruments.keys()
    [lapsed] = [row for row in ledger()["certificates.csv"] if row["instrument"] == "JL-coal-mill"]
    assert start < date.fromisoformat(lapsed["valid_until"]) < start + timedelta(days=35)


def test_every_meter_was_fitted_after_its_first_certificate_and_never_without_one() -> None:
    held: dict[str, list[tuple[date, date]]] = {}
    for row in ledger()["certificates.csv"]:
        span = date.fromisoformat(row["performed_on"]), date.fromisoformat(row["valid_until"])
        held.setdefault(row["instrument"], []).append(span)
    for row in ledger()["installations.csv"]:
        spans = sorted(held[row["instrument"]])
        assert spans[0][0] < date.fromisoformat(row["from"][:10]) < spans[0][1]
        for (_, end), (start, _) in pairwise(spans):
            assert start <= end + timedelta(days=1), row["instrument"]


def test_one_serial_one_ratio_one_class_are_wrong() -> None:
    installed = {row["device"]: row for row in ledger()["installations.csv"] if row["role"] == "meter"}
    instruments = {row["id"]: row for row in ledger()["instruments.csv"]}
    foreign, ratio, coarse = [], [], []
    for place in FITTED:
        row = installed[place.device]
        meter = plant().instruments.get(place.device)
        if meter is not None and place.endpoint != "broker":
            fitted = meter.fitted(plant().calendar.start_us)
            foreign += [place.device] * (instruments[row["instrument"]]["serial"] != fitted.serial)
            shown = f"{fitted.shown_ct[0]}/{fitted.shown_ct[1]}" if fitted.ct != (1, 1) else ""
            ratio += [place.device] * (row["ct_ratio"] != shown)
        if place.required_class and place.fitted_class:
            demanded, has = (float(each.rstrip("S")) for each in (place.required_class, place.fitted_class))
            coarse += [place.device] * (has > demanded)
    assert foreign == ["kiln-ht-fan"]
    assert ratio == ["cement-mill-1"]
    assert coarse == ["crusher"]
    [plate] = [row for row in ledger()["instruments.csv"] if row["id"] == "JL-cement-mill-1-ct"]
    assert (plate["ratio_primary"], installed["cement-mill-1"]["ct_ratio"]) == ("400", "300/5")


def test_one_main_equipment_has_no_meter() -> None:
    fitted = {row["point"] for row in ledger()["installations.csv"]}
    assert [row["id"] for row in ledger()["points.csv"] if row["id"] not in fitted] == [faults.UNEQUIPPED_POINT]


def test_the_exchange_is_four_records_that_fit_together() -> None:
    records = exchange_records(plant())
    assert [record.kind for record in records] == ["instrument", "certificate", "installation", "installation"]
    new, certificate, closed, opened = records
    assert certificate.object["serial"] == new.object["serial"]
    assert (closed.to_us, opened.from_us) == (plant().calendar.exchange_us,) * 2
    assert closed.from_us is not None
    assert closed.from_us < plant().calendar.start_us
    assert float(closed.object["closing_index"]) > 30_000 > float(opened.object["opening_index"])
    meter = plant().instruments[faults.EXCHANGED_DEVICE]
    assert meter.fitted(plant().calendar.exchange_us - 1).serial != new.object["serial"]
    assert meter.fitted(plant().calendar.exchange_us).serial == new.object["serial"]


def test_the_roller_press_meter_rolls_over_once() -> None:
    meter, at_us = plant().instruments[faults.ROLLOVER_DEVICE], plant().calendar.rollover_us
    before, after = (meter.quantity("active_energy_import", at_us + step) for step in (-60_000_000, 60_000_000))
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert before <= 10**12 <= after


def _report(period_us: int) -> dict[str, Any]:
    """What ``check --json`` says, made here from the profiles: one request a group, every register of it."""
    report: dict[str, Any] = {"plans": {}, "devices": {}}
    for place in FITTED:
        profile = shipped_profile(place.profile)
        groups = {group.id: (86_400_000_000 if group.identity else period_us) for group in profile.groups}
        report["devices"][place.device] = {"groups": groups}
        function = 4 if profile.options.get("space") == "input" else 3
        report["plans"][place.device] = {
            group.id: {"requests": [{"unit": place.unit, "function": function, "address": 0, "count": 4}]}
            for group in profile.groups
        }
    return report


def _lines(days: int) -> list[dict[str, Any]]:
    works = plant(days)
    history = History(
        works,
        Pushers(works, shipped_profile),
        shipped_profile,
        _report(5_000_000),
        live_period_us=5_000_000,
        records=exchange_records(works),
    )
    end_us = BORN_US // 300_000_000 * 300_000_000
    text = b"".join(lines for _, lines in history.hours(works.calendar.start_us, end_us))
    return [json.loads(line) for line in text.decode().splitlines()]


def test_two_days_of_history() -> None:
    lines = _lines(2)
    works, end_us = plant(2), BORN_US // 300_000_000 * 300_000_000
    times = [line.get("at") or line.get("received") or line["slot"] for line in lines if line["t"] != "miss"]
    assert times == sorted(times)
    polled = [place for place in FITTED if place.endpoint != "broker"]
    slots = [line for line in lines if line["t"] in {"poll", "miss"} and line["group"] != "identity"]
    expected = (end_us - works.calendar.start_us) // 300_000_000
    for place in polled:
        own = [line["slot"] for line in slots if line["device"] == place.device]
        assert own == [works.calendar.start_us + k * 300_000_000 for k in range(expected)], place.device
    missed = {line["device"] for line in lines if line["t"] == "miss"}
    assert missed == {faults.SILENT_DEVICE}
    assert sum(line["t"] == "commit" for line in lines) == 48 + 1
    assert lines[-1] == {"t": "commit", "at": end_us}
    topics = {line["topic"] for line in lines if line["t"] == "message"}
    assert len(topics) == 6
    assert sum(line["t"] == "record" for line in lines) == 4


def test_the_silent_meter_is_silent_at_the_end_and_live() -> None:
    works = plant(35)
    start_us, end_us = works.calendar.first_silence
    assert end_us - start_us == 7 * 3_600_000_000
    for at_us in (start_us, end_us - 1, BORN_US - 1, BORN_US + 10 * DAY_US):
        assert works.silent(faults.SILENT_DEVICE, at_us)
    assert not works.silent(faults.SILENT_DEVICE, end_us)
    assert not works.silent("kiln", BORN_US)


def test_counters_in_the_history_go_on_live() -> None:
    lines = _lines(2)
    registers = [
        int.from_bytes(b64decode(line["raw"][0])[:4], "big")
        for line in lines
        if line["t"] == "poll" and line["device"] == "crusher" and line["group"] == "energy"
    ]
    assert registers == sorted(registers)
    meter = build_plant(11, Calendar(BORN_US, 2)).instruments["crusher"]
    live = meter.quantity("active_energy_import", BORN_US + 60_000_000)
    assert isinstance(live, int)
    assert 0 <= live // 10_000 - registers[-1] < 30


@pytest.mark.parametrize("days", [0, 1])
def test_a_short_history_has_its_faults_too(days: int) -> None:
    calendar = plant(days).calendar
    assert calendar.start_us <= calendar.exchange_us <= max(BORN_US, calendar.start_us)
    assert len(exchange_records(plant(days))) == 4
    assert plant(days).silent(faults.SILENT_DEVICE, BORN_US)


def test_ledger_files_are_csv_with_a_header(tmp_path: Path) -> None:
    write_ledger(tmp_path, ledger())
    for name, rows in ledger().items():
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as stream:
            read = list(csv.DictReader(stream))
        assert [{key: value for key, value in row.items() if value} for row in read] == [
            {key: value for key, value in row.items() if value} for row in rows
        ]


def test_the_state_is_kept_and_ports_stay(tmp_path: Path) -> None:
    ports = settled_ports({})
    assert len(set(ports.values())) == len(ports) == len(MODBUS_ENDPOINTS) + 1
    state = DemoState(11, BORN_US, 35, complete=True, history={"slots": 3}, ports=ports)
    state.write(tmp_path)
    again = DemoState.read(tmp_path)
    assert again == state
    assert all(port_is_free(port) for port in ports.values())
    assert settled_ports(ports) == ports
    assert DemoState.read(tmp_path / "nowhere") is None
    (tmp_path / "plant.json").write_text("{}", "utf-8")
    with pytest.raises(ValueError, match="not a demo"):
        DemoState.read(tmp_path)
