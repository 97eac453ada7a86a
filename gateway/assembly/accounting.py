"""Putting factor sets and plans on record, and gathering what an account is made from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.accounting_catalogues import AccountingCatalogues
from config.accounting_plan import AccountingPlan, load_plan
from gateway.accounting.carbon import INDIRECT
from gateway.accounting.factors import factors_of
from gateway.accounting.inputs import Inputs, gather
from gateway.accounting.linear import resolved
from gateway.accounting.plan import FIELD, PLAN_ID
from gateway.accounting.tariff import Tariff
from gateway.assembly.accounting_loading import factor_sets, reference
from gateway.assembly.file_problems import problems_said
from gateway.domain.errors import ConfigurationError, DataFolderError, MeterproofError
from gateway.domain.time import Period
from gateway.i18n import text
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.series.store import SeriesStore
from gateway.settlement.query import Settlement


@dataclass(frozen=True, slots=True)
class Accounting:
    """A data folder open for accounting."""

    folder: DataFolder
    registry: Registry
    settlement: Settlement
    series: SeriesStore

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.folder.time_zone)

    def inputs(self, period: Period, known_seq: int | None = None) -> Inputs:
        """What an account of a period is made from."""
        return gather(
            self.registry,
            self.settlement,
            self.folder.organisation,
            period,
            units=reference().units,
            zone=self.zone,
            known_seq=known_seq,
            series=self.series,
        )


@contextmanager
def opened(data: Path) -> Iterator[Accounting]:
    """The projections of a folder, closed afterwards; DataFolderError while there are none."""
    folder = DataFolder.open(data)
    if not folder.registry.is_file() or not folder.settlement.is_file():
        raise DataFolderError(
            "%(path)s has no projections yet; start 'meterproof run' or 'meterproof project' and try again",
            path=str(folder.path),
        )
    registry = Registry.open(folder.registry)
    try:
        settlement = Settlement.open(folder.settlement, registry)
    except BaseException:
        registry.close()
        raise
    series = SeriesStore(folder.series, organisation=folder.organisation, read_only=True)
    try:
        yield Accounting(folder, registry, settlement, series)
    finally:
        series.close()
        settlement.close()
        registry.close()


def drafts_for_sets(
    registry: Registry, organisation: str, found: AccountingCatalogues, *, at_us: int, actor: str, reason: str
) -> list[Draft]:
    """Entries for the sets that are not on record with just these contents."""
    drafts = []
    for id_, document in factor_sets(found).items():
        known = registry.object(organisation, "factor_set", id_)
        if known is None or dict(known.object) != document:
            drafts.append(
                object_draft(
                    "factor_set",
                    organisation,
                    id_,
                    document,
                    at_us=at_us,
                    from_us=None,
                    to_us=None,
                    actor=actor,
                    reason=reason,
                    source=f"{id_} {document['sha256'][:12]}",
                )
            )
    return drafts


def read_plan(path: Path, language: str) -> AccountingPlan:
    """A plan file; ConfigurationError with file, line and column of every problem."""
    with problems_said(language):
        return load_plan(path)


def check_plan(plan: AccountingPlan, found: AccountingCatalogues, points: frozenset[str], language: str) -> None:
    """Everything a plan names exists; ConfigurationError with every problem otherwise."""
    document = plan.document()
    sets = factor_sets(found)
    known = {each.id for id_, set_ in sets.items() for each in factors_of(id_, set_, 0)}
    lines = [
        text(language, "the plan names the factor '%(factor)s', which no set has", factor=each)
        for each in sorted(set(_named(document)) - known)
    ]
    if plan.pack not in found.packs:
        lines.append(text(language, "there is no emission pack '%(pack)s'", pack=plan.pack))
    if plan.coefficients not in found.coefficients:
        lines.append(text(language, "there is no set of coefficients '%(set)s'", set=plan.coefficients))
    virtual = {each.id: each.formula for each in plan.virtual_points}
    formulas = [
        *virtual.values(),
        *(each.amount for each in plan.sources),
        *(each.amount for each in plan.products),
        *(formula for each in plan.stocks for formula in (each.bought, each.used)),
    ]
    for formula in formulas:
        try:
            foreign = sorted(set(resolved(formula, virtual)) - points)
        except MeterproofError as error:
            lines.append(text(language, error.message, **error.facts))
            continue
        lines += [text(language, "the ledger has no metering point '%(point)s'", point=each) for each in foreign]
    named = {each.point for each in plan.balances} | {point for each in plan.tariffs for point in each.points}
    named |= {each.point for each in plan.stocks}
    named |= {each.metered_by for each in plan.virtual_points if each.metered_by}
    lines += [
        text(language, "the ledger has no metering point '%(point)s'", point=each) for each in sorted(named - points)
    ]
    lines += [
        text(language, "the virtual point '%(point)s' has the id of a metering point", point=each)
        for each in sorted(virtual.keys() & points)
    ]
    lines += _counted_twice(plan, virtual, language)
    for tariff in document.get("tariffs", ()):
        try:
            Tariff.of(tariff)
        except MeterproofError as error:
            lines.append(text(language, error.message, **error.facts))
    allowed = set(found.packs[plan.pack].sources) if plan.pack in found.packs else set()
    lines += [
        text(language, "the pack '%(pack)s' knows no source of kind '%(kind)s'", pack=plan.pack, kind=each.kind)
        for each in plan.sources
        if allowed and each.kind not in allowed
    ]
    known_boundaries = {each.id for each in found.packs[plan.pack].boundaries} if plan.pack in found.packs else set()
    lines += [
        text(language, "the pack '%(pack)s' has no boundary '%(boundary)s'", pack=plan.pack, boundary=each)
        for each in sorted({name for source in plan.sources for name in source.boundaries} - known_boundaries)
    ]
    if lines:
        raise ConfigurationError(lines)


def check_entered(there: Accounting, rows: Sequence[Mapping[str, Any]], language: str) -> None:
    """Laboratory results and surveys are about points of the ledger or of the plan; ConfigurationError otherwise, and
    where two rows have one number.
    """
    organisation = there.folder.organisation
    known = {each.id for each in there.registry.objects(organisation, "point")}
    plan = there.registry.object(organisation, "document", PLAN_ID)
    if plan is not None:
        known |= set(_points_named(plan.object.get(FIELD)))
    lines = [
        text(language, "neither the ledger nor the accounting plan has the point '%(point)s'", point=each)
        for each in sorted({str(row["point"]) for row in rows} - known)
    ]
    seen = Counter((row["point"], row["number"]) for row in rows if "number" in row)
    lines += [
        text(language, "the result '%(number)s' stands twice", number=number)
        for (_, number), count in sorted(seen.items())
        if count > 1
    ]
    if lines:
        raise ConfigurationError(lines)


def _points_named(document: object) -> Iterator[str]:
    """Every laboratory and stock point a plan names."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if name in {"laboratory", "point"} and isinstance(value, str):
                yield value
            else:
                yield from _points_named(value)
    elif isinstance(document, list):
        for each in document:
            yield from _points_named(each)


