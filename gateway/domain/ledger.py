"""The ledger (台账): metering points, instruments, installations, certificates, standards.

These are plain records as they stand in the journal's ``object``. Verification (检定: pass or fail against a class) and
calibration (校准: errors with uncertainty, no verdict) are different kinds of certificate and never one word.
Civil dates stay text (``2025-03-01``) because their instant depends on the site's time zone; a certificate is valid to
the end of its last day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

LEDGER_KINDS = (
    "organisation",
    "site",
    "point",
    "instrument",
    "installation",
    "certificate",
    "standard",
    "document",
    "person",
    "factor_set",
)
"""Entry kinds that carry a ledger object."""

WHOLE_LIFE_KINDS = frozenset({"installation", "certificate"})
"""Kinds whose newest record replaces the earlier one altogether: its ``from``/``to`` are the object's own life.

For every other kind a record with ``from`` overlays what was known before from that instant on.
"""


class Direction(StrEnum):
    """Which way energy crosses the metering point, seen from the energy-using unit."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class InstallationRole(StrEnum):
    """What an instrument does at its point."""

    METER = "meter"
    CT = "ct"
    PT = "pt"
    OTHER = "other"


class CertificateKind(StrEnum):
    """检定证书, 检定结果通知书, 校准证书, 内部校准记录."""

    VERIFICATION = "verification"
    REJECTION_NOTICE = "rejection_notice"
    CALIBRATION = "calibration"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerObject:
    """Common to all records: made from the journal's ``object`` by field name; fields unknown here are left out."""

    id: str

    @classmethod
    def from_document(cls, id_: str, document: Mapping[str, Any]) -> Self:
        """The record from its journal form; absent fields take their defaults."""
        filled = {}
        for field in fields(cls):
            value = document.get(field.name)
            if value is not None and field.name != "id":
                # records written by hand may hold numbers as text
                filled[field.name] = int(value) if isinstance(field.default, int) else str(value)
        return cls(id=id_, **filled)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringPoint(LedgerObject):
    """计量点: a place where energy must be measured. Exists even where no meter is fitted."""

    name_zh: str = ""
    name_en: str = ""
    energy_kind: str = ""  # id of config/catalogue/energy_kinds.yaml
    level: int = 0  # 1 进出用能单位, 2 进出主要次级用能单位, 3 主要用能设备
    direction: str = Direction.IN
    parent: str = ""
    required_class: str = ""  # accuracy class demanded of the meter
    compulsory: int = 0  # 1: 强检 duty
    must_measure: int = 1  # 1: equipping is demanded here
    process: str = ""  # 工序
    main_equipment: str = ""  # name of the 主要用能设备 measured here
    location: str = ""
    purpose: str = ""
    exemption: str = ""  # why it need not be measured
    commissioned_on: str = ""  # civil date; before it the point is planned
    target_uncertainty: str = ""  # relative expanded uncertainty (k = 2) an amount here may have, percent
    decision_rule: str = ""  # jjf1094, ilac_g8, jcgm106; blank: the site's
    correction_mode: str = ""  # curve, mean, none; blank: the site's
    power_factor: str = ""  # at which phase displacements of transformers count, (0, 1]; blank: 1
    lead_drop: str = ""  # error by the voltage drop of the leads, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(LedgerObject):
    """计量器具: a physical meter, transformer, scale or analyser. The id is the unit's own 管理编号."""

    name: str = ""
    kind: str = ""
    model: str = ""
    maker: str = ""
    serial: str = ""
    accuracy_class: str = ""
    range: str = ""
    compulsory: int = 0
    metrological_state: str = "qualified"  # qualified 合格, limited 准用, stopped 停用
    operational_state: str = "normal"  # normal 正常, faulty 故障, stopped 停用
    cycle_months: int = 0
    ratio_primary: str = ""  # transformer plate, decimal text
    ratio_secondary: str = ""
    location: str = ""
    mpe_percent: str = ""  # maximum permissible error as its own papers say; blank: by class
    mpe_source: str = ""  # edition and clause that say so, and who read it
    ambient_from: str = ""  # rated operating temperature, °C
    ambient_to: str = ""
    rated_voltage: str = ""  # between phase and neutral at the meter, V
    phases: int = 0  # 1 or 3; 0: not stated
    ecqs_item: str = ""  # 器具项别; this and the six below are asked by the e-CQS platform beside the card
    ecqs_type: str = ""  # 器具种别
    origin: str = ""  # 器具产地
    district: str = ""  # 使用地点行政区划
    quantity: int = 0  # 器具数量; 0: not stated, one
    usage: str = ""  # trade, safety, medical, environment; blank: none of them
    submission: str = ""  # 送检方式


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation(LedgerObject):
    """Dated join of instrument and metering point; its life is the entry's ``from``/``to``."""

    point: str = ""
    instrument: str = ""
    device: str = ""  # site-file id; blank where nothing reads it (transformers)
    role: str = InstallationRole.METER
    channel: str = ""  # channel id of the main energy register
    opening_index: str = ""  # register shown when fitted, decimal text in the channel's unit
    closing_index: str = ""
    ct_ratio: str = ""  # "200/5"; blank: 1
    pt_ratio: str = ""
    seal: str = ""
    people: str = ""
    ambient: str = ""  # device/channel that measures the temperature there


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(LedgerObject):
    """One 检定/校准/自校 record. The id is its number; it names its instrument by 管理编号 and by serial number."""

    kind: str = CertificateKind.VERIFICATION
    instrument: str = ""
    serial: str = ""
    laboratory: str = ""
    laboratory_authorisation: str = ""
    performed_on: str = ""
    valid_until: str = ""
    result: str = "none"  # pass, fail, none (a calibration gives no verdict)
    accuracy_class: str = ""
    error_percent: str = ""
    uncertainty_percent: str = ""  # expanded U
    coverage_factor: str = ""  # k of U
    standards: str = ""  # ids separated by ";"
    supersedes: str = ""
    substitution: str = ""  # amended, substituted: the one it supersedes never counted; blank: it follows it in time
    document: str = ""  # SHA-256 of the file under blobs/
    authenticity: str = ""  # what was found about the file's signature; blank: no file was looked at
    as_found_result: str = ""  # pass, fail: before adjustment or repair; blank: not stated
    as_found_error_percent: str = ""
    as_found_uncertainty_percent: str = ""  # expanded U
    phase_minutes: str = ""  # phase displacement of a transformer
    covered_from: str = ""  # load the certificate speaks of, meter side, in covered_unit
    covered_to: str = ""
    covered_unit: str = ""  # kW, A, m3/h, t/h …
    quantities: str = ""  # measurand ids it speaks of, separated by ";"; blank: not restricted
    firmware: str = ""  # as at the calibration
    meter_constant: str = ""
    seal: str = ""
    confirmed_requirement: str = ""  # 计量确认: what the instrument was compared with for its use
    confirmed_result: str = ""  # pass, fail; blank: nobody confirmed it
    confirmed_by: str = ""
    confirmed_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard(LedgerObject):
    """计量标准: what a laboratory compared the instrument with."""

    name: str = ""
    serial: str = ""
    certificate_number: str = ""
    laboratory: str = ""
    valid_until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(LedgerObject):
    """用能单位: who answers for the metering."""

    name_zh: str = ""
    name_en: str = ""
    credit_code: str = ""  # 统一社会信用代码
    industry: str = ""
    address: str = ""
    responsible: str = ""  # who answers for energy metering
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(LedgerObject):
    """用能单位现场: by which rules its readings are judged where a point says nothing else."""

    name_zh: str = ""
    name_en: str = ""
    address: str = ""
    district: str = ""
    decision_rule: str = ""
    correction_mode: str = ""
    jurisdiction: str = ""  # row of gateway.metrology.limits; blank: CN


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDocument(LedgerObject):
    """文件: an instrument's manual, factory certificate, repair record; a rule book (管理制度), a target (目标)."""

    title: str = ""
    kind: str = "other"  # manual, factory_certificate, repair_record, rule, target, other
    instrument: str = ""
    dated_on: str = ""
    file: str = ""  # SHA-256 of the file under blobs/
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(LedgerObject):
    """人员: somebody who works on energy metering, with post, training and qualification."""

    name: str = ""
    department: str = ""
    post: str = ""
    work: str = ""
    training: str = ""
    trained_on: str = ""
    qualification: str = ""
    valid_until: str = ""


def normal_serial(text: str) -> str:
    """Serial numbers as people and registers write them differ in case, separators and leading zeros."""
    compact = "".join(character for character in text if character.isalnum()).casefold()
    return compact.lstrip("0") or compact


RECORD_TYPES: Mapping[str, type[LedgerObject]] = {
    "point": MeteringPoint,
    "instrument": Instrument,
    "installation": Installation,
    "certificate": Certificate,
    "standard": Standard,
    "document": LedgerDocument,
    "person": Person,
    "site": Site,
    "organisation": Organisation,
}
