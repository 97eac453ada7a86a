"""Reports of a review: 自查报告, 不符合项报告, 审查报告. The report's fields are quoted (转载), layouts our own."""

from collections.abc import Sequence

from gateway.audit.findings import findings
from gateway.domain.errors import UnknownObjectError
from gateway.domain.ledger import Organisation, Site
from gateway.domain.time import local_date
from gateway.i18n.rules import RULES, rule_sentence, rule_title
from gateway.registry.record import Kind
from gateway.reports.annual import carbon_table, consumption_table
from gateway.reports.document import Block, Boxes, Break, Cell, Document, Facts, Heading, Method, Table, Text
from gateway.reports.energy_year import methods as energy_methods
from gateway.reports.facts import ReviewFacts, ReviewItem
from gateway.reports.forms import boxes
from gateway.reports.making import Making
from gateway.reports.statistics import indicators_table

VERDICTS = {
    "conforms": "conforms",
    "fails": "does not conform",
    "not_applicable": "not applicable",
    "open": "not judged",
}
FIELDS = "Fields of the cover and chapters as a public copy of a review report prints them; the layout is our own."
BASIS = {
    "energy": ("《能源计量监督管理办法》(国家质检总局令第132号)", "JJF 1356-2012", "GB/T 2589-2020", "GB 17167-2025"),
    "carbon": ("JJF(皖)218-2025", "JJF(皖)197-2025", "GB/T 32150"),
}


def reviewed(making: Making) -> ReviewFacts:
    """The review the report is of; UnknownObjectError when none was named."""
    if making.review is None:
        raise UnknownObjectError("this report needs a review: name one")
    return making.review


def self_check(making: Making) -> Document:
    """自查报告: the enterprise's own check before a review, once a year; it needs no review object."""
    name = making.site.organisation_name(making.language) or making.asking.organisation
    blocks: list[Block] = [
        Facts(
            rows=[
                (making.t("Energy-using unit"), name),
                (making.t("Site"), making.site.site_name(making.language)),
                (making.t("Checked by"), ""),
                (making.t("Day of the check"), making.asking.today),
            ]
        ),
        Heading(text=making.t("1 Indicators on the day"), level=1),
        indicators_table(making),
        Heading(text=making.t("2 Annual amounts"), level=1),
        consumption_table(making),
        Heading(text=making.t("3 What does not conform"), level=1),
        _findings_table(making),
    ]
    if making.review is not None:
        blocks += [Heading(text=making.t("4 Items"), level=1), _items_table(making, making.review.items)]
    blocks += [
        Heading(text=making.t("Rectification planned"), level=1),
        Text(
            text=making.t("To be completed: what is done about each point above, by whom, until when."), editable=True
        ),
        boxes(making),
    ]
    return making.document(
        "self-check",
        making.t("Self-check report on energy metering"),
        blocks,
        spans=True,
        landscape=True,
        methods=(*energy_methods(making), Method(name=making.t("Layout"), text=making.t(FIELDS))),
    )


def _findings_table(making: Making) -> Table:
    titles = (("Row", 1), ("Finding", 3), ("Where", 4), ("Since", 3), ("What it says", 6), ("Journal entry", 2))
    rows: list[list[Cell]] = []
    for each in findings(making.sources, making.asking, only_open=True):
        point = making.there.points.get(each.point)
        place = making.name(point.point) if point else each.device
        known = each.rule in RULES
        rows.append(
            [
                len(rows) + 1,
                rule_title(making.language, each.rule) if known else each.rule,
                making.joined([place, each.instrument]),
                local_date(each.from_us, making.asking.zone),
                rule_sentence(making.language, each.rule) if known else "",
                each.entry_seq,
            ]
        )
    return Table(
        id="findings",
        title=making.t("Open findings"),
        columns=making.columns(titles),
        rows=rows,
        notes=(making.t("Automatic findings from ledger, certificates and readings; a person judges what follows."),),
    )


def _items_table(making: Making, items: Sequence[ReviewItem]) -> Table:
    titles = (
        ("Clause", 2),
        ("Title", 4),
        ("Automatic evidence", 4),
        ("Judgement", 2),
        ("Reason", 4),
        ("Judged by", 2),
        ("Judged on", 2),
        ("Journal entry", 2),
    )
    rows: list[list[Cell]] = [
        [
            each.clause,
            each.title,
            each.automatic,
            making.t(VERDICTS.get(each.verdict, each.verdict)),
            each.note,
            each.judged_by,
            each.judged_on,
            each.entry,
        ]
        for each in items
    ]
    return Table(
        id="items",
        title=making.t("Annex 1 Summary of the on-site review"),
        columns=making.columns(titles),
        rows=rows,
        notes=(
            making.t("Automatic evidence and human judgement are kept apart; judgements are entries of the journal."),
        ),
    )


def nonconformities(making: Making) -> Document:
    """不符合项报告: one sheet each, for the reviewer and the enterprise's representative to sign."""
    review = reviewed(making)
    blocks: list[Block] = []
    name = making.site.organisation_name(making.language) or making.asking.organisation
    for number, each in enumerate(review.nonconformities):
        if number:
            blocks.append(Break())
        blocks += [
            Heading(text=f"{making.t('Nonconformity')} {each.number}", level=1),
            Facts(
                rows=[
                    (making.t("Energy-using unit"), name),
                    (making.t("Review"), review.number or review.id),
                    (making.t("Clause"), f"{each.clause} {each.title}"),
                    (making.t("What was found"), each.fact),
                    (making.t("Journal entry"), each.entry),
                    (making.t("What is demanded"), each.demand),
                    (making.t("Rectification"), each.rectification),
                    (making.t("Verification of the rectification"), each.verification),
                ]
            ),
            Boxes(signed=(making.t("Reviewer"), making.t("Representative of the enterprise"))),
        ]
    if not blocks:
        blocks = [
            Text(text=making.t("The review found no nonconformity.")),
            Boxes(signed=(making.t("Reviewer"), making.t("Representative of the enterprise"))),
        ]
    return making.document(
        "nonconformities",
        making.t("Nonconformity report"),
        blocks,
        methods=(
            Method(
                name=making.t("Layout"),
                text=making.t("The layout of this document is our own; no norm's form was at hand."),
            ),
        ),
        extra={"review": review.id},
    )


