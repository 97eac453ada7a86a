"""Figures B.1 to B.3 of JJF 1356 and the general chart of traceability, each with the table that says the same.

Only the titles of the figures are quoted (转载); how they are drawn is our own.
"""

from collections.abc import Iterator, Sequence

from gateway.audit.ledger import LedgerRow
from gateway.audit.plant import MAX_DEPTH, PointFact
from gateway.domain.ledger import CertificateKind, Standard
from gateway.i18n.terms import unit_symbol
from gateway.reports.diagrams import Link, Node, diagram
from gateway.reports.document import Block, Cell, Document, Expanded, Picture, Table
from gateway.reports.forms import boxes
from gateway.reports.making import Making

LEAVES_A_PICTURE = 13
DRAWN_AS_OURS = "Title as pages quoting JJF 1356-2012 annex B print it; how it is drawn is our own."


def energy_flow(making: Making) -> Document:
    """Figure B.1: what enters, over the sub-units, to the main equipment, with metered amounts of the period."""
    title = making.t("Figure B.1 Energy flow")
    blocks: list[Block] = []
    for number, (nodes, links) in enumerate(_flow_pictures(making), start=1):
        caption = title if number == 1 else f"{title} ({number})"
        heads = [making.t("Energy bought"), *_heads(making, nodes)[1:]]
        blocks.append(Picture(id=f"flow-{number}", caption=caption, spec=diagram(nodes, links, heads)))
    blocks += [_flow_table(making), boxes(making)]
    return making.document("figure-b1", title, blocks, landscape=True, spans=True)


def _heads(making: Making, nodes: Sequence[Node]) -> list[str]:
    """Over each column the levels of the points in it."""
    levels: dict[int, set[int]] = {}
    for node in nodes:
        fact = making.there.points.get(node.id)
        levels.setdefault(node.column, set()).update({fact.point.level} if fact and fact.point.level else ())
    names = {1: making.t("Level 1"), 2: making.t("Level 2"), 3: making.t("Level 3")}
    return [
        making.joined([names.get(level, str(level)) for level in sorted(levels.get(column, ()))])
        for column in range(1 + max(levels, default=0))
    ]


def _flow_pictures(making: Making) -> Iterator[tuple[list[Node], list[Link]]]:
    for kind, roots in _roots_by_kind(making):
        for chunk in _chunks(making, roots):
            nodes = [Node(id=f"kind/{kind}", column=0, title=making.energy_kind(kind), tone="source")]
            links = [
                Link(source=f"kind/{kind}", target=each, weight=1.0, tone="source")
                for each in dict.fromkeys(root.point.id for root, _chain in chunk)
            ]
            for root, chain in chunk:
                _flow(making, root, chain, nodes, links)
            yield nodes, links


def _flow(
    making: Making, root: PointFact, chain: Sequence[tuple[int, PointFact]], nodes: list[Node], links: list[Link]
) -> None:
    whole = making.point_amount(root.point.id).figure.value
    known = {node.id for node in nodes}
    for depth, fact in chain:
        amount = making.point_amount(fact.point.id)
        if fact.point.id not in known:
            value = amount.figure.displayed()[0]
            line = f"{value} {unit_symbol(amount.figure.unit)}" if value else making.t("not known")
            tone = "bad" if fact.meter is None and fact.point.must_measure else "main" if depth == 0 else "plain"
            nodes.append(Node(id=fact.point.id, column=1 + depth, title=making.name(fact.point), line=line, tone=tone))
        if depth > 0:
            part = amount.figure.value
            weight = float(part / whole) if part is not None and whole else None
            links.append(Link(source=fact.point.parent, target=fact.point.id, weight=weight))


def _roots_by_kind(making: Making) -> list[tuple[str, list[PointFact]]]:
    found: dict[str, list[PointFact]] = {}
    for fact in making.there.roots():
        if fact.point.energy_kind:
            found.setdefault(fact.point.energy_kind, []).append(fact)
    sizes = {kind: sum(len(making.there.subtree(each.point.id)) for each in facts) for kind, facts in found.items()}
    return sorted(found.items(), key=lambda each: (-sizes[each[0]], each[0]))


def _walk(making: Making, fact: PointFact, depth: int, seen: set[str]) -> Iterator[tuple[int, PointFact]]:
    if fact.point.id in seen or depth > MAX_DEPTH:
        return
    seen.add(fact.point.id)
    yield depth, fact
    for child in making.there.children(fact.point.id):
        yield from _walk(making, child, depth + 1, seen)


