"""The instrument ledger (计量器具台账): each instrument with what it measures, its certificate, whether that is due."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Due, cards, standing
from gateway.audit.findings import FindingView, findings
from gateway.audit.plant import Fitted, Plant, plant
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Certificate, Installation, Instrument, MeteringPoint, Standard
from gateway.registry.record import Record

MAX_PAGE_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One instrument as the ledger lists it on the day of ``as_of``. ``days_left`` is negative when overdue.

    A failed verification puts it out of use (停用) whatever its card says: ``stopped_by`` names that certificate, and
    ``recorded_state`` is what the card says.
    """

    instrument: Instrument
    instrument_seq: int
    point: MeteringPoint | None
    role: str
    device: str
    compulsory: bool
    due: Due
    days_left: int | None
    certificate: Certificate | None
    open_findings: int
    recorded_state: str = "qualified"
    stopped_by: str = ""

    @property
    def in_use(self) -> bool:
        """Whether it is one of those that rates count: not put out of use on its card (停用), in either field."""
        return "stopped" not in {self.recorded_state, self.instrument.operational_state}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """A page of the ledger after filtering. ``total`` counts what the filters left, ``by_due`` all instruments."""

    rows: Sequence[LedgerRow]
    total: int
    offset: int
    by_due: dict[str, int]
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFact:
    """A certificate with its entry and the standards it names; names the ledger lacks are in ``unknown_standards``."""

    certificate: Certificate
    seq: int
    recorded_us: int
    counts: bool
    standards: Sequence[Standard]
    unknown_standards: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationFact:
    """Where an instrument is or was fitted."""

    id: str
    seq: int
    from_us: int | None
    to_us: int | None
    installation: Installation
    point: MeteringPoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVersion:
    """One recorded version of the instrument's card: who recorded it, when, why."""

    seq: int
    at_us: int
    actor: str
    reason: str
    source: str
    withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentDetail:
    """The whole card of one instrument."""

    row: LedgerRow
    certificates: Sequence[CertificateFact]
    installations: Sequence[InstallationFact]
    versions: Sequence[RecordedVersion]
    findings: Sequence[FindingView]


def ledger(
    sources: Sources,
    asking: Asking,
    *,
    text: str = "",
    due: str = "",
    kind: str = "",
    compulsory: bool | None = None,
    offset: int = 0,
    limit: int = MAX_PAGE_ROWS,
) -> LedgerPage:
    """The ledger as of the moment, filtered: ``text`` in any of number, name, serial, model, maker or point; ``due``
    state; ``kind``; compulsory verification duty. Sorted so that what needs doing comes first."""
    rows = ledger_rows(sources, asking, plant(sources, asking))
    wanted = [
        row
        for row in rows
        if (not due or row.due == due or (due == "attention" and not row.due.is_in_order))
        and (not kind or row.instrument.kind == kind)
        and (compulsory is None or row.compulsory == compulsory)
        and _matches(row, text.strip().lower())
    ]
    wanted.sort(key=_urgency)
    limit = max(1, min(limit, MAX_PAGE_ROWS))
    return LedgerPage(
        rows=wanted[offset : offset + limit],
        total=len(wanted),
        offset=offset,
        by_due={str(state): sum(row.due == state for row in rows) for state in Due},
        kinds=sorted({row.instrument.kind for row in rows}),
    )


_DUE_ORDER = {
    state: place
    for place, state in enumerate(
        (
            Due.FAILED,
            Due.UNTRUSTED,
            Due.OTHER_METER,
            Due.OVERDUE,
            Due.NOT_VERIFIED,
            Due.NO_CERTIFICATE,
            Due.UNCONFIRMED,
            Due.DUE_SOON,
            Due.NO_TERM,
            Due.VALID,
        )
    )
}


def _urgency(row: LedgerRow) -> tuple[int, int, str]:
    return (_DUE_ORDER[row.due], row.days_left if row.days_left is not None else 10**6, row.instrument.id)


def _matches(row: LedgerRow, text: str) -> bool:
    if not text:
        return True
    card, point = row.instrument, row.point
    fields = [card.id, card.name, card.serial, card.model, card.maker, row.device]
    fields += [point.id, point.name_zh, point.name_en] if point else []
    fields += [row.certificate.id] if row.certificate else []
    return any(text in field.lower() for field in fields)


