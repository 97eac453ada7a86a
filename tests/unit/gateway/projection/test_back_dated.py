"""An exchange declared with a back-date: it is settled and judged again, and what stood before is not lost."""

from click.testing import CliRunner

from gateway.cli.ledger import command as ledger_command
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period, parse_iso
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement

ORG = "works"
T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE
AT = T0 + 2 * US_PER_HOUR + 7 * US_PER_MINUTE
PERIOD = Period(T0 + 2 * US_PER_HOUR, T0 + 3 * US_PER_HOUR)


def test_an_exchange_declared_with_a_back_date_is_settled_and_judged_again(works):
    works.device("a")
    works.record("point", "P", name_zh="x")
    for id_, serial in (("M", "1"), ("N", "2")):
        works.record("instrument", id_, serial=serial, kind="electricity_meter", accuracy_class="1")
    said = {"kind": "verification", "performed_on": "2026-01-01", "valid_until": "2027-01-01", "result": "pass"}
    works.record("certificate", "C", instrument="M", serial="1", **said)
    fitted = {"point": "P", "instrument": "M", "device": "a", "channel": "e", "ct_ratio": "200/5"}
    works.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(26)))
    works.append(*(works.poll("a", T0 + k * STEP, 7700 + 10 * (k - 26)) for k in range(26, 60)))
    works.project()
    registry = Registry.open(works.folder.registry)
    settlement = Settlement.open(works.folder.settlement, registry)
    known = registry.applied_seq()
    before = settlement.intervals(ORG, "a", "e", PERIOD)
    entries = [each.body_bytes for each in works.journal.read(0, known)]
    assert before
    assert registry.verdicts(ORG, instrument="N") == []

    arguments = ["exchange", "P", "--data", str(works.folder.path), "--when", "2026-10-18 02:07", "--instrument", "N"]
    arguments += ["--closing-index", "2.60", "--opening-index", "77", "--people", "王、李", "--reason", "失准"]
    made = CliRunner().invoke(ledger_command, arguments, obj="en", catch_exceptions=False)
    assert made.exit_code == 0, made.output
    works.project()

    after = settlement.intervals(ORG, "a", "e", PERIOD)
    cut = next(each for each in after if each.start_us <= AT < each.end_us)
    states = settlement.revisions(ORG, "a", "e", cut.start_us)
    assert len({each.seq for each in states}) >= 2
    assert sum(each.energy for each in after) != sum(each.energy or 0 for each in before)
    # as known before, every window still says what it said then
    then = settlement.intervals(ORG, "a", "e", PERIOD, known)
    assert [(each.start_us, each.energy) for each in then] == [(each.start_us, each.energy) for each in before]
    # the new meter has no certificate from the moment it hangs there; nobody said so before
    (verdict,) = registry.verdicts(ORG, instrument="N", rule="calibration.none")
    assert (verdict.from_us, verdict.to_us) == (AT, None)
    assert registry.verdicts(ORG, instrument="N", known_seq=known) == []
    assert [each.body_bytes for each in works.journal.read(0, known)] == entries
    settlement.close()
    registry.close()
