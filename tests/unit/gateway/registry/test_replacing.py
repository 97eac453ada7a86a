"""失准更换: the steps in their order, the refusals out of it, and what the ledger says afterwards."""

import pytest
from click.testing import CliRunner

from gateway.assembly.projecting import Projection
from gateway.cli.ledger import command as ledger_command
from gateway.cli.replace import command
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import US_PER_DAY, US_PER_HOUR, parse_iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.importing import LedgerState
from gateway.registry.registry import Registry
from gateway.registry.replacement_checks import ReplacementRefusedError
from gateway.registry.replacement_steps import open_check_order
from gateway.registry.replacing import ReplacementBook, Step, orders_of

T0 = parse_iso("2026-05-04T00:00:00+08:00")
FILES = {
    "points.csv": "id,name_zh,energy_kind,level\nP1,进线,电力,1\nP2,无表处,电力,2\n",
    "instruments.csv": "id,name,kind,serial\nM1,电能表,电能表,11\nM2,备用表,电能表,12\nM3,坏表,电能表,13\n"
    "M4,过期表,电能表,14\nM5,无证表,电能表,15\n",
    "certificates.csv": "number,kind,instrument,serial,performed_on,valid_until,result\n"
    "C1,检定证书,M1,11,2025-05-01,2026-04-30,合格\nC2,检定证书,M2,12,2026-03-01,2027-02-28,合格\n"
    "C3,检定结果通知书,M3,13,2026-03-01,,不合格\nC4,检定证书,M4,14,2024-03-01,2025-02-28,合格\n",
    "installations.csv": "id,point,instrument,device,from,opening_index,ct_ratio,seal,channel\n"
    "I1,P1,M1,d,2025-05-02 08:30,0.50,200/5,S1,active_energy_import\n",
}
RESULT = {
    "certificates.csv": "number,kind,instrument,serial,performed_on,valid_until,result\n"
    "C5,检定结果通知书,M1,11,2026-05-06,,不合格\nC6,校准证书,M1,11,2026-05-06,,\nC7,检定证书,M1,11,2026-05-07,2027-05-06,合格\n"
}


class Clock:
    at = T0

    def utc_us(self):
        return self.at


def ledger(folder, tmp_path, files, name):
    path = tmp_path / name
    path.mkdir()
    for file, content in files.items():
        (path / file).write_text(content, "utf-8")
    arguments = ["import", str(path), "--data", str(folder.path), "--at", "2026-05-04T00:00:00+08:00"]
    result = CliRunner().invoke(ledger_command, arguments, obj="en", catch_exceptions=False)
    assert "put on record" in result.output


@pytest.fixture
def folder(tmp_path):
    made = DataFolder.create(
        tmp_path / "data", organisation="o", site="s", time_zone="Asia/Shanghai", simulated=True, clock=Clock()
    )
    ledger(made, tmp_path, FILES, "ledger")
    return made


