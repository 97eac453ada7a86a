"""From a figure to the raw words and the standards behind it, one step below the other.

figure → intervals → edge registers → journal entries with raw words → device, profile, configuration → installation
with its CT·PT ratio → instrument → certificate that was valid then → standards. What is missing is said at its step.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import cards, standing
from gateway.audit.decoding import EntryFact, entry_fact, entry_or_none, raw_reading
from gateway.audit.energy import Serving, servings, totals
from gateway.audit.findings import FindingView, findings
from gateway.audit.judging import stated
from gateway.audit.ledger import certificate_fact
from gateway.audit.plant import ChannelFact, Plant, PointFact, plant
from gateway.audit.trace_facts import EdgeFact, FittedFact, InstrumentFact, IntervalFact, TicketFact, Trace
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Installation, InstallationRole, Instrument
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, Period, floor_to, local_date
from gateway.registry.record import Configuration
from gateway.settlement.counter import THOUSANDTHS
from gateway.settlement.query import Interval
from gateway.settlement.row import IntervalRow

MAX_WINDOWS = 31 * 96
MAX_SHOWN_WINDOWS = 192
MAX_TICKETS = 200


def trace(sources: Sources, asking: Asking, point: str, period: Period, *, window_us: int | None = None) -> Trace:
    """Follow a point's energy over a period (cut to the quarter-hour grid, at most 31 days) down to its evidence.

    ``window_us`` chooses the quarter hour to open (the one it lies in); otherwise the last one with a value is opened.
    Where none is settled yet, the newest reading of the time stands in ``edges``, with no register settled from it.
    """
    there = plant(sources, asking)
    fact = there.points.get(point)
    if fact is None:
        raise UnknownObjectError("the ledger has no metering point %(id)s at that moment", id=point)
    span = _on_grid(period)
    figure = totals(sources, asking, there, fact, [span.start_us, span.end_us], step="quarter")[0]
    figure = stated(sources, asking, point, figure)
    serving = servings(sources, asking, there, fact)
    intervals = _intervals(sources, asking, serving, span)
    window = _chosen(intervals, window_us)
    register = _register(there, window)
    at_us = window.start_us if window else span.start_us
    fitted = _fitted(sources, asking, fact, window, at_us)
    transformers = _transformers(sources, asking, fact, at_us)
    edges = _edges(sources, window, register)
    tickets = _tickets(sources, asking, fact, span) if not serving else []
    if tickets and not edges:
        edges = _weighed(sources, there, fact, tickets[-1])
    elif not intervals:
        edges = _unsettled(sources, asking, there, fact, period)
    configuration = _configuration(sources, there, edges, window.device if window else fact.device)
    described = (configuration.body.get("device") or {}) if configuration else {}
    known = entry_or_none(sources, configuration.seq if configuration else None)
    known_point = entry_or_none(sources, fact.seq)
    return Trace(
        point=fact,
        point_entry=entry_fact(known_point) if known_point else None,
        figure=figure,
        intervals=_shown(intervals, window),
        interval_count=len(intervals),
        tickets=tickets,
        window=_with_entry(sources, window),
        edges=edges,
        register=register,
        configuration=entry_fact(known) if known else None,
        profile=str(described.get("profile") or ""),
        profile_sha256=str(described.get("profile_sha256") or ""),
        endpoint=str(described.get("endpoint") or ""),
        address=_address(described.get("address")),
        fitted=fitted,
        transformers=transformers,
        instruments=_instruments(sources, asking, [*([fitted] if fitted else []), *transformers], at_us),
        findings=_covering(findings(sources, asking, point=point), Period(at_us, at_us + SETTLEMENT_WINDOW_US)),
        recomputed=_recomputed(sources, window, edges),
    )


def _on_grid(period: Period) -> Period:
    start = floor_to(period.start_us, SETTLEMENT_WINDOW_US)
    end = max(floor_to(period.end_us, SETTLEMENT_WINDOW_US), start + SETTLEMENT_WINDOW_US)
    return Period(start, min(end, start + MAX_WINDOWS * SETTLEMENT_WINDOW_US))


def _intervals(sources: Sources, asking: Asking, serving: Sequence[Serving], span: Period) -> list[IntervalFact]:
    found = [
        _interval(each.unit, interval)
        for each in serving
        for interval in sources.settlement.intervals(
            asking.organisation, each.device, each.channel, span, asking.known_seq
        )
        if interval.row.installation in each.seqs
    ]
    return sorted(found, key=lambda each: (each.start_us, each.installation_seq or 0))


def _interval(unit: str, interval: Interval) -> IntervalFact:
    row, start_us = interval.row, interval.start_us
    ratio = Fraction(row.num, row.den or 1)
    energy = None if row.energy is None else row.energy * interval.step
    return IntervalFact(
        start_us=start_us,
        end_us=start_us + SETTLEMENT_WINDOW_US,
        device=row.device,
        channel=row.channel,
        unit=unit,
        decimals=len(str(interval.step.denominator)) - len(str(THOUSANDTHS)),
        start_register=None if row.start is None else row.start * interval.step,
        end_register=None if row.end is None else row.end * interval.step,
        meter_energy=energy,
        ratio=ratio,
        value=interval.energy,
        coverage_permille=row.coverage,
        method=row.method.word,
        quality=row.quality,
        installation_seq=row.installation,
        settlement=EntryFact(seq=interval.seq, at_us=0, kind="settlement", subject="", leaf=""),
        edges=(row.e0, row.e1, row.e2, row.e3),
    )


def _chosen(intervals: Sequence[IntervalFact], window_us: int | None) -> IntervalFact | None:
    if window_us is not None:
        asked_us = floor_to(window_us, SETTLEMENT_WINDOW_US)
        return next((each for each in intervals if each.start_us == asked_us), None)
    valued = [each for each in intervals if each.value is not None]
    return valued[-1] if valued else (intervals[-1] if intervals else None)


def _shown(intervals: Sequence[IntervalFact], window: IntervalFact | None) -> Sequence[IntervalFact]:
    """A stretch around the window that a page can hold."""
    if len(intervals) <= MAX_SHOWN_WINDOWS or window is None:
        return intervals[:MAX_SHOWN_WINDOWS]
    at = intervals.index(window)
    first = max(0, min(at - MAX_SHOWN_WINDOWS // 2, len(intervals) - MAX_SHOWN_WINDOWS))
    return intervals[first : first + MAX_SHOWN_WINDOWS]


def _with_entry(sources: Sources, window: IntervalFact | None) -> IntervalFact | None:
    if window is None or window.settlement is None:
        return window
    entry = entry_or_none(sources, window.settlement.seq)
    return replace(window, settlement=entry_fact(entry)) if entry else window


def _register(there: Plant, window: IntervalFact | None) -> ChannelFact | None:
    if window is None:
        return None
    return next((each for each in there.channels.get(window.device, ()) if each.id == window.channel), None)


def _edges(sources: Sources, window: IntervalFact | None, register: ChannelFact | None) -> list[EdgeFact]:
    if window is None:
        return []
    group = register.group if register else ""
    first, last = window.edges[:2], window.edges[2:]
    return [
        _edge(sources, (window.device, group), window.start_us, window.start_register, first),
        _edge(sources, (window.device, group), window.end_us, window.end_register, last),
    ]


def _tickets(sources: Sources, asking: Asking, fact: PointFact, span: Period) -> list[TicketFact]:
    """The tickets of a point's scale and those entered by hand for it, by time; at most ``MAX_TICKETS``."""
    names = [f"point/{fact.point.id}", *([f"device/{fact.device}"] if fact.device else [])]
    weighed = [
        each for name in names for each in sources.settlement.tickets(asking.organisation, name, span, asking.known_seq)
    ]
    weighed.sort(key=lambda each: (each.ticket.at_us, each.ticket.number))
    made = []
    for each in weighed[-MAX_TICKETS:]:
        entry, ticket = entry_or_none(sources, each.seq), each.ticket
        made.append(
            TicketFact(
                number=ticket.number,
                at_us=ticket.at_us,
                net=Fraction(ticket.net),
                gross=None if ticket.gross is None else Fraction(ticket.gross),
                tare=None if ticket.tare is None else Fraction(ticket.tare),
                unit=ticket.unit,
                vehicle=ticket.vehicle,
                entry=entry_fact(entry) if entry else None,
            )
        )
    return made