def _chunks(
    making: Making, roots: Sequence[PointFact]
) -> Iterator[list[tuple[PointFact, list[tuple[int, PointFact]]]]]:
    """Trees cut into pictures of so many rows; a large root stands in each picture with some of its branches."""
    held: list[tuple[PointFact, list[tuple[int, PointFact]]]] = []
    rows = 0
    for root in roots:
        branches = [list(_walk(making, child, 1, {root.point.id})) for child in making.there.children(root.point.id)]
        current: list[tuple[int, PointFact]] = [(0, root)]
        for branch in branches:
            leaves = _leaves(making, branch)
            if rows and rows + leaves > LEAVES_A_PICTURE:
                yield [*held, (root, current)] if len(current) > 1 else held
                held, current, rows = [], [(0, root)], 0
            current += branch
            rows += leaves
        if not branches:
            rows += 1
        held.append((root, current))
        if rows >= LEAVES_A_PICTURE:
            yield held
            held, rows = [], 0
    if held:
        yield held


def _leaves(making: Making, branch: Sequence[tuple[int, PointFact]]) -> int:
    return sum(not making.there.children(fact.point.id) for _depth, fact in branch) or 1


def _flow_table(making: Making) -> Table:
    titles = (
        ("Metering point", 4),
        ("Under", 3),
        ("Energy kind", 2),
        ("Amount", 3),
        ("U (k=2)", 2),
        ("Unit of measurement", 2),
    )
    rows: list[list[Cell]] = []
    for depth, fact in making.there.walk():
        amount = making.point_amount(fact.point.id)
        name = _indented(making, depth, fact)
        rows.append([name, fact.point.parent, making.energy_kind(fact.point.energy_kind)])
        rows[-1] += [amount, Expanded(amount), unit_symbol(amount.figure.unit)]
    return Table(
        id="flow",
        title=making.t("The flow as a table"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(DRAWN_AS_OURS),
    )


def network(making: Making) -> Document:
    """Figure B.2: metering points with their instruments and what collects them."""
    title = making.t("Figure B.2 Instruments and collection points")
    cards = {row.instrument.id: row for row in making.rows}
    blocks: list[Block] = []
    number = 0
    for _kind, roots in _roots_by_kind(making):
        for chunk in _chunks(making, roots):
            number += 1
            nodes: dict[str, Node] = {}
            links: list[Link] = []
            for _root, chain in chunk:
                for depth, fact in chain:
                    nodes.setdefault(fact.point.id, _network_node(making, depth, fact, cards))
                    if depth > 0:
                        links.append(Link(source=fact.point.parent, target=fact.point.id))
            caption = title if number == 1 else f"{title} ({number})"
            drawn = list(nodes.values())
            spec = diagram(drawn, links, _heads(making, drawn))
            blocks.append(Picture(id=f"network-{number}", caption=caption, spec=spec))
    blocks += [_network_table(making, cards), boxes(making)]
    return making.document("figure-b2", title, blocks, landscape=True)


def _network_node(making: Making, depth: int, fact: PointFact, cards: dict[str, LedgerRow]) -> Node:
    if fact.meter is None:
        line = making.t("no meter")
        tone = "bad" if fact.point.must_measure and not fact.point.exemption else "plain"
    else:
        instrument = fact.meter.installation.instrument
        card = cards.get(instrument)
        held = card.instrument.accuracy_class if card else ""
        line = " ".join(each for each in (instrument, held) if each)
        tone = "main" if fact.device else "source"
    return Node(id=fact.point.id, column=depth, title=making.name(fact.point), line=line, tone=tone)


def _network_table(making: Making, cards: dict[str, LedgerRow]) -> Table:
    titles = (
        ("Metering point", 4),
        ("Under", 3),
        ("Energy kind", 2),
        ("Level", 2),
        ("Instrument", 3),
        ("Accuracy class", 2),
        ("Read through", 3),
        ("Due state", 3),
    )
    rows: list[list[Cell]] = []
    for depth, fact in making.there.walk():
        card = cards.get(fact.meter.installation.instrument) if fact.meter else None
        rows.append(
            [
                _indented(making, depth, fact),
                fact.point.parent,
                making.energy_kind(fact.point.energy_kind),
                making.term("level", fact.point.level),
                card.instrument.id if card else making.t("no meter"),
                card.instrument.accuracy_class if card else "",
                fact.device or making.t("not collected"),
                making.term("due", card.due) if card else "",
            ]
        )
    return Table(
        id="network",
        title=making.t("The network as a table"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(DRAWN_AS_OURS),
        notes=(
            making.t(
                "Green: collected by the gateway. Brown: a meter that nothing collects. "
                "Red: no meter where one is demanded."
            ),
        ),
    )


def own_calibration(making: Making) -> Document:
    """Figure B.3: traceability of what the unit verifies or calibrates itself."""
    rows = [row for row in making.rows if row.certificate and row.certificate.kind == CertificateKind.INTERNAL]
    title = making.t("Figure B.3 Traceability of own verification and calibration")
    return _traceability(making, "figure-b3", title, rows)


def traceability(making: Making) -> Document:
    """The general chart: standards, laboratories, instruments."""
    rows = [row for row in making.rows if row.certificate]
    return _traceability(making, "figure-traceability", making.t("Chart of traceability"), rows)


def _traceability(making: Making, id_: str, title: str, wanted: Sequence[LedgerRow]) -> Document:
    known = _standards(making)
    nodes: dict[str, Node] = {}
    links: dict[tuple[str, str], Link] = {}
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in wanted:
        certificate = row.certificate
        assert certificate is not None
        laboratory = f"{certificate.laboratory}\0{certificate.kind}"
        names = [each.strip() for each in certificate.standards.split(";") if each.strip()]
        for name in names or [""]:
            groups.setdefault((name, laboratory, row.instrument.kind), []).append(row.instrument.id)
    for (name, laboratory, kind), members in sorted(groups.items()):
        ids = [f"above/{name}", f"standard/{name}", f"laboratory/{laboratory}", f"kind/{laboratory}/{kind}"]
        for node in _chain(making, ids, name, known.get(name), laboratory, kind, members):
            nodes.setdefault(node.id, node)
        for first, second in ((0, 1), (1, 2), (2, 3)):
            if ids[first] in nodes and ids[second] in nodes:
                key = (ids[first], ids[second])
                links.setdefault(key, Link(source=key[0], target=key[1]))
    heads = [
        making.t(each)
        for each in ("Certificate of the standard", "Standard", "Verified or calibrated by", "Instruments")
    ]
    blocks: list[Block] = []
    if nodes:
        spec = diagram(list(nodes.values()), list(links.values()), heads)
        blocks.append(Picture(id=id_, caption=title, spec=spec))
    blocks += [_traceability_table(making, wanted, known), boxes(making)]
    return making.document(id_, title, blocks, landscape=True)


def _standards(making: Making) -> dict[str, Standard]:
    registry, asking = making.sources.registry, making.asking
    records = registry.objects(asking.organisation, "standard", asking.as_of_us, asking.known_seq)
    return {record.id: record.read_as(Standard) for record in records}


def _chain(  # noqa: PLR0917  # one row of the chart
    making: Making,
    ids: Sequence[str],
    name: str,
    standard: Standard | None,
    laboratory: str,
    kind: str,
    members: Sequence[str],
) -> Iterator[Node]:
    where, certificate_kind = laboratory.split("\0")
    if not name:
        yield Node(id=ids[1], column=1, title=making.t("no standard named"), tone="bad")
    elif standard is None:
        yield Node(id=ids[1], column=1, title=name, line=making.t("not on record"), tone="bad")
    else:
        number = standard.certificate_number
        over = bool(standard.valid_until) and standard.valid_until < making.asking.today.isoformat()
        yield Node(
            id=ids[0],
            column=0,
            title=standard.laboratory or making.t("not stated"),
            line=number or making.t("no certificate number"),
            tone="source" if number else "bad",
        )
        until = making.t("valid until %(day)s", day=standard.valid_until) if standard.valid_until else ""
        yield Node(id=ids[1], column=1, title=standard.name or name, line=until, tone="bad" if over else "main")
    yield Node(
        id=ids[2],
        column=2,
        title=where or making.t("not stated"),
        line=making.term("certificate_kind", certificate_kind),
        tone="main",
    )
    yield Node(
        id=ids[3],
        column=3,
        title=making.term("instrument_kind", kind),
        line=making.t("%(count)s pieces", count=len(members)),
    )


def _traceability_table(making: Making, wanted: Sequence[LedgerRow], known: dict[str, Standard]) -> Table:
    titles = (
        ("Instrument", 3),
        ("Instrument name", 3),
        ("Certificate", 3),
        ("Kind of certificate", 2),
        ("Verified or calibrated by", 4),
        ("Valid until", 2),
        ("Standard", 3),
        ("Certificate of the standard", 3),
        ("Gap", 3),
    )
    rows: list[list[Cell]] = []
    for row in wanted:
        certificate = row.certificate
        assert certificate is not None
        names = [each.strip() for each in certificate.standards.split(";") if each.strip()]
        gaps = [making.t("no standard named")] if not names else []
        gaps += [f"{each}: {making.t('not on record')}" for each in names if each not in known]
        above = [known[each].certificate_number for each in names if each in known]
        rows.append(
            [
                row.instrument.id,
                row.instrument.name,
                certificate.id,
                making.term("certificate_kind", certificate.kind),
                certificate.laboratory,
                certificate.valid_until,
                making.joined(names),
                making.joined(above),
                making.joined(gaps),
            ]
        )
    return Table(
        id="traceability",
        title=making.t("Traceability as a table"),
        columns=making.columns(titles),
        rows=rows,
        source=making.t(DRAWN_AS_OURS),
    )


def _indented(making: Making, depth: int, fact: PointFact) -> str:
    """A point's name moved in by its depth, with the blank that is as wide as a Chinese character."""
    return "\u3000" * depth + making.name(fact.point)
