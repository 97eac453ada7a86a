"""数据: completeness, substitutes and defaults, configuration history, sample chain, integrity, revisions."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from gateway.accounting.laboratory import CHAIN, doubts, records
from gateway.accounting.results import ResultVersion, results
from gateway.audit.energy import totals
from gateway.domain.figure import decimal_text
from gateway.registry.record import Configuration
from gateway.review.gathered import Cell, Entry, Gathered, Instant, Ref, Section, said_word, section
from gateway.review.views_instruments import ATTENTION, EMPTY, IN_ORDER, STATED

METHODS = ("measured", "interpolated", "caught_up", "substituted", "manual")
DOUBTFUL = ("substituted", "manual")
MAX_CHANGES = 300
MAX_DIFFERENCES = 60
MAX_CLOCK_ENTRIES = 50_000
SHORTFALL_PERMILLE = 990


def completeness_view(gathered: Gathered) -> Section:
    """Each device's slots by how they ended, least complete first."""
    found = gathered.completeness
    rows: list[Sequence[Cell]] = []
    short = 0
    for each in found.devices:
        share = each.answered * 1000 // each.slots if each.slots else 0
        short += share < SHORTFALL_PERMILLE
        ended = said_word("outcome", *(name for name, count in each.by_outcome.items() if count and name != "ok"))
        rows.append([each.device, each.point, each.slots, each.answered, _percent(share), ended])
    covered = found.covered_permille
    said: list[tuple[str, dict[str, Any]]] = [
        (
            "%(covered)s of the time of the last %(days)s days lay between readings.",
            {
                "covered": "—" if covered is None else _percent(covered),
                "days": len(found.days),
            },
        ),
        ("%(count)s devices answered less than 99%% of their slots.", {"count": short}),
    ]
    columns = ["device", "point", "slots", "answered", "share", "ended"]
    return section("completeness", ATTENTION if short else IN_ORDER, said, columns=columns, rows=rows, link="/quality")


def _percent(permille: int) -> str:
    return f"{permille // 10}.{permille % 10}%"


def exposure_view(gathered: Gathered) -> Section:
    """How much of each point's amount is not measured: interpolated, caught up, substituted, by hand; and defaults in
    results."""
    sources, asking, there = gathered.sources, gathered.asking, gathered.plant
    span = gathered.span
    edges = [each.start_us for each in gathered.completeness.points[0].days] if gathered.completeness.points else []
    edges = [*edges, gathered.completeness.points[0].days[-1].end_us] if edges else [span.start_us, span.end_us]
    rows: list[Sequence[Cell]] = []
    doubtful = 0
    for row in gathered.completeness.points:
        fact = there.points[row.point.id]
        shares: dict[str, Fraction] = {}
        unit = ""
        for energy in totals(sources, asking, there, fact, edges, step="day"):
            unit = energy.unit
            for method, value in energy.by_method.items():
                shares[method] = shares.get(method, Fraction(0)) + value
        whole = sum(shares.values(), Fraction(0))
        doubtful += any(shares.get(each) for each in DOUBTFUL)
        if whole:
            cells: list[Cell] = [_share(shares.get(each, Fraction(0)), whole) for each in METHODS]
            rows.append([Ref("point", row.point.id), f"{decimal_text(whole, 3)} {unit}", *cells])
    newest = _newest(results(sources.registry, asking.organisation, asking.known_seq))
    said: list[tuple[str, dict[str, Any]]] = [
        ("%(count)s points hold substituted or hand-entered amounts.", {"count": doubtful})
    ]
    for result in newest:
        for name, tonnes in result.exposure.items():
            said.append(
                (
                    "Result %(id)s: %(tonnes)s t rest on %(name)s.",
                    {
                        "id": result.id,
                        "tonnes": tonnes,
                        "name": name,
                    },
                )
            )
    columns = ["point", "amount", *(f"method:{each}" for each in METHODS)]
    return section("exposure", ATTENTION if doubtful else STATED, said, columns=columns, rows=rows, link="/quality")


