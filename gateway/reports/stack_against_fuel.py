"""差异研究报告: each stack's continuous monitoring beside fuel-side accounting, as its page has it."""

from collections.abc import Sequence
from fractions import Fraction
from urllib.parse import urlencode

from gateway.audit.stack_comparison import StackComparison, comparison_in_full
from gateway.audit.stack_words import (
    TEXT_STATES,
    cause_text,
    judgement_text,
    kind_of_test_text,
    parameter_text,
    reason_text,
    relation_text,
    state_text,
)
from gateway.cems.comparison import ComparedStep
from gateway.cems.plan import planned_stacks
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import Figure
from gateway.domain.time import local_date, to_datetime
from gateway.reports.document import (
    Amount,
    Block,
    Cell,
    Column,
    Document,
    Expanded,
    Facts,
    Heading,
    Method,
    Table,
    Text,
)
from gateway.reports.forms import boxes
from gateway.reports.making import Making

MAX_STACKS = 20
DAYS_BY_DAY = 62
"""A longer time is shown by month."""


def stack_against_fuel(making: Making) -> Document:
    """Every stack of the plan, one after the other; where there is no plan the document says so and has no number."""
    blocks: list[Block] = []
    try:
        asking = making.asking
        stacks = planned_stacks(making.sources.registry, asking.organisation, asking.as_of_us, asking.known_seq)
        for each in stacks[:MAX_STACKS]:
            blocks += _stack(making, each.id)
    except UnknownObjectError as error:
        blocks = [Text(text=making.t(error.message, **error.facts))]
    return making.document(
        "stack-comparison",
        making.t("Stack against fuel"),
        [*blocks, boxes(making)],
        landscape=True,
        spans=True,
        methods=[
            Method(
                name=making.t("Comparison"),
                text=making.t(
                    "Only hours in which both sides are known are compared; the limit is U (k = 2) of the difference."
                ),
            ),
            Method(
                name=making.t("Causes"),
                text=making.t(
                    "Relations that hold whatever the plant makes, against the reference time. A cause is named where "
                    "its signature explains their change; causes that fit alike are not told apart."
                ),
            ),
        ],
    )


def _stack(making: Making, stack: str) -> list[Block]:
    step = "day" if (making.last_day - making.first_day).days < DAYS_BY_DAY else "month"
    found, steps = comparison_in_full(
        making.sources, making.asking, first=making.first_day, last=making.last_day, step=step, stack=stack
    )
    name = found.name_zh if making.language == "zh" else found.name_en
    return [
        Heading(text=name, level=2),
        Facts(rows=_facts(making, found)),
        _steps_table(making, found, steps),
        *_causes(making, found),
        _hours_table(making, found),
        *([_tests_table(making, found)] if found.tests else []),
    ]


def _facts(making: Making, found: StackComparison) -> list[tuple[str, Cell]]:
    pack = found.pack
    empty = making.t("empty") if pack.empty else ""
    known = making.joined([making.t(TEXT_STATES[pack.text]), empty, pack.standing])
    reference = making.t("No reference time is planned: causes are not told apart.")
    if found.reference_from_us is not None and found.reference_to_us is not None:
        zone = making.asking.zone
        first, last = local_date(found.reference_from_us, zone), local_date(found.reference_to_us - 1, zone)
        reference = f"{first} – {last} {found.reference_reason}".strip()
    return [
        (making.t("Metering point"), found.point),
        (making.t("Rule pack"), pack.id),
        (making.t("Law"), pack.law),
        (making.t("Chinese rule"), making.t("yes") if pack.chinese else making.t("no, not a Chinese rule")),
        (making.t("Text"), known),
        (making.t("Stack plan, journal entry"), found.plan_entry),
        (making.t("Reference time"), reference),
    ]


def _steps_table(making: Making, found: StackComparison, steps: Sequence[ComparedStep]) -> Table:
    titles = (
        ("From", "", 3),
        ("Hours without standstill", "", 2),
        ("Compared", "", 2),
        ("replaced by rule", "", 2),
        ("Stack", "tCO2", 3),
        ("U (k=2)", "tCO2", 2),
        ("Fuel and material", "tCO2", 3),
        ("U (k=2)", "tCO2", 2),
        ("Difference", "tCO2", 3),
        ("U (k=2)", "tCO2", 2),
        ("Relative", "%", 2),
        ("Judgement", "", 3),
        ("Cause the relations speak for", "", 4),
    )
    causes = [each.causes for each in (*found.steps, found.total)]
    rows = [
        _step_row(making, found, each, causes=each_causes, whole=index == len(steps) - 1)
        for index, (each, each_causes) in enumerate(zip(steps, causes, strict=True))
    ]
    return Table(
        id=f"stack/{found.stack}/steps",
        title=making.t("Both sides and their difference: %(stack)s", stack=found.stack),
        columns=[Column(title=making.t(title), unit=unit, weight=weight) for title, unit, weight in titles],
        rows=rows,
        notes=(making.t("The difference is stack less fuel, over the hours compared."),),
    )


