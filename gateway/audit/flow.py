"""Energy flow of one energy kind: from the border through the network to what uses it, with what nobody measures.

The widths are the points' energies in their own unit. Energy that leaves a node against its direction (own generation)
flows into it; what a node took and no point under it measures is its unmetered share.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.energy import Energy, amounts_of
from gateway.audit.plant import Plant, PointFact, plant
from gateway.domain.figure import decimal_text
from gateway.domain.ledger import Direction
from gateway.domain.time import Period

MAX_NODES = 80
MAX_COLUMNS = 6
_GAP = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNode:
    """A point in the flow. ``column`` counts from the border; ``top`` and ``bottom`` lie in 0..1, downwards."""

    id: str
    name_zh: str
    name_en: str
    kind: str
    column: int
    top: float
    bottom: float
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLink:
    """What flows from one point to another. ``kind``: ``metered``, ``generated`` (own generation that enters a node),
    ``unmetered`` (no point under ``source`` measures it; ``target`` is empty). Edges lie in 0..1, downwards.
    """

    source: str
    target: str
    kind: str
    amount: str
    share_permille: int | None
    source_column: int
    target_column: int
    source_top: float
    source_bottom: float
    target_top: float
    target_bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One energy kind's flow over a time. ``lacking`` are points of the kind without a value, ``kinds`` what may be
    asked for.
    """

    kind: str
    unit: str
    nodes: Sequence[FlowNode]
    links: Sequence[FlowLink]
    lacking: Sequence[str]
    kinds: Sequence[str]


@dataclass(slots=True)
class _Branch:
    fact: PointFact | None  # None: what nobody measures
    kind: str
    value: Fraction
    column: int
    feeds: list["_Branch"] = field(default_factory=list)  # own generation that enters here
    children: list["_Branch"] = field(default_factory=list)

    @property
    def through(self) -> Fraction:
        """What enters: the meter's energy and own generation; children may take more where meters disagree."""
        given = self.value + sum((each.value for each in self.feeds), Fraction(0))
        return max(given, sum((each.value for each in self.children), Fraction(0)))


def energy_flow(sources: Sources, asking: Asking, period: Period, kind: str = "electricity") -> Flow:
    """The flow of a kind over a period, at most ``MAX_NODES`` points and ``MAX_COLUMNS`` levels of the network."""
    there = plant(sources, asking)
    found = amounts_of(sources, asking, there, period)
    facts = [fact for _depth, fact in there.walk() if fact.point.energy_kind == kind]
    lacking = [fact.point.id for fact in facts if _value(found, fact) is None]
    roots = [fact for fact in facts if _is_root(there, fact) and fact.point.level == 1 and not _leaves(fact)]
    seen: set[str] = set()
    branches = [
        branch for fact in roots if (branch := _branch(there, found, fact, 0, seen)) is not None and branch.value > 0
    ]
    nodes, links = _laid_out(branches)
    units = [found[fact.point.id].unit for fact in facts if found.get(fact.point.id) and found[fact.point.id].unit]
    kinds = {fact.point.energy_kind for fact in there.points.values() if there.register(fact) is not None}
    return Flow(
        kind=kind, unit=units[0] if units else "", nodes=nodes, links=links, lacking=lacking, kinds=sorted(kinds)
    )


def _value(found: dict[str, Energy], fact: PointFact) -> Fraction | None:
    energy = found.get(fact.point.id)
    return None if energy is None else energy.value


def _leaves(fact: PointFact) -> bool:
    return fact.point.direction == Direction.OUT


def _is_root(there: Plant, fact: PointFact) -> bool:
    parent = there.points.get(fact.point.parent)
    return parent is None or parent.point.energy_kind != fact.point.energy_kind


def _branch(there: Plant, found: dict[str, Energy], fact: PointFact, column: int, seen: set[str]) -> _Branch | None:
    value = _value(found, fact)
    if value is None or fact.point.id in seen or len(seen) >= MAX_NODES:
        return None
    seen.add(fact.point.id)
    made = _Branch(fact, "metered", value, column)
    if column >= MAX_COLUMNS:
        return made
    for child in there.children(fact.point.id):
        if child.point.energy_kind != fact.point.energy_kind:
            continue
        under = _branch(there, found, child, column + 1, seen)
        if under is not None and under.value > 0:
            under.kind = "generated" if _leaves(child) else "metered"
            (made.feeds if _leaves(child) else made.children).append(under)
    if made.children:
        rest = made.through - sum((each.value for each in made.children), Fraction(0))
        if rest > 0:
            made.children.append(_Branch(None, "unmetered", rest, column + 1))
    return made