def _share(part: Fraction, whole: Fraction) -> str:
    return "—" if not part else f"{decimal_text(100 * part / whole, 2)}%"


def _newest(found: Sequence[ResultVersion]) -> list[ResultVersion]:
    return list({each.id: each for each in found}.values())


def configurations_view(gathered: Gathered) -> Section:
    """Every change of a device's or the site's configuration (register map, period, scale), with what differs."""
    registry, asking = gathered.sources.registry, gathered.asking
    rows: list[Sequence[Cell]] = []
    versions = 0
    for subject_type in ("site", "device"):
        history = registry.configuration_history(asking.organisation, subject_type, asking.known_seq)
        versions += len(history)
        for before, after in pairwise(history):
            if before.id == after.id:
                rows += _differences(before, after)
    said = [
        (
            "%(versions)s configurations are on record; %(changes)s settings were changed since the first.",
            {
                "versions": versions,
                "changes": len(rows),
            },
        )
    ]
    columns = ["device", "time", "setting", "before", "after", "entry"]
    rows.sort(key=lambda row: -(row[1].at_us or 0) if isinstance(row[1], Instant) else 0)
    return section("configurations", STATED, said, columns=columns, rows=rows, link="/journal")


def _differences(before: Configuration, after: Configuration) -> list[Sequence[Cell]]:
    old, new = dict(_flat(before.body)), dict(_flat(after.body))
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    return [
        [after.id, Instant(after.at_us), name, old.get(name, "—"), new.get(name, "—"), Entry(after.seq)]
        for name in names[:MAX_DIFFERENCES]
    ]


