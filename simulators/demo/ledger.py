"""The demo's ledger: the files ``meterproof ledger import`` reads, and what is put on record when a meter is exchanged.

Column names are those of docs/ledger.md. Nine things are wrong in it or with the meters (simulators/demo/faults.py);
all other certificates are valid, their cycles those of the usual verification regulations, their serials the meters'
own.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from simulators.demo import faults
from simulators.demo.places import FITTED, PLACES, Place
from simulators.demo.plant import DemoPlant, error_ppm, true_serial
from simulators.instruments.fitted import MICRO
from simulators.noise import hashed_fraction
from simulators.plant.rate import ZONE_US, local_day

Row = dict[str, str]

_LABORATORY = "演示市计量测试所（模拟）"
_AUTHORISATION = "（演）法计（2024）001"
_CALIBRATION_LABORATORY = "演示校准技术服务公司（模拟）"
_TRANSFORMER_CYCLE_MONTHS = 120
_NEWEST_DAYS = 45
_SHORT_CYCLE_MONTHS = 24
_FITTED_AFTER_DAYS = 12
_LATER = "2"
_WHOLE_NUMBERS = frozenset({"compulsory", "cycle_months"})


@dataclass(frozen=True, slots=True)
class Record:
    """One ledger object put on record during the history."""

    at_us: int
    kind: str
    id: str
    object: dict[str, str | int]
    from_us: int | None = None
    to_us: int | None = None


def ledger_files(plant: DemoPlant) -> dict[str, list[Row]]:
    """The rows of each file as they were before the history began."""
    rows: dict[str, list[Row]] = {
        "points.csv": [_point(place) for place in PLACES],
        "instruments.csv": [],
        "standards.csv": list(_standards(plant)),
        "certificates.csv": [],
        "installations.csv": [],
    }
    for place in FITTED:
        rows["instruments.csv"].append(_instrument(plant, place))
        rows["certificates.csv"].extend(_certificates(plant, place))
        rows["installations.csv"].append(_installation(plant, place))
    for place in FITTED:
        for role in _transformers(place):
            rows["instruments.csv"].append(_transformer(plant, place, role))
            rows["certificates.csv"].append(_transformer_certificate(plant, place, role))
            rows["installations.csv"].append(_transformer_installation(plant, place, role))
    return rows


def write_ledger(folder: Path, files: dict[str, list[Row]]) -> None:
    """Write the files, UTF-8 with a byte-order mark so that spreadsheet programs show them rightly."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        header = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, header, restval="")
            writer.writeheader()
            writer.writerows(rows)


def exchange_records(plant: DemoPlant) -> list[Record]:
    """The raw mill fan's meter taken down and its successor put up: four records, written when the work was done."""
    calendar = plant.calendar
    place = next(each for each in FITTED if each.device == faults.EXCHANGED_DEVICE)
    recorded_us = calendar.exchange_us - 60_000_000
    closing = index_text(plant, place, calendar.exchange_us - 1)
    opening = index_text(plant, place, calendar.exchange_us)
    old = _installation(plant, place)
    new_id = instrument_id(place) + _LATER
    instrument = _instrument(plant, place) | {"id": new_id, "serial": true_serial(plant.seed, place.device, 1)}
    performed = local_date(calendar.exchange_us) - timedelta(days=24)
    certificate = _certificate_row(place, new_id, instrument["serial"], performed, place.cycle_months) | {
        "error_percent": _percent(error_ppm(plant.seed, place, 1))
    }
    new = old | {"instrument": new_id, "opening_index": opening, "seal": "FY-2207", "people": "王某、李某"}
    return [
        _record(recorded_us, "instrument", "id", instrument),
        _record(recorded_us, "certificate", "number", certificate),
        _record(recorded_us, "installation", "id", old | {"closing_index": closing}, to_us=calendar.exchange_us),
        _record(recorded_us, "installation", "id", new | {"id": old["id"] + _LATER}, from_us=calendar.exchange_us),
    ]


