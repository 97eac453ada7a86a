"""器具: views of the instruments as the ledger and the log have them."""

from collections.abc import Sequence

from gateway.audit.certificates import Due
from gateway.audit.questioned import answers, puts_in_question
from gateway.domain.ledger import Certificate, LedgerDocument
from gateway.domain.time import Period
from gateway.review.gathered import Cell, Entry, Gathered, Instant, Ref, Section, said_word, section

ATTENTION, IN_ORDER, STATED, EMPTY = "attention", "in_order", "stated", "empty"
LEDGER_FIELDS = ("model", "maker", "serial", "accuracy_class", "range", "location", "cycle_months")
CALIBRATION_RULES = ("calibration.none", "calibration.expired", "calibration.failed", "calibration.not_yet_valid")


def ledger_view(gathered: Gathered) -> Section:
    """Cards that lack what the list of instruments (一览表, table B.3) asks for, and files on record for them."""
    rows: list[Sequence[Cell]] = []
    files: dict[str, int] = {}
    for record in gathered.sources.registry.objects(
        gathered.asking.organisation, "document", gathered.asking.as_of_us, gathered.asking.known_seq
    ):
        named = record.read_as(LedgerDocument).instrument
        files[named] = files.get(named, 0) + 1
    for row in gathered.rows:
        blank = [name for name in LEDGER_FIELDS if not getattr(row.instrument, name)]
        if blank:
            rows.append(
                [
                    row.instrument.id,
                    row.instrument.name,
                    said_word("ledger_field", *blank),
                    files.get(row.instrument.id, 0),
                ]
            )
    said = [
        (
            "%(count)s instruments are in the ledger; %(blank)s cards lack a field of table B.3.",
            {
                "count": len(gathered.rows),
                "blank": len(rows),
            },
        )
    ]
    return section(
        "ledger",
        ATTENTION if rows else IN_ORDER,
        said,
        columns=["instrument", "name", "blank", "files"],
        rows=rows,
        link="/instruments",
    )


def certificates_view(gathered: Gathered) -> Section:
    """Instruments whose certificate is not in order on the day, worst first."""
    wrong = [row for row in gathered.rows if row.due not in {Due.VALID, Due.NO_TERM} and row.in_use]
    rows: list[Sequence[Cell]] = [
        [
            row.instrument.id,
            row.instrument.name,
            said_word("due", row.due),
            row.certificate.id if row.certificate else "",
            said_word("certificate_kind", row.certificate.kind if row.certificate else ""),
            row.certificate.valid_until if row.certificate else "",
        ]
        for row in wrong
    ]
    records = gathered.sources.registry.objects(
        gathered.asking.organisation, "certificate", None, gathered.asking.known_seq
    )
    unconfirmed = sum(
        each.kind == "calibration" and not each.confirmed_result
        for each in (record.read_as(Certificate) for record in records)
    )
    said = [
        (
            "%(count)s certificates are on record; %(wrong)s instruments in use have none that is in order today.",
            {
                "count": len(records),
                "wrong": len([row for row in wrong if row.due != Due.DUE_SOON]),
            },
        ),
        ("%(count)s calibration certificates were never confirmed for their use.", {"count": unconfirmed}),
    ]
    bad = any(row.due != Due.DUE_SOON for row in wrong) or unconfirmed
    columns = ["instrument", "name", "state", "certificate", "kind", "valid until"]
    return section(
        "certificates", ATTENTION if bad else IN_ORDER, said, columns=columns, rows=rows, link="/calibration"
    )