_LEFT_OUT = frozenset({"at", "kind", "subject", "v", "hash", "software"})


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf with its path; members of a list go by their ``id`` or ``channel``, so that an insertion in the
    middle shows as one."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if path or name not in _LEFT_OUT:
                yield from _flat(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            name = (each.get("id") or each.get("channel")) if isinstance(each, Mapping) else None
            yield from _flat(each, f"{path}[{name if name is not None else place}]")
    else:
        yield path, "" if value is None else str(value)[:120]


def samples_view(gathered: Gathered) -> Section:
    """The sample chain: taken, sealed, received, tested, reported; and what speaks against a record."""
    found = records(gathered.sources.registry, gathered.asking.organisation, gathered.asking.known_seq)
    if not found:
        return section("samples", EMPTY, [("No laboratory record is on record.", {})])
    against: dict[str, list[str]] = {}
    for doubt in doubts(found):
        against.setdefault(doubt.number, []).append(doubt.rule)
    rows: list[Sequence[Cell]] = [
        [
            each.number,
            Ref("point", each.point),
            *(Instant(each.chain.get(step)) for step in CHAIN),
            each.laboratory,
            each.report[:12],
            said_word("doubt", *against.get(each.number, [])),
            Entry(each.seq),
        ]
        for each in found
    ]
    said = [
        (
            "%(count)s laboratory records; something speaks against %(doubtful)s of them.",
            {
                "count": len(found),
                "doubtful": len(against),
            },
        )
    ]
    columns = ["number", "point", "taken", "sealed", "received", "tested", "laboratory", "report", "doubts", "entry"]
    return section("samples", ATTENTION if against else IN_ORDER, said, columns=columns, rows=rows)


def integrity_view(gathered: Gathered) -> Section:
    """Clock and sequence: how long the clock was synchronised, its steps; numbers without gaps; lost messages."""
    registry, asking, journal = gathered.sources.registry, gathered.asking, gathered.sources.journal
    clocks = [
        each
        for each in registry.events(
            asking.organisation, after_seq=gathered.before_seq, kind="clock", limit=MAX_CLOCK_ENTRIES
        )
        if asking.known_seq is None or each.seq <= asking.known_seq
    ]
    steps = [each for each in clocks if each.body.get("step_us")]
    unsynchronised = [each for each in clocks if each.body.get("synchronised") != 1]
    offsets = [abs(int(each.body.get("offset_us") or 0)) for each in clocks]
    lost = [each for each in gathered.findings if each.rule in {"message.sequence_gap", "time.device_clock"}]
    rows: list[Sequence[Cell]] = [
        [Instant(each.at_us), "clock step", f"{int(each.body['step_us']) / 1e6:.3f} s", Entry(each.seq)]
        for each in steps
    ]
    rows += [[Instant(each.from_us), said_word("rule", each.rule), each.device, Entry(each.entry_seq)] for each in lost]
    said: list[tuple[str, dict[str, Any]]] = [
        ("The journal counts %(head)s entries without a gap.", {"head": journal.head()}),
        (
            (
                "%(count)s clock entries; %(unsynchronised)s without a synchronised clock, %(steps)s steps, "
                "largest offset %(offset)s ms."
            ),
            {
                "count": len(clocks),
                "unsynchronised": len(unsynchronised),
                "steps": len(steps),
                "offset": max(offsets, default=0) // 1000,
            },
        ),
    ]
    return section(
        "integrity",
        ATTENTION if rows or unsynchronised else (IN_ORDER if clocks else STATED),
        said,
        columns=["time", "what", "detail", "entry"],
        rows=rows,
        link="/journal",
    )


def revisions_view(gathered: Gathered) -> Section:
    """Numbers that were other once: settled quarter hours settled again, and results computed again."""
    sources, asking = gathered.sources, gathered.asking
    changes = sources.settlement.changes(asking.organisation, 0, asking.known_seq, limit=MAX_CHANGES)
    rows: list[Sequence[Cell]] = []
    for change in reversed(changes):
        old, new = change.old, change.new
        rows.append(
            [
                f"{old.row.device} {old.row.channel}",
                Instant(old.start_us),
                _shown(old.energy),
                "—" if new is None else _shown(new.energy),
                said_word("revision", change.why),
                Entry(change.seq),
            ]
        )
    reported = list(_result_changes(results(sources.registry, asking.organisation, asking.known_seq)))
    rows = [*reported, *rows]
    said = [
        (
            (
                "%(windows)s settled quarter hours were settled again, %(figures)s figures of results changed between "
                "versions."
            ),
            {"windows": len(changes), "figures": len(reported)},
        )
    ]
    columns = ["figure", "quarter hour", "before", "after", "why", "entry"]
    return section("revisions", STATED if rows else IN_ORDER, said, columns=columns, rows=rows)


def _shown(value: Fraction | None) -> str:
    return "—" if value is None else decimal_text(value, 3)


def _result_changes(found: Sequence[ResultVersion]) -> Iterator[Sequence[Cell]]:
    newest: dict[str, ResultVersion] = {}
    for each in found:
        before = newest.get(each.id)
        for name in sorted(each.figures) if before is not None else ():
            old = (before.figures.get(name) or {}).get("exact") if before is not None else None
            new = each.figures[name].get("exact")
            if old != new:
                yield [
                    f"{each.id} {name}",
                    Instant(each.period.start_us),
                    old or "—",
                    new or "—",
                    f"version {each.version}",
                    Entry(each.seq),
                ]
        newest[each.id] = each


def balance_view(gathered: Gathered) -> Section:
    """Balances of the days looked at: difference, its limit, judgement."""
    found = gathered.balances
    rows: list[Sequence[Cell]] = [
        [
            Ref("point", each.parent.point.id),
            _shown(each.parent.amount.value),
            _shown(each.total),
            _shown(each.difference),
            _shown(each.limit),
            said_word("closure", each.closure),
            said_word("balance_reason", *each.reasons),
        ]
        for each in found
    ]
    exceeded = [each for each in found if str(each.closure) == "exceeded"]
    said = [
        (
            "%(count)s balances; %(exceeded)s differ by more than their uncertainty.",
            {
                "count": len(found),
                "exceeded": len(exceeded),
            },
        )
    ]
    columns = ["point", "amount", "sum of the parts", "difference", "limit", "judged", "why not"]
    return section("balance", ATTENTION if exceeded else STATED, said, columns=columns, rows=rows, link="/balance")