def review_report(making: Making) -> Document:
    """审查报告: cover, unit, overview, basis, team, course, summary, nonconformities."""
    review = reviewed(making)
    name = making.site.organisation_name(making.language) or making.asking.organisation
    basis = review.basis or BASIS.get(review.kind, ())
    carbon = carbon_table(making) if review.kind == "carbon" else None
    blocks: list[Block] = [
        Facts(
            rows=[
                (making.t("Report number"), review.number),
                (making.t("Unit reviewed"), name),
                (making.t("Organiser of the review"), review.organiser),
                (making.t("Day of the review"), review.day),
                (making.t("Leader of the review"), review.leader),
                (making.t("Day of issue"), ""),
            ]
        ),
        Boxes(
            signed=(making.t("Leader of the review"), making.t("Day of issue")),
            seals=(making.t("Organiser of the review (seal)"),),
        ),
        Break(),
        Heading(text=making.t("1 The unit")),
        _unit_facts(making, name),
        Heading(text=making.t("2 Overview")),
        Facts(rows=[(making.t("Certified management systems"), ""), (making.t("Products"), "")]),
        consumption_table(making),
        *([carbon] if carbon else []),
        Heading(text=making.t("3 Basis")),
        *(Text(text=each) for each in basis),
        Heading(text=making.t("4 The team")),
        _team_table(making, review),
        Heading(text=making.t("5 Course of the review")),
        _stages_table(making, review),
        Heading(text=making.t("6 Summary")),
        Text(
            text=review.conclusion or making.t("Conclusion: to be written by the leader of the review."), editable=True
        ),
        indicators_table(making),
        _items_table(making, review.items),
        _nonconformity_table(making, review),
        Heading(text=making.t("7 Original records")),
        _records_table(making, review),
    ]
    title = making.t("Energy metering review report" if review.kind == "energy" else "Carbon metering review report")
    return making.document(
        "review-report",
        title,
        blocks,
        spans=True,
        landscape=True,
        subtitle=review.title,
        methods=(*energy_methods(making), Method(name=making.t("Layout"), text=making.t(FIELDS))),
        extra={"review": review.id},
    )


def _unit_facts(making: Making, name: str) -> Facts:
    """The unit as the ledger has it; what nobody recorded is a line to write on."""
    unit, place = _recorded(making, Organisation, making.asking.organisation), _recorded(making, Site, making.site_id)
    known = {
        "Registered address": unit.address,
        "Place of production": place.address,
        "Business licence": "",
        "Organisation code": unit.credit_code or making.site.organisation.get("unified_credit_code") or "",
        "Legal representative": "",
        "Contact and telephone": making.joined([unit.responsible, unit.contact]),
    }
    rows = [(making.t("Energy-using unit"), name), *((making.t(label), str(value)) for label, value in known.items())]
    return Facts(rows=rows)


def _recorded(making: Making, kind: type[Kind], id_: str) -> Kind:
    """A ledger object of the moment; an empty one where none is on record."""
    asking, word = making.asking, kind.__name__.lower()
    found = making.sources.registry.object(asking.organisation, word, id_, asking.as_of_us, asking.known_seq)
    return kind(id=id_) if found is None else found.read_as(kind)


def _team_table(making: Making, review: ReviewFacts) -> Table:
    titles = (("Full name", 2), ("Part in the review", 3), ("Employer", 3))
    return Table(
        id="team",
        title=making.t("Members and their parts"),
        columns=making.columns(titles),
        rows=[[each.name, each.role, each.organisation] for each in review.members],
    )


def _stages_table(making: Making, review: ReviewFacts) -> Table:
    titles = (("Stage", 3), ("Reached on", 2), ("Remark on the stage", 5))
    return Table(
        id="stages",
        title=making.t("Stages"),
        columns=making.columns(titles),
        rows=[[each.title, each.reached_on, each.note] for each in review.stages],
    )


def _nonconformity_table(making: Making, review: ReviewFacts) -> Table:
    titles = (
        ("No.", 2),
        ("Clause", 2),
        ("What was found", 6),
        ("What is demanded", 4),
        ("Journal entry", 2),
    )
    return Table(
        id="nonconformities",
        title=making.t("Annex 2 Nonconformities"),
        columns=making.columns(titles),
        rows=[
            [each.number, f"{each.clause} {each.title}", each.fact, each.demand, each.entry]
            for each in review.nonconformities
        ],
    )


def _records_table(making: Making, review: ReviewFacts) -> Table:
    titles = (("Clause", 2), ("Title", 4), ("Journal entries", 6))
    return Table(
        id="records",
        title=making.t("Entries the judgements rest on"),
        columns=making.columns(titles),
        rows=[
            [each.clause, each.title, " ".join(str(seq) for seq in each.evidence)]
            for each in review.items
            if each.evidence
        ],
    )
