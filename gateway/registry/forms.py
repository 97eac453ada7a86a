"""The ledger as people hand it over: the instrument list of JJF 1356 form B.3, verification plans, the import files.

The columns of form B.3 were taken from pages quoting the norm (confidence 转载); the accuracy class shown is the one of
the certificate in force, as the form asks, else the plate's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.ledger import Certificate, Instrument, LedgerDocument
from gateway.domain.time import local_date, to_datetime
from gateway.registry.columns import LEDGER_FILES, Cell, LedgerFile
from gateway.registry.record import Record
from gateway.registry.registry import Registry

B3_TITLE = "能源计量器具一览表"
B3_COLUMNS = (
    "序号",
    "计量器具名称",
    "型号规格",
    "准确度等级",
    "测量范围",
    "生产厂家",
    "出厂编号",
    "用能单位管理编号",
    "安装使用地点及用途",
    "检定周期/校准间隔",
    "状态(合格/准用/停用)",
)
PLAN_TITLE = "检定/校准计划"
PLAN_COLUMNS = (
    "序号",
    "用能单位管理编号",
    "计量器具名称",
    "型号规格",
    "出厂编号",
    "安装使用地点及用途",
    "强检",
    "上次检定/校准日期",
    "有效期至",
    "计划日期",
    "检定/校准机构",
)
STATE_WORDS = {"qualified": "合格", "limited": "准用", "stopped": "停用"}
Row = list[str | int]


@dataclass(frozen=True, slots=True)
class Due:
    """When an instrument must next be verified or calibrated; ``overdue`` at the day asked about."""

    instrument: Instrument
    certificate: Certificate | None
    due_on: date
    overdue: bool


def form_b3(registry: Registry, organisation: str, as_of_us: int, zone: ZoneInfo) -> list[Row]:
    """The rows of form B.3 at an instant, without the header, by management number."""
    rows: list[Row] = []
    for record in registry.objects(organisation, "instrument", as_of_us):
        instrument = record.read_as(Instrument)
        certificate = _in_force(registry, organisation, instrument.id, local_date(as_of_us, zone))
        held = (certificate.accuracy_class if certificate is not None else "") or instrument.accuracy_class
        rows.append(
            [
                len(rows) + 1,
                instrument.name,
                instrument.model,
                held,
                instrument.range,
                instrument.maker,
                instrument.serial,
                instrument.id,
                instrument.location or _places(registry, organisation, instrument.id, as_of_us),
                f"{instrument.cycle_months}个月" if instrument.cycle_months else "",
                STATE_WORDS.get(instrument.metrological_state, instrument.metrological_state),
            ]
        )
    return rows


def due_list(registry: Registry, organisation: str, as_of_us: int, zone: ZoneInfo) -> list[Due]:
    """Every instrument in use with the day its certificate ends, soonest first; without a certificate: today."""
    today = local_date(as_of_us, zone)
    found = []
    for record in registry.objects(organisation, "instrument", as_of_us):
        instrument = record.read_as(Instrument)
        if instrument.metrological_state == "stopped":
            continue
        certificate = _in_force(registry, organisation, instrument.id, today)
        if certificate is None:
            found.append(Due(instrument, None, today, overdue=True))
        elif certificate.valid_until:
            due_on = date.fromisoformat(certificate.valid_until)
            found.append(Due(instrument, certificate, due_on, overdue=due_on < today))
    return sorted(found, key=lambda each: (each.due_on, each.instrument.id))


def plan(
    registry: Registry, organisation: str, as_of_us: int, zone: ZoneInfo, months: Iterable[tuple[int, int]]
) -> list[Row]:
    """The verification plan for months ``(year, month)``: what falls due in them, and what is overdue already."""
    wanted = set(months)
    rows: list[Row] = []
    for due in due_list(registry, organisation, as_of_us, zone):
        if (due.due_on.year, due.due_on.month) not in wanted and not due.overdue:
            continue
        instrument, certificate = due.instrument, due.certificate
        rows.append(
            [
                len(rows) + 1,
                instrument.id,
                instrument.name,
                instrument.model,
                instrument.serial,
                instrument.location or _places(registry, organisation, instrument.id, as_of_us),
                "是" if instrument.compulsory else "否",
                certificate.performed_on if certificate is not None else "",
                certificate.valid_until if certificate is not None else "",
                max(due.due_on, local_date(as_of_us, zone)).isoformat(),
                certificate.laboratory if certificate is not None else "",
            ]
        )
    return rows


def import_files(registry: Registry, organisation: str, as_of_us: int, zone: ZoneInfo) -> dict[str, list[list[str]]]:
    """The ledger in the form it is imported, by file name, headers included; what the import would find unchanged."""
    tables: dict[str, list[list[str]]] = {}
    for file in LEDGER_FILES:
        whole_life = file.kind in {"installation", "certificate"}
        records = registry.objects(organisation, file.kind, None if whole_life else as_of_us)
        if records:
            header = [column.field for column in file.columns]
            tables[file.name] = [header, *(_cells(file, record, zone) for record in records)]
    return tables


@dataclass(frozen=True, slots=True)
class Dossier:
    """档案: what the record of an instrument must hold, and the entry that holds it (None: missing)."""

    manual: int | None
    factory_certificate: int | None
    last_certificate: int | None
    certificate_before: int | None
    consecutive: bool  # the certificate before reached to the day of the last one
    repairs: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing (an instrument need not have been repaired)."""
        held = (self.manual, self.factory_certificate, self.last_certificate, self.certificate_before)
        return all(each is not None for each in held) and self.consecutive


