"""Trace upwards: which amounts, results and reports an instrument, a certificate or a laboratory standard touches.

The way down (``gateway.audit.trace``) leads from a figure to its evidence; this is the same way from the other end. A
certificate touches what its instrument measured from the day it was performed to the end of its validity; a standard
touches everything that a certificate naming it touches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from fractions import Fraction

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import civil
from gateway.audit.energy import Serving, servings
from gateway.audit.made import Made, MadeEvent, made_events
from gateway.audit.plant import Plant, plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Certificate, Installation, InstallationRole, MeteringPoint
from gateway.domain.time import Period, local_date, local_midnight
from gateway.registry.record import Record
from gateway.settlement.query import DAY

MAX_SPANS = 2_000
MAX_RESULTS = 500
_FOR_EVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedSpan:
    """A stretch of a point's metering that rests on the thing asked about.

    ``value`` in ``unit`` is what was settled in it through the installation itself (of a transformer: through the
    meter behind it); None where nothing is settled or nothing reads the point. ``certificate`` is empty where the
    instrument itself was asked about.
    """

    instrument: str
    role: str
    installation: str
    installation_seq: int
    certificate: str
    point: str
    point_name_zh: str
    point_name_en: str
    from_us: int
    to_us: int
    open_ended: bool
    value: Fraction | None
    unit: str
    quarter_hours: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchedRecord(Made):
    """A computed result or an issued report whose time overlaps a span. ``figures`` are those it names of the points
    themselves; a sum over several points is not among them, though it rests on the same metering."""

    figures: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Everything above one thing. ``kind`` is instrument, certificate or standard."""

    kind: str
    id: str
    spans: Sequence[TouchedSpan]
    records: Sequence[TouchedRecord]
    points: Sequence[str]
    from_us: int | None
    to_us: int | None


def touched(sources: Sources, asking: Asking, kind: str, id_: str) -> Touched:
    """What rests on an ``instrument``, a ``certificate`` or a ``standard``; UnknownObjectError when there is none."""
    there = plant(sources, asking)
    spans: list[TouchedSpan] = []
    for instrument, certificate in _pairs(sources, asking, kind, id_):
        spans += _spans(sources, asking, there, instrument, certificate)
    spans.sort(key=lambda each: (each.from_us, each.instrument, each.certificate))
    spans = spans[:MAX_SPANS]
    return Touched(
        kind=kind,
        id=id_,
        spans=spans,
        records=_records(sources, asking, spans),
        points=sorted({each.point for each in spans}),
        from_us=min((each.from_us for each in spans), default=None),
        to_us=max((each.to_us for each in spans), default=None),
    )


def _pairs(sources: Sources, asking: Asking, kind: str, id_: str) -> Iterator[tuple[str, Certificate | None]]:
    registry, organisation, known = sources.registry, asking.organisation, asking.known_seq
    if kind == "instrument":
        if not registry.history(organisation, "instrument", id_, known):
            raise UnknownObjectError("the ledger has no instrument %(id)s", id=id_)
        yield id_, None
        return
    certificates = [each.read_as(Certificate) for each in registry.objects(organisation, "certificate", None, known)]
    if kind == "certificate":
        found = [each for each in certificates if each.id == id_]
    else:
        found = [each for each in certificates if id_ in _standards(each)]
        if not found and registry.object(organisation, "standard", id_, asking.as_of_us, known) is None:
            raise UnknownObjectError("the ledger has no standard %(id)s", id=id_)
    if kind == "certificate" and not found:
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=id_)
    for each in found:
        yield each.instrument, each


def _standards(certificate: Certificate) -> set[str]:
    return {each.strip() for each in certificate.standards.split(";") if each.strip()}


def _spans(
    sources: Sources, asking: Asking, there: Plant, instrument: str, certificate: Certificate | None
) -> Iterator[TouchedSpan]:
    held = _held(asking, certificate)
    if held is None:
        return
    for record in sources.registry.installations_of_instrument(asking.organisation, instrument, None, asking.known_seq):
        start = max(record.from_us or 0, held.start_us)
        end = min(record.to_us or _FOR_EVER, held.end_us, asking.as_of_us)
        if start < end:
            whole = record.to_us is None and held.end_us > asking.as_of_us
            span = Period(start, end)
            yield _span(sources, asking, there, record, certificate=certificate, span=span, open_ended=whole)


