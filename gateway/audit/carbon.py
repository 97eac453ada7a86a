"""碳排放: one account's emissions with the activity, the factors and the evidence behind each tonne.

Everything is computed by ``gateway.accounting``; here it is laid out as a reviewer reads it: boundaries with both
totals, a line a source, what hangs on defaults, what a law's tiers say, which laboratory values stand behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateway.accounting.account import Account
from gateway.accounting.linear import FormulaError
from gateway.accounting.plan import EmissionSource, Parameter
from gateway.accounting.quantities import Quantities
from gateway.accounting.quantity import Quantity
from gateway.audit.accounts import FigureFact, account_of, figure_fact, line_fact
from gateway.audit.asking import Asking, Sources
from gateway.audit.crosschecks import CheckFact, crosschecks
from gateway.audit.samples import DoubtFact, LaboratoryMonth, SampleFact, doubts_of, laboratory_months, samples_of
from gateway.audit.tiers import TierFact, tiers_of
from gateway.domain.figure import decimal_text
from gateway.domain.time import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class PointShare:
    """A metering point in a source's activity, with its weight in the formula."""

    id: str
    name_zh: str
    name_en: str
    weight: str
    figure: FigureFact


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFact:
    """One factor of a source. ``origin``: ``laboratory``, ``metered``, ``default``, ``factor``, ``stated``, ``none``.

    ``of`` is the factor's id, the laboratory's point or the reason somebody gave; ``entry`` where it is on record.
    """

    name: str
    figure: FigureFact
    origin: str
    of: str
    standing: str
    source: str
    entry: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFact:
    """One source: activity · factors = emission, tCO2. ``boundaries`` are those it lies in; ``share_permille`` of the
    widest boundary's total without sign, None where either is not known.
    """

    id: str
    name: str
    kind: str
    activity: FigureFact
    points: Sequence[PointShare]
    parameters: Sequence[ParameterFact]
    emission: FigureFact
    boundaries: Sequence[str]
    share_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryFact:
    """One boundary with both totals: ``direct``, and ``total`` with electricity and heat bought less delivered."""

    id: str
    name_zh: str
    name_en: str
    direct: FigureFact
    indirect: FigureFact
    total: FigureFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Tonnes that hang on one default factor: what would change with it. ``share_permille`` of the widest total."""

    factor: str
    value: str
    unit: str
    tonnes: str
    share_permille: int | None
    standing: str
    source: str
    entry: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonAccount:
    """Everything the carbon page shows of one time."""

    from_us: int
    to_us: int
    inputs: str
    plan_title: str
    plan_entry: int
    pack: str
    pack_name_zh: str
    pack_name_en: str
    rule: str
    standing: str
    note: str
    defaults_from_operator: bool
    boundaries: Sequence[BoundaryFact]
    sources: Sequence[SourceFact]
    exposure: Sequence[Exposure]
    intensities: Sequence[FigureFact]
    products: Sequence[FigureFact]
    product_names: Mapping[str, str]
    tiers: Sequence[TierFact]
    laboratory: Sequence[LaboratoryMonth]
    samples: Sequence[SampleFact]
    doubts: Sequence[DoubtFact]
    checks: Sequence[CheckFact]


def carbon_account(sources: Sources, asking: Asking, period: Period) -> CarbonAccount:
    """The carbon account of a period; UnknownObjectError where no accounting plan is on record."""
    made = account_of(sources, asking, period)
    plan = made.inputs.plan
    pack = made.inputs.factors.pack(plan.pack)
    boundaries = [
        BoundaryFact(
            id=str(each["id"]),
            name_zh=str(each["zh"]),
            name_en=str(each["en"]),
            **{part: line_fact(made, f"carbon/{each['id']}/{part}") for part in ("direct", "indirect", "total")},
        )
        for each in pack["boundaries"]
    ]
    whole = widest_total(made)
    return CarbonAccount(
        from_us=period.start_us,
        to_us=period.end_us,
        inputs=made.inputs.digest(),
        plan_title=str(plan.document.get("title") or ""),
        plan_entry=plan.seq,
        pack=plan.pack,
        pack_name_zh=str(pack["name"]["zh"]),
        pack_name_en=str(pack["name"]["en"]),
        rule=str(pack["rule"]),
        standing=str(pack["standing"]),
        note=str(pack.get("note") or ""),
        defaults_from_operator=bool(pack["defaults_from_operator"]),
        boundaries=boundaries,
        sources=[_source(made, each, whole) for each in plan.sources],
        exposure=exposure_of(made),
        intensities=[line_fact(made, name) for name in made.lines if name.startswith("intensity/")],
        products=[line_fact(made, f"product/{each.id}") for each in plan.products],
        product_names={each.id: each.name for each in plan.products},
        tiers=tiers_of(sources.reference().tiers, made),
        laboratory=laboratory_months(sources, asking, made),
        samples=samples_of(made),
        doubts=doubts_of(made),
        checks=crosschecks(sources, asking, made),
    )


def widest_total(made: Account) -> Fraction | None:
    """The total of the boundary with the most sources; None where it is not known."""
    boundaries = made.inputs.factors.pack(made.inputs.plan.pack)["boundaries"]
    widest = max(boundaries, key=lambda each: len(each["sources"]))
    return made.lines[f"carbon/{widest['id']}/total"].figure.value


def _source(made: Account, source: EmissionSource, whole: Fraction | None) -> SourceFact:
    working = made.workings[source.id]
    emission = made.lines[f"carbon/source/{source.id}"]
    return SourceFact(
        id=source.id,
        name=source.name,
        kind=source.kind,
        activity=_quantity(made, f"activity/{source.id}", working.activity),
        points=_points(made, source),
        parameters=[
            _parameter(made, source.parameters.get(name), name, quantity)
            for name, quantity in working.parameters.items()
        ],
        emission=figure_fact(emission.id, emission.figure),
        boundaries=_boundaries(made, source),
        share_permille=_share(emission.figure.value, whole),
    )


def _quantity(made: Account, id_: str, quantity: Quantity | None) -> FigureFact:
    if quantity is None:
        return FigureFact(id=id_, value="", expanded="", exact="", unit="", reasons=("no_value",))
    return figure_fact(id_, quantity.figure(made.effects))


def _points(made: Account, source: EmissionSource) -> list[PointShare]:
    found = []
    ask = Quantities(made.inputs)
    try:
        terms = made.inputs.plan.terms(source.amount)
    except FormulaError:
        return []  # the activity says so
    for name, weight in sorted(terms.items()):
        point = made.inputs.points.get(name)
        found.append(
            PointShare(
                id=name,
                name_zh=point.name_zh if point else "",
                name_en=point.name_en if point else "",
                weight=decimal_text(weight),
                figure=figure_fact(f"energy/{name}", ask.point(name).figure(made.effects)),
            )
        )
    return found


def _boundaries(made: Account, source: EmissionSource) -> list[str]:
    pack = made.inputs.factors.pack(made.inputs.plan.pack)
    return [str(each["id"]) for each in pack["boundaries"] if source.lies_in(each)]


def _parameter(made: Account, parameter: Parameter | None, name: str, quantity: Quantity) -> ParameterFact:
    origin, of, standing, where = "none", "", "", ""
    entry = max(quantity.evidence, default=None)
    if parameter is not None and parameter.value is not None:
        origin, of = "stated", parameter.reason
    elif parameter is not None and quantity.factors:
        id_ = next(iter(sorted(quantity.factors))).rpartition("@")[0]
        factor = made.inputs.factors.get(id_)
        origin, of = ("default" if quantity.defaults else "factor"), id_
        standing, where, entry = factor.standing, factor.source, factor.seq
    elif parameter is not None and parameter.metered:
        origin, of = "metered", parameter.metered
    elif parameter is not None and parameter.laboratory:
        origin, of = "laboratory", parameter.laboratory
    figure = _quantity(made, f"parameter/{name}", quantity)
    return ParameterFact(name=name, figure=figure, origin=origin, of=of, standing=standing, source=where, entry=entry)


def exposure_of(made: Account) -> list[Exposure]:
    """What hangs on defaults, most tonnes first."""
    whole = widest_total(made)
    found = []
    for id_, tonnes in sorted(made.exposure.items(), key=lambda each: (-each[1], each[0])):
        factor = made.inputs.factors.get(id_)
        found.append(
            Exposure(
                factor=id_,
                value=decimal_text(factor.value, 8),
                unit=factor.unit,
                tonnes=decimal_text(tonnes, 3),
                share_permille=_share(tonnes, whole),
                standing=factor.standing,
                source=factor.source,
                entry=factor.seq,
            )
        )
    return found


def _share(part: Fraction | None, whole: Fraction | None) -> int | None:
    return None if part is None or not whole else round(1000 * part / abs(whole))
