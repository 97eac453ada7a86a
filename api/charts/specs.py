"""The Vega-Lite specifications: one a chart, the same for every medium. Colours and fonts come from ``theme``."""

from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
FONT = "Noto Sans SC, Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, Segoe UI, Arial, sans-serif"

_LIGHT = {
    "ink": "#45534f",
    "soft": "#5f6d69",
    "line": "#dde3e0",
    "axis": "#c8d1cd",
    "main": "#0a665c",
    "other": "#a9b8b3",
    "warn": "#b0731a",
    "bad": "#ac2418",
    "gap": "#eef1ef",
}
_DARK = {
    "ink": "#b4c1bc",
    "soft": "#93a39d",
    "line": "#26312e",
    "axis": "#394743",
    "main": "#4fb8a5",
    "other": "#56655f",
    "warn": "#d9a24a",
    "bad": "#f39488",
    "gap": "#1b2523",
}


def colours(theme: str) -> Mapping[str, str]:
    """The palette of ``light`` or ``dark``."""
    return _DARK if theme == "dark" else _LIGHT


def framed(spec: Spec, theme: str, *, width: int = 960, height: int = 220) -> Spec:
    """A specification with the house's size, fonts and colours; transparent, so that the page shows through."""
    palette = colours(theme)
    axis = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": palette["soft"],
        "titleColor": palette["soft"],
        "gridColor": palette["line"],
        "domainColor": palette["axis"],
        "tickColor": palette["axis"],
        "labelPadding": 6,
        "titlePadding": 10,
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "transparent",
        "width": width,
        "height": height,
        "padding": 4,
        "config": {
            "font": FONT,
            "mark": {"tooltip": True},
            "view": {"stroke": None},
            "axis": axis,
            "axisX": {"grid": False},
            "axisY": {"domain": False, "ticks": False, "tickCount": 5},
            "legend": {
                "labelFont": FONT,
                "titleFont": FONT,
                "labelColor": palette["ink"],
                "titleColor": palette["soft"],
                "labelFontSize": 12,
                "orient": "top",
                "title": None,
                "symbolType": "square",
                "offset": 4,
                "symbolOpacity": 1,
            },
        },
        **spec,
    }


def _said(*fields: tuple[str, str]) -> list[Spec]:
    """What a mark says when it is pointed at; numbers with separators, an empty title shows the bare value."""
    formats = {"energy": {"type": "quantitative", "format": ",.6~g"}}
    return [
        {"field": field, "title": title or " ", **formats.get(field, {"type": "nominal"})} for field, title in fields
    ]


def sized(spec: Spec, size: str) -> Spec:
    """The same chart for a phone: narrower and higher, with its labels at reading size."""
    if size != "narrow":
        return spec
    height = spec["height"] if isinstance(spec["height"], dict) else 200
    return {**spec, "width": 300, "height": height}


def hours_of_a_day(
    rows: Sequence[Mapping[str, Any]], *, theme: str, unit: str, hour: str, today: str, before: str, missing: str
) -> Spec:
    """Energy by the hour: today's bars before yesterday's paler ones; an hour without a value is a hatched-looking gap.

    Rows: ``hour`` ("00".."23"), ``series`` (``today``/``before`` texts), ``energy`` (number or null), ``gap`` 0/1.
    """
    palette = colours(theme)
    said = _said(("hour", hour), ("series", ""), ("energy", unit))
    hours = [f"{hour:02d}" for hour in range(24)]
    x = {
        "field": "hour",
        "type": "ordinal",
        "sort": hours,
        "scale": {"domain": hours, "paddingInner": 0.28},
        "title": None,
    }
    colour = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": [today, before, missing], "range": [palette["main"], palette["other"], palette["bad"]]},
    }
    return framed(
        {
            "data": {"values": list(rows)},
            "layer": [
                {
                    "transform": [{"filter": "datum.gap == 1"}],
                    "mark": {"type": "point", "shape": "cross", "size": 42, "strokeWidth": 2, "yOffset": -8},
                    "encoding": {
                        "x": {**x, "axis": {"labelAngle": 0, "labelOverlap": True}},
                        "y": {"datum": 0},
                        "color": colour,
                    },
                },
                {
                    "transform": [{"filter": "datum.gap == 0"}],
                    "mark": {"type": "bar", "cornerRadiusEnd": 2},
                    "encoding": {
                        "x": {**x, "axis": {"labelAngle": 0, "labelOverlap": True}},
                        "tooltip": said,
                        "xOffset": {"field": "series", "scale": {"domain": [before, today], "paddingInner": 0.08}},
                        "y": {"field": "energy", "type": "quantitative", "title": unit, "axis": {"format": ",~r"}},
                        "color": colour,
                    },
                },
            ],
        },
        theme,
    )


