"""Verification and calibration plans, due lists, the self-declaration and the data-quality-control plan."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.accounting.account import Account
from gateway.accounting.plan import EmissionSource
from gateway.audit.certificates import Due, civil
from gateway.audit.ledger import LedgerRow
from gateway.domain.errors import MeterproofError
from gateway.domain.time import US_PER_S
from gateway.reports.document import Block, Boxes, Cell, Document, Facts, Heading, Method, Table, Text
from gateway.reports.forms import boxes
from gateway.reports.making import Making
from gateway.reports.statistics import indicators_table

OWN_LAYOUT = "The layout of this document is our own; no norm's form was at hand."


def verification_plan(making: Making) -> Document:
    """检定/校准计划: what falls due within the period, and what is overdue already."""
    first, last = making.first_day, making.last_day
    wanted = [row for row in making.rows if _in_plan(row, first, last)]
    table = _due_table(making, "plan", making.t("Verification and calibration plan"), wanted)
    subtitle = f"{first.isoformat()} – {last.isoformat()}"
    return making.document(
        "verification-plan", table.title, [table, boxes(making)], landscape=True, spans=False, subtitle=subtitle
    )


def due_list(making: Making) -> Document:
    """Everything that is overdue, failed, without certificate, or due within 30 days."""
    wanted = [row for row in making.rows if not row.due.is_in_order and _in_use(row)]
    table = _due_table(making, "due", making.t("Due list"), wanted)
    return making.document("due-list", table.title, [table, boxes(making)], landscape=True)


def _in_use(row: LedgerRow) -> bool:
    return row.recorded_state != "stopped"  # one that failed is shown as stopped and must be seen to all the same


def _in_plan(row: LedgerRow, first: date, last: date) -> bool:
    if not _in_use(row):
        return False
    until = _until(row)
    if row.due in {Due.OVERDUE, Due.FAILED, Due.NO_CERTIFICATE, Due.NOT_VERIFIED}:
        return True
    return until is not None and first <= until <= last


def _until(row: LedgerRow) -> date | None:
    return civil(row.certificate.valid_until) if row.certificate else None


def _due_table(making: Making, id_: str, title: str, wanted: Sequence[LedgerRow]) -> Table:
    titles = (
        ("Row", 1),
        ("Management number", 3),
        ("Instrument name", 3),
        ("Model", 3),
        ("Serial number", 3),
        ("Place of use and purpose", 3),
        ("Compulsory", 1),
        ("Last done", 2),
        ("Valid until", 2),
        ("Days left", 1),
        ("Planned for", 2),
        ("Laboratory", 3),
        ("Due state", 3),
    )
    ordered = sorted(wanted, key=lambda row: (_until(row) or date.min, row.instrument.id))
    rows: list[list[Cell]] = []
    for number, row in enumerate(ordered, start=1):
        card, found = row.instrument, row.certificate
        until = _until(row)
        planned = making.asking.today if until is None or until < making.asking.today else until
        rows.append(
            [
                number,
                card.id,
                card.name,
                card.model,
                card.serial,
                card.location or making.name(row.point),
                making.t("yes") if row.compulsory else making.t("no"),
                found.performed_on if found else "",
                until,
                row.days_left,
                planned,
                found.laboratory if found else "",
                making.term("due", row.due),
            ]
        )
    return Table(
        id=id_,
        title=title,
        columns=making.columns(titles),
        rows=rows,
        notes=(making.t("The due day is the certificate's own; what is overdue is planned for the day of this list."),),
    )


def self_declaration(making: Making) -> Document:
    """自我声明: from the live ledger, for the legal representative to sign."""
    compulsory = [row for row in making.rows if row.compulsory]
    valid = sum(row.due in {Due.VALID, Due.DUE_SOON} for row in making.rows)
    open_findings = sum(row.open_findings for row in making.rows)
    name = making.site.organisation_name(making.language) or making.asking.organisation
    wrong = [row for row in making.rows if not row.due.is_in_order and row.due is not Due.DUE_SOON]
    blocks: list[Block] = [
        Text(
            text=making.t(
                "%(unit)s declares the state of its energy metering as the ledger and the readings show it on "
                "%(day)s. What does not conform is named below and is not left out.",
                unit=name,
                day=making.asking.today.isoformat(),
            )
        ),
        Facts(
            rows=[
                (making.t("Instruments in the ledger"), len(making.rows)),
                (making.t("With a valid certificate"), valid),
                (making.t("Under compulsory verification"), len(compulsory)),
                (making.t("Open findings at instruments"), open_findings),
            ]
        ),
        indicators_table(making),
        _due_table(making, "wrong", making.t("Not in order on the day"), wrong),
        Heading(text=making.t("Declaration"), level=2),
        Text(
            text=making.t(
                "The unit answers for the truth of this declaration and for keeping its instruments, people and "
                "data in the state described."
            ),
            editable=True,
        ),
        Boxes(signed=(making.t("Legal representative"),), seals=(making.t("Unit (seal)"),)),
    ]
    return making.document(
        "self-declaration",
        making.t("Self-declaration of metering capability"),
        blocks,
        landscape=True,
        methods=(Method(name=making.t("Layout"), text=making.t(OWN_LAYOUT)),),
    )


def quality_plan(making: Making) -> Document:
    """数据质量控制方案: what is measured where, by what, how often, and what happens when it fails."""
    made = making.metered.account
    title = making.t("Data-quality-control plan")
    if made is None:
        blocks: list[Block] = [
            Text(text=making.t("No accounting plan is on record: there are no emission sources to plan for."))
        ]
        return making.document("quality-plan", title, blocks)
    pack = made.inputs.factors.pack(made.inputs.plan.pack)
    name = str((pack.get("name") or {}).get(making.language) or made.inputs.plan.pack)
    blocks = [
        Facts(
            rows=[
                (making.t("Industry pack"), name),
                (making.t("Accounting rule"), str(pack.get("rule") or "")),
                (making.t("Plan entry"), made.inputs.plan.seq),
                (making.t("Version and revision"), ""),
                (making.t("Department in charge"), ""),
            ]
        ),
        _parameters_table(making, made),
        _boundaries_table(making, pack),
        Heading(text=making.t("When data are missing"), level=2),
        Text(
            text=making.t(
                "A quarter hour without readings stays missing. It is filled only by a named substitution pack that "
                "says its law, by entry and with a reason; substituted shares stand beside every figure."
            ),
            editable=True,
        ),
        Heading(text=making.t("Sampling and laboratory"), level=2),
        Text(
            text=making.t("Sampling, preparation and analysis: methods and frequency to be completed."), editable=True
        ),
        boxes(making),
    ]
    return making.document(
        "quality-plan",
        title,
        blocks,
        landscape=True,
        methods=(
            Method(
                name=making.t("Fields"),
                text=making.t(
                    "The fields of each parameter follow GB/T 32151.34-2024 annex E as quoted elsewhere; "
                    "the rest is our own."
                ),
            ),
        ),
    )


def _parameters_table(making: Making, made: Account) -> Table:
    titles = (
        ("Emission source", 3),
        ("Facility", 3),
        ("Monitoring point", 3),
        ("Instrument", 3),
        ("Place", 3),
        ("Accuracy", 2),
        ("Verified every", 2),
        ("Recorded every", 2),
        ("How processed", 3),
        ("Origin of parameters", 4),
        ("Department in charge", 2),
    )
    rows: list[list[Cell]] = []
    for source in made.inputs.plan.sources:
        try:
            points: Sequence[str] = sorted(made.inputs.plan.terms(source.amount))
        except MeterproofError:
            points = ()
        rows += [_parameter_row(making, source, point) for point in points or ("",)]
    return Table(
        id="parameters",
        title=making.t("Activity data and parameters"),
        columns=making.columns(titles),
        rows=rows,
    )


def _parameter_row(making: Making, source: EmissionSource, point: str) -> list[Cell]:
    fact = making.there.points.get(point)
    card = next((row for row in making.rows if row.point and row.point.id == point and row.role == "meter"), None)
    register = making.there.register(fact) if fact else None
    every = (
        making.t("%(count)s s", count=register.period_us // US_PER_S) if register else making.t("by ticket or by hand")
    )
    origins = []
    for name, parameter in sorted(source.parameters.items()):
        origin = parameter.laboratory or parameter.factor or parameter.default or parameter.reason
        origins.append(f"{making.accounting_term('parameter', name)}: {origin}")
    return [
        source.name,
        fact.point.main_equipment or fact.point.process if fact else "",
        f"{making.name(fact.point)} ({point})" if fact else point,
        card.instrument.id if card else "",
        (card.instrument.location if card else "") or (making.name(fact.point) if fact else ""),
        card.instrument.accuracy_class if card else "",
        making.t("%(count)s months", count=card.instrument.cycle_months)
        if card and card.instrument.cycle_months
        else "",
        every,
        making.t("settled by quarter hour from register differences")
        if register
        else making.t("added up as weighed or read"),
        making.joined(origins),
        "",
    ]


def _boundaries_table(making: Making, pack: Mapping[str, Any]) -> Table:
    listed = pack.get("boundaries") or ()
    rows: list[list[Cell]] = [
        [
            str(each.get(making.language) or each["id"]),
            making.joined([making.accounting_term("source_kind", str(kind)) for kind in each["sources"]]),
        ]
        for each in listed
    ]
    return Table(
        id="boundaries",
        title=making.t("Boundaries"),
        columns=making.columns((("Boundary", 2), ("Kinds of sources", 4))),
        rows=rows,
    )
