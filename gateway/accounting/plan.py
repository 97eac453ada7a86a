"""The accounting plan (核算方案): which pack and editions apply, what the sources and products are, where numbers
come from.

It stands in the journal as a ``document`` object with the field ``plan``; the newest one that held at the end of a
period counts. A parameter is a factor on record, a laboratory property with a named default, or a value somebody
states and answers for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gateway.accounting.linear import resolved
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import decimal_fraction
from gateway.registry.registry import Registry

PLAN_ID = "accounting-plan"
FIELD = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Where one number comes from: exactly one of ``factor``, ``laboratory`` (a point), ``metered`` (a point, whose
    channel of ``measurand`` is averaged) and ``value`` is given.
    """

    factor: str = ""
    laboratory: str = ""
    property: str = ""
    default: str = ""
    value: Fraction | None = None
    unit: str = ""
    reason: str = ""
    u: float | None = None
    metered: str = ""
    measurand: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Parameter":
        """From its journal form."""
        value, u_percent = document.get("value"), document.get("u_percent")
        return cls(
            factor=str(document.get("factor") or ""),
            laboratory=str(document.get("laboratory") or ""),
            property=str(document.get("property") or ""),
            default=str(document.get("default") or ""),
            value=None if value is None else decimal_fraction(str(value)),
            unit=str(document.get("unit") or ""),
            reason=str(document.get("reason") or ""),
            u=None if u_percent is None else float(decimal_fraction(str(u_percent))) / 100,
            metered=str(document.get("metered") or ""),
            measurand=str(document.get("measurand") or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionSource:
    """One source of emissions: ``kind`` as the pack names it, ``amount`` a formula over points; ``boundaries`` it lies
    in, all of the pack that know its kind where none are named.
    """

    id: str
    name: str
    kind: str
    amount: str
    parameters: Mapping[str, Parameter]
    boundaries: frozenset[str] = frozenset()

    def lies_in(self, boundary: Mapping[str, Any]) -> bool:
        """Whether it counts in a boundary of the pack."""
        return self.kind in boundary["sources"] and (not self.boundaries or boundary["id"] in self.boundaries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What unit consumption is related to."""

    id: str
    name: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Bought, burnt and lying: ``point`` the stock records' point, the others formulas, all in ``unit``; ``u`` the
    standard uncertainty of one survey in it, None where nobody states one.
    """

    id: str
    point: str
    bought: str
    used: str
    unit: str
    u: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plant's plan as of one entry (``seq``)."""

    seq: int
    pack: str
    coefficients: str
    standard_coal: Mapping[str, Parameter] = field(default_factory=dict)
    primary: Mapping[str, Parameter] = field(default_factory=dict)  # 等价值 of the year by energy kind
    losses: Mapping[str, Fraction] = field(default_factory=dict)  # nodes metered whole: losses they may have, of one
    densities: Mapping[str, Parameter] = field(default_factory=dict)
    gas_states: Mapping[str, str] = field(default_factory=dict)
    virtual: Mapping[str, str] = field(default_factory=dict)
    virtual_kinds: Mapping[str, str] = field(default_factory=dict)
    virtual_names: Mapping[str, str] = field(default_factory=dict)
    metered_by: Mapping[str, str] = field(default_factory=dict)  # virtual point → the meter that measures the same
    sources: tuple[EmissionSource, ...] = ()
    products: tuple[Product, ...] = ()
    stocks: tuple[Stock, ...] = ()
    tariffs: tuple[Mapping[str, Any], ...] = ()
    stated_u: Mapping[str, float] = field(default_factory=dict)
    substitution_u: float | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any], seq: int) -> "Plan":
        """From its journal form."""
        virtual = list(document.get("virtual_points") or ())
        substitution = document.get("substitution_u_percent")
        return cls(
            seq=seq,
            pack=str(document["pack"]),
            coefficients=str(document["coefficients"]),
            standard_coal=_parameters(document.get("standard_coal")),
            primary=_parameters(document.get("standard_coal_primary")),
            losses={
                str(each["point"]): decimal_fraction(str(each["losses_percent"])) / 100
                for each in document.get("balances") or ()
            },
            densities=_parameters(document.get("densities")),
            gas_states={str(kind): str(unit) for kind, unit in (document.get("gas_states") or {}).items()},
            virtual={str(each["id"]): str(each["formula"]) for each in virtual},
            virtual_kinds={str(each["id"]): str(each["energy_kind"]) for each in virtual},
            virtual_names={str(each["id"]): str(each.get("name") or each["id"]) for each in virtual},
            metered_by={str(each["id"]): str(each["metered_by"]) for each in virtual if each.get("metered_by")},
            sources=tuple(
                EmissionSource(
                    id=str(each["id"]),
                    name=str(each.get("name") or each["id"]),
                    kind=str(each["kind"]),
                    amount=str(each["amount"]),
                    parameters=_parameters(each.get("parameters")),
                    boundaries=frozenset(str(name) for name in each.get("boundaries") or ()),
                )
                for each in document.get("sources") or ()
            ),
            products=tuple(
                Product(id=str(each["id"]), name=str(each.get("name") or each["id"]), amount=str(each["amount"]))
                for each in document.get("products") or ()
            ),
            stocks=tuple(
                Stock(
                    **{name: str(each[name]) for name in ("id", "point", "bought", "used", "unit")},
                    u=decimal_fraction(str(each["u"])) if each.get("u") else None,
                )
                for each in document.get("stocks") or ()
            ),
            tariffs=tuple(document.get("tariffs") or ()),
            stated_u={
                str(each["factor"]): float(decimal_fraction(str(each["u_percent"]))) / 100
                for each in document.get("uncertainties") or ()
            },
            substitution_u=None if substitution is None else float(decimal_fraction(str(substitution))) / 100,
            document=document,
        )

    @classmethod
    def on_record(cls, registry: Registry, organisation: str, as_of_us: int, known_seq: int | None) -> "Plan":
        """The plan that held; UnknownObjectError when there is none, or none that can be read."""
        record = registry.object(organisation, "document", PLAN_ID, as_of_us, known_seq)
        if record is None or not isinstance(record.object.get(FIELD), Mapping):
            raise UnknownObjectError("no accounting plan is on record for this time")
        try:
            return cls.of(record.object[FIELD], record.seq)
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            message = "the accounting plan on record in entry %(entry)s cannot be read: %(reason)s"
            raise UnknownObjectError(
                message, entry=str(record.seq), reason=f"{type(error).__name__} {error}"
            ) from error

    def channels(self) -> list[tuple[str, str]]:
        """Every (point, measurand) whose mean a parameter of the plan is."""
        parameters = [each for source in self.sources for each in source.parameters.values()]
        parameters += [*self.standard_coal.values(), *self.primary.values(), *self.densities.values()]
        return sorted({(each.metered, each.measurand) for each in parameters if each.metered})

    def terms(self, formula: str) -> Mapping[str, Fraction]:
        """A formula's weights by real point."""
        return resolved(formula, self.virtual)


def _parameters(document: Mapping[str, Any] | None) -> dict[str, Parameter]:
    return {str(name): Parameter.of(each) for name, each in (document or {}).items()}