def steps(
    rows: Sequence[Mapping[str, Any]], *, theme: str, unit: str, step: str, known: str, partial: str, missing: str
) -> Spec:
    """Energy by step (day, hour, month): bars; a step without a value carries a cross, one in part another colour.

    Rows: ``step`` (label), ``energy`` (number or null), ``state`` (one of the three texts).
    """
    palette = colours(theme)
    labels = [row["step"] for row in rows]
    x = {
        "field": "step",
        "type": "ordinal",
        "sort": labels,
        "title": None,
        "axis": {"labelAngle": -45 if len(labels) > 16 else 0, "labelOverlap": True},
        "scale": {"paddingInner": 0.25},
    }
    colour = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": [known, partial, missing], "range": [palette["main"], palette["warn"], palette["bad"]]},
    }
    return framed(
        {
            "data": {"values": list(rows)},
            "layer": [
                {
                    "transform": [{"filter": "datum.energy == null"}],
                    "mark": {"type": "point", "shape": "cross", "size": 42, "strokeWidth": 2, "yOffset": -8},
                    "encoding": {"x": x, "y": {"datum": 0}, "color": colour},
                },
                {
                    "transform": [{"filter": "datum.energy != null"}],
                    "mark": {"type": "bar", "cornerRadiusEnd": 2},
                    "encoding": {
                        "x": x,
                        "tooltip": _said(("step", step), ("energy", unit), ("state", "")),
                        "y": {"field": "energy", "type": "quantitative", "title": unit, "axis": {"format": ",~r"}},
                        "color": colour,
                    },
                },
            ],
        },
        theme,
    )


def validity(
    rows: Sequence[Mapping[str, Any]],
    *,
    theme: str,
    day: str,
    titles: tuple[str, str, str],
    windows: Sequence[Mapping[str, Any]] = (),
    verification: str,
    calibration: str,
    over: str,
    broken: str,
) -> Spec:
    """How long certificates hold: one line an instrument, the day as an upright line; over them, narrow and in the
    colour of a fault, the ``windows`` in which a verdict says that no certificate held (``why``).

    Rows: ``instrument``, ``since``, ``until`` (ISO dates), ``state`` (one of the three texts). ``titles`` of the first
    three are what a pointed-at bar says.
    """
    palette = colours(theme)
    names = list(dict.fromkeys(row["instrument"] for row in rows))
    colour = {
        "field": "state",
        "type": "nominal",
        "scale": {
            "domain": [verification, calibration, over, broken],
            "range": [palette["main"], palette["warn"], palette["other"], palette["bad"]],
        },
    }
    spec = framed(
        {
            "layer": [
                {
                    "data": {"values": list(rows)},
                    "mark": {"type": "bar", "height": 9, "cornerRadius": 3},
                    "encoding": {
                        "y": {"field": "instrument", "type": "ordinal", "sort": names, "title": None},
                        "x": {"field": "since", "type": "temporal", "title": None, "axis": {"format": "%Y"}},
                        "x2": {"field": "until"},
                        "tooltip": _said(*zip(("instrument", "since", "until"), titles, strict=True), ("state", "")),
                        "color": colour,
                    },
                },
                {
                    "data": {"values": list(windows)},
                    "mark": {"type": "bar", "height": 4, "cornerRadius": 2},
                    "encoding": {
                        "y": {"field": "instrument", "type": "ordinal", "sort": names, "title": None},
                        "x": {"field": "since", "type": "temporal", "title": None},
                        "x2": {"field": "until"},
                        "tooltip": _said(*zip(("instrument", "since", "until"), titles, strict=True), ("why", "")),
                        "color": colour,
                    },
                },
                {
                    "data": {"values": [{"day": day}]},
                    "mark": {"type": "rule", "strokeWidth": 1.5, "color": palette["bad"]},
                    "encoding": {"x": {"field": "day", "type": "temporal"}},
                },
            ],
        },
        theme,
    )
    return {**spec, "height": {"step": 19}}
