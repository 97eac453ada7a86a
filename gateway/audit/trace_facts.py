"""What stands at each step of a trace: intervals, edges, tickets, installation, instruments; and the whole walk."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.audit.certificates import Due
from gateway.audit.decoding import EntryFact, RawReading
from gateway.audit.energy import Energy
from gateway.audit.findings import FindingView
from gateway.audit.ledger import CertificateFact
from gateway.audit.plant import ChannelFact, PointFact
from gateway.domain.ledger import Installation, Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalFact:
    """A settled quarter hour. Registers and ``meter_energy`` in ``unit``, meter side; ``value``: the ratio applied."""

    start_us: int
    end_us: int
    device: str
    channel: str
    unit: str
    decimals: int
    start_register: Fraction | None
    end_register: Fraction | None
    meter_energy: Fraction | None
    ratio: Fraction
    value: Fraction | None
    coverage_permille: int
    method: str
    quality: int
    installation_seq: int | None
    settlement: EntryFact | None
    edges: tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeFact:
    """The register at a window edge, and the one or two journal entries it was interpolated between."""

    at_us: int
    register: Fraction | None
    readings: Sequence[RawReading]
    declared: Sequence[EntryFact]
    missing: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFact:
    """A weighing ticket in the period: masses as exact decimals in ``unit``, and the journal entry it came in."""

    number: str
    at_us: int
    net: Fraction
    gross: Fraction | None
    tare: Fraction | None
    unit: str
    vehicle: str
    entry: EntryFact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFact:
    """The installation in force in the window, with its own entry, its transformers and their instruments."""

    id: str
    entry: EntryFact | None
    from_us: int | None
    to_us: int | None
    installation: Installation
    ratio: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFact:
    """An instrument with the certificate that counted on the day of the window, and what is wrong with that."""

    instrument: Instrument
    entry: EntryFact | None
    role: str
    due: Due
    certificate: CertificateFact | None
    certificate_entry: EntryFact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The whole walk. ``window`` is the quarter hour that is followed down; None when the period has none settled."""

    point: PointFact
    point_entry: EntryFact | None
    figure: Energy
    intervals: Sequence[IntervalFact]
    interval_count: int
    tickets: Sequence[TicketFact]
    window: IntervalFact | None
    edges: Sequence[EdgeFact]
    register: ChannelFact | None
    configuration: EntryFact | None
    profile: str
    profile_sha256: str
    endpoint: str
    address: str
    fitted: FittedFact | None
    transformers: Sequence[FittedFact]
    instruments: Sequence[InstrumentFact]
    findings: Sequence[FindingView]
    recomputed: Fraction | None
