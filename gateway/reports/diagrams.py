"""Boxes and links as a Vega-Lite specification: where each box stands is computed here, the drawing is the engine's.

A drawing has columns from left to right; a box's parents stand to its left. Boxes without a place of their own are put
in the middle of what hangs on them, so that links rarely cross.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
FONT = "Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif"
TONES = {
    "plain": ("#ffffff", "#5f7a72"),
    "main": ("#e3efeb", "#0a665c"),
    "source": ("#f4eddd", "#9a7b2f"),
    "bad": ("#fbe9e7", "#ac2418"),
}
LINK = {"plain": "#9fb8b0", "main": "#5aa394", "source": "#c9b57f", "bad": "#d98a80"}
BOX_WIDTH = 168
GAP_X = 64
ROW = 41
BOX_HEIGHT = 34
HEAD = 26
TITLE_WIDTH = 26
"""Half-width characters a box's line holds; a Chinese character takes two."""
_POINTS = 13
_THINNEST, _THICKEST = 1.0, 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box: ``column`` from 0, a ``title`` and one smaller line; ``tone`` names its colours."""

    id: str
    column: int
    title: str
    line: str = ""
    tone: str = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """From a box to one on its right; ``weight`` 0..1 is its thickness, None for a thin line."""

    source: str
    target: str
    weight: float | None = None
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class _Placed:
    node: Node
    x: float
    y: float


def diagram(nodes: Sequence[Node], links: Sequence[Link], heads: Sequence[str]) -> Spec:
    """The drawing; ``heads`` stand over the columns."""
    placed = _place(nodes, links)
    rows = 1 + max((each.y for each in placed.values()), default=0.0)
    columns = max(len(heads), 1)
    width = columns * BOX_WIDTH + (columns - 1) * GAP_X
    height = HEAD + rows * ROW
    boxes = [_box(each) for each in placed.values()]
    curves = [point for number, link in enumerate(links) for point in _curve(number, link, placed)]
    titles = [
        {"x": index * (BOX_WIDTH + GAP_X) + BOX_WIDTH / 2, "y": HEAD / 2 - 4, "text": head}
        for index, head in enumerate(heads)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "transparent",
        "width": width,
        "height": height,
        "padding": 6,
        "config": {"font": FONT, "view": {"stroke": None}},
        "layer": [
            {
                "data": {"values": curves},
                "mark": {"type": "line", "strokeCap": "butt", "opacity": 0.75},
                "encoding": {
                    **_axes(width, height),
                    "order": {"field": "order", "type": "quantitative"},
                    "detail": {"field": "link", "type": "nominal"},
                    "strokeWidth": {"field": "wide", "type": "quantitative", "scale": None},
                    "stroke": {"field": "colour", "type": "nominal", "scale": None},
                },
            },
            {
                "data": {"values": boxes},
                "mark": {"type": "rect", "cornerRadius": 3, "strokeWidth": 1.1},
                "encoding": {
                    **_axes(width, height),
                    "x2": {"field": "x2"},
                    "y2": {"field": "y2"},
                    "fill": {"field": "fill", "type": "nominal", "scale": None},
                    "stroke": {"field": "stroke", "type": "nominal", "scale": None},
                },
            },
            _text(boxes, width, height, field="title", dy="yt", size=11.5, colour="#1c2b27"),
            _text(
                [each for each in boxes if each["line"]],
                width,
                height,
                field="line",
                dy="yl",
                size=9.5,
                colour="#4d5f59",
            ),
            {
                "data": {"values": titles},
                "mark": {"type": "text", "fontSize": 11.5, "fontWeight": "bold", "color": "#45534f"},
                "encoding": {**_axes(width, height), "text": {"field": "text"}},
            },
        ],
    }


def _axes(width: float, height: float) -> Spec:
    return {
        "x": {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, width], "nice": False}},
        "y": {
            "field": "y",
            "type": "quantitative",
            "axis": None,
            "scale": {"domain": [0, height], "nice": False, "reverse": True},
        },
    }


def _text(boxes: Sequence[Spec], width: float, height: float, *, field: str, dy: str, size: float, colour: str) -> Spec:
    axes = _axes(width, height)
    axes["y"] = {**axes["y"], "field": dy}
    axes["x"] = {**axes["x"], "field": "xt"}
    return {
        "data": {"values": list(boxes)},
        "mark": {"type": "text", "fontSize": size, "align": "center", "baseline": "middle", "color": colour},
        "encoding": {**axes, "text": {"field": field}},
    }


def _box(placed: _Placed) -> Spec:
    left = placed.x
    top = HEAD + placed.y * ROW + (ROW - BOX_HEIGHT) / 2
    fill, stroke = TONES[placed.node.tone]
    line = cut(placed.node.line, TITLE_WIDTH + 6)
    return {
        "x": left,
        "x2": left + BOX_WIDTH,
        "y": top,
        "y2": top + BOX_HEIGHT,
        "xt": left + BOX_WIDTH / 2,
        "yt": top + (BOX_HEIGHT * 0.32 if line else BOX_HEIGHT / 2),
        "yl": top + BOX_HEIGHT * 0.73,
        "title": cut(placed.node.title, TITLE_WIDTH),
        "line": line,
        "fill": fill,
        "stroke": stroke,
    }


def cut(text: str, width: int) -> str:
    """The text as far as it fits, Chinese characters counting double, with an ellipsis where it was longer."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if ord(character) > 0x2E80 else 1
        if used > width:
            return text[: max(index - 1, 1)] + "…"
    return text


