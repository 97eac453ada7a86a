"""Factors on record: coefficients, fuel defaults, grid and heat factors, each a row of a ``factor_set`` entry.

A factor's version is ``id@entry``. A result that names it can be computed again years later from the journal alone,
and a new set on record changes exactly the results that name a factor whose number became another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gateway.accounting.estimate import Effect, Estimate, factor_estimate
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import decimal_fraction
from gateway.registry.registry import Registry

MAX_FACTORS = 100_000
FIELDS = ("id", "value", "unit", "standing", "source", "u_percent", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One number with its origin. ``u`` relative standard uncertainty, None where no source states one."""

    id: str
    value: Fraction
    unit: str
    standing: str
    source: str
    note: str = ""
    u: float | None = None
    set_id: str = ""
    edition: str = ""
    seq: int = 0

    @property
    def version(self) -> str:
        """``id@entry``."""
        return f"{self.id}@{self.seq}"


class FactorBook:
    """The factors that held at one moment, as recorded up to one entry."""

    def __init__(
        self,
        factors: Iterable[Factor],
        packs: Mapping[str, Mapping[str, Any]] | None = None,
        energy_kinds: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._factors = {factor.id: factor for factor in factors}
        self.packs = dict(packs or {})
        self.energy_kinds = dict(energy_kinds or {})  # by coefficient set: which row an energy kind takes

    @classmethod
    def of(cls, registry: Registry, organisation: str, as_of_us: int, known_seq: int | None) -> "FactorBook":
        """What the journal's factor sets say."""
        factors: list[Factor] = []
        packs: dict[str, Mapping[str, Any]] = {}
        kinds: dict[str, Mapping[str, str]] = {}
        for record in registry.objects(organisation, "factor_set", as_of_us, known_seq):
            document = record.object
            factors += factors_of(record.id, document, record.seq)
            if isinstance(document.get("pack"), Mapping):
                packs[record.id] = {**document["pack"], "seq": record.seq}
            if isinstance(document.get("energy_kinds"), Mapping):
                kinds[record.id] = document["energy_kinds"]
        return cls(factors[:MAX_FACTORS], packs, kinds)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._factors

    def __iter__(self) -> Iterator[Factor]:
        return iter(sorted(self._factors.values(), key=lambda each: each.id))

    def __len__(self) -> int:
        return len(self._factors)

    def get(self, id_: str) -> Factor:
        """A factor by id; UnknownObjectError when no set on record has it."""
        found = self._factors.get(id_)
        if found is None:
            raise UnknownObjectError("no factor set on record has the factor '%(factor)s'", factor=id_)
        return found

    def pack(self, id_: str) -> Mapping[str, Any]:
        """An emission pack by id; UnknownObjectError when none is on record."""
        found = self.packs.get(id_)
        if found is None:
            raise UnknownObjectError("the emission pack '%(pack)s' is not on record", pack=id_)
        return found


def factors_of(set_id: str, document: Mapping[str, Any], seq: int) -> list[Factor]:
    """The factors of one set's journal form: rows of ``FIELDS``."""
    rows: Sequence[Sequence[Any]] = document.get("factors") or ()
    edition = str(document.get("edition") or "")
    return [_factor(set_id, edition, seq, dict(zip(FIELDS, row, strict=True))) for row in rows]


def _factor(set_id: str, edition: str, seq: int, row: Mapping[str, Any]) -> Factor:
    stated = row["u_percent"]
    return Factor(
        id=str(row["id"]),
        value=decimal_fraction(str(row["value"])),
        unit=str(row["unit"]),
        standing=str(row["standing"]),
        source=str(row["source"]),
        note=str(row["note"] or ""),
        u=None if stated is None else float(decimal_fraction(str(stated))) / 100,
        set_id=set_id,
        edition=edition,
        seq=seq,
    )


def estimate_of(factor: Factor, stated: Mapping[str, float], effects: dict[str, Effect]) -> Estimate:
    """A factor as an estimate; its effect is added to ``effects``.

    ``stated`` are relative standard uncertainties the plan states by factor id; they take the place of the source's.
    Where nobody states one, the estimate says so and no number stands for it.
    """
    u = stated.get(factor.id, factor.u)
    if u is None:
        return factor_estimate(factor.value, None, unstated=[f"factor:{factor.id}"])
    id_ = f"factor:{factor.version}"
    basis = factor.edition or factor.source
    effects[id_] = Effect(id=id_, kind="factor", label=factor.id, u=u, basis=basis)
    return factor_estimate(factor.value, id_)
