"""The ledger as people hand it over: the instrument list of JJF 1356 form B.3, and verification plans.

The columns of form B.3 were taken from pages quoting the norm (confidence 转载); the accuracy class shown is the one of
the certificate that counts, as the form asks, else the plate's. Which one counts is the judge's answer
(``gateway.audit.certificates``), so that a form never says other than a verdict.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import civil
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import plant
from gateway.registry.headers import ECQS_FIELDS

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
ECQS_TITLE = "计量器具信息(e-CQS)"
ECQS_COLUMNS = tuple(name for name, _field in ECQS_FIELDS)
USAGE_WORDS = {"trade": "贸易结算", "safety": "安全防护", "medical": "医疗卫生", "environment": "环境监测"}
STATE_WORDS = {"qualified": "合格", "limited": "准用", "stopped": "停用"}
Row = list[str | int]


def form_b3(sources: Sources, asking: Asking) -> list[Row]:
    """The rows of form B.3 as of the moment, without the header, by management number."""
    rows = sorted(ledger_rows(sources, asking, plant(sources, asking)), key=lambda row: row.instrument.id)
    return [[number, *_b3_row(row)] for number, row in enumerate(rows, 1)]


def _b3_row(row: LedgerRow) -> Row:
    card = row.instrument
    held = row.certificate.accuracy_class if row.certificate is not None else ""
    return [
        card.name,
        card.model,
        held or card.accuracy_class,
        card.range,
        card.maker,
        card.serial,
        card.id,
        _place(row),
        f"{card.cycle_months}个月" if card.cycle_months else "",
        STATE_WORDS.get(card.metrological_state, card.metrological_state),
    ]


def ecqs_list(sources: Sources, asking: Asking) -> list[Row]:
    """The fourteen fields the e-CQS platform asks of each instrument (转载), by management number, without a header."""
    rows = []
    for row in sorted(ledger_rows(sources, asking, plant(sources, asking)), key=lambda row: row.instrument.id):
        card = row.instrument
        said: Row = [getattr(card, field) for _name, field in ECQS_FIELDS]
        places = {field: place for place, (_name, field) in enumerate(ECQS_FIELDS)}
        said[places["location"]] = _place(row)
        said[places["quantity"]] = card.quantity or 1
        said[places["usage"]] = USAGE_WORDS.get(card.usage, card.usage)
        rows.append(said)
    return rows


def due_on(row: LedgerRow, today: date) -> date | None:
    """The day the next verification or calibration must be done: today where something is wrong now; None: no term."""
    until = civil(row.certificate.valid_until) if row.certificate is not None else None
    if row.due in {"valid", "due_soon", "no_term", "unconfirmed"}:
        return until
    return min(until, today) if until is not None else today


def plan_rows(sources: Sources, asking: Asking, months: Iterable[tuple[int, int]]) -> list[Row]:
    """The verification plan for months ``(year, month)``: what falls due in them, and what should have been done.

    Instruments put out of use (停用) on their card are left out. What is overdue is planned for the day asked about.
    """
    wanted, today = set(months), asking.today
    listed: list[tuple[date, LedgerRow]] = []
    for row in ledger_rows(sources, asking, plant(sources, asking)):
        due = due_on(row, today) if row.in_use else None
        if due is not None and (
            (due.year, due.month) in wanted or due < today or (due == today and not row.due.counts)
        ):
            listed.append((due, row))
    listed.sort(key=lambda each: (each[0], each[1].instrument.id))
    return [[number, *_plan_row(row, max(due, today))] for number, (due, row) in enumerate(listed, 1)]


def _plan_row(row: LedgerRow, planned: date) -> Row:
    card, certificate = row.instrument, row.certificate
    return [
        card.id,
        card.name,
        card.model,
        card.serial,
        _place(row),
        "是" if row.compulsory else "否",
        certificate.performed_on if certificate is not None else "",
        certificate.valid_until if certificate is not None else "",
        planned.isoformat(),
        certificate.laboratory if certificate is not None else "",
    ]


def _place(row: LedgerRow) -> str:
    """Where it is used: as the card says, else the name of its point."""
    return row.instrument.location or (row.point.name_zh or row.point.id if row.point is not None else "")


def months_of(year: int, month: int | None) -> Sequence[tuple[int, int]]:
    """The months of a yearly plan, or the one of a monthly plan."""
    return [(year, month)] if month is not None else [(year, each) for each in range(1, 13)]
