"""The drift campaign: seeded nodes with planted errors, watched by the gateway; recall, false alarms, refusals."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from gateway.metrology.watch import NodeSteps, Watched, WatchedMeter, WatchedNode
from gateway.metrology.watching import watch
from simulators.plant.metering_node import MeteredNode, NodeWish, metered_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``recall`` of planted faults over all runs, a refused run counts as missed; ``false``
    alarms among ``healthy`` meters of all runs; ``named`` recall among the runs whose gate opened.
    """

    runs: int
    refused: int
    recall: float | None
    named: float | None
    false: int
    healthy: int
    clear: float
    median_u: float | None
    ungated_false: int


def row(wish: NodeWish, runs: int, *, seed: int = 0) -> Row:
    """Watch ``runs`` nodes of one kind."""
    refused = found = planted = seen = false = healthy = clear = ungated = 0
    spreads: list[float] = []
    for number in range(runs):
        made = metered_node(seed + 7_919 * wish.children + number, wish)
        node, steps = watched(made, wish)
        one = watch(node, steps)
        planted += len(made.faulty)
        refused += not one.gate.open
        for index, each in enumerate(one.found.meters):
            suspect = each.state is Watched.SUSPECT
            if index in made.faulty:
                found += suspect and one.gate.open
                seen += one.gate.open
            else:
                healthy += 1
                ungated += suspect
                false += suspect and one.gate.open
                clear += each.state is Watched.CLEAR and one.gate.open
        spreads += [each.u for each in one.meters]
    return Row(
        runs=runs,
        refused=refused,
        recall=found / planted if planted else None,
        named=found / seen if seen else None,
        false=false,
        healthy=healthy,
        clear=clear / healthy if healthy else 0.0,
        median_u=median(spreads) if spreads else None,
        ungated_false=ungated,
    )


def watched(made: MeteredNode, wish: NodeWish) -> tuple[WatchedNode, NodeSteps]:
    """The node as the gateway sees it: limit 2 %, prior 1 %, parent 0.2 %."""
    children = tuple(WatchedMeter(name=str(each), step=wish.step) for each in range(wish.children))
    node = WatchedNode(name="node", children=children, parent_u=wish.parent_u, parent_step=wish.step)
    return node, NodeSteps(hour=made.hour, parent=made.parent, children=made.children)


TABLE: tuple[tuple[str, NodeWish, float | None], ...] = (
    ("10 children, 14 days", NodeWish(children=10, days=14), 0.83),
    ("10 children, 60 days", NodeWish(children=10), 0.93),
    ("30 children, 14 days", NodeWish(children=30, days=14), 0.32),
    ("30 children, 60 days", NodeWish(children=30), 0.68),
    ("100 children, 14 days", NodeWish(children=100, days=14), 0.05),
    ("100 children, 60 days", NodeWish(children=100), 0.22),
    ("30 children, fault 2.5 %", NodeWish(children=30, fault=0.025), 0.17),
    ("30 children, register step 1 kWh", NodeWish(children=30, step=1.0), 0.12),
    ("8 children", NodeWish(children=8), 1.0),
    ("20 children", NodeWish(children=20), 0.94),
    ("8 children, two faults", NodeWish(children=8, faults=2), 0.99),
    ("20 children, two faults", NodeWish(children=20, faults=2), 0.94),
    ("20 children, 0.1 % scatter", NodeWish(children=20, noise=0.001), None),
    ("30 children, 0.2 % scatter", NodeWish(children=30, noise=0.002), None),
    ("10 children, fault 12 %", NodeWish(children=10, fault=0.12), None),
    ("20 children, three faults of 8 %", NodeWish(children=20, faults=3, fault=0.08), None),
    ("10 children, fault begins half-way", NodeWish(children=10, onset=0.5), None),
    ("10 children, fault begins near the end", NodeWish(children=10, onset=0.8), None),
)
"""What is made (60 days, 4 %, 0.01 kWh unless said), and the recall an earlier study found in its own world."""

UNMETERED: tuple[tuple[str, NodeWish], ...] = tuple(
    (
        f"{100 * share:g} % unmetered, {course}, {children} children",
        NodeWish(children=children, faults=0, unmetered=share, course=course),
    )
    for share in (0.01, 0.03)
    for children, course in ((8, "random"), (20, "daily"), (30, "blocks"))
)


def lines(runs: int, unmetered_runs: int) -> Iterator[tuple[str, Row, float | None]]:
    """The whole table."""
    for name, wish, study in TABLE:
        yield name, row(wish, runs), study
    for name, unmetered in UNMETERED:
        yield name, row(unmetered, unmetered_runs), None
