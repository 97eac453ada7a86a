"""One node watched: the gate first, and the longest stretch of the newest data that passes it.

A meter that began to fail in the middle of the time makes the whole of it contradict itself; its newest half or
quarter may not. The watch says which stretch it used, and what the longer ones were refused for.
"""

from dataclasses import dataclass

from gateway.metrology.watch import MeterEstimate, NodeEstimate, NodeSteps, Watched, WatchedNode, estimate
from gateway.metrology.watch_gate import LEAST_STEPS, Gate, gate

STRETCHES = (1, 2, 4)
"""The whole time, its newer half, its newest quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWatch:
    """What was found. ``from_hour`` is where the used stretch begins on the steps' own clock; ``refused`` the gates of
    longer stretches that were shut; ``meters`` is empty where no gate opened.
    """

    node: str
    found: NodeEstimate
    gate: Gate
    from_hour: float
    refused: tuple[Gate, ...]

    @property
    def meters(self) -> tuple[MeterEstimate, ...]:
        """The children, named only behind an open gate."""
        return self.found.meters if self.gate.open else ()

    @property
    def suspects(self) -> tuple[MeterEstimate, ...]:
        """Those to be checked, most likely first."""
        named = [each for each in self.meters if each.state is Watched.SUSPECT]
        return tuple(sorted(named, key=lambda each: (-each.p, each.name)))


def watch(node: WatchedNode, steps: NodeSteps) -> NodeWatch:
    """Watch a node over the longest newest stretch whose gate opens; the whole time's refusal where none does."""
    refused: list[Gate] = []
    first: NodeWatch | None = None
    for part in STRETCHES:
        taken = newest(steps, len(steps.hour) // part)
        if part > 1 and len(taken.hour) < 2 * LEAST_STEPS:
            break
        found = estimate(node, taken)
        judged = gate(found)
        at = float(taken.hour[0]) if len(taken.hour) else 0.0
        one = NodeWatch(node=node.name, found=found, gate=judged, from_hour=at, refused=tuple(refused))
        if judged.open:
            return one
        first = first or one
        refused.append(judged)
    assert first is not None, "the whole time is always tried"
    return first


def newest(steps: NodeSteps, count: int) -> NodeSteps:
    """The last ``count`` steps."""
    start = max(len(steps.hour) - count, 0)
    return NodeSteps(hour=steps.hour[start:], parent=steps.parent[start:], children=steps.children[start:], dt=steps.dt)
