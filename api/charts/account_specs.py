"""Vega-Lite specifications of accounting: bars with U, shares of variance, remainders of nodes, energy flow."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.charts.specs import Spec, colours, framed

MAX_BARS = 40
_STEPS = 24
_LABEL_PX = 15


def _row_axis(labels: Sequence[str]) -> Spec:
    return {
        "field": "label",
        "type": "ordinal",
        "sort": list(labels),
        "title": None,
        "axis": {"labelLimit": 240, "ticks": False, "domain": False, "grid": False},
    }


def bars_with_u(rows: Sequence[Mapping[str, Any]], *, theme: str, unit: str, names: tuple[str, str, str]) -> Spec:
    """Horizontal bars with U as a whisker. Rows: ``label``, ``value``, ``low``, ``high`` (null where U is unknown).

    ``names``: what a pointed-at bar says of label, value and interval.
    """
    palette = colours(theme)
    y = _row_axis([row["label"] for row in rows])
    x = {"field": "value", "type": "quantitative", "title": unit, "axis": {"format": ",~r"}}
    tooltip = [
        {"field": "label", "type": "nominal", "title": names[0]},
        {"field": "value", "type": "quantitative", "title": names[1], "format": ",.6~r"},
        {"field": "interval", "type": "nominal", "title": names[2]},
    ]
    whisker = {
        "transform": [{"filter": "datum.low != null"}],
        "mark": {"type": "rule", "strokeWidth": 2, "color": palette["ink"]},
        "encoding": {
            "y": y,
            "x": {"field": "low", "type": "quantitative"},
            "x2": {"field": "high"},
            "tooltip": tooltip,
        },
    }
    bars = {
        "mark": {"type": "bar", "height": {"band": 0.6}, "cornerRadiusEnd": 2, "color": palette["main"]},
        "encoding": {"y": y, "x": x, "tooltip": tooltip},
    }
    spec = framed({"data": {"values": list(rows)}, "layer": [bars, whisker]}, theme)
    return {**spec, "height": {"step": 30}}


def shares(rows: Sequence[Mapping[str, Any]], *, theme: str, title: str, names: tuple[str, str, str]) -> Spec:
    """Horizontal bars of shares in percent. Rows: ``label``, ``share`` (0..100), ``kind``."""
    palette = colours(theme)
    spec = framed(
        {
            "data": {"values": list(rows)},
            "mark": {"type": "bar", "height": {"band": 0.6}, "cornerRadiusEnd": 2, "color": palette["main"]},
            "encoding": {
                "y": _row_axis([row["label"] for row in rows]),
                "x": {
                    "field": "share",
                    "type": "quantitative",
                    "title": title,
                    "scale": {"domain": [0, 100]},
                    "axis": {"format": "~r"},
                },
                "tooltip": [
                    {"field": "label", "type": "nominal", "title": names[0]},
                    {"field": "kind", "type": "nominal", "title": names[1]},
                    {"field": "share", "type": "quantitative", "title": names[2], "format": ".1f"},
                ],
            },
        },
        theme,
    )
    return {**spec, "height": {"step": 26}}


def remainders(rows: Sequence[Mapping[str, Any]], *, theme: str, unit: str, names: Mapping[str, str]) -> Spec:
    """A node's remainder by day with the band of its limit; days that cannot be judged are gaps with a cross.

    Rows: ``day``, ``remainder``, ``low``, ``high`` (null where unknown), ``state`` (one of the values of ``names``).
    ``names``: words for ``balanced``, ``exceeded``, ``unmetered``, ``undecided``, ``day``, ``remainder``, ``limit``.
    """
    palette = colours(theme)
    days = [row["day"] for row in rows]
    x = {
        "field": "day",
        "type": "ordinal",
        "sort": days,
        "title": None,
        "axis": {"labelAngle": -45 if len(days) > 16 else 0, "labelOverlap": True},
    }
    states = [names[each] for each in ("balanced", "exceeded", "unmetered", "undecided")]
    colour = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": states, "range": [palette["main"], palette["bad"], palette["warn"], palette["other"]]},
    }
    tooltip = [
        {"field": "day", "type": "nominal", "title": names["day"]},
        {"field": "remainder", "type": "quantitative", "title": names["remainder"], "format": ",.4~r"},
        {"field": "high", "type": "quantitative", "title": names["limit"], "format": ",.4~r"},
        {"field": "state", "type": "nominal", "title": ""},
    ]
    y = {"type": "quantitative", "title": unit, "axis": {"format": ",~r"}}
    return framed(
        {
            "data": {"values": list(rows)},
            "layer": [
                {
                    "mark": {"type": "bar", "opacity": 0.18, "color": palette["main"], "width": {"band": 1}},
                    "transform": [{"filter": "datum.low != null"}],
                    "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": tooltip},
                },
                {
                    "mark": {"type": "rule", "strokeWidth": 1, "color": palette["axis"]},
                    "encoding": {"y": {"datum": 0}},
                },
                {
                    "transform": [{"filter": "datum.remainder != null"}],
                    "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                    "encoding": {"x": x, "y": {**y, "field": "remainder"}, "color": colour, "tooltip": tooltip},
                },
                {
                    "transform": [{"filter": "datum.remainder == null"}],
                    "mark": {"type": "point", "shape": "cross", "size": 42, "strokeWidth": 2, "color": palette["bad"]},
                    "encoding": {"x": x, "y": {"datum": 0}, "tooltip": tooltip},
                },
            ],
        },
        theme,
    )


def flow_of(
    nodes: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]], *, theme: str, names: Mapping[str, str]
) -> Spec:
    """An energy flow: nodes as upright bars in columns, links as bands as wide as what flows in them.

    Nodes: ``label``, ``column`` (0…), ``top`` and ``bottom`` (0..1 downwards), ``amount`` (text), ``kind``. Links:
    ``label``, ``from_column``, ``to_column``, ``from_top``, ``from_bottom``, ``to_top``, ``to_bottom``, ``amount``,
    ``kind``: ``metered``, ``unmetered``, ``generated``.
    """
    palette = colours(theme)
    columns = max((int(node["column"]) for node in nodes), default=0) + 1
    most = max((sum(1 for node in nodes if node["column"] == column) for column in range(columns)), default=1)
    height = max(300, min(760, 42 * most))
    nodes = _labelled(nodes, _LABEL_PX / height)
    bands = [point for place, link in enumerate(links) for point in _band(place, link)]
    kinds = ("metered", "generated", "unmetered")
    scale = {"domain": [names[each] for each in kinds], "range": [palette["main"], palette["warn"], palette["other"]]}
    x_scale = {"domain": [0, columns - 0.35], "nice": False, "zero": False}
    y_scale = {"domain": [0, 1], "reverse": True, "nice": False}
    x = {"type": "quantitative", "axis": None, "scale": x_scale}
    y = {"type": "quantitative", "axis": None, "scale": y_scale}
    tooltip = [
        {"field": "label", "type": "nominal", "title": names["flow"]},
        {"field": "amount", "type": "nominal", "title": names["amount"]},
    ]
    spec = framed(
        {
            "layer": [
                {
                    "data": {"values": bands},
                    "mark": {"type": "area", "opacity": 0.38, "line": False},
                    "encoding": {
                        "x": {**x, "field": "x"},
                        "y": {**y, "field": "top"},
                        "y2": {"field": "bottom"},
                        "detail": {"field": "link"},
                        "color": {"field": "word", "type": "nominal", "scale": scale},
                        "tooltip": tooltip,
                    },
                },
                {
                    "data": {"values": [{**node, "x": node["column"], "x2": node["column"] + 0.03} for node in nodes]},
                    "mark": {"type": "rect", "color": palette["ink"]},
                    "encoding": {
                        "x": {**x, "field": "x"},
                        "x2": {"field": "x2"},
                        "y": {**y, "field": "top"},
                        "y2": {"field": "bottom"},
                        "tooltip": tooltip,
                    },
                },
                {
                    "data": {"values": [{**node, "middle": (node["top"] + node["bottom"]) / 2} for node in nodes]},
                    "mark": {
                        "type": "text",
                        "align": "left",
                        "dx": 12,
                        "fontSize": 12,
                        "color": palette["ink"],
                        "baseline": "middle",
                    },
                    "encoding": {
                        "x": {**x, "field": "column"},
                        "y": {**y, "field": "middle"},
                        "text": {"field": "text"},
                        "tooltip": tooltip,
                    },
                },
            ],
            "resolve": {"scale": {"color": "independent"}},
        },
        theme,
    )
    return {**spec, "height": height}


def _labelled(nodes: Sequence[Mapping[str, Any]], apart: float) -> list[dict[str, Any]]:
    """Nodes with a label only where it does not run into the one above it; the picture's table has every name."""
    found = []
    last: dict[int, float] = {}
    for node in sorted(nodes, key=lambda each: (each["column"], each["top"])):
        middle = (node["top"] + node["bottom"]) / 2
        fits = middle - last.get(node["column"], -1.0) >= apart
        if fits:
            last[node["column"]] = middle
        found.append({**node, "text": node["text"] if fits else ""})
    return found


def _band(place: int, link: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A link's outline, sampled along an easing curve."""
    found = []
    for step in range(_STEPS + 1):
        share = step / _STEPS
        eased = share * share * (3 - 2 * share)
        found.append(
            {
                "link": place,
                "x": link["from_column"] + 0.03 + (link["to_column"] - link["from_column"] - 0.03) * share,
                "top": link["from_top"] + (link["to_top"] - link["from_top"]) * eased,
                "bottom": link["from_bottom"] + (link["to_bottom"] - link["from_bottom"]) * eased,
                "label": link["label"],
                "amount": link["amount"],
                "word": link["word"],
            }
        )
    return found