def _weighed(sources: Sources, there: Plant, fact: PointFact, ticket: TicketFact) -> list[EdgeFact]:
    """The message that brought a ticket, in place of an edge's readings."""
    group = next((each.group for each in there.channels.get(fact.device, ())), "")
    reading = raw_reading(sources, ticket.entry.seq, fact.device, group) if ticket.entry and group else None
    if reading is None:
        return []
    return [EdgeFact(at_us=ticket.at_us, register=None, readings=[reading], declared=[], missing=[])]


def _unsettled(sources: Sources, asking: Asking, there: Plant, fact: PointFact, span: Period) -> list[EdgeFact]:
    """The newest reading of the time where no quarter hour is settled yet: what is known, but no figure."""
    register = there.register(fact)
    if not fact.device or register is None:
        return []
    until = Period(span.start_us, max(span.start_us, min(span.end_us, asking.as_of_us + 1)))
    for row in sources.series.rows(fact.device, register.group, until, 1, descending=True):
        if asking.known_seq is None or row.seq <= asking.known_seq:
            reading = raw_reading(sources, row.seq, fact.device, register.group)
            if reading is not None:
                return [EdgeFact(at_us=row.observed_us, register=None, readings=[reading], declared=[], missing=[])]
    return []


def _configuration(sources: Sources, there: Plant, edges: Sequence[EdgeFact], device: str) -> Configuration | None:
    """The configuration under which the readings came; the newest one of the device where there is no reading."""
    read_under = [reading.configuration_seq for edge in edges for reading in edge.readings if reading.configuration_seq]
    found = sources.registry.configuration(read_under[0]) if read_under else None
    return found or there.configurations.get(device)


