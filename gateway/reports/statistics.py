"""Forms B.8 and B.9: equipping and accuracy classes counted, and the indicators with their definitions."""

from collections.abc import Sequence

from gateway.audit.calibration_plan import calibration_plan
from gateway.audit.certificates import Due
from gateway.audit.completeness import MAX_DAYS, completeness
from gateway.audit.equipping import Equipping, NetworkPoint, network
from gateway.domain.figure import decimal_text
from gateway.domain.ratio import class_rank
from gateway.reports.document import Cell, Column, Document, Method, Table
from gateway.reports.forms import INFERRED, boxes
from gateway.reports.making import Making

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
        columns=_columns(making, titles),
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
        columns=_columns(making, titles),
        rows=rows,
        source=making.t(INFERRED),
        notes=(making.t("The share is over those whose class and demanded class are both stated."),),
    )


def indicators_table(making: Making) -> Table:
    """Rates with numerator, denominator and definition beside the number."""
    titles = (("Indicator", 3), ("Numerator", 2), ("Denominator", 2), ("Value, %", 2), ("Definition", 6))
    plan = calibration_plan(making.sources, making.asking)
    points = [each for each in network(making.sources, making.asking).points if _is_demanded(each)]
    equipped = sum(each.equipping is Equipping.EQUIPPED for each in points)
    rows: list[list[Cell]] = [
        [
            making.t("Equipping rate"),
            equipped,
            len(points),
            making.share("indicator/equipping", equipped, len(points), f"/points?as_of={making.asking.today}"),
            making.t("points that must be measured and have a meter, of those that must be measured"),
        ]
    ]
    rows += [
        [
            making.term("rate", rate.id),
            rate.part,
            rate.whole,
            making.share(f"indicator/{rate.id}", rate.part, rate.whole, f"/calibration?as_of={making.asking.today}"),
            making.term("rate_definition", rate.id),
        ]
        for rate in plan.rates
    ]
    rows.append(_completeness_row(making))
    return Table(
        id="indicators",
        title=making.t("Indicators"),
        columns=_columns(making, titles),
        rows=rows,
        notes=(
            making.t("An in-date certificate whose result is a failure does not count as valid."),
            making.t("As of %(day)s.", day=making.asking.today.isoformat()),
        ),
    )


def _completeness_row(making: Making) -> list[Cell]:
    found = completeness(making.sources, making.asking, days=MAX_DAYS // 2)
    known = [each.covered_permille for each in found.points if each.covered_permille is not None]
    covered, whole = sum(known), 1000 * len(known)
    return [
        making.t("Completeness of data"),
        covered,
        whole,
        making.share("indicator/completeness", covered, whole, f"/quality?as_of={making.asking.today}"),
        making.t(
            "permille of time covered by readings, summed over points that are read, %(first)s to %(last)s",
            first=found.first.isoformat(),
            last=found.last.isoformat(),
        ),
    ]


def _columns(making: Making, titles: Sequence[tuple[str, int]]) -> list[Column]:
    return [Column(title=making.t(title), weight=weight) for title, weight in titles]


def form(making: Making, id_: str) -> Document:
    """Form B.8 or B.9 alone."""
    table = equipping_table(making) if id_ == "b8" else classes_table(making)
    return making.document(f"form-{id_}", table.title, [table, boxes(making)], methods=methods(making))


def indicators(making: Making) -> Document:
    """The sheet of indicators."""
    table = indicators_table(making)
    return making.document("indicators", table.title, [table, boxes(making)], methods=methods(making))


def methods(making: Making) -> tuple[Method, ...]:
    """How the rates are counted."""
    return (
        Method(
            name=making.t("Rates"),
            text=making.t("Share = numerator / denominator, both printed; counted from the ledger as of the day."),
        ),
    )
