"""The columns of the ledger files: field id, Chinese header, what may stand in a cell; docs/ledger.md lists them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cell(StrEnum):
    """How a cell is read."""

    ID = "id"
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"
    INTEGER = "integer"
    MONTHS = "months"
    DECIMAL = "decimal"
    DATE = "date"
    MOMENT = "moment"
    RATIO = "ratio"
    ID_LIST = "id_list"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``choices`` maps what people write (lower case) to the stored value."""

    field: str
    zh: str
    cell: Cell = Cell.TEXT
    required: bool = False
    default: str | int | None = None
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """One file of the ledger folder: the entry kind it makes and its columns; ``id_field`` names the object."""

    name: str
    kind: str
    id_field: str
    columns: tuple[Column, ...]


def _choices(**pairs: str) -> dict[str, str]:
    result = {}
    for value, zh in pairs.items():
        result[value] = value
        for word in zh.split("|"):
            result[word] = value
    return result


_LEVELS = {"1": "1", "2": "2", "3": "3", "一级": "1", "二级": "2", "三级": "3"}
_DIRECTIONS = {
    **_choices(out="输出|流出", internal="内部"),
    "in": "in",
    "输入": "in",
    "流入": "in",
    "进": "in",
    "出": "out",
}
INSTRUMENT_KINDS = _choices(
    electricity_meter="电能表|电表",
    current_transformer="电流互感器",
    voltage_transformer="电压互感器",
    belt_scale="皮带秤",
    weighbridge="汽车衡|地磅|轨道衡",
    flow_meter="流量计",
    water_meter="水表",
    gas_meter="燃气表",
    heat_meter="热量表|热能表",
    fuel_dispenser="加油机",
    gas_analyser="气体分析仪|烟气分析仪",
    thermometer="温度计|温度变送器",
    pressure_transmitter="压力变送器|压力表",
    laboratory_balance="天平",
    calorimeter="量热仪",
    other="其他",
)
_STATES = _choices(qualified="合格", limited="准用", stopped="停用")
_RUNNING = _choices(normal="正常", faulty="故障", stopped="停用")
_ROLES = _choices(meter="电表|表计|计量器具", ct="电流互感器", pt="电压互感器", other="其他")
_CERTIFICATE_KINDS = _choices(
    verification="检定证书|检定",
    rejection_notice="检定结果通知书",
    calibration="校准证书|校准",
    internal="内部校准记录|内部校准|自校",
)
_RESULTS = {**_choices(fail="不合格", none="无|不作结论|—|-"), "pass": "pass", "合格": "pass"}
_CONFIRMATIONS = _choices(fail="不合格|不符合") | {"pass": "pass", "合格": "pass", "符合": "pass"}
_DECISION_RULES = {"jjf1094": "jjf1094", "ilac_g8": "ilac_g8", "jcgm106": "jcgm106"} | {
    "jjf 1094": "jjf1094",
    "ilac-g8": "ilac_g8",
    "jcgm 106": "jcgm106",
}
_CORRECTIONS = _choices(curve="误差曲线修正", mean="平均误差修正", none="不修正")
_USAGES = _choices(trade="贸易结算", safety="安全防护", medical="医疗卫生", environment="环境监测")
_FROM = Column("from", "生效时间", Cell.MOMENT)
_TO = Column("to", "失效时间", Cell.MOMENT)