def dossier(registry: Registry, organisation: str, instrument: str, known_seq: int | None = None) -> Dossier:
    """What is on record about an instrument."""
    documents = registry.referring(organisation, "document", field="instrument", target=instrument, known_seq=known_seq)
    by_kind: dict[str, list[int]] = {}
    for record in documents:
        by_kind.setdefault(record.read_as(LedgerDocument).kind, []).append(record.seq)
    certificates = registry.certificates_of_instrument(organisation, instrument, known_seq)
    last, before = ([*certificates, None, None])[:2]
    consecutive = False
    if last is not None and before is not None:
        ended = str(before.object.get("valid_until") or "9999")
        consecutive = ended >= str(last.object["performed_on"])
    return Dossier(
        next(iter(by_kind.get("manual", [])), None),
        next(iter(by_kind.get("factory_certificate", [])), None),
        last.seq if last is not None else None,
        before.seq if before is not None else None,
        consecutive,
        tuple(by_kind.get("repair_record", [])),
    )


def _in_force(registry: Registry, organisation: str, instrument: str, today: date) -> Certificate | None:
    performed = [
        record.read_as(Certificate) for record in registry.certificates_of_instrument(organisation, instrument)
    ]
    replaced = {each.supersedes for each in performed}
    day = today.isoformat()
    return next((each for each in performed if each.performed_on <= day and each.id not in replaced), None)


def _places(registry: Registry, organisation: str, instrument: str, as_of_us: int) -> str:
    """Where an instrument is fitted: the names of its points."""
    names = []
    for record in registry.installations_of_instrument(organisation, instrument, as_of_us):
        point = registry.object(organisation, "point", str(record.object.get("point") or ""), as_of_us)
        names.append(str(point.object.get("name_zh") or point.id) if point is not None else "")
    return "、".join(filter(None, names))


def _cells(file: LedgerFile, record: Record, zone: ZoneInfo) -> list[str]:
    values: Mapping[str, Any] = {**record.object, file.id_field: record.id, "from": record.from_us, "to": record.to_us}
    cells = []
    for column in file.columns:
        value = values.get(column.field)
        if value is not None and column.cell is Cell.MOMENT:
            cells.append(to_datetime(int(value)).astimezone(zone).isoformat())
        else:
            cells.append("" if value is None else str(value))
    return cells


def months_of(year: int, month: int | None) -> Sequence[tuple[int, int]]:
    """The months of a yearly plan, or the one of a monthly plan."""
    return [(year, month)] if month is not None else [(year, each) for each in range(1, 13)]
