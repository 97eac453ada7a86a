"""Every report that can be made: its id, its name, its group, what it needs, and what makes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.domain.errors import UnknownObjectError
from gateway.reports import annual, energy_year, figures, forms, plans, review_reports, stack_against_fuel, statistics
from gateway.reports.document import Block, Boxes, Break, Document, Method
from gateway.reports.making import Making

FORMATS = ("xlsx", "pdf", "docx", "csv", "json")
MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
Maker = Callable[[Making], Document]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One report. ``needs_period`` when its amounts are of a period, ``needs_review`` when it is of a review."""

    id: str
    title: str
    group: str
    make: Maker
    needs_period: bool = False
    needs_review: bool = False


def _form(id_: str, title: str) -> Kind:
    return Kind(id=f"form-{id_}", title=title, group="forms", make=lambda making: forms.form(making, id_))


def _all_forms(making: Making) -> Document:
    """Every form one after the other: what a unit hands in before a review."""
    made = [each.make(making) for each in KINDS.values() if each.group == "forms" and each.id != "forms"]
    blocks: list[Block] = []
    methods: dict[tuple[str, str], Method] = {}
    for document in made:
        blocks += [*(each for each in document.blocks if not isinstance(each, Boxes)), Break()]
        methods.update({(each.name, each.text): each for each in document.methods})
    blocks[-1] = forms.boxes(making)
    whole = making.document("forms", making.t("Forms B.1 to B.10"), blocks, landscape=True, spans=True)
    known = {(each.name, each.text) for each in whole.methods}
    extra = [each for key, each in methods.items() if key not in known]
    return making.document("forms", making.t("Forms B.1 to B.10"), blocks, landscape=True, spans=True, methods=extra)


_LISTED: Sequence[Kind] = (
    _form("b1", "Form B.1 People in energy metering"),
    _form("b2", "Form B.2 Main energy-using equipment"),
    *(_form(id_, title) for id_, (title, _wanted) in forms.LISTS.items()),
    Kind(
        id="form-b8",
        title="Form B.8 Equipping, counted",
        group="forms",
        make=lambda making: statistics.form(making, "b8"),
    ),
    Kind(
        id="form-b9",
        title="Form B.9 Accuracy classes, counted",
        group="forms",
        make=lambda making: statistics.form(making, "b9"),
    ),
    Kind(
        id="form-b10",
        title="Form B.10 Energy bought, used and in stock",
        group="forms",
        make=lambda making: energy_year.form(making, "b10"),
        needs_period=True,
    ),
    Kind(id="forms", title="Forms B.1 to B.10", group="forms", make=_all_forms, needs_period=True),
    Kind(
        id="figure-b1",
        title="Figure B.1 Energy flow",
        group="figures",
        make=figures.energy_flow,
        needs_period=True,
    ),
    Kind(id="figure-b2", title="Figure B.2 Instruments and collection points", group="figures", make=figures.network),
    Kind(
        id="figure-b3",
        title="Figure B.3 Traceability of own verification and calibration",
        group="figures",
        make=figures.own_calibration,
    ),
    Kind(id="figure-traceability", title="Chart of traceability", group="figures", make=figures.traceability),
    Kind(
        id="annual-energy",
        title="Energy account of the period",
        group="accounts",
        make=annual.annual,
        needs_period=True,
    ),
    Kind(
        id="stack-comparison",
        title="Stack against fuel",
        group="accounts",
        make=stack_against_fuel.stack_against_fuel,
        needs_period=True,
    ),
    Kind(id="indicators", title="Indicators", group="accounts", make=statistics.indicator_sheet),
    Kind(
        id="verification-plan",
        title="Verification and calibration plan",
        group="plans",
        make=plans.verification_plan,
        needs_period=True,
    ),
    Kind(id="due-list", title="Due list", group="plans", make=plans.due_list),
    Kind(id="quality-plan", title="Data-quality-control plan", group="plans", make=plans.quality_plan),
    Kind(
        id="self-check",
        title="Self-check report on energy metering",
        group="reviews",
        make=review_reports.self_check,
        needs_period=True,
    ),
    Kind(
        id="self-declaration",
        title="Self-declaration of metering capability",
        group="reviews",
        make=plans.self_declaration,
    ),
    Kind(
        id="nonconformities",
        title="Nonconformity report",
        group="reviews",
        make=review_reports.nonconformities,
        needs_review=True,
    ),
    Kind(
        id="review-report",
        title="Review report",
        group="reviews",
        make=review_reports.review_report,
        needs_period=True,
        needs_review=True,
    ),
)
KINDS: dict[str, Kind] = {each.id: each for each in _LISTED}
"""By id, in the order people look for them."""
GROUPS = {
    "forms": "Forms of JJF 1356",
    "figures": "Figures",
    "accounts": "Accounts and indicators",
    "plans": "Plans and lists",
    "reviews": "Reviews",
}


def kind_of(id_: str) -> Kind:
    """The report of an id; UnknownObjectError when there is none."""
    found = KINDS.get(id_)
    if found is None:
        raise UnknownObjectError("there is no report '%(id)s'; 'meterproof report list' names them", id=id_)
    return found