def _edge(
    sources: Sources, series: tuple[str, str], at_us: int, register: Fraction | None, seqs: Sequence[int | None]
) -> EdgeFact:
    readings, declared, missing = [], [], []
    for seq in dict.fromkeys(each for each in seqs if each):
        entry = entry_or_none(sources, seq)
        if entry is None:
            missing.append(seq)
        elif entry.kind in {"poll", "message"}:
            reading = raw_reading(sources, seq, *series)
            if reading is not None:
                readings.append(reading)
        else:
            declared.append(entry_fact(entry))
    return EdgeFact(at_us=at_us, register=register, readings=readings, declared=declared, missing=missing)


def _recomputed(sources: Sources, window: IntervalFact | None, edges: Sequence[EdgeFact]) -> Fraction | None:
    """The window's value once more, from the journal alone: the registers and the ratio of its settlement entry, in the
    resolution its readings were decoded with. None where that entry holds no such quarter hour, or other registers.

    The figure itself is read from a projection that nobody signs, so the comparison must not read it there again.
    """
    entry = entry_or_none(sources, window.settlement.seq) if window and window.settlement else None
    if window is None or entry is None or entry.body.get("from") != window.start_us:
        return None
    rows = [IntervalRow.from_document(each) for each in entry.body.get("rows") or ()]
    key = (window.device, window.channel, window.installation_seq)
    sealed = next((row for row in rows if row[:3] == key), None)
    if sealed is None:
        return None
    fields = [field for edge in edges for reading in edge.readings for field in reading.fields]
    decimals = next((field.decimals for field in fields if field.channel == window.channel), window.decimals)
    step = Fraction(1, THOUSANDTHS * 10**decimals)
    for stored, register in ((window.start_register, sealed.start), (window.end_register, sealed.end)):
        if stored != (None if register is None else register * step):
            return None
    energy = sealed.energy
    if sealed.start is not None and sealed.end is not None and sealed.end >= sealed.start:
        energy = sealed.end - sealed.start
    return None if energy is None else energy * step * Fraction(sealed.num, sealed.den or 1)


