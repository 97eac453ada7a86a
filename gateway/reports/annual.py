"""The annual account: invoices beside metering, every point, carbon by source and boundary."""

from gateway.accounting.account import Account
from gateway.domain.figure import Figure
from gateway.i18n.terms import unit_symbol
from gateway.reports.document import Amount, Block, Cell, Document, Expanded, Table
from gateway.reports.energy_year import kinds, methods
from gateway.reports.forms import boxes
from gateway.reports.making import Making


def consumption_table(making: Making) -> Table:
    """Kinds with invoices at 当量值, the metered figure, difference and U beside, and each kind's share."""
    titles = (
        ("Energy name", 3),
        ("Invoices", 3),
        ("Invoices, tce", 3),
        ("Metered in the invoices' time", 3),
        ("Metered − invoiced", 3),
        ("U (k=2)", 2),
        ("Metered in the period", 3),
        ("U (k=2)", 2),
        ("Unit of measurement", 2),
        ("Metered, tce", 3),
        ("Share, %", 2),
    )
    total = making.line("tce/total")
    rows: list[list[Cell]] = []
    for each in kinds(making):
        whole = None if total is None else total.figure.value
        coal = each.coal.figure.value
        share = Figure(value=None if not whole or coal is None else 100 * coal / whole, unit="%")
        rows.append(
            [
                making.energy_kind(each.kind),
                each.invoiced,
                each.coal_invoiced,
                each.metered_then,
                each.difference,
                Expanded(each.difference),
                each.metered,
                Expanded(each.metered),
                unit_symbol(each.unit),
                each.coal,
                Amount(id=f"share/{each.kind}", figure=share, instead=making.t("not known")),
            ]
        )
    if total is not None:
        rows.append([making.t("Together"), *([None] * 8), total, None])
    return Table(
        id="annual",
        title=making.t("Annual amounts: invoices and metering"),
        columns=making.columns(titles),
        rows=rows,
        notes=(making.t("The invoice is taken as written; U is that of the metering."),),
    )


def points_table(making: Making) -> Table:
    """What went through every point of the period."""
    titles = (
        ("Metering point", 4),
        ("Name of the point", 4),
        ("Energy kind", 2),
        ("Level", 2),
        ("Amount", 3),
        ("U (k=2)", 2),
        ("Unit of measurement", 2),
        ("Coverage, ‰", 2),
    )
    rows: list[list[Cell]] = []
    for _depth, fact in making.there.walk():
        amount = making.point_amount(fact.point.id)
        rows.append(
            [
                fact.point.id,
                making.name(fact.point),
                making.energy_kind(fact.point.energy_kind),
                making.term("level", fact.point.level),
                amount,
                Expanded(amount),
                unit_symbol(amount.figure.unit),
                amount.figure.coverage_permille,
            ]
        )
    return Table(id="points", title=making.t("Amounts by metering point"), columns=making.columns(titles), rows=rows)


def carbon_table(making: Making) -> Table | None:
    """Carbon by source and boundary, products and intensities; None without an account."""
    made = making.metered.account
    if made is None:
        return None
    titles = (("Figure", 5), ("Value", 3), ("U (k=2)", 2), ("Unit of measurement", 2), ("Defaults it hangs on", 5))
    rows: list[list[Cell]] = []
    for id_, line in made.lines.items():
        if not id_.startswith(("carbon/", "product/", "intensity/")):
            continue
        amount = making.line(id_)
        assert amount is not None
        defaults = making.joined(sorted(line.quantity.defaults))
        rows.append(
            [_line_name(making, made, id_), amount, Expanded(amount), unit_symbol(amount.figure.unit), defaults]
        )
    return Table(
        id="carbon",
        title=making.t("Carbon, products and intensities"),
        columns=making.columns(titles),
        rows=rows,
    )


def _line_name(making: Making, made: Account, id_: str) -> str:
    """A line of the account in words: source, boundary or product as the plan and its pack name them."""
    kind, _, rest = id_.partition("/")
    products = {each.id: each.name for each in made.inputs.plan.products}
    if kind == "product":
        return making.t("Output of %(name)s", name=products.get(rest, rest))
    if kind == "intensity":
        product, _, line = rest.partition("/")
        related = _line_name(making, made, line)
        return making.t("%(line)s per t of %(name)s", line=related, name=products.get(product, product))
    if kind in ENERGY:
        # with stocks in the plan what was bought is not yet what was consumed
        bought = rest == "total" and f"{kind}/consumed" in made.lines
        return making.t(ENERGY[kind][int(bought)])
    owner, _, part = rest.partition("/")
    if owner == "source":
        sources = {each.id: each.name for each in made.inputs.plan.sources}
        return making.t("Source: %(name)s", name=sources.get(part, part))
    pack = made.inputs.factors.pack(made.inputs.plan.pack)
    boundaries = {str(each["id"]): str(each.get(making.language) or each["id"]) for each in pack.get("boundaries", ())}
    return f"{boundaries.get(owner, owner)}: {making.t(PARTS.get(part, part))}"


ENERGY = {
    "tce": ("Comprehensive energy by calorific value", "Energy bought less delivered, by calorific value"),
    "tce-primary": (
        "Comprehensive energy by primary-energy value",
        "Energy bought less delivered, by primary-energy value",
    ),
}
PARTS = {"direct": "direct emissions", "indirect": "indirect emissions", "total": "total emissions"}


def annual(making: Making) -> Document:
    """The annual account: invoices beside metering, every point, carbon."""
    carbon = carbon_table(making)
    blocks: list[Block] = [
        consumption_table(making),
        points_table(making),
        *([carbon] if carbon else []),
        boxes(making),
    ]
    return making.document(
        "annual-energy",
        making.t("Energy account of the period"),
        blocks,
        landscape=True,
        spans=True,
        methods=methods(making),
    )