def _held(asking: Asking, certificate: Certificate | None) -> Period | None:
    """From the day a certificate was performed to the end of its last day; None where it states no day."""
    if certificate is None:
        return Period(0, _FOR_EVER)
    since, until = civil(certificate.performed_on), civil(certificate.valid_until)
    if since is None:
        return None
    end = _FOR_EVER if until is None else local_midnight(until + timedelta(days=1), asking.zone)
    start = local_midnight(since, asking.zone)
    return Period(start, end) if start < end else None


def _span(
    sources: Sources,
    asking: Asking,
    there: Plant,
    record: Record,
    *,
    certificate: Certificate | None,
    span: Period,
    open_ended: bool,
) -> TouchedSpan:
    installation = record.read_as(Installation)
    fact = there.points.get(installation.point)
    point = fact.point if fact else MeteringPoint(id=installation.point)
    value, unit, windows, missing = _settled(sources, asking, there, record, span)
    return TouchedSpan(
        instrument=installation.instrument,
        role=str(installation.role),
        installation=record.id,
        installation_seq=record.seq,
        certificate=certificate.id if certificate else "",
        point=point.id,
        point_name_zh=point.name_zh,
        point_name_en=point.name_en,
        from_us=span.start_us,
        to_us=span.end_us,
        open_ended=open_ended,
        value=value,
        unit=unit,
        quarter_hours=windows,
        missing=missing,
    )


def _settled(
    sources: Sources, asking: Asking, there: Plant, record: Record, span: Period
) -> tuple[Fraction | None, str, int, int]:
    """(value, unit, quarter hours, without a value) settled through an installation or the meter behind it."""
    installation = record.read_as(Installation)
    fact = there.points.get(installation.point)
    if fact is None or installation.role not in {InstallationRole.METER, InstallationRole.CT, InstallationRole.PT}:
        return None, "", 0, 0
    value, unit, windows, missing = Fraction(0), "", 0, 0
    for each in servings(sources, asking, there, fact):
        if installation.role == InstallationRole.METER and each.installation != record.id:
            continue
        unit = each.unit
        for amount, count, without in _parts(sources, asking, each, span):
            value, windows, missing = value + amount, windows + count, missing + without
    return (value if windows > missing else None), unit, windows, missing


def _parts(sources: Sources, asking: Asking, serving: Serving, span: Period) -> Iterator[tuple[Fraction, int, int]]:
    """(value, quarter hours, without a value) of a meter in a span: whole days from roll-ups, their rest interval by
    interval. Roll-ups know only what is known now."""
    key = (asking.organisation, serving.device, serving.channel)
    first = _midnight(span.start_us, asking, after=True)
    last = _midnight(span.end_us, asking, after=False)
    whole = asking.known_seq is None and first < last
    rests = [Period(span.start_us, first), Period(last, span.end_us)] if whole else [span]
    for rest in rests:
        for interval in sources.settlement.intervals(*key, rest, asking.known_seq):
            if interval.row.installation in serving.seqs:
                yield interval.energy or Fraction(0), 1, int(interval.energy is None)
    if whole:
        for rolled in sources.settlement.rollups(*key, DAY, Period(first, last)):
            if rolled.installation in serving.seqs:
                yield sum(rolled.by_method.values(), Fraction(0)), rolled.windows, rolled.missing


def _midnight(at_us: int, asking: Asking, *, after: bool) -> int:
    """The site's midnight at or before an instant, or with ``after`` at or after it."""
    day = local_date(at_us, asking.zone)
    midnight = local_midnight(day, asking.zone)
    return local_midnight(day + timedelta(days=1), asking.zone) if after and midnight < at_us else midnight


def _records(sources: Sources, asking: Asking, spans: Sequence[TouchedSpan]) -> list[TouchedRecord]:
    """Results and issued reports whose time overlaps a span, newest first."""
    found = [_record(each, spans) for each in made_events(sources, asking)[:MAX_RESULTS]]
    return [each for each in found if each is not None]


def _record(each: MadeEvent, spans: Sequence[TouchedSpan]) -> TouchedRecord | None:
    made = each.made
    reached = {span.point for span in spans if span.from_us < made.to_us and span.to_us > made.from_us}
    if not reached:
        return None
    return TouchedRecord(**asdict(made), figures=[name for name in each.figures if name.partition("/")[2] in reached])
