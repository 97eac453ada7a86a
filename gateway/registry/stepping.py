"""A step of a replacement as a person enters it, in a command or a form: texts in, entries out."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.journal.entry import Draft
from gateway.registry import replacement_steps as steps
from gateway.registry.cells import CellError, read_cell
from gateway.registry.columns import Cell, Column
from gateway.registry.replacement_checks import ReplacementRefusedError, Stepping
from gateway.registry.replacing import ReplacementBook, Step

FIELDS: Mapping[Step, tuple[Column, ...]] = {
    Step.DISMOUNTED: (
        Column("closing_index", "拆表底度", Cell.DECIMAL, required=True),
        Column("people", "装拆人员", required=True),
        Column("seal", "封印编号"),
    ),
    Step.SENT: (Column("laboratory", "检定/校准机构", required=True),),
    Step.RESULT: (Column("certificate", "证书编号", Cell.ID, required=True),),
    Step.FITTED: (
        Column("instrument", "管理编号", Cell.ID, required=True),
        Column("opening_index", "装表底度", Cell.DECIMAL, required=True),
        Column("seal", "封印编号", required=True),
        Column("people", "装拆人员", required=True),
        Column("ct_ratio", "电流互感器变比", Cell.RATIO),
        Column("pt_ratio", "电压互感器变比", Cell.RATIO),
    ),
    Step.CLOSED: (),
    Step.CANCELLED: (),
}
"""What a person says of each step after the order; the same columns as in the ledger's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidStep:
    """What was entered. ``when`` as people write it (site time); blank: now. ``fields`` by the names of ``FIELDS``."""

    step: Step
    when: str
    fields: Mapping[str, str]
    actor: str
    reason: str
    at_us: int


def step_drafts(book: ReplacementBook, order: str, said: SaidStep, zone: ZoneInfo) -> list[Draft]:
    """The entries of a step.

    Raises:
        UnknownObjectError: the order, or something named, is not on record.
        ReplacementRefusedError: a field that cannot be read, or a step whose time has not come.
    """
    read = {column.field: _read(said.fields.get(column.field, ""), column, zone) for column in FIELDS[said.step]}
    when = _read(said.when, Column("when", "时间", Cell.MOMENT), zone)
    when_us = int(when) if when else said.at_us
    by = Stepping(at_us=said.at_us, when_us=when_us, actor=said.actor, reason=said.reason)
    if said.step is Step.DISMOUNTED:
        return steps.dismount(
            book, order, by, closing_index=read["closing_index"], people=read["people"], seal=read["seal"]
        )
    if said.step is Step.SENT:
        return steps.send(book, order, by, laboratory=read["laboratory"])
    if said.step is Step.RESULT:
        return steps.enter_result(book, order, by, certificate=read["certificate"], zone=zone)
    if said.step is Step.FITTED:
        ratios = {name: read.pop(name) or None for name in ("ct_ratio", "pt_ratio")}
        return steps.fit(
            book,
            order,
            by,
            instrument=read["instrument"],
            opening_index=read["opening_index"],
            seal=read["seal"],
            people=read["people"],
            zone=zone,
            **ratios,
        )
    if said.step is Step.CLOSED:
        return steps.close(book, order, by)
    return steps.cancel(book, order, by)


def _read(text: str, column: Column, zone: ZoneInfo) -> str:
    try:
        value = read_cell(text, column, zone)
    except CellError as error:
        raise ReplacementRefusedError(error.message, **error.facts) from error
    return "" if value is None else str(value)