def use_view(gathered: Gathered) -> Section:
    """Times in which an instrument in use was out of control: no valid certificate, a failed one, a wrong ratio; and
    how what a failure or a withdrawal put in question was answered."""
    period = _period(gathered)
    rules = {*CALIBRATION_RULES, "calibration.not_verification", "installation.ratio_mismatch"}
    found = [
        each
        for each in gathered.sources.registry.verdicts(gathered.asking.organisation, None, gathered.asking.known_seq)
        if (each.rule in rules or puts_in_question(each))
        and each.from_us < period.end_us
        and (each.to_us is None or each.to_us > period.start_us)
    ]
    answered = answers(gathered.sources, gathered.asking, found)
    rows: list[Sequence[Cell]] = [
        [
            each.instrument or "",
            said_word("rule", each.rule),
            Instant(max(each.from_us, period.start_us)),
            Instant(each.to_us if each.to_us is not None and each.to_us < period.end_us else None),
            each.certificate or "",
            said_word("look_back_state", answered[each.seq].word if each.seq in answered else ""),
            Entry(each.seq),
        ]
        for each in found
    ]
    said = [("%(count)s times out of control within the period.", {"count": len(found)})]
    waiting = sum(each.waits for each in answered.values())
    if answered:
        sentence = "%(count)s of them put readings in question; %(waiting)s wait for a person's decision."
        said.append((sentence, {"count": len(answered), "waiting": waiting}))
    columns = ["instrument", "finding", "from", "to", "certificate", "decision", "entry"]
    return section("use", ATTENTION if found else IN_ORDER, said, columns=columns, rows=rows, link="/calibration")


def _period(gathered: Gathered) -> Period:
    """The review's period, else the days the views look at."""
    review = gathered.review
    if review is None:
        return gathered.span
    return Period(review.from_us, max(review.from_us + 1, min(review.to_us, gathered.asking.as_of_us + 1)))


def checks_view(gathered: Gathered) -> Section:
    """What the reviewers found at the instruments themselves (现场核对)."""
    review = gathered.review
    if review is None or not review.checks:
        return section("checks", EMPTY, [("No instrument has been checked on site in this review.", {})])
    rows: list[Sequence[Cell]] = []
    bad = 0
    for act in review.checks:
        said = act.object
        differing = [str(each) for each in said.get("differing") or ()]
        agreement = str(said.get("agreement") or "no_value")
        bad += bool(differing) or agreement == "differs"
        rows.append(
            [
                str(said.get("instrument") or ""),
                said_word("on_site", *differing),
                str(said.get("index") or ""),
                str(said.get("gateway_value") or ""),
                str(said.get("difference") or ""),
                said_word("on_site_agreement", agreement),
                act.reviewer_name,
                Entry(act.seq),
            ]
        )
    said_ = [
        (
            "%(count)s instruments were checked on site, %(bad)s with something differing.",
            {
                "count": len(rows),
                "bad": bad,
            },
        )
    ]
    columns = ["instrument", "differs", "index read", "gateway", "difference", "judged", "reviewer", "entry"]
    return section("checks", ATTENTION if bad else IN_ORDER, said_, columns=columns, rows=rows)


def sources_view(gathered: Gathered) -> Section:
    """Points whose amounts become emissions (fuel, electricity, heat, material) and what measures them."""
    kinds = {
        *("coal", "coke", "fuel_oil", "gasoline", "diesel", "natural_gas", "lpg", "coal_gas", "biomass"),
        *("alternative_fuel", "crude_oil", "electricity", "heat", "steam", "raw_material", "product", "carbon_dioxide"),
    }
    found = [each for each in gathered.network.points if each.point.energy_kind in kinds and each.point.level <= 1]
    rows: list[Sequence[Cell]] = [
        [
            each.point.id,
            Ref("point", each.point.id),
            said_word("energy_kind", each.point.energy_kind),
            said_word("equipping", each.equipping),
            each.instrument,
            each.accuracy_class,
        ]
        for each in found
    ]
    lacking = [each for each in found if each.equipping == "lacking"]
    said = [
        (
            "%(count)s points stand for emission sources at the boundary, %(lacking)s of them without a meter.",
            {
                "count": len(found),
                "lacking": len(lacking),
            },
        )
    ]
    columns = ["point", "name", "energy kind", "state", "instrument", "class"]
    return section("sources", ATTENTION if lacking else IN_ORDER, said, columns=columns, rows=rows, link="/points")
