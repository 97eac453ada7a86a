"""Forms B.8 and B.9: equipping and accuracy classes counted, and the indicators with their definitions."""

from gateway.audit.certificates import Due
from gateway.audit.equipping import Equipping, NetworkPoint, network
from gateway.domain.figure import decimal_text
from gateway.domain.ratio import class_rank
from gateway.i18n.review_terms import REVIEW_TERMS
from gateway.reports.document import Cell, Document, Method, Table
from gateway.reports.forms import INFERRED, boxes
from gateway.reports.making import Making
from gateway.review.gathered import Gathered
from gateway.review.indicators import Indicator, indicators

_IN_FORCE = frozenset({Due.VALID, Due.DUE_SOON})


def equipping_table(making: Making) -> Table:
    """Form B.8: by energy kind and level, demanded and equipped points, the rate and the rate demanded."""
    titles = (
        ("Energy kind", 3),
        ("Level", 3),
        ("Demanded", 2),
        ("Equipped", 2),
        ("Equipping rate demanded, %", 3),
        ("Equipping rate, %", 2),
        ("With a valid certificate", 2),
        ("Verified share, %", 2),
    )
    points = network(making.sources, making.asking).points
    keys = sorted({(each.point.level, each.point.energy_kind) for each in points if each.point.level})
    rows: list[list[Cell]] = []
    for level, kind in keys:
        mine = [each for each in points if (each.point.level, each.point.energy_kind) == (level, kind)]
        demanded = [each for each in mine if _is_demanded(each)]
        equipped = sum(each.equipping is Equipping.EQUIPPED for each in demanded)
        fitted = [each for each in mine if each.equipping is Equipping.EQUIPPED]
        verified = sum(each.due in _IN_FORCE for each in fitted)
        required = making.required_rates.get((kind, level))
        trace = f"/points?as_of={making.asking.today}"
        rows.append(
            [
                making.energy_kind(kind),
                making.term("level", level),
                len(demanded),
                equipped,
                making.t("not loaded") if required is None else decimal_text(required, 2),
                making.share(f"equipping/{kind}/{level}", equipped, len(demanded), trace),
                verified,
                making.share(f"verified/{kind}/{level}", verified, len(fitted), trace),
            ]
        )
    edition = making.required_edition or making.t(
        "No edition of GB 17167 with its table of rates is loaded: the demanded rate is left open. "
        "The 2025 edition has been in force since 2026-02-01; its table is not at hand."
    )
    return Table(
        id="b8",
        title=making.t("Form B.8 Equipping, counted"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(INFERRED),
        notes=(edition, making.t("Demanded: points that must be measured, without exempt and planned ones.")),
    )


def _is_demanded(point: NetworkPoint) -> bool:
    return bool(point.point.must_measure) and point.equipping in {Equipping.EQUIPPED, Equipping.LACKING}


def classes_table(making: Making) -> Table:
    """Form B.9: by kind of instrument, purpose and class demanded, how many conform."""
    titles = (
        ("Instrument kind", 3),
        ("Measuring purpose", 3),
        ("Accuracy class demanded", 2),
        ("Number", 2),
        ("Conform", 2),
        ("Class not stated", 2),
        ("Conforming share, %", 2),
    )
    groups: dict[tuple[str, int, str], list[bool | None]] = {}
    for row in making.rows:
        if row.point is None or row.role != "meter":
            continue
        held = (row.certificate.accuracy_class if row.certificate else "") or row.instrument.accuracy_class
        got, wanted = class_rank(held), class_rank(row.point.required_class)
        judged = None if got is None or wanted is None else got <= wanted
        key = (row.instrument.kind, row.point.level, row.point.required_class)
        groups.setdefault(key, []).append(judged)
    rows: list[list[Cell]] = []
    for (kind, level, required), words in sorted(groups.items()):
        known = [each for each in words if each is not None]
        rows.append(
            [
                making.term("instrument_kind", kind),
                making.term("level", level),
                required or making.t("no class demanded"),
                len(words),
                sum(known),
                len(words) - len(known),
                making.share(f"class/{kind}/{level}/{required or 'none'}", sum(known), len(known)),
            ]
        )
    return Table(
        id="b9",
        title=making.t("Form B.9 Accuracy classes, counted"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(INFERRED),
        notes=(making.t("The share is over those whose class and demanded class are both stated."),),
    )


def indicators_table(making: Making) -> Table:
    """The review's own indicators: numerator, denominator, what is left out, and the definition beside each number."""
    titles = (
        ("Indicator", 3),
        ("Of what", 3),
        ("Numerator", 2),
        ("Denominator", 2),
        ("Value, %", 2),
        ("Demanded, %", 2),
        ("Left out", 1),
        ("Definition", 6),
    )
    gathered = Gathered(making.sources, making.asking, making.editions)
    rows: list[list[Cell]] = [_indicator_row(making, each) for each in indicators(gathered)]
    return Table(
        id="indicators",
        title=making.t("Indicators"),
        columns=making.columns(titles),
        rows=rows,
        notes=(
            making.t("An in-date certificate whose result is a failure does not count as valid."),
            making.t("As of %(day)s.", day=making.asking.today.isoformat()),
        ),
    )


def _indicator_row(making: Making, each: Indicator) -> list[Cell]:
    of_what = ""
    if each.energy_kind:
        of_what = f"{making.energy_kind(each.energy_kind)} {making.term('level', each.level)}"
    id_ = "/".join(filter(None, ["indicator", each.family, each.energy_kind, str(each.level or "")]))
    return [
        making.t(REVIEW_TERMS["indicator"][each.family]),
        of_what,
        each.numerator,
        each.denominator,
        making.share(id_, each.numerator, each.denominator, f"/api/v1/indicators?as_of={making.asking.today}"),
        None if each.required_percent is None else each.required_percent,
        len(each.excluded),
        making.t(each.definition),
    ]


def form(making: Making, id_: str) -> Document:
    """Form B.8 or B.9 alone."""
    table = equipping_table(making) if id_ == "b8" else classes_table(making)
    return making.document(f"form-{id_}", table.title, [table, boxes(making)], methods=methods(making))


def indicator_sheet(making: Making) -> Document:
    """The sheet of indicators."""
    table = indicators_table(making)
    return making.document("indicators", table.title, [table, boxes(making)], methods=methods(making), landscape=True)


def methods(making: Making) -> tuple[Method, ...]:
    """How the rates are counted."""
    return (
        Method(
            name=making.t("Rates"),
            text=making.t("Share = numerator / denominator, both printed; counted from the ledger as of the day."),
        ),
    )
