"""The accounting plan as a file (核算方案): pack, editions, sources, products, where every parameter comes from."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.accounting_rows import Number, SourceKind
from config.loading import FileProblem, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Text

FactorId = Annotated[str, StringConstraints(min_length=1, max_length=160)]
Formula = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Size = Annotated[str, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,15})?$")]
"""Decimal text of zero or more."""
PointId = Annotated[str, StringConstraints(pattern=r"^\S+$", min_length=1, max_length=120)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-4]):(00|15|30|45)$")]
LaboratoryProperty = Literal[
    "ncv", "carbon_per_energy", "carbon_content", "moisture", "cao", "cao_other", "mgo", "mgo_other", "purity"
]


class Parameter(FileModel):
    """Exactly one of ``factor``, ``laboratory`` (with ``property``), ``metered`` (a point, with the ``measurand`` whose
    mean counts) and ``value`` (with ``unit`` and ``reason``).
    """

    factor: FactorId | None = None
    laboratory: PointId | None = None
    property: LaboratoryProperty | None = None
    default: FactorId | None = None
    value: Number | None = None
    unit: Text | None = None
    reason: Text | None = None
    u_percent: Size | None = None
    metered: PointId | None = None
    measurand: Identifier | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = (self.factor, self.laboratory, self.value, self.metered)
        if len([each for each in given if each is not None]) != 1:
            raise ValueError("name exactly one of 'factor', 'laboratory', 'metered', 'value'")
        if self.metered is not None and self.measurand is None:
            raise ValueError("'metered' needs a 'measurand'")
        if self.laboratory is not None and self.property is None:
            raise ValueError("'laboratory' needs a 'property'")
        if self.value is not None and (self.unit is None or self.reason is None):
            raise ValueError("'value' needs a 'unit' and a 'reason'")
        return self


class VirtualPoint(FileModel):
    """A point that is computed from others; ``metered_by`` names a meter that measures the same, for a cross-check."""

    id: Identifier
    name: Text
    energy_kind: Identifier
    formula: Formula
    metered_by: PointId | None = None


class Source(FileModel):
    """One source of emissions; ``boundaries`` of the pack it lies in, all that know its kind where none are named."""

    id: Identifier
    name: Text
    kind: SourceKind
    amount: Formula
    parameters: dict[Identifier, Parameter]
    boundaries: list[Identifier] = Field(default_factory=list)


class PlanProduct(FileModel):
    """A product whose tonnes unit consumption is related to."""

    id: Identifier
    name: Text
    amount: Formula


class PlanStock(FileModel):
    """What is bought, used and surveyed in stock, for consumption and the cross-check; ``u`` is the standard
    uncertainty of one survey in ``unit``.
    """

    id: Identifier
    point: PointId
    bought: Formula
    used: Formula
    unit: Text
    u: Size | None = None


class TariffSlot(FileModel):
    """A price between two quarter hours of the day in some months (all where none are named)."""

    name: Text
    months: list[Annotated[int, Field(ge=1, le=12)]] | None = None
    from_: Clock = Field(alias="from")
    to: Clock
    price: Number


class PlanTariff(FileModel):
    """A time-of-use tariff and the points it is charged at."""

    id: Identifier
    currency: Text
    points: list[PointId] = Field(min_length=1)
    slots: list[TariffSlot] = Field(min_length=1)


class BalanceNode(FileModel):
    """A node under which everything is metered but losses of at most so many percent of what it takes."""

    point: PointId
    losses_percent: Size


class StatedUncertainty(FileModel):
    """A relative standard uncertainty somebody states for a factor whose source states none."""

    factor: FactorId
    u_percent: Size
    reason: Text


class AccountingPlan(FileModel):
    """The whole plan."""

    accounting_plan: Literal[1]
    title: Text
    pack: Identifier
    coefficients: Identifier
    standard_coal: dict[Identifier, Parameter] = Field(default_factory=dict)
    standard_coal_primary: dict[Identifier, Parameter] = Field(default_factory=dict)
    densities: dict[Identifier, Parameter] = Field(default_factory=dict)
    gas_states: dict[Identifier, Literal["m3@0C", "m3@20C"]] = Field(default_factory=dict)
    virtual_points: list[VirtualPoint] = Field(default_factory=list)
    sources: list[Source] = Field(default_factory=list)
    products: list[PlanProduct] = Field(default_factory=list)
    stocks: list[PlanStock] = Field(default_factory=list)
    tariffs: list[PlanTariff] = Field(default_factory=list)
    balances: list[BalanceNode] = Field(default_factory=list)
    uncertainties: list[StatedUncertainty] = Field(default_factory=list)
    substitution_u_percent: Size | None = None

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        """Two sources of one id would count one of them twice and the other never."""
        named = {
            "virtual_points": [each.id for each in self.virtual_points],
            "sources": [each.id for each in self.sources],
            "products": [each.id for each in self.products],
            "stocks": [each.id for each in self.stocks],
            "tariffs": [each.id for each in self.tariffs],
            "balances": [each.point for each in self.balances],
        }
        for place, ids in named.items():
            twice = sorted({each for each in ids if ids.count(each) > 1})
            if twice:
                raise ValueError(f"{place}: {', '.join(twice)} stands twice")
        return self

    def document(self) -> dict[str, Any]:
        """The journal form: what the file says, defaults left out."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)


def load_plan(path: Path) -> AccountingPlan:
    """Read a plan; UnusableFileError lists every problem with its place."""
    loaded = load_yaml(path)
    problems: list[FileProblem] = []
    plan = validated(loaded, AccountingPlan, problems)
    if plan is None:
        raise UnusableFileError(problems)
    return plan