def _curve(number: int, link: Link, placed: Mapping[str, _Placed]) -> Iterator[Spec]:
    """The link as points of a smooth step between two boxes."""
    first, last = placed.get(link.source), placed.get(link.target)
    if first is None or last is None:
        return
    x0, x1 = first.x + BOX_WIDTH, last.x
    y0, y1 = (HEAD + each.y * ROW + ROW / 2 for each in (first, last))
    wide = _THINNEST if link.weight is None else _THINNEST + (_THICKEST - _THINNEST) * min(max(link.weight, 0.0), 1.0)
    for order in range(_POINTS):
        t = order / (_POINTS - 1)
        eased = t * t * (3 - 2 * t)
        yield {
            "link": number,
            "order": order,
            "x": round(x0 + (x1 - x0) * t, 2),
            "y": round(y0 + (y1 - y0) * eased, 2),
            "wide": round(wide, 2),
            "colour": LINK[link.tone],
        }


def _place(nodes: Sequence[Node], links: Sequence[Link]) -> dict[str, _Placed]:
    """Rows from the last column to the first: leaves one below the other, parents in the middle of their children."""
    by_id = {node.id: node for node in nodes}
    children: dict[str, list[str]] = {node.id: [] for node in nodes}
    heads = {node.id for node in nodes}
    for link in links:
        if link.source in by_id and link.target in by_id and by_id[link.source].column < by_id[link.target].column:
            children[link.source].append(link.target)
            heads.discard(link.target)
    rows: dict[str, float] = {}
    next_free = [0.0]
    for node in nodes:
        if node.id in heads:
            _row(node.id, children, rows, next_free)
    placed = {}
    taken: set[tuple[int, float]] = set()
    for node in nodes:
        row = rows[node.id]
        while (node.column, row) in taken:
            row += 1
        taken.add((node.column, row))
        placed[node.id] = _Placed(node, node.column * (BOX_WIDTH + GAP_X), row)
    return placed


def _row(node: str, children: Mapping[str, Sequence[str]], rows: dict[str, float], next_free: list[float]) -> float:
    if node in rows:
        return rows[node]
    below = [_row(each, children, rows, next_free) for each in children[node] if each not in rows]
    known = below or [rows[each] for each in children[node]]
    if below:
        rows[node] = (min(below) + max(below)) / 2
    elif known:
        rows[node] = max(next_free[0], sum(known) / len(known))
        next_free[0] = max(next_free[0], rows[node] + 1)
    else:
        rows[node] = next_free[0]
        next_free[0] += 1
    return rows[node]
