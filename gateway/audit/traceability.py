"""溯源: from an instrument through its certificate to the standards behind it, with every gap said where it is.

What is stated but whose paper is not held is a gap of the record; everything else breaks the chain, and so does a
certificate that does not count on the day. Two shares of the instruments in use: chains that nothing breaks, and of
these the ones of which every paper is held. Pages, API and indicators all count by this.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from gateway.audit.asking import Asking, Sources
from gateway.audit.certificates import Due
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import plant
from gateway.certificates.traceability import FileOf, Step, chain
from gateway.registry.importing import LedgerState
from gateway.registry.registry import Registry

PAPER_GAPS = frozenset({"the certificate's file is not held", "the standard's certificate is not on record"})
"""Gaps of the record: number and validity are stated, the paper is not here to show it."""
NO_CERTIFICATE = "no certificate counts for the instrument"
DOES_NOT_COUNT = "the instrument's certificate does not count on the day"
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One instrument's chain as of the moment. ``breaks`` and ``papers`` are English texts of the catalogue."""

    instrument: str
    name: str
    certificate: str
    due: Due
    steps: Sequence[Step]
    breaks: Sequence[str]
    papers: Sequence[str]

    @property
    def unbroken(self) -> bool:
        """Whether nothing breaks it, as far as the record states."""
        return not self.breaks

    @property
    def proven(self) -> bool:
        """Whether it is unbroken and every paper of it is held."""
        return not self.breaks and not self.papers


@dataclass(frozen=True, slots=True, kw_only=True)
class Traceability:
    """All instruments in use: ``unbroken`` and ``proven`` of ``instruments``; ``by_gap`` counts instruments by gap."""

    rows: Sequence[Chain]
    unbroken: int
    proven: int
    instruments: int
    by_gap: Mapping[str, int]


def no_file(_digest: str) -> bytes | None:
    """Where only the record is asked, no file is opened."""
    return None


_KEPT: WeakKeyDictionary[Registry, tuple[tuple[str, int, int | None], LedgerState]] = WeakKeyDictionary()


def ledger_state(sources: Sources, asking: Asking) -> LedgerState:
    """The ledger as known then; kept until it changes, because cards, plan and list all follow chains."""
    registry = sources.registry
    key = (asking.organisation, registry.ledger_seq(), asking.known_seq)
    kept = _KEPT.get(registry)
    if kept is None or kept[0] != key:
        kept = _KEPT[registry] = (key, LedgerState.of(registry, asking.organisation, asking.known_seq))
    return kept[1]


def certificate_chain(
    sources: Sources, asking: Asking, number: str, file_of: FileOf = no_file
) -> tuple[Sequence[Step], Sequence[str]]:
    """The steps above a certificate, and what breaks them. UnknownObjectError when it is not on record."""
    steps = chain(ledger_state(sources, asking), number, file_of)
    return steps, _gaps(steps, papers=False)


def traceability(sources: Sources, asking: Asking, *, broken_only: bool = False) -> Traceability:
    """The chains of all instruments in use, broken ones first."""
    state = ledger_state(sources, asking)
    rows = [row for row in ledger_rows(sources, asking, plant(sources, asking)) if row.in_use][:MAX_ROWS]
    chains = sorted((_chain(state, row) for row in rows), key=lambda each: (each.unbroken, each.instrument))
    counted = Counter(gap for each in chains for gap in {*each.breaks, *each.papers})
    return Traceability(
        rows=[each for each in chains if not (broken_only and each.unbroken)],
        unbroken=sum(each.unbroken for each in chains),
        proven=sum(each.proven for each in chains),
        instruments=len(chains),
        by_gap=dict(sorted(counted.items(), key=lambda each: (-each[1], each[0]))),
    )


def _chain(state: LedgerState, row: LedgerRow) -> Chain:
    number = row.certificate.id if row.certificate is not None else ""
    if not number or not state.has("certificate", number):
        return _made(row, number, (), [NO_CERTIFICATE], [])
    steps = chain(state, number, no_file)
    holds = row.due.counts or row.due.is_in_order
    return _made(
        row,
        number,
        steps,
        [*(() if holds else (DOES_NOT_COUNT,)), *_gaps(steps, papers=False)],
        _gaps(steps, papers=True),
    )


def _made(row: LedgerRow, number: str, steps: Sequence[Step], breaks: Sequence[str], papers: Sequence[str]) -> Chain:
    return Chain(
        instrument=row.instrument.id,
        name=row.instrument.name,
        certificate=number,
        due=row.due,
        steps=steps,
        breaks=breaks,
        papers=papers,
    )


def _gaps(steps: Sequence[Step], *, papers: bool) -> list[str]:
    return list(dict.fromkeys(gap for step in steps for gap in step.gaps if (gap in PAPER_GAPS) is papers))