POINTS = LedgerFile(
    "points.csv",
    "point",
    "id",
    (
        Column("id", "计量点编号", Cell.ID, required=True),
        Column("name_zh", "计量点名称", required=True),
        Column("name_en", "英文名称"),
        Column("energy_kind", "能源种类", Cell.CHOICE, required=True),
        Column("level", "级别", Cell.CHOICE, required=True, choices=_LEVELS),
        Column("direction", "流向", Cell.CHOICE, default="in", choices=_DIRECTIONS),
        Column("parent", "上级计量点", Cell.ID),
        Column("required_class", "要求准确度等级"),
        Column("compulsory", "强检", Cell.FLAG, default=0),
        Column("must_measure", "应配", Cell.FLAG, default=1),
        Column("process", "工序"),
        Column("main_equipment", "主要用能设备"),
        Column("location", "安装地点"),
        Column("purpose", "用途"),
        Column("exemption", "免配理由"),
        Column("commissioned_on", "投用日期", Cell.DATE),
        Column("target_uncertainty", "目标不确定度(%)", Cell.DECIMAL),
        Column("decision_rule", "判定规则", Cell.CHOICE, choices=_DECISION_RULES),
        Column("correction_mode", "误差修正方式", Cell.CHOICE, choices=_CORRECTIONS),
        Column("power_factor", "功率因数", Cell.DECIMAL),
        Column("lead_drop", "二次压降误差(%)", Cell.DECIMAL),
        _FROM,
        _TO,
    ),
)
INSTRUMENTS = LedgerFile(
    "instruments.csv",
    "instrument",
    "id",
    (
        Column("id", "管理编号", Cell.ID, required=True),
        Column("name", "计量器具名称", required=True),
        Column("kind", "器具类别", Cell.CHOICE, required=True, choices=INSTRUMENT_KINDS),
        Column("model", "型号规格"),
        Column("maker", "生产厂家"),
        Column("serial", "出厂编号", required=True),
        Column("accuracy_class", "准确度等级"),
        Column("range", "测量范围"),
        Column("compulsory", "强检", Cell.FLAG, default=0),
        Column("metrological_state", "状态", Cell.CHOICE, default="qualified", choices=_STATES),
        Column("operational_state", "运行状态", Cell.CHOICE, default="normal", choices=_RUNNING),
        Column("cycle_months", "检定周期", Cell.MONTHS),
        Column("ratio_primary", "一次额定值", Cell.DECIMAL),
        Column("ratio_secondary", "二次额定值", Cell.DECIMAL),
        Column("location", "安装使用地点及用途"),
        Column("mpe_percent", "最大允许误差(%)", Cell.DECIMAL),
        Column("mpe_source", "最大允许误差出处"),
        Column("ambient_from", "额定温度下限(℃)", Cell.DECIMAL),
        Column("ambient_to", "额定温度上限(℃)", Cell.DECIMAL),
        Column("rated_voltage", "相电压(V)", Cell.DECIMAL),
        Column("phases", "相数", Cell.INTEGER),
        Column("ecqs_item", "器具项别"),
        Column("ecqs_type", "器具种别"),
        Column("origin", "器具产地"),
        Column("district", "使用地点行政区划"),
        Column("quantity", "器具数量", Cell.INTEGER),
        Column("usage", "器具用途", Cell.CHOICE, choices=_USAGES),
        Column("submission", "送检方式"),
        _FROM,
        _TO,
    ),
)
INSTALLATIONS = LedgerFile(
    "installations.csv",
    "installation",
    "id",
    (
        Column("id", "安装编号", Cell.ID, required=True),
        Column("point", "计量点编号", Cell.ID, required=True),
        Column("instrument", "管理编号", Cell.ID, required=True),
        Column("device", "采集设备", Cell.ID),
        Column("role", "作用", Cell.CHOICE, default="meter", choices=_ROLES),
        Column("channel", "主电能通道"),
        Column("from", "安装时间", Cell.MOMENT, required=True),
        Column("to", "拆除时间", Cell.MOMENT),
        Column("opening_index", "装表底度", Cell.DECIMAL),
        Column("closing_index", "拆表底度", Cell.DECIMAL),
        Column("ct_ratio", "电流互感器变比", Cell.RATIO),
        Column("pt_ratio", "电压互感器变比", Cell.RATIO),
        Column("seal", "封印编号"),
        Column("people", "装拆人员"),
        Column("ambient", "环境温度通道"),
    ),
)
CERTIFICATES = LedgerFile(
    "certificates.csv",
    "certificate",
    "number",
    (
        Column("number", "证书编号", Cell.ID, required=True),
        Column("kind", "证书类别", Cell.CHOICE, required=True, choices=_CERTIFICATE_KINDS),
        Column("instrument", "管理编号", Cell.ID, required=True),
        Column("serial", "出厂编号", required=True),
        Column("laboratory", "检定/校准机构"),
        Column("laboratory_authorisation", "机构授权号"),
        Column("performed_on", "检定/校准日期", Cell.DATE, required=True),
        Column("valid_until", "有效期至", Cell.DATE),
        Column("result", "结论", Cell.CHOICE, default="none", choices=_RESULTS),
        Column("accuracy_class", "准确度等级"),
        Column("error_percent", "示值误差(%)", Cell.DECIMAL),
        Column("uncertainty_percent", "扩展不确定度(%)", Cell.DECIMAL),
        Column("coverage_factor", "包含因子k", Cell.DECIMAL),
        Column("standards", "计量标准", Cell.ID_LIST),
        Column("supersedes", "替代证书", Cell.ID),
        Column("document", "文件哈希"),
        Column("as_found_result", "调修前结论", Cell.CHOICE, choices=_CONFIRMATIONS),
        Column("as_found_error_percent", "调修前误差(%)", Cell.DECIMAL),
        Column("as_found_uncertainty_percent", "调修前扩展不确定度(%)", Cell.DECIMAL),
        Column("phase_minutes", "相位差(′)", Cell.DECIMAL),
        Column("covered_from", "负载下限", Cell.DECIMAL),
        Column("covered_to", "负载上限", Cell.DECIMAL),
        Column("covered_unit", "负载单位"),
        Column("quantities", "所涉参量", Cell.ID_LIST),
        Column("firmware", "固件版本"),
        Column("meter_constant", "仪表常数"),
        Column("seal", "封印编号"),
        Column("confirmed_requirement", "计量要求"),
        Column("confirmed_result", "计量确认结论", Cell.CHOICE, choices=_CONFIRMATIONS),
        Column("confirmed_by", "确认人"),
        Column("confirmed_on", "确认日期", Cell.DATE),
    ),
)
STANDARDS = LedgerFile(
    "standards.csv",
    "standard",
    "id",
    (
        Column("id", "标准编号", Cell.ID, required=True),
        Column("name", "标准名称", required=True),
        Column("serial", "出厂编号"),
        Column("certificate_number", "证书编号"),
        Column("laboratory", "溯源机构"),
        Column("valid_until", "有效期至", Cell.DATE),
        _FROM,
        _TO,
    ),
)
_DOCUMENT_KINDS = _choices(
    manual="说明书",
    factory_certificate="出厂合格证",
    repair_record="维修记录",
    rule="管理制度|制度文件",
    target="计量目标|目标",
    other="其他",
)
DOCUMENTS = LedgerFile(
    "documents.csv",
    "document",
    "id",
    (
        Column("id", "文件编号", Cell.ID, required=True),
        Column("title", "文件名称", required=True),
        Column("kind", "文件类别", Cell.CHOICE, default="other", choices=_DOCUMENT_KINDS),
        Column("instrument", "管理编号", Cell.ID),
        Column("dated_on", "日期", Cell.DATE),
        Column("file", "文件哈希"),
        Column("note", "备注"),
        _FROM,
        _TO,
    ),
)
PEOPLE = LedgerFile(
    "people.csv",
    "person",
    "id",
    (
        Column("id", "工号", Cell.ID, required=True),
        Column("name", "姓名", required=True),
        Column("department", "部门"),
        Column("post", "岗位"),
        Column("work", "所从事的能源计量工作"),
        Column("training", "培训内容"),
        Column("trained_on", "培训日期", Cell.DATE),
        Column("qualification", "资质证书编号"),
        Column("valid_until", "有效期至", Cell.DATE),
        _FROM,
        _TO,
    ),
)
ORGANISATIONS = LedgerFile(
    "organisations.csv",
    "organisation",
    "id",
    (
        Column("id", "单位编号", Cell.ID, required=True),
        Column("name_zh", "单位名称", required=True),
        Column("name_en", "英文名称"),
        Column("credit_code", "统一社会信用代码"),
        Column("industry", "所属行业"),
        Column("address", "地址"),
        Column("responsible", "能源计量负责人"),
        Column("contact", "联系方式"),
        _FROM,
        _TO,
    ),
)
SITES = LedgerFile(
    "sites.csv",
    "site",
    "id",
    (
        Column("id", "厂区编号", Cell.ID, required=True),
        Column("name_zh", "厂区名称"),
        Column("name_en", "英文名称"),
        Column("address", "地址"),
        Column("district", "行政区划"),
        Column("decision_rule", "判定规则", Cell.CHOICE, choices=_DECISION_RULES),
        Column("correction_mode", "误差修正方式", Cell.CHOICE, choices=_CORRECTIONS),
        Column("jurisdiction", "适用地区"),
        _FROM,
        _TO,
    ),
)
LEDGER_FILES = (
    ORGANISATIONS,
    SITES,
    POINTS,
    INSTRUMENTS,
    STANDARDS,
    CERTIFICATES,
    INSTALLATIONS,
    DOCUMENTS,
    PEOPLE,
)
TITLES = {
    "organisation": "用能单位",
    "site": "厂区",
    "point": "计量点",
    "instrument": "计量器具",
    "standard": "计量标准",
    "certificate": "证书",
    "installation": "安装记录",
    "document": "档案与制度文件",
    "person": "能源计量人员",
}
"""The sheet of each file in a workbook, in Chinese."""

