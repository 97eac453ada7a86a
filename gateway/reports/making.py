"""What a report is made from: the projections, whose question it is, words, the period, and numbers with their U."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from urllib.parse import urlencode

from gateway.accounting.account import ENERGY_RULE, Account, account
from gateway.accounting.estimate import Effect
from gateway.accounting.inputs import gather
from gateway.accounting.instruments import Instruments
from gateway.accounting.metered import Amount as MeteredAmount
from gateway.accounting.metered import amounts
from gateway.accounting.quantity import Quantity, unknown
from gateway.accounting.units import Units
from gateway.audit.asking import Asking, Sources
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import Plant, plant
from gateway.audit.site import SiteFact, site_fact
from gateway.domain.errors import UnknownObjectError
from gateway.domain.figure import Figure
from gateway.domain.ledger import MeteringPoint
from gateway.domain.time import Period, local_date
from gateway.i18n import text
from gateway.i18n.accounting_terms import ACCOUNTING_TERMS
from gateway.i18n.terms import term
from gateway.reports.document import Amount, Block, Column, Document, Method
from gateway.reports.facts import ReviewFacts
from gateway.review.checklist import EquippingEdition

EnergyKinds = Mapping[str, tuple[str, str]]
"""Names of energy kinds, Chinese and English, by id."""
SEPARATORS = {"zh": "、", "en": ", "}


@dataclass(slots=True, kw_only=True)
class Metered:
    """Numbers of a period: by point, and the account where a plan is on record."""

    figures: Mapping[str, Figure]
    account: Account | None
    instruments: Instruments


@dataclass(slots=True, kw_only=True)
class Making:
    """One report in the making. ``period`` is what amounts are summed over; ``at_us`` dates the document."""

    sources: Sources
    asking: Asking
    language: str
    site_id: str
    simulated: bool
    energy_kinds: EnergyKinds
    units: Units
    period: Period
    at_us: int
    review: ReviewFacts | None = None
    required_rates: Mapping[tuple[str, int], Fraction] = field(default_factory=dict)
    required_edition: str = ""
    editions: Sequence[EquippingEdition] = ()
    _there: Plant | None = None
    _rows: Sequence[LedgerRow] | None = None
    _metered: Metered | None = None
    _site: SiteFact | None = None

    def t(self, message: str, /, **facts: object) -> str:
        """A text in the report's language."""
        return text(self.language, message, **facts)

    def term(self, family: str, word: str | int | None) -> str:
        """A stored word in the report's language."""
        return term(self.language, family, word)

    def accounting_term(self, family: str, word: str) -> str:
        """A stored word of accounting in the report's language; the word itself when it is not one of ours."""
        return self.t(ACCOUNTING_TERMS[family].get(word, word))

    def columns(self, titles: Sequence[tuple[str, int]]) -> list[Column]:
        """Columns by title and share of the width."""
        return [Column(title=self.t(title), weight=weight) for title, weight in titles]

    def joined(self, parts: Sequence[str]) -> str:
        """A list in one cell."""
        return SEPARATORS[self.language].join(each for each in parts if each)

    def energy_kind(self, id_: str) -> str:
        """An energy kind's name; its id when the catalogue lacks it."""
        names = self.energy_kinds.get(id_)
        return id_ if names is None else names[0 if self.language == "zh" else 1]

    def name(self, point: MeteringPoint | None) -> str:
        """A point's name in the report's language, else the other one, else its id."""
        if point is None:
            return ""
        first, second = (point.name_zh, point.name_en) if self.language == "zh" else (point.name_en, point.name_zh)
        return first or second or point.id

    @property
    def site(self) -> SiteFact:
        """Names of the site and its organisation."""
        if self._site is None:
            self._site = site_fact(self.sources, self.asking, self.site_id)
        return self._site

    @property
    def there(self) -> Plant:
        """The ledger at the moment."""
        if self._there is None:
            self._there = plant(self.sources, self.asking)
        return self._there

    @property
    def rows(self) -> Sequence[LedgerRow]:
        """Every instrument with its certificate and due state."""
        if self._rows is None:
            self._rows = ledger_rows(self.sources, self.asking, self.there)
        return self._rows

    @property
    def metered(self) -> Metered:
        """Numbers of the period, with an account where a plan held."""
        if self._metered is None:
            self._metered = _metered(self)
        return self._metered

    @property
    def first_day(self) -> date:
        """The period's first civil day at the site."""
        return local_date(self.period.start_us, self.asking.zone)

    @property
    def last_day(self) -> date:
        """The period's last civil day at the site, included."""
        return local_date(self.period.end_us - 1, self.asking.zone)

    def point_amount(self, point: str) -> Amount:
        """What went through a point in the period."""
        found = self.metered.figures.get(point) or Figure(value=None, unit="", reasons=(f"unknown_point:{point}",))
        return Amount(id=f"energy/{point}", figure=found, trace=self.energy_address(point), instead=self.t("not known"))

    @property
    def effects(self) -> Mapping[str, Effect]:
        """All causes of error met so far: what two amounts share cancels in their difference."""
        return self.metered.instruments.effects

    def between(self, point: str, period: Period) -> Quantity:
        """What went through a point in another time than the report's."""
        found = amounts(
            self.sources.settlement,
            self.sources.registry,
            self.asking.organisation,
            period,
            zone=self.asking.zone,
            known_seq=self.asking.known_seq,
        ).get(point)
        return _quantity(self.metered.instruments, point, found)

    def line(self, id_: str, point: str = "") -> Amount | None:
        """A line of the account; None where there is no account or no such line."""
        made = self.metered.account
        found = None if made is None else made.lines.get(id_)
        if found is None:
            return None
        trace = self.energy_address(point) if point else f"/api/v1/reports/annual-energy?{self._days()}"
        return Amount(id=id_, figure=found.figure, trace=trace, instead=self.t("not known"))

    def derived(self, id_: str, quantity: Quantity, *, instead: str = "", trace: str = "") -> Amount:
        """A number made here from quantities of the account."""
        figure = quantity.figure(self.effects, (ENERGY_RULE,))
        return Amount(id=id_, figure=figure, trace=trace, instead=instead or self.t("not known"))

    def share(self, id_: str, part: int, whole: int, trace: str = "") -> Amount:
        """A rate in percent; not known where there is nothing to relate to."""
        value = None if not whole else Fraction(100 * part, whole)
        return Amount(id=id_, figure=Figure(value=value, unit="%"), trace=trace, instead=self.t("nothing to relate to"))

    def energy_address(self, point: str) -> str:
        """The page from which every step of a point's energy leads to its evidence."""
        step = "day" if (self.last_day - self.first_day).days < 62 else "month"
        return f"/energy?{urlencode({'point': point})}&{self._days()}&step={step}"

    def _days(self) -> str:
        return urlencode({"first": self.first_day.isoformat(), "last": self.last_day.isoformat()})

    def document(
        self,
        id_: str,
        title: str,
        blocks: Sequence[Block],
        *,
        methods: Sequence[Method] = (),
        landscape: bool = False,
        spans: bool = False,
        subtitle: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> Document:
        """The document with this frame; ``spans`` when its numbers are of the period."""
        return Document(
            id=id_,
            title=title,
            subtitle=subtitle,
            language=self.language,
            organisation=self.asking.organisation,
            organisation_name=self.site.organisation_name(self.language) or self.asking.organisation,
            site_name=self.site.site_name(self.language) or self.site_id,
            simulated=self.simulated,
            zone=self.asking.zone.key,
            at_us=self.at_us,
            as_of_us=self.asking.as_of_us,
            known_seq=self.recorded_seq,
            from_us=self.period.start_us if spans else None,
            to_us=self.period.end_us if spans else None,
            landscape=landscape,
            blocks=blocks,
            methods=[*methods, *self._frame_methods(spans=spans)],
            extra=dict(extra or {}),
        )

    @property
    def recorded_seq(self) -> int:
        """The last journal entry that counted."""
        known = self.asking.known_seq
        return self.sources.registry.applied_seq() if known is None else known

    def _frame_methods(self, *, spans: bool) -> list[Method]:
        found = [
            Method(
                name=self.t("Ledger"),
                text=self.t(
                    "Points, instruments, installations and certificates as of %(day)s, as recorded up to journal "
                    "entry %(seq)s.",
                    day=self.asking.today.isoformat(),
                    seq=str(self.recorded_seq),
                ),
            )
        ]
        if spans:
            found.append(Method(name=self.t("Amounts"), text=self._amounts_text()))
        return found

    def _amounts_text(self) -> str:
        said = self.t(
            "Sums of settled quarter hours of the meters fitted then, each with its own CT and PT ratio; U = 2u from "
            "accuracy classes and resolution, shared instruments counted once. What is not known stays unknown."
        )
        made = self.metered.account
        if made is None:
            rest = self.t("No accounting plan is on record: standard coal is not computed.")
        else:
            inputs = made.inputs
            facts = {"hash": inputs.digest()[:16], "seq": str(inputs.plan.seq)}
            rest = self.t("Inputs %(hash)s, plan entry %(seq)s.", **facts)
        return f"{said} {rest}"


def _metered(making: Making) -> Metered:
    sources, asking = making.sources, making.asking
    try:
        inputs = gather(
            sources.registry,
            sources.settlement,
            asking.organisation,
            making.period,
            units=making.units,
            zone=asking.zone,
            known_seq=asking.known_seq,
        )
    except UnknownObjectError:
        return _without_plan(making)
    made = account(inputs)
    figures = {
        id_.removeprefix("energy/"): line.figure
        for id_, line in made.lines.items()
        if id_.startswith("energy/") and id_.removeprefix("energy/") in inputs.points
    }
    return Metered(figures=figures, account=made, instruments=inputs.instruments)


def _without_plan(making: Making) -> Metered:
    """What the meters say where no accounting plan is on record."""
    sources, asking = making.sources, making.asking
    instruments = Instruments(sources.registry, asking.organisation, asking.known_seq)
    found = amounts(
        sources.settlement,
        sources.registry,
        asking.organisation,
        making.period,
        zone=asking.zone,
        known_seq=asking.known_seq,
    )
    figures = {
        name: _quantity(instruments, name, each).figure(instruments.effects, (ENERGY_RULE,))
        for name, each in found.items()
    }
    return Metered(figures=figures, account=None, instruments=instruments)


def _quantity(instruments: Instruments, point: str, found: MeteredAmount | None) -> Quantity:
    """A metered amount with its causes of error."""
    estimate = None if found is None else instruments.estimate(found)
    if found is None or estimate is None:
        return unknown("" if found is None else found.unit, f"no_value:{point}")
    return Quantity(
        estimate=estimate,
        unit=found.unit,
        coverage_permille=found.coverage_permille,
        quality=found.quality,
        methods={method.word: abs(value) for method, value in found.by_method.items()},
        evidence=frozenset(seq for seq in found.installations if seq),
        reasons=frozenset({f"missing_windows:{point}:{found.lacking}"} if found.lacking else ()),
    )