def say(folder, *arguments, at="2026-05-20T00:00:00+08:00"):
    """What a command prints; an operator's error is raised."""
    said = [*map(str, arguments), "--data", str(folder.path), "--actor", "张工", "--reason", "误差偏大", "--at", at]
    result = CliRunner().invoke(command, said, obj="en", standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def refused(folder, sentence, *arguments, **options):
    with pytest.raises(ReplacementRefusedError, match=sentence):
        say(folder, *arguments, **options)


def newest(folder, kind, id_):
    with Journal.open(folder, read_only=True) as journal:
        return LedgerState.read(journal, "o").versions[kind, id_][-1]


def book(folder):
    with Journal.open(folder, read_only=True) as journal:
        return ReplacementBook.read(journal, "o")


def ordered(folder):
    output = say(folder, "order", "--point", "P1", "--evidence", "与主表偏差 1.8 %", at="2026-05-04T10:00:00+08:00")
    assert output.strip() == "check order M1-20260504 about instrument M1"
    return "M1-20260504"


def down(folder, order):
    return say(
        folder, "dismount", order, "--when", "2026-05-05 09:00", "--closing-index", "1234.56", "--people", "王、李"
    )


def test_the_whole_way_with_a_spare(folder, tmp_path):
    order = ordered(folder)
    down(folder, order)
    # the spare goes up at once, the old meter is looked at meanwhile
    up = ["fit", order, "--when", "2026-05-05 09:40", "--instrument", "M2", "--opening-index", "3", "--seal", "S2"]
    say(folder, *up, "--people", "王/李")
    assert book(folder).order(order).next_steps == (Step.SENT,)
    say(folder, "send", order, "--when", "2026-05-05 14:00", "--laboratory", "市计量所")
    ledger(folder, tmp_path, RESULT, "result")
    say(folder, "result", order, "--when", "2026-05-08", "--certificate", "C5")
    assert book(folder).order(order).outcome == "fail"
    say(folder, "close", order)
    found = book(folder).order(order)
    assert (found.state, found.open, found.next_steps) == (Step.CLOSED, False, ())
    assert found.evidence == ("与主表偏差 1.8 %",)
    assert all((each.actor, each.reason) == ("张工", "误差偏大") for each in found.steps)

    old, new = newest(folder, "installation", "I1"), newest(folder, "installation", "I1-2")
    assert old.to_us == parse_iso("2026-05-05T09:00:00+08:00")
    assert old.object["closing_index"] == "1234.56"
    assert new.from_us == parse_iso("2026-05-05T09:40:00+08:00")
    assert new.to_us is None
    assert new.object == {
        "point": "P1", "instrument": "M2", "device": "d", "role": "meter", "channel": "active_energy_import",
        "opening_index": "3", "ct_ratio": "200/5", "seal": "S2", "people": "王/李",
    }  # fmt: skip
    refused(folder, "is finished", "cancel", order)


def test_the_same_meter_comes_back_after_it_passed(folder, tmp_path):
    order = ordered(folder)
    down(folder, order)
    up = ["fit", order, "--when", "2026-05-09 09:40", "--instrument", "M1", "--opening-index", "1234.60"]
    up += ["--seal", "S2", "--people", "王,李"]
    refused(folder, "only after a certificate says that it passed", *up)
    say(folder, "send", order, "--when", "2026-05-05 14:00", "--laboratory", "市计量所")
    ledger(folder, tmp_path, RESULT, "result")
    say(folder, "result", order, "--when", "2026-05-08", "--certificate", "C7")
    refused(folder, "before the step before it", *[*up[:3], "2026-05-06 08:00", *up[4:]])
    say(folder, *up)
    say(folder, "close", order)
    assert newest(folder, "installation", "I1-2").object["instrument"] == "M1"


def test_steps_out_of_order_are_refused_with_what_is_missing(folder, tmp_path):
    order = ordered(folder)
    refused(folder, "first record that the meter came down", "send", order, "--laboratory", "L")
    refused(folder, "first record that the meter came down", "close", order)
    spare = ["--instrument", "M2", "--opening-index", "3", "--seal", "S2", "--people", "王、李"]
    refused(folder, "first record that the meter came down", "fit", order, *spare)
    down(folder, order)
    refused(folder, "on record already, as entry", "dismount", order, "--closing-index", "1", "--people", "王、李")
    refused(folder, "can only be closed", "cancel", order)
    refused(folder, "sent to a laboratory", "result", order, "--certificate", "C5")
    refused(folder, "first record the laboratory's result", "close", order)
    say(folder, "send", order, "--laboratory", "L", "--when", "2026-05-05 14:00")
    ledger(folder, tmp_path, RESULT, "result")
    say(folder, "result", order, "--certificate", "C7", "--when", "2026-05-08")
    refused(folder, "first record which meter was put up", "close", order)
    with pytest.raises(UnknownObjectError):
        say(folder, "close", "none")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"--people": "王某"}, "two people"),
        ({"--people": "王某、王某"}, "two people"),
        ({"--seal": " "}, "must be filled"),
        ({"--opening-index": "viel"}, "is not a number"),
        ({"--instrument": "M3"}, "failed by certificate 'C3'"),
        ({"--instrument": "M4"}, "ended on 2025-02-28"),
        ({"--instrument": "M5"}, "has no certificate"),
        ({"--when": "2026-05-05 08:00"}, "before the step before it"),
        ({"--when": "2026-06-01 08:00"}, "before it is done"),
    ],
)
def test_a_meter_that_must_not_go_up(folder, change, sentence):
    order = ordered(folder)
    down(folder, order)
    said = {"--when": "2026-05-05 09:40", "--instrument": "M2", "--opening-index": "3", "--seal": "S2"}
    said |= {"--people": "王、李"} | change
    refused(folder, sentence, "fit", order, *(each for pair in said.items() for each in pair))
    assert book(folder).order(order).taken(Step.FITTED) is None