def _record(at_us: int, kind: str, id_field: str, row: Row, **span: int) -> Record:
    said = {key: value for key, value in row.items() if value and key not in {id_field, "from", "to"}}
    body = {key: int(value) if key in _WHOLE_NUMBERS else value for key, value in said.items()}
    from_us = span.get("from_us")
    if from_us is None and row.get("from"):
        moment = datetime.strptime(row["from"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        from_us = int(moment.timestamp()) * MICRO - ZONE_US
    return Record(at_us, kind, row[id_field], body, from_us, span.get("to_us"))


def instrument_id(place: Place) -> str:
    """The works' own number of a place's meter."""
    return f"JL-{place.device}"


def index_text(plant: DemoPlant, place: Place, at_us: int) -> str:
    """The energy index of a meter at an instant as somebody reads it off: two decimals, in the channel's unit."""
    value = plant.instruments[place.device].quantity("active_energy_import", at_us)
    assert isinstance(value, int)
    whole, hundredths = divmod(value // (MICRO // 100), 100)
    return f"{whole}.{hundredths:02d}"


def local_date(at_us: int) -> date:
    """The civil date of an instant at the works."""
    return date(1970, 1, 1) + timedelta(days=local_day(at_us))


def _point(place: Place) -> Row:
    return {
        "id": place.point,
        "name_zh": place.name[0],
        "name_en": place.name[1],
        "energy_kind": place.energy_kind,
        "level": str(place.level),
        "direction": place.direction,
        "parent": place.parent,
        "required_class": place.required_class,
        "compulsory": "1" if place.compulsory else "0",
        "process": place.process,
        "main_equipment": place.equipment,
    }


def _instrument(plant: DemoPlant, place: Place) -> Row:
    serial = true_serial(plant.seed, place.device)
    if place.device == faults.FOREIGN_SERIAL_DEVICE:
        serial = serial[:-2] + serial[-1] + serial[-2] if serial[-1] != serial[-2] else f"{serial[:-1]}{_other(serial)}"
    return {
        "id": instrument_id(place),
        "name": place.meter[0],
        "kind": place.kind,
        "model": _model(place),
        "maker": "演示仪表厂（模拟）",
        "serial": serial,
        "accuracy_class": place.fitted_class,
        "compulsory": "1" if place.compulsory else "0",
        "cycle_months": str(place.cycle_months),
        "location": place.name[0],
    }


def _other(serial: str) -> str:
    return str((int(serial[-1]) + 3) % 10)


def _model(place: Place) -> str:
    if place.electric:
        return "DSSD-100V/5A" if place.pt != (1, 1) else "DTSD-380V/5A"
    return place.profile.partition("/")[2]


def _certificates(plant: DemoPlant, place: Place) -> list[Row]:
    """The certificates of a place's meter, oldest first: one, or in a long history one for each cycle.

    The last was performed some way into its cycle, so that it still holds months from now; two places are planted
    otherwise.
    """
    months = place.cycle_months
    serial = _instrument(plant, place)["serial"]
    if place.device == faults.EXPIRED_DEVICE:
        last = date(1970, 1, 1) + timedelta(days=plant.calendar.certificate_end_day)
        performed = _months_later(last, -months) + timedelta(days=1)
        row = _certificate_row(place, instrument_id(place), serial, performed, months)
        return [row | {"valid_until": last.isoformat(), "error_percent": _percent(error_ppm(plant.seed, place))}]
    share = 0.15 + 0.5 * hashed_fraction(plant.seed, "performed", place.device)
    performed = local_date(plant.calendar.born_us) - timedelta(days=max(_NEWEST_DAYS, int(share * months * 30)))
    rows = [_kind_of_certificate(plant, place, serial, performed)]
    least = 2 if months <= _SHORT_CYCLE_MONTHS else 1
    while len(rows) < least or performed > local_date(plant.calendar.start_us):
        performed = _months_later(performed, -months)
        rows.insert(0, _kind_of_certificate(plant, place, serial, performed))
        rows[1]["supersedes"] = rows[0]["number"]
    return rows


def _kind_of_certificate(plant: DemoPlant, place: Place, serial: str, performed: date) -> Row:
    """A verification certificate, or for analysers and the planted weighbridge a calibration certificate."""
    row = _certificate_row(place, instrument_id(place), serial, performed, place.cycle_months)
    if place.device == faults.UNVERIFIED_DEVICE or place.kind in {"gas_analyser", "other"}:
        row |= {
            "number": row["number"].replace("JD", "JZ"),
            "kind": "calibration",
            "laboratory": _CALIBRATION_LABORATORY,
            "laboratory_authorisation": "",
            "result": "none",
            "uncertainty_percent": "0.08" if place.kind == "weighbridge" else "0.9",
            "coverage_factor": "2",
            "accuracy_class": "",
            "confirmed_requirement": "示值误差与扩展不确定度满足使用要求",
            "confirmed_result": "pass",
            "confirmed_by": "王建国",
            "confirmed_on": (performed + timedelta(days=3)).isoformat(),
        }
    return row | {"error_percent": _percent(error_ppm(plant.seed, place))}


def _certificate_row(place: Place, instrument: str, serial: str, performed: date, months: int) -> Row:
    until = _months_later(performed, months) - timedelta(days=1)
    return {
        "number": f"JD{performed:%Y%m}-{instrument}",
        "kind": "verification",
        "instrument": instrument,
        "serial": serial,
        "laboratory": _LABORATORY,
        "laboratory_authorisation": _AUTHORISATION,
        "performed_on": performed.isoformat(),
        "valid_until": until.isoformat(),
        "result": "pass",
        "accuracy_class": place.fitted_class,
        "error_percent": "",
        "uncertainty_percent": _uncertainty(place.fitted_class),
        "coverage_factor": "2",
        "standards": "BZ-DN-01" if place.electric else "",
    }


def _uncertainty(fitted_class: str) -> str:
    return f"{float(fitted_class.rstrip('S')) / 5:.3f}" if fitted_class else ""


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.4f}"


def _installation(plant: DemoPlant, place: Place) -> Row:
    ct = (300, 5) if place.device == faults.WRONG_RATIO_DEVICE else place.ct
    return {
        "id": f"AZ-{place.device}",
        "point": place.point,
        "instrument": instrument_id(place),
        "device": place.device,
        "role": "meter",
        "channel": place.channel,
        "from": f"{_fitted_on(plant, place)} 09:00",
        "opening_index": "0",
        "ct_ratio": "" if ct == (1, 1) else f"{ct[0]}/{ct[1]}",
        "pt_ratio": "" if place.pt == (1, 1) else f"{place.pt[0]}/{place.pt[1]}",
        "seal": f"FY-{1_000 + PLACES.index(place)}",
        "people": "张某、赵某",
    }


def _fitted_on(plant: DemoPlant, place: Place) -> date:
    """Some days after the meter's first certificate."""
    first = date.fromisoformat(_certificates(plant, place)[0]["performed_on"])
    return first + timedelta(days=_FITTED_AFTER_DAYS)


def _transformers(place: Place) -> tuple[str, ...]:
    """Which transformers of a place stand in the ledger: those of the intake and of the mill with the wrong ratio."""
    if place.level == 1 and place.electric:
        return ("ct", "pt")
    return ("ct",) if place.device in {faults.WRONG_RATIO_DEVICE, "transformer-1", "transformer-2"} else ()


def _transformer(plant: DemoPlant, place: Place, role: str) -> Row:
    primary, secondary = place.ct if role == "ct" else place.pt
    return {
        "id": f"{instrument_id(place)}-{role}",
        "name": "电流互感器" if role == "ct" else "电压互感器",
        "kind": "current_transformer" if role == "ct" else "voltage_transformer",
        "model": f"{primary}/{secondary}",
        "maker": "演示互感器厂（模拟）",
        "serial": true_serial(plant.seed, f"{place.device}-{role}"),
        "accuracy_class": "0.2S" if role == "ct" else "0.2",
        "compulsory": "1" if place.compulsory else "0",
        "cycle_months": str(_TRANSFORMER_CYCLE_MONTHS),
        "ratio_primary": str(primary),
        "ratio_secondary": str(secondary),
        "location": place.name[0],
    }


def _transformer_certificate(plant: DemoPlant, place: Place, role: str) -> Row:
    row = _transformer(plant, place, role)
    performed = _fitted_on(plant, place) - timedelta(days=30 + 9 * (role == "pt"))
    certificate = _certificate_row(place, row["id"], row["serial"], performed, _TRANSFORMER_CYCLE_MONTHS)
    return certificate | {"accuracy_class": row["accuracy_class"], "uncertainty_percent": "0.05", "standards": ""}


def _transformer_installation(plant: DemoPlant, place: Place, role: str) -> Row:
    return {
        "id": f"AZ-{place.device}-{role}",
        "point": place.point,
        "instrument": f"{instrument_id(place)}-{role}",
        "device": place.device,
        "role": role,
        "from": f"{_fitted_on(plant, place)} 09:00",
    }


def _standards(plant: DemoPlant) -> Iterable[Row]:
    until = local_date(plant.calendar.born_us) + timedelta(days=300)
    yield {
        "id": "BZ-DN-01",
        "name": "三相电能表标准装置（0.05 级，模拟）",
        "serial": "B0150213",
        "certificate_number": "JB2026-0118",
        "laboratory": "演示省计量科学研究院（模拟）",
        "valid_until": until.isoformat(),
    }


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