def _step_row(
    making: Making, found: StackComparison, each: ComparedStep, *, causes: Sequence[str], whole: bool
) -> list[Cell]:
    day = local_date(each.start_us, making.asking.zone)
    when = "total" if whole else (day.isoformat() if found.step == "day" else day.strftime("%Y-%m"))
    id_ = f"stack/{found.stack}/{when}"
    query = {"stack": found.stack, "first": day, "last": local_date(each.end_us - 1, making.asking.zone), "step": "day"}
    trace = f"/comparison?{urlencode(query)}"
    unknown = making.t("not known")
    limit = None if each.limit is None else float(each.limit) / 2
    difference = Figure(value=each.difference, unit="tCO2", u=limit, reasons=each.reasons)
    per_cent = None if each.relative is None or not each.difference else float(each.relative / each.difference) * 100
    relative = Figure(
        value=None if each.relative is None else 100 * each.relative,
        unit="%",
        u=None if limit is None or per_cent is None else limit * abs(per_cent),
    )
    stack = Amount(id=f"{id_}/stack", figure=each.stack, trace=trace, instead=unknown)
    fuel = Amount(id=f"{id_}/fuel", figure=each.fuel, trace=trace, instead=unknown)
    less = Amount(id=f"{id_}/difference", figure=difference, trace=trace, instead=unknown)
    return [
        making.t("Total") if whole else when,
        each.hours,
        each.compared,
        each.substituted,
        stack,
        Expanded(stack),
        fuel,
        Expanded(fuel),
        less,
        Expanded(less),
        Amount(id=f"{id_}/relative", figure=relative, trace=trace, instead=unknown),
        judgement_text(making.language, each.agreement),
        making.joined([cause_text(making.language, cause) for cause in causes]),
    ]


def _causes(making: Making, found: StackComparison) -> list[Block]:
    parts = found.decomposition
    if parts is None:
        return [
            Text(text=making.t("No reference time is planned, or nothing can be compared: causes are not told apart."))
        ]
    blocks: list[Block] = []
    if parts.causes:
        titles = (("Cause the relations speak for", "", 4), ("Relative error", "%", 2), ("U (k=2)", "%", 2))
        columns = [*titles, ("Part of the difference", "tCO2", 2)]
        rows: list[list[Cell]] = []
        for each in parts.causes:
            id_ = f"stack/{found.stack}/cause/{each.name}"
            error = Amount(id=f"{id_}/error", figure=_percent(each.error, each.u))
            share = Amount(id=f"{id_}/part", figure=_tonnes(each.contribution))
            rows.append([cause_text(making.language, each.name), error, Expanded(error), share])
        rest = Amount(id=f"stack/{found.stack}/cause/unnamed", figure=_tonnes(parts.unnamed))
        rows.append([making.t("not explained by these"), None, None, rest])
        blocks.append(
            _table(making, f"stack/{found.stack}/causes", "Causes of the difference: %(stack)s", columns, rows)
        )
    elif parts.alike:
        alike = making.joined([cause_text(making.language, each) for each in parts.alike])
        blocks.append(Text(text=making.t("not told apart: %(causes)s", causes=alike)))
    elif parts.relations:
        blocks.append(Text(text=making.t("nothing stands out against the reference time")))
    else:
        blocks.append(Text(text=making.t("Too few common hours with an oxygen reading: not observable.")))
    if parts.relations:
        columns = [("Relation", "", 4), ("Change against the reference time", "%", 2), ("U (k=2)", "%", 2)]
        changes = [
            Amount(id=f"stack/{found.stack}/relation/{each.name}", figure=_percent(each.change, each.u))
            for each in parts.relations
        ]
        names = [relation_text(making.language, each.name) for each in parts.relations]
        rows = [[name, each, Expanded(each)] for name, each in zip(names, changes, strict=True)]
        blocks.append(_table(making, f"stack/{found.stack}/relations", "Relations: %(stack)s", columns, rows))
    return blocks


def _hours_table(making: Making, found: StackComparison) -> Table:
    rows: list[list[Cell]] = [
        [state_text(making.language, state), count] for state, count in found.hours.states.items() if count
    ]
    rows += [[reason_text(making.language, reason), count] for reason, count in found.hours.reasons.items()]
    rows.append([making.t("longest time without a valid hour"), found.hours.longest_outage_hours])
    return _table(
        making,
        f"stack/{found.stack}/hours",
        "Hours of the stack: %(stack)s",
        [("State", "", 5), ("Hours", "h", 1)],
        rows,
    )


def _tests_table(making: Making, found: StackComparison) -> Table:
    words = {None: "no limit in the rule pack", True: "passed", False: "failed"}
    columns = [("Time", "", 3), ("Test", "", 3), ("Result", "%", 1), ("State", "", 2), ("Bias factor", "", 1)]
    rows: list[list[Cell]] = []
    for each in found.tests:
        id_ = f"stack/{found.stack}/test/{each.entry}"
        result = Figure(value=Fraction(f"{each.percent:.2f}"), unit="%", evidence=(each.entry,))
        factor = None if each.bias_factor is None else Figure(value=Fraction(f"{each.bias_factor:.3f}"), unit="")
        test = (kind_of_test_text(making.language, each.type), parameter_text(making.language, each.parameter))
        rows.append(
            [
                to_datetime(each.at_us).astimezone(making.asking.zone).strftime("%Y-%m-%d %H:%M"),
                " · ".join(test),
                Amount(id=f"{id_}/result", figure=result),
                making.t(words[each.passed]),
                None if factor is None else Amount(id=f"{id_}/factor", figure=factor),
            ]
        )
    return _table(making, f"stack/{found.stack}/tests", "Tests of the monitor: %(stack)s", columns, rows)


def _table(
    making: Making,
    id_: str,
    title: str,
    columns: Sequence[tuple[str, str, int]],
    rows: Sequence[Sequence[Cell]],
) -> Table:
    return Table(
        id=id_,
        title=making.t(title, stack=id_.split("/")[1]),
        columns=[Column(title=making.t(name), unit=unit, weight=weight) for name, unit, weight in columns],
        rows=rows,
    )


def _percent(share: float, u: float) -> Figure:
    return Figure(value=Fraction(f"{100 * share:.6f}"), unit="%", u=100 * u)


def _tonnes(amount: float) -> Figure:
    return Figure(value=Fraction(f"{amount:.3f}"), unit="tCO2")