def _counted_twice(plan: AccountingPlan, virtual: Mapping[str, str], language: str) -> list[str]:
    """Points of which more than all is burnt, bought or delivered, over the sources of the plan."""
    weights: dict[tuple[str, str], Fraction] = {}
    for source in plan.sources:
        what = "fuel" if source.kind.startswith("fuel_") else source.kind
        try:
            terms = resolved(source.amount, virtual)
        except MeterproofError:
            continue  # said already
        for point, weight in terms.items():
            weights[what, point] = weights.get((what, point), Fraction(0)) + weight
    return [
        text(language, "the sources count '%(point)s' more than once", point=point)
        for (what, point), weight in sorted(weights.items())
        if weight > 1 and (what == "fuel" or what in INDIRECT)
    ]


def plan_draft(
    plan: AccountingPlan, organisation: str, *, from_us: int | None, at_us: int, actor: str, reason: str
) -> Draft:
    """The entry of a plan."""
    return object_draft(
        "document",
        organisation,
        PLAN_ID,
        {"title": plan.title, "kind": "other", FIELD: plan.document()},
        at_us=at_us,
        from_us=from_us,
        to_us=None,
        actor=actor,
        reason=reason,
        source="accounting plan",
    )


def _named(document: object) -> Iterator[str]:
    """Every factor id in a plan, wherever it stands."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            if name in {"factor", "default"} and isinstance(value, str):
                yield value
            else:
                yield from _named(value)
    elif isinstance(document, list):
        for each in document:
            yield from _named(each)


def laboratory_draft(
    organisation: str, document: Mapping[str, Any], *, at_us: int, actor: str, reason: str, withdrawn: bool = False
) -> Draft:
    """The entry of one laboratory result (``gateway.accounting.laboratory``)."""
    return Draft(
        kind="laboratory",
        subject=f"{organisation}/point/{document['point']}",
        at_us=at_us,
        body={
            "action": "laboratory.recorded",
            "actor": actor,
            "object": dict(document),
            "reason": reason,
            "withdrawn": int(withdrawn),
        },
    )


def stock_draft(organisation: str, document: Mapping[str, Any], *, at_us: int, actor: str, reason: str) -> Draft:
    """The entry of one stock survey (``gateway.accounting.crosschecks``)."""
    body = {"action": "stock.surveyed", "actor": actor, "object": dict(document), "reason": reason, "withdrawn": 0}
    return Draft(kind="stock", subject=f"{organisation}/point/{document['point']}", at_us=at_us, body=body)
