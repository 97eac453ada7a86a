"""What the pictures of energy show: hours of a day, steps of a point, flow, remainders of nodes, certificates."""

from fractions import Fraction

from api.charts.account_specs import flow_of, remainders
from api.charts.specs import Spec, hours_of_a_day, steps, validity
from api.web.view import View
from gateway.audit.balance import RemainderTrend
from gateway.audit.calibration_plan import CalibrationPlan
from gateway.audit.consumption import Consumption
from gateway.audit.flow import Flow
from gateway.audit.overview import Overview

MAX_LINES = 300


def hours_spec(found: Overview, view: View, theme: str) -> Spec:
    """The chart of the first page."""
    today, before, missing = view.t("Today"), view.t("Yesterday"), view.t("missing")
    rows: list[dict[str, object]] = []
    unit = found.intake.today.unit if found.intake else ""
    for each in found.hours:
        for series, energy in ((today, each.today), (before, each.before)):
            if energy is None:
                continue
            gap = energy.value is None
            rows.append(
                {
                    "hour": f"{each.hour:02d}",
                    "series": missing if gap else series,
                    "energy": None if energy.value is None else float(energy.value),
                    "gap": int(gap),
                }
            )
    return hours_of_a_day(
        rows, theme=theme, unit=view.unit(unit), hour=view.t("Hour"), today=today, before=before, missing=missing
    )


def energy_spec(found: Consumption, view: View, theme: str) -> Spec:
    """The chart of the energy statistics."""
    known, partial, missing = view.t("whole"), view.t("in part"), view.t("missing")
    pattern = {"hour": "%m-%d %H:00", "day": "%m-%d", "month": "%Y-%m"}[found.step]
    rows = [
        {
            "step": view.local(each.start_us, pattern),
            "energy": None if each.value is None else float(each.value),
            "state": missing if each.value is None else known if each.complete else partial,
        }
        for each in found.steps
    ]
    unit = view.unit(found.total.unit) if found.total else ""
    return steps(rows, theme=theme, unit=unit, step=view.t("From"), known=known, partial=partial, missing=missing)


def flow_spec(found: Flow, view: View, theme: str) -> Spec:
    """The chart of the energy flow."""
    words = {kind: view.term("flow_kind", kind) for kind in ("metered", "generated", "unmetered")}
    labels = {node.id: view.named(node.name_zh, node.name_en, node.id) for node in found.nodes}
    unit = view.unit(found.unit)

    def amount(text: str) -> str:
        return f"{view.glance(Fraction(text))} {unit}"

    nodes = [
        {
            "label": labels[node.id],
            "text": f"{labels[node.id]} {amount(node.amount)}",
            "column": node.column,
            "top": node.top,
            "bottom": max(node.bottom, node.top + 0.002),
            "amount": amount(node.amount),
        }
        for node in found.nodes
    ]
    links = [
        {
            "label": f"{labels[link.source]} → {labels.get(link.target, words['unmetered'])}",
            "amount": amount(link.amount),
            "word": words[link.kind],
            "from_column": link.source_column,
            # what nobody measures ends where the eye sees that it leads nowhere
            "to_column": link.target_column if link.target else link.source_column + 0.3,
            "from_top": link.source_top,
            "from_bottom": link.source_bottom,
            "to_top": link.target_top if link.target else link.source_top,
            "to_bottom": link.target_bottom if link.target else link.source_bottom,
        }
        for link in found.links
    ]
    names = {**words, "flow": view.t("Energy flow"), "amount": view.t("Energy")}
    return flow_of(nodes, links, theme=theme, names=names)


def remainder_spec(found: RemainderTrend | None, view: View, theme: str) -> Spec:
    """The chart of a node's remainders; empty where there is no node."""
    names = {each: view.term("closure", each) for each in ("balanced", "exceeded", "unmetered", "undecided")}
    rows = [
        {
            "day": view.local(each.start_us, "%m-%d"),
            "remainder": None if each.remainder is None else float(each.remainder),
            "low": None if each.limit is None else -float(each.limit),
            "high": None if each.upper is None else float(each.upper),
            "state": names[str(each.closure)],
        }
        for each in (found.days if found else ())
    ]
    words = {**names, "day": view.t("Day"), "remainder": view.t("Remainder"), "limit": view.t("Limit")}
    return remainders(rows, theme=theme, unit=view.unit(found.unit) if found else "", names=words)


def validity_spec(found: CalibrationPlan, view: View, theme: str) -> Spec:
    """The chart of verification and calibration; of each certificate the last ten years."""
    verification, calibration, over = view.t("verification"), view.t("calibration"), view.t("replaced or over")
    oldest = found.day.replace(year=found.day.year - 10, day=1)
    rows = [
        {
            "instrument": each.instrument,
            "since": max(each.since, oldest).isoformat(),
            "until": (each.until or found.day).isoformat(),
            "state": over
            if not each.in_force or (each.until is not None and each.until < found.day)
            else verification
            if each.kind in {"verification", "rejection_notice"}
            else calibration,
        }
        for each in found.validities
        if (each.until or found.day) > oldest
    ]
    names = {"verification": verification, "calibration": calibration, "over": over}
    names["broken"] = broken = view.t("out of control")
    shown = {row["instrument"] for row in rows[:MAX_LINES]}
    windows = [
        {
            "instrument": each.instrument,
            "since": max(each.since, oldest).isoformat(),
            "until": (each.to or found.day).isoformat(),
            "state": broken,
            "why": view.rule(each.rule),
        }
        for each in found.out_of_control
        if (each.to or found.day) > oldest and each.instrument in shown
    ]
    return validity(
        rows[:MAX_LINES],
        windows=windows[:MAX_LINES],
        theme=theme,
        day=found.day.isoformat(),
        titles=(view.t("Instrument"), view.t("From"), view.t("Valid until")),
        **names,
    )