def _fitted(
    sources: Sources, asking: Asking, fact: PointFact, window: IntervalFact | None, at_us: int
) -> FittedFact | None:
    records = sources.registry.installations_of_point(asking.organisation, fact.point.id, None, asking.known_seq)
    meters = [record for record in records if (record.object.get("role") or "meter") == InstallationRole.METER]
    chosen = None
    if window is not None:
        for record in meters:
            history = sources.registry.history(asking.organisation, "installation", record.id, asking.known_seq)
            if window.installation_seq in {each.seq for each in history}:
                chosen = next(each for each in history if each.seq == window.installation_seq)
    chosen = chosen or next((record for record in reversed(meters) if record.holds(at_us)), None)
    if chosen is None:
        return None
    installation = chosen.read_as(Installation)
    entry = entry_or_none(sources, chosen.seq)
    return FittedFact(
        id=chosen.id,
        entry=entry_fact(entry) if entry else None,
        from_us=chosen.from_us,
        to_us=chosen.to_us,
        installation=installation,
        ratio=window.ratio if window is not None else None,
    )


def _transformers(sources: Sources, asking: Asking, fact: PointFact, at_us: int) -> list[FittedFact]:
    found = []
    for record in sources.registry.installations_of_point(asking.organisation, fact.point.id, at_us, asking.known_seq):
        installation = record.read_as(Installation)
        if installation.role in {InstallationRole.CT, InstallationRole.PT}:
            entry = entry_or_none(sources, record.seq)
            found.append(
                FittedFact(
                    id=record.id,
                    entry=entry_fact(entry) if entry else None,
                    from_us=record.from_us,
                    to_us=record.to_us,
                    installation=installation,
                    ratio=None,
                )
            )
    return found


def _instruments(sources: Sources, asking: Asking, fitted: Sequence[FittedFact], at_us: int) -> list[InstrumentFact]:
    registry, organisation = sources.registry, asking.organisation
    day = local_date(at_us, asking.zone)
    found = []
    for each in fitted:
        record = registry.object(organisation, "instrument", each.installation.instrument, at_us, asking.known_seq)
        if record is None:
            continue
        instrument = record.read_as(Instrument)
        certificates = registry.certificates_of_instrument(organisation, instrument.id, asking.known_seq)
        state = standing(cards(sources, asking), instrument.id, at_us, day, point=each.installation.point)
        chosen = next((one for one in certificates if one.seq == state.certificate_seq), None)
        entry, document = entry_or_none(sources, record.seq), entry_or_none(sources, state.certificate_seq)
        found.append(
            InstrumentFact(
                instrument=instrument,
                entry=entry_fact(entry) if entry else None,
                role=str(each.installation.role),
                due=state.due,
                certificate=certificate_fact(sources, asking, chosen, state.certificate) if chosen else None,
                certificate_entry=entry_fact(document) if document else None,
            )
        )
    return found


def _address(address: object) -> str:
    if isinstance(address, dict):
        return ", ".join(
            f"{key} {value}" for key, value in sorted(address.items()) if not isinstance(value, dict | list)
        )
    return str(address or "")


def _covering(listed: Sequence[FindingView], window: Period) -> list[FindingView]:
    """Findings that touch the window: verdicts whose range covers it, and readings of that day."""
    return [
        each
        for each in listed
        if (each.source == "verdict" and each.from_us < window.end_us and (each.to_us or 2**62) > window.start_us)
        or (each.source == "reading" and abs(each.from_us - window.start_us) < US_PER_DAY)
    ]