def ledger_rows(sources: Sources, asking: Asking, there: Plant) -> list[LedgerRow]:
    """Every instrument's row, unsorted."""
    registry, organisation = sources.registry, asking.organisation
    records = registry.objects(organisation, "instrument", asking.as_of_us, asking.known_seq)
    fitted: dict[str, Fitted] = {each.installation.instrument: each for each in there.installations}
    counted: dict[str, int] = {}
    for verdict in registry.open_verdicts(organisation, asking.known_seq):
        if verdict.instrument and verdict.from_us <= asking.as_of_us:
            counted[verdict.instrument] = counted.get(verdict.instrument, 0) + 1
    return [
        _row(
            sources,
            asking,
            there,
            record,
            fitted=fitted.get(record.id),
            open_findings=counted.get(record.id, 0),
        )
        for record in records
    ]


def _row(
    sources: Sources,
    asking: Asking,
    there: Plant,
    record: Record,
    *,
    fitted: Fitted | None,
    open_findings: int,
) -> LedgerRow:
    instrument = record.read_as(Instrument)
    fact = there.points.get(fitted.installation.point) if fitted else None
    state = standing(cards(sources, asking), instrument.id, asking.as_of_us, asking.today)
    failed = state.due is Due.FAILED and state.certificate is not None
    return LedgerRow(
        instrument=replace(instrument, metrological_state="stopped") if failed else instrument,
        instrument_seq=record.seq,
        point=fact.point if fact else None,
        role=str(fitted.installation.role) if fitted else "",
        device=fitted.installation.device if fitted else "",
        compulsory=state.compulsory,
        due=state.due,
        days_left=state.days_left,
        certificate=state.certificate,
        open_findings=open_findings,
        recorded_state=instrument.metrological_state,
        stopped_by=state.certificate.id if failed and state.certificate is not None else "",
    )


def instrument_detail(sources: Sources, asking: Asking, instrument: str) -> InstrumentDetail:
    """The card of one instrument; UnknownObjectError when the ledger has none of that number at that moment."""
    registry, organisation = sources.registry, asking.organisation
    record = registry.object(organisation, "instrument", instrument, asking.as_of_us, asking.known_seq)
    if record is None:
        raise UnknownObjectError("the ledger has no instrument %(id)s at that moment", id=instrument)
    there = plant(sources, asking)
    fitted = next((each for each in there.installations if each.installation.instrument == instrument), None)
    certificates = registry.certificates_of_instrument(organisation, instrument, asking.known_seq)
    found = findings(sources, asking, instrument=instrument)
    row = _row(
        sources,
        asking,
        there,
        record,
        fitted=fitted,
        open_findings=sum(each.open for each in found),
    )
    history = registry.history(organisation, "instrument", instrument, asking.known_seq)
    return InstrumentDetail(
        row=row,
        certificates=[certificate_fact(sources, asking, each, row.certificate) for each in certificates],
        installations=[
            _installation_fact(each, there)
            for each in registry.installations_of_instrument(organisation, instrument, None, asking.known_seq)
        ],
        versions=[
            RecordedVersion(
                seq=each.seq,
                at_us=each.at_us,
                actor=each.actor,
                reason=each.reason,
                source=each.source,
                withdrawn=each.withdrawn,
            )
            for each in history
        ],
        findings=found,
    )


def certificate_fact(
    sources: Sources, asking: Asking, record: Record, counting: Certificate | None = None
) -> CertificateFact:
    """A certificate with the standards behind it."""
    certificate = record.read_as(Certificate)
    wanted = [each.strip() for each in certificate.standards.split(";") if each.strip()]
    known = {
        each: sources.registry.object(asking.organisation, "standard", each, asking.as_of_us, asking.known_seq)
        for each in wanted
    }
    return CertificateFact(
        certificate=certificate,
        seq=record.seq,
        recorded_us=record.at_us,
        counts=counting is not None and counting.id == certificate.id,
        standards=[each.read_as(Standard) for each in known.values() if each is not None],
        unknown_standards=[name for name, each in known.items() if each is None],
    )


def _installation_fact(record: Record, there: Plant) -> InstallationFact:
    installation = record.read_as(Installation)
    fact = there.points.get(installation.point)
    return InstallationFact(
        id=record.id,
        seq=record.seq,
        from_us=record.from_us,
        to_us=record.to_us,
        installation=installation,
        point=fact.point if fact else None,
    )
