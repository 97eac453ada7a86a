"""From an open data folder and what somebody asks for to a document: catalogues, period, review."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from config.accounting_catalogues import shipped_accounting
from config.catalogues import energy_kinds
from gateway.assembly.accounting_loading import units_of
from gateway.assembly.reading import OpenFolder
from gateway.assembly.review_loading import editions
from gateway.audit.asking import Asking
from gateway.domain.errors import MeterproofError
from gateway.domain.time import Period, local_date, local_midnight
from gateway.i18n import text
from gateway.journal.journal import Journal
from gateway.reports.catalogue import Kind, kind_of
from gateway.reports.document import Document
from gateway.reports.drawing import drawn
from gateway.reports.issuing import ReportFile, issue_draft, keep, next_version
from gateway.reports.making import Making
from gateway.reports.rendering import rendered
from gateway.reports.reviewed import findings_of, review_facts
from gateway.review.checklist import edition_in_force
from gateway.review.state import Review, Reviews, read_reviews

MAX_DAYS = 1100


class ReportPeriodError(MeterproofError):
    """A period that no report can have."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWish:
    """What somebody asks for. ``first`` and ``last`` are civil days, both included; without them the year of the
    moment up to its day is taken. ``review`` names the review where the report is of one: then without them the days
    that it looks at are taken, as far as they are past."""

    kind: str
    language: str
    first: date | None = None
    last: date | None = None
    review: str = ""


def report(reader: OpenFolder, asking: Asking, wish: ReportWish, *, at_us: int) -> Document:
    """The document, dated ``at_us``; UnknownObjectError for an unknown report or review."""
    kind = kind_of(wish.kind)
    state = read_reviews(reader.sources.registry, asking.organisation, reader.folder.origin, asking.known_seq)
    edition, rates = required_rates(state, asking.today, wish.language)
    review = state.review(wish.review) if wish.review else None
    making = Making(
        sources=reader.sources,
        asking=asking,
        language=wish.language,
        site_id=reader.folder.site,
        simulated=reader.folder.simulated,
        energy_kinds={each.id: (each.name.zh, each.name.en) for each in energy_kinds().values()},
        units=units_of(shipped_accounting()),
        period=period_of(asking, _of_review(asking, wish, review), kind),
        at_us=at_us,
        required_rates=rates,
        required_edition=edition,
        editions=editions(),
    )
    if review is not None:
        making.review = review_facts(making, state, review, findings_of(making, review))
    return kind.make(making)


def _of_review(asking: Asking, wish: ReportWish, review: Review | None) -> ReportWish:
    """The wish with the days of its review where it names none."""
    if review is None or wish.first or wish.last:
        return wish
    first, end = local_date(review.from_us, asking.zone), local_date(review.to_us - 1, asking.zone)
    last = max(first, min(end, asking.today))
    return replace(wish, first=max(first, last - timedelta(days=MAX_DAYS - 1)), last=last)


def period_of(asking: Asking, wish: ReportWish, kind: Kind) -> Period:
    """The wished days, or the year of the moment up to its day; plans look a year ahead instead."""
    last = wish.last or (asking.today + timedelta(days=364) if kind.group == "plans" else asking.today)
    start_of_year = date(last.year, 1, 1)
    first = wish.first or (min(asking.today, last) if kind.group == "plans" else start_of_year)
    if first > last or (last - first).days >= MAX_DAYS:
        raise ReportPeriodError(
            "a report spans one to %(limit)s days, from %(first)s to %(last)s is none",
            limit=str(MAX_DAYS),
            first=first.isoformat(),
            last=last.isoformat(),
        )
    return Period(local_midnight(first, asking.zone), local_midnight(last + timedelta(days=1), asking.zone))


def required_rates(state: Reviews, day: date, language: str) -> tuple[str, Mapping[tuple[str, int], Fraction]]:
    """What the edition of GB 17167 in force on a day demands in percent, by energy kind and level, and how far it may
    be trusted; nothing where its table is not at hand. Editions an operator loaded stand over the shipped ones."""
    edition = edition_in_force([*editions(), *state.editions], day)
    if edition is None or not edition.table:
        return "", {}
    said = text(
        language,
        "Demanded rates: %(edition)s (%(standing)s): %(source)s",
        edition=edition.edition,
        standing=edition.standing,
        source=edition.source,
    )
    rates = {
        (kind, level): Fraction(edition.percent[kind][level - 1]) for kind in edition.percent for level in (1, 2, 3)
    }
    return said, rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What was put on record: entry ``seq``, and the files as ``format:sha256``."""

    id: str
    version: int
    seq: int
    names: Sequence[str]


def issue_report(
    reader: OpenFolder,
    asking: Asking,
    wish: ReportWish,
    *,
    at_us: int,
    formats: Sequence[str],
    fonts: Sequence[Path],
    actor: str,
    reason: str,
) -> Issued:
    """Make a report once, keep its files under ``blobs/`` and put the entry on record; JSON is always kept."""
    document = report(reader, asking, wish, at_us=at_us)
    wanted = list(dict.fromkeys([*formats, "json"]))
    pictures = drawn(document) if "pdf" in wanted else {}
    files = []
    for each in wanted:
        content = rendered(document, each, pictures, fonts)
        files.append(ReportFile(format=each, sha256=keep(reader.folder, content), size=len(content)))
    with Journal.open(reader.folder) as journal:
        version = next_version(reader.sources.registry, journal, document.organisation, document.id)
        (seq,) = journal.append([issue_draft(document, files, version, actor=actor, reason=reason)])
    return Issued(id=wish.kind, version=version, seq=seq, names=[f"{each.format}:{each.sha256}" for each in files])