def test_a_result_is_the_certificates_verdict(folder, tmp_path):
    order = ordered(folder)
    down(folder, order)
    say(folder, "send", order, "--laboratory", "L", "--when", "2026-05-05 14:00")
    ledger(folder, tmp_path, RESULT, "result")
    refused(folder, "is about instrument 'M2'", "result", order, "--certificate", "C2")
    refused(folder, "before the meter came down", "result", order, "--certificate", "C1")
    refused(folder, "gives no verdict", "result", order, "--certificate", "C6")
    with pytest.raises(UnknownObjectError):
        say(folder, "result", order, "--certificate", "C99")


def test_one_open_order_a_meter_and_a_way_back(folder):
    order = ordered(folder)
    refused(folder, "open already", "order", "--instrument", "M1")
    say(folder, "cancel", order)
    assert say(folder, "order", "--instrument", "M1", at="2026-05-04T12:00:00+08:00").split()[2] == "M1-20260504-2"
    for arguments in (["--point", "P2"], ["--instrument", "M2"], ["--point", "P9"]):
        with pytest.raises(UnknownObjectError):
            say(folder, "order", *arguments)


def test_the_projection_says_the_same_and_a_watch_can_order(folder):
    order = ordered(folder)
    down(folder, order)
    projection = Projection(folder, Clock())
    while projection.step().applied:
        pass
    projection.close()
    registry = Registry.open(folder.registry)
    try:
        projected = ReplacementBook.of(registry, "o")
        written = book(folder)
        assert projected.orders == written.orders
        steps = projected.order(order).steps
        assert [each.step for each in orders_of(registry, "o", steps[0].seq)[order].steps] == [Step.ORDERED]
        assert orders_of(registry, "other") == {}
        assert projected.open_order(point="P1") is projected.order(order)
        with pytest.raises(ReplacementRefusedError):
            open_check_order(projected, point="", instrument="", evidence=[], actor="", reason="r", at_us=T0)
    finally:
        registry.close()


def test_a_watch_orders_by_one_function(folder):
    draft = open_check_order(
        book(folder), instrument="M1", evidence=["entry 7", " "], actor="watch", reason="drift", at_us=T0 + US_PER_DAY
    )
    assert draft.kind == "replacement"
    assert draft.subject == "o/replacement/M1-20260504"  # the day in UTC
    assert draft.body["object"]["evidence"] == ["entry 7"]
    assert draft.body["object"]["installation"] == "I1"
    assert draft.at_us - T0 == 24 * US_PER_HOUR


def test_lists_and_shows(folder):
    order = ordered(folder)
    down(folder, order)
    run = CliRunner()
    listed = run.invoke(command, ["list", "--data", str(folder.path), "--open"], obj="zh", catch_exceptions=False)
    assert listed.output.split() == [order, "已拆表", "P1", "M1"]
    shown = run.invoke(command, ["show", order, "--data", str(folder.path)], obj="en", catch_exceptions=False).output
    assert "与主表偏差 1.8 %" in shown
    assert "2026-05-05 09:00  meter dismounted  张工: 误差偏大" in shown
    assert "next: sent to the laboratory / meter fitted" in shown