def _laid_out(branches: list[_Branch]) -> tuple[list[FlowNode], list[FlowLink]]:
    """Places: every branch gets a band of its own, as high as what flows in it plus gaps between its ends."""
    whole = float(sum((each.through for each in branches), Fraction(0)))
    if whole <= 0:
        return [], []
    page = _Page(1 / whole)
    top = 0.0
    for each in branches:
        page.place(each, top)
        top += page.height(each) + _GAP
    page.place_generation()
    return page.fitted()


class _Page:
    """Nodes and links while they are placed; ``scale`` is height per unit of energy."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._nodes: list[FlowNode] = []
        self._links: list[FlowLink] = []
        self._feeds: list[tuple[_Branch, str, int, float]] = []  # generation, node it enters, its column, where

    def height(self, branch: _Branch) -> float:
        """The band of a branch: its own height, or that of its ends with the gaps between them."""
        below = sum(self.height(each) for each in branch.children) + _GAP * max(0, len(branch.children) - 1)
        return max(self._wide(branch.through), below)

    def _wide(self, value: Fraction) -> float:
        return float(value) * self._scale

    def place(self, branch: _Branch, top: float) -> None:
        """Put a branch at ``top`` and what hangs under it to the right."""
        assert branch.fact is not None
        own = branch.fact.point.id
        self._node(branch, branch.column, top, branch.through)
        at = top + self._wide(branch.value)
        for feed in branch.feeds:
            self._feeds.append((feed, own, branch.column, at))
            at += self._wide(feed.value)
        start, child_top = top, top
        for child in branch.children:
            target = "" if child.fact is None else child.fact.point.id
            ends = ((branch.column, start), (child.column, child_top))
            self._link((own, target), child, branch.through, ends)
            if child.fact is not None:
                self.place(child, child_top)
            child_top += self.height(child) + _GAP
            start += self._wide(child.value)

    def place_generation(self) -> None:
        """Own generation comes in from the left, below whatever stands in that column."""
        for feed, into, column, at in self._feeds:
            assert feed.fact is not None
            left = max(column - 1, 0)
            top = max((node.bottom for node in self._nodes if node.column == left), default=0.0) + 2 * _GAP
            self._node(feed, left, top, feed.value)
            self._link((feed.fact.point.id, into), feed, None, ((left, top), (column, at)))

    def _node(self, branch: _Branch, column: int, top: float, through: Fraction) -> None:
        assert branch.fact is not None
        point = branch.fact.point
        self._nodes.append(
            FlowNode(
                id=point.id,
                name_zh=point.name_zh,
                name_en=point.name_en,
                kind=branch.kind,
                column=column,
                top=top,
                bottom=top + self._wide(through),
                amount=decimal_text(branch.value, 6),
            )
        )

    def _link(
        self,
        names: tuple[str, str],
        branch: _Branch,
        whole: Fraction | None,
        ends: tuple[tuple[int, float], tuple[int, float]],
    ) -> None:
        width = self._wide(branch.value)
        (source_column, start), (target_column, end) = ends
        self._links.append(
            FlowLink(
                source=names[0],
                target=names[1],
                kind=branch.kind,
                amount=decimal_text(branch.value, 6),
                share_permille=round(1000 * branch.value / whole) if whole else None,
                source_column=source_column,
                target_column=target_column,
                source_top=start,
                source_bottom=start + width,
                target_top=end,
                target_bottom=end + width,
            )
        )

    def fitted(self) -> tuple[list[FlowNode], list[FlowLink]]:
        """Everything made to lie in 0..1."""
        bottom = max(
            (*(node.bottom for node in self._nodes), *(link.target_bottom for link in self._links)), default=1.0
        )
        nodes = [replace(node, top=node.top / bottom, bottom=node.bottom / bottom) for node in self._nodes]
        links = [
            replace(
                link,
                source_top=link.source_top / bottom,
                source_bottom=link.source_bottom / bottom,
                target_top=link.target_top / bottom,
                target_bottom=link.target_bottom / bottom,
            )
            for link in self._links
        ]
        return nodes, links