HAND_READINGS = LedgerFile(
    "readings.csv",
    "manual",
    "point",
    (
        Column("point", "计量点编号", Cell.ID, required=True),
        Column("at", "抄表时间", Cell.MOMENT, required=True),
        Column("register", "表底度", Cell.DECIMAL, required=True),
        Column("unit", "单位", required=True),
    ),
)
TICKETS = LedgerFile(
    "tickets.csv",
    "batch",
    "point",
    (
        Column("point", "计量点编号", Cell.ID, required=True),
        Column("number", "磅单号", Cell.ID, required=True),
        Column("at", "过磅时间", Cell.MOMENT, required=True),
        Column("gross", "毛重", Cell.DECIMAL),
        Column("tare", "皮重", Cell.DECIMAL),
        Column("net", "净重", Cell.DECIMAL),
        Column("unit", "单位", required=True),
        Column("vehicle", "车号"),
    ),
)
INVOICES = LedgerFile(
    "invoices.csv",
    "invoice",
    "point",
    (
        Column("point", "计量点编号", Cell.ID, required=True),
        Column("number", "发票号", Cell.ID, required=True),
        Column("from", "起始日期", Cell.MOMENT, required=True),
        Column("to", "截止日期", Cell.MOMENT, required=True),
        Column("amount", "数量", Cell.DECIMAL, required=True),
        Column("unit", "单位", required=True),
        Column("price", "金额", Cell.DECIMAL),
        Column("currency", "币种"),
        Column("document", "文件哈希"),
    ),
)
ENTERED_FILES = {file.name.removesuffix(".csv"): file for file in (HAND_READINGS, TICKETS, INVOICES)}
"""What people enter about points, by the name of the command that takes it."""
