"""A meter replaced by its check order: closing and opening index join two counter epochs, and nothing lies between."""

from fractions import Fraction

from click.testing import CliRunner

from gateway.cli.replace import command
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, US_PER_MINUTE, Period, parse_iso
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement

ORG = "works"
T0 = parse_iso("2026-10-18T00:00:00+08:00")
STEP = 5 * US_PER_MINUTE
HOUR = Period(T0 + 2 * US_PER_HOUR, T0 + 3 * US_PER_HOUR)
RATIO = 40


def say(works, *arguments):
    said = [*map(str, arguments), "--data", str(works.folder.path), "--actor", "王", "--reason", "失准"]
    said += ["--at", "2026-10-18T08:00:00+08:00"]
    result = CliRunner().invoke(command, said, obj="en", catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_two_epochs_of_one_point_add_up_and_the_time_between_is_missing(works):
    works.device("a")
    works.record("point", "P", name_zh="x")
    for id_, serial in (("M", "1"), ("N", "2")):
        works.record("instrument", id_, serial=serial, kind="electricity_meter", accuracy_class="1")
        said = {"kind": "verification", "performed_on": "2026-01-01", "valid_until": "2027-01-01", "result": "pass"}
        works.record("certificate", f"C{id_}", instrument=id_, serial=serial, **said)
    fitted = {"point": "P", "instrument": "M", "device": "a", "channel": "e", "ct_ratio": "200/5"}
    works.record("installation", "I", from_us=T0 - US_PER_DAY, **fitted)
    works.append(*(works.poll("a", T0 + k * STEP, 10 * k) for k in range(26)))
    # the new meter stands at 77.02 when it is read first, and counts a tenth of a kWh a period
    works.append(*(works.poll("a", T0 + k * STEP, 7702 + 10 * (k - 30)) for k in range(30, 60)))
    order = say(works, "order", "--point", "P").split()[2]
    say(works, "dismount", order, "--when", "2026-10-18 02:07", "--closing-index", "2.60", "--people", "王、李")
    up = ["--instrument", "N", "--opening-index", "77", "--seal", "S2", "--people", "王、李"]
    say(works, "fit", order, "--when", "2026-10-18 02:29", *up)
    works.project()
    registry = Registry.open(works.folder.registry)
    settlement = Settlement.open(works.folder.settlement, registry)
    try:
        known = settlement.energy(ORG, "P", HOUR)
        before, after = Fraction("2.60") - Fraction("2.40"), Fraction("77.62") - 77
        assert known.value == (before + after) * RATIO
        installations = {each.row.installation for each in settlement.intervals(ORG, "a", "e", HOUR)}
        assert len(installations - {None}) == 2, "each epoch names its own installation"
        assert registry.installation_of_device(ORG, "a", T0 + 2 * US_PER_HOUR + 10 * US_PER_MINUTE) is None
        (gap,) = registry.verdicts(ORG, point="P", rule="point.unequipped")
        assert (gap.from_us, gap.to_us) == (T0 + 127 * US_PER_MINUTE, T0 + 149 * US_PER_MINUTE)
    finally:
        settlement.close()
        registry.close()
