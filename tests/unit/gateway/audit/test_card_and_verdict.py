"""What a card says and what the journaled verdicts say of the demo works' instruments, day by day: never two things."""

from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from gateway.assembly.projecting import Projection
from gateway.assembly.reading import OpenFolder, open_for_reading
from gateway.audit.calibration_plan import calibration_plan
from gateway.audit.certificates import CARD_RULES, Due
from gateway.audit.forms import months_of, plan_rows
from gateway.audit.ledger import LedgerRow, ledger_rows
from gateway.audit.plant import plant
from gateway.audit.traceability import traceability
from gateway.cli.ledger import command
from gateway.domain.time import US_PER_DAY, iso, local_midnight
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.recording import object_draft
from simulators.demo.faults import Calendar
from simulators.demo.ledger import exchange_records, ledger_files, write_ledger
from simulators.demo.plant import build_plant

BORN_US = 1_790_000_000_000_000
SEED = 20_260_301


class Clock:
    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def utc_us(self) -> int:
        return self.at_us


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    base = tmp_path_factory.mktemp("demo")
    works = build_plant(SEED, Calendar(BORN_US, 60))
    start_us = works.calendar.start_us
    folder = DataFolder.create(
        base / "data", organisation="demo-cement", site="works", time_zone="Asia/Shanghai", simulated=True,
        clock=Clock(start_us),
    )  # fmt: skip
    write_ledger(base / "ledger", ledger_files(works))
    said = ["import", str(base / "ledger"), "--data", str(folder.path), "--at", iso(start_us)]
    assert CliRunner().invoke(command, said, obj="en", catch_exceptions=False).exit_code == 0
    with Journal.open(folder) as journal:
        journal.append(
            [
                object_draft(
                    each.kind,
                    "demo-cement",
                    each.id,
                    each.object,
                    at_us=each.at_us,
                    from_us=each.from_us,
                    to_us=each.to_us,
                    actor="demo",
                    reason="exchange",
                    source="demo",
                )
                for each in exchange_records(works)
            ]
        )
        body = {"actor": "demo", "action": "demo.day", "object": "", "reason": ""}
        for at_us in range(start_us, BORN_US, US_PER_DAY):
            journal.append([Draft("event", "demo-cement/site/works", at_us, body)])
    projection = Projection(folder, Clock(BORN_US))
    while projection.step().applied:
        pass
    projection.close()
    with open_for_reading(folder) as found:
        yield found


def said_by_verdicts(opened: OpenFolder, at_us: int) -> dict[str, set[tuple[str, str]]]:
    """Instrument → rules about its certificates whose verdict covers the instant, with the certificate they name."""
    found: dict[str, set[tuple[str, str]]] = {}
    for verdict in opened.sources.registry.verdicts("demo-cement", at_us):
        if verdict.rule in CARD_RULES and verdict.instrument:
            found.setdefault(verdict.instrument, set()).add((verdict.rule, verdict.certificate or ""))
    return found


def cards_of(opened: OpenFolder, at_us: int) -> list[LedgerRow]:
    asking = opened.asking(at_us)
    return [row for row in ledger_rows(opened.sources, asking, plant(opened.sources, asking)) if row.point is not None]


def test_card_and_verdicts_agree_on_every_day(opened):
    newest = opened.sources.registry.latest_at()
    start_us = newest - 59 * US_PER_DAY
    compared = 0
    for at_us in (*range(start_us, newest, 3 * US_PER_DAY), newest):
        verdicts = said_by_verdicts(opened, at_us)
        for row in cards_of(opened, at_us):
            said = verdicts.get(row.instrument.id, set())
            place = f"{row.instrument.id} at {iso(at_us)}: card {row.due}, verdicts {sorted(said)}"
            worst = next((word for rule, word in CARD_RULES.items() if rule in {each[0] for each in said}), None)
            if worst is None:
                assert row.due in {Due.VALID, Due.DUE_SOON, Due.NO_TERM}, place
            else:
                assert row.due == worst, place
            named = {number for _rule, number in said if number}
            assert not named or (row.certificate is not None and row.certificate.id in named), place
            compared += 1
    assert compared > 400
    states = {row.due for row in cards_of(opened, newest)}
    assert {Due.OVERDUE, Due.NOT_VERIFIED, Due.VALID} <= states, "the demo's planted faults are among what was compared"


def test_plan_and_rates_count_what_the_cards_say(opened):
    asking = opened.asking(opened.sources.registry.latest_at())
    rows = ledger_rows(opened.sources, asking, plant(opened.sources, asking))
    wrong = {row.instrument.id for row in rows if not row.due.counts and row.due is not Due.NO_TERM and row.in_use}
    found = calibration_plan(opened.sources, asking)
    assert wrong <= {row.instrument.id for row in found.rows}
    rate = next(each for each in found.rates if each.id == "verified")
    assert (rate.part, rate.whole) == (sum(row.due.counts for row in rows), len(rows))
    windows = {(each.instrument, each.rule): (each.since, each.to) for each in found.out_of_control}
    since, to = windows["JL-coal-mill", "calibration.expired"]
    assert to is None, "the coal mill's certificate ended half way through the history and nothing came after it"
    ended = next(each.until for each in found.validities if each.instrument == "JL-coal-mill" and each.in_force)
    assert ended is not None
    assert since == ended + timedelta(days=1), "valid to the end of its last day"
    today = asking.today
    planned = plan_rows(opened.sources, asking, months_of(today.year, today.month))
    assert wrong <= {str(row[1]) for row in planned}
    assert all(date.fromisoformat(str(row[9])) >= today for row in planned)
    assert local_midnight(today + timedelta(days=1), asking.zone) > asking.as_of_us


def test_every_gap_of_a_chain_is_named(opened):
    found = traceability(opened.sources, opened.asking(opened.sources.registry.latest_at()))
    assert found.instruments == len(found.rows)
    assert found.unbroken == sum(each.unbroken for each in found.rows)
    meter = next(each for each in found.rows if each.instrument == "JL-intake-1" or each.steps)
    assert meter.steps[0].kind == "certificate"
    electric = [each for each in found.rows if any(step.id == "BZ-DN-01" for step in each.steps)]
    assert electric
    # the laboratory's own certificate was never put on record: stated, not shown
    assert all("the standard's certificate is not on record" in each.papers for each in electric)
    assert not any(each.proven for each in electric)
    # its standard was valid; its own certificate ran out half way through the history
    assert [each.instrument for each in electric if not each.unbroken] == ["JL-coal-mill"]
    unnamed = [each for each in found.rows if "the certificate names no standard" in each.breaks]
    assert unnamed
    assert not any(each.unbroken for each in unnamed)
    assert found.proven == 0
    assert found.by_gap["the standard's certificate is not on record"] == len(electric)
