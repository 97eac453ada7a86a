"""A calibration certificate as it was read: exact decimals, units as the file writes them, nothing filled in."""

from dataclasses import dataclass, field
from decimal import Decimal

PASSES = frozenset({"pass"})
FAILS = frozenset({"fail", "noPass"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity or a list of them.

    ``standard`` and ``expanded`` uncertainties and ``k`` have one value a point, or are empty when the file states
    none; u = U/k always, k is never assumed. ``unit`` is the D-SI text, such as ``\\kilo\\watt\\hour``.
    """

    ref_types: tuple[str, ...]
    name: str
    unit: str
    values: tuple[Decimal, ...]
    standard: tuple[Decimal, ...] = ()
    expanded: tuple[Decimal, ...] = ()
    k: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultTable:
    """One table of results. ``stage``: ``as_left``, or ``as_found`` when it was taken before an adjustment or repair.

    ``error`` is indication minus reference; ``computed`` says that it is a difference taken here because the file gives
    reference and indication only (it then has no uncertainty of its own).
    """

    title: str
    stage: str
    reference: Quantity | None
    measured: Quantity | None
    error: Quantity | None
    lower_limit: Quantity | None = None
    upper_limit: Quantity | None = None
    others: tuple[Quantity, ...] = ()
    conformity: tuple[str, ...] = ()
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """What was calibrated. ``identifications``: (issuer, value); the manufacturer's is the serial number."""

    name: str
    manufacturer: str
    model: str
    identifications: tuple[tuple[str, str], ...]
    classes: tuple[tuple[str, str], ...] = ()
    quantities: tuple[Quantity, ...] = ()
    sub_items: tuple["Item", ...] = ()

    def identification(self, issuer: str) -> str:
        """The first identification an issuer gave; blank when there is none."""
        return next((value for who, value in self.identifications if who == issuer), "")

    @property
    def serial(self) -> str:
        """The manufacturer's serial number."""
        return self.identification("manufacturer")


@dataclass(frozen=True, slots=True)
class Link:
    """A certificate named by another: its number, who issued it, the digest of its file, and the next one up."""

    number: str
    issuer: str
    procedure: str
    digest: str
    in_validity: bool | None = None
    traceable: bool | None = None
    higher: "Link | None" = None


@dataclass(frozen=True, slots=True)
class UsedStandard:
    """A standard the laboratory compared with."""

    name: str
    serial: str
    certificate: Link | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """A span of a quantity the certificate speaks of."""

    lower: Quantity | None
    upper: Quantity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalCertificate:
    """Everything the importer takes from a DCC. Dates are ISO text; blank where the file is silent."""

    schema_version: str
    number: str
    performed_from: str
    performed_to: str
    items: tuple[Item, ...]
    laboratory: str
    tables: tuple[ResultTable, ...]
    laboratory_code: str = ""
    issued_on: str = ""
    received_on: str = ""
    location: str = ""
    replaces: str = ""
    change: str = ""
    previous: Link | None = None
    signers: tuple[str, ...] = ()
    customer: str = ""
    standards: tuple[UsedStandard, ...] = ()
    methods: tuple[str, ...] = ()
    environment: tuple[Quantity, ...] = ()
    validity_range: Range | None = None
    conformity: str = ""
    recalibrate_on: str = ""
    recalibrate_within: str = ""
    identifications: tuple[tuple[str, str], ...] = field(default=())

    @property
    def result(self) -> str:
        """``pass``, ``fail`` or ``none``; a conditional statement is no verdict."""
        if self.conformity in PASSES:
            return "pass"
        return "fail" if self.conformity in FAILS else "none"
