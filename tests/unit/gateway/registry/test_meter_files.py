"""NEM12 and Green Button files: exact amounts, nothing twice, nothing expanded; and hand readings in any file."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from gateway.assembly.platform import SystemClock
from gateway.assembly.projecting import Projection
from gateway.cli.enter import command
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.quality import Status
from gateway.domain.time import Period, parse_iso
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.registry.meter_files import read_meter_file
from gateway.registry.recording import record_object
from gateway.registry.registry import Registry
from gateway.settlement.query import Settlement

ORG = "works"
DAY = int(datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=10))).timestamp()) * 10**6


def stream(register="E1", unit="kWh", minutes=30):
    return f"200,NEM1201009,E1Q1,1,{register},N1,01009,{unit},{minutes},20260610"


def day(date="20260301", values=None, quality="A"):
    values = [f"{n}.5" for n in range(48)] if values is None else values
    return ",".join(["300", date, *map(str, values), quality, "", "", "20260310121004", ""])


def nem12(*records):
    return "\n".join(["100,NEM12,202603101300,MDP,RET", *records, "900"]) + "\n"


def green(values, *, mult=0, uom=72, start=1_772_323_200, head="", quality=""):
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>900</duration><start>{start + 900 * place}</start></timePeriod>"
        f"<value>{value}</value>{quality}</IntervalReading>"
        for place, value in enumerate(values)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>{head}
<feed xmlns="http://www.w3.org/2005/Atom">
<entry><link rel="self" href="/r/ReadingType/7"/><content><ReadingType xmlns="http://naesb.org/espi">
<accumulationBehaviour>4</accumulationBehaviour><flowDirection>1</flowDirection>
<powerOfTenMultiplier>{mult}</powerOfTenMultiplier><uom>{uom}</uom></ReadingType></content></entry>
<entry><link rel="self" href="/r/MeterReading/01"/><link rel="related" href="/r/MeterReading/01/IntervalBlock"/>
<link rel="related" href="/r/ReadingType/7"/><content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>
<entry><link rel="up" href="/r/MeterReading/01/IntervalBlock"/><content>
<IntervalBlock xmlns="http://naesb.org/espi">{readings}</IntervalBlock></content></entry></feed>"""


class Road:
    def __init__(self, path):
        self.path = path
        clock = SystemClock()
        self.folder = DataFolder.create(
            path / "data", organisation=ORG, site="s", time_zone="Asia/Shanghai", simulated=True, clock=clock
        )
        with Journal.open(self.folder) as journal:
            record_object(
                journal, "point", ORG, "P", {"name_zh": "进线", "energy_kind": "electricity", "level": 1}, at_us=DAY,
                actor="a", reason="", source="t",
            )  # fmt: skip
        self.project()

    def project(self):
        projection = Projection(self.folder, SystemClock())
        while projection.step().applied:
            pass
        projection.close()

    def enter(self, what, content, *more, point="P"):
        file = self.path / ("file.xlsx" if what == "xlsx" else "file.csv")
        if isinstance(content, str):
            content = content.encode()
        file.write_bytes(content)
        where = ["--point", point] if point else []
        arguments = [what, str(file), "--data", str(self.folder.path), "--actor", "li", *where, *more]
        done = CliRunner().invoke(command, arguments, obj="en")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        self.project()
        return done.output

    def last_seq(self):
        with Journal.open(self.folder) as journal:
            return journal.head()

    def energy(self, start_us, end_us, known_seq=None):
        registry = Registry.open(self.folder.registry)
        settlement = Settlement.open(self.folder.settlement, registry)
        try:
            return settlement.energy(ORG, "P", Period(start_us, end_us), known_seq)
        finally:
            settlement.close()
            registry.close()


@pytest.fixture
def road(tmp_path):
    return Road(tmp_path)


HOUR = 3_600_000_000


def test_a_nem12_day_counts_exactly_and_once(road):
    content = nem12(stream(), day(), stream("Q1", "kVArh"), day(values=["9"] * 48))
    assert "1 put on record" in road.enter("nem12", content)
    found = road.energy(DAY, DAY + 24 * HOUR)
    assert (found.value, found.unit, found.missing) == (Fraction(48 * 47, 2) + 24, "kWh", 0)
    assert found.quality & 3 == Status.GOOD
    assert road.energy(DAY, DAY + HOUR // 4).value == Fraction(1, 4), "half of the first half hour"
    assert "1 already there" in road.enter("nem12", content)
    assert road.energy(DAY, DAY + 24 * HOUR).value == found.value
    with pytest.raises(ConfigurationError) as caught:
        road.enter("nem12", nem12(stream(), day(values=["1"] * 48)))
    assert "on record already with other contents" in caught.value.lines[0]
    with pytest.raises(ConfigurationError) as caught:
        road.enter("nem12", nem12(stream("E2", minutes=15), day(values=["1"] * 96)))
    assert "are on record already; withdraw those first" in caught.value.lines[0]


def test_what_a_file_estimates_or_does_not_know_is_not_good_and_no_zero(road):
    records = [
        stream(unit="Wh"),
        day(values=["1000"] * 48, quality="V"),
        "400,1,46,A,,",
        "400,47,47,E52,,",
        "400,48,48,N,,",
    ]
    road.enter("nem12", nem12(*records))
    found = road.energy(DAY, DAY + 24 * HOUR)
    assert (found.value, found.missing) == (47, 1)
    assert found.quality & 3 == Status.UNCERTAIN
    assert road.energy(DAY, DAY + 23 * HOUR).quality & 3 == Status.GOOD


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("point,at\n", "not a NEM12 file"),
        (nem12(stream(), day()).replace("900\n", ""), "it is not whole"),
        (nem12(stream(minutes=7), day()), "'7' is not an interval length"),
        (nem12(stream(), day(values=["1"] * 40)), "record 300 is too short"),
        (nem12(stream(), day(date="20260231")), "'20260231' is not a day of the calendar"),
        (nem12(stream(), day(values=["x", *["1"] * 47])), "'x' is not a number"),
        (nem12(stream(), day(quality="Z")), "the quality 'Z' is not known"),
        (nem12(stream(), day(), "400,40,49,A,,"), "the quality '40,49,A' is not known"),
        (nem12(stream(), day(), stream("E2"), day()), "name one: NEM1201009/E1, NEM1201009/E2"),
        (nem12(stream(), day(), day()), "it overlaps line 3"),
        (nem12(stream("Q1", "kVArh"), day()), "no energy of such a stream"),
        (nem12(stream(minutes="²"), day()), "'²' is not an interval length"),
        (nem12(stream(minutes="9" * 5000), day()), "is not an interval length"),
        (nem12(stream(), day(), "400,²,48,A,,"), "record 400 is too short"),
        (nem12(stream(), day(date="99991231")), "'99991231' is not a day of the calendar"),
        (nem12(stream("E1" + "N" * 70_000), day()), "too long or holds control characters"),
        (nem12(stream("E1\x1b[2J"), day()), "too long or holds control characters"),
        (nem12(stream(), day(values=["１"] * 48)), "'１' is not a number"),
    ],
)
def test_a_wrong_nem12_file_puts_nothing_on_record(road, content, said):
    with pytest.raises(ConfigurationError) as caught:
        road.enter("nem12", content)
    assert any(said in line for line in caught.value.lines), caught.value.lines
    assert road.energy(DAY, DAY + 24 * HOUR).value == 0


def test_one_of_several_streams_is_named(road):
    content = nem12(stream(), day(), stream("E2"), day(values=["2"] * 48))
    road.enter("nem12", content, "--stream", "NEM1201009/E2")
    assert road.energy(DAY, DAY + 24 * HOUR).value == 96


def test_green_button_intervals_are_scaled_exactly(road):
    start = 1_772_323_200
    road.enter("green-button", green([250, 251, 0, 1_000_001], mult=-1, start=start))
    found = road.energy(start * 10**6, start * 10**6 + HOUR)
    assert found.value == Fraction(Decimal("100.0502"))
    assert (found.missing, found.quality & 3) == (0, Status.GOOD)


def test_green_button_estimates_are_uncertain(road):
    quality = "<ReadingQuality><quality>8</quality></ReadingQuality>"
    road.enter("green-button", green([1000] * 4, quality=quality))
    found = road.energy(1_772_323_200 * 10**6, 1_772_323_200 * 10**6 + HOUR)
    assert (found.value, found.quality & 3) == (4, Status.UNCERTAIN)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (green([1], head=BOMB), "with a document type definition"),
        (green(["&b;"], head=BOMB), "with a document type definition"),
        (green([1], head='<!DOCTYPE feed SYSTEM "file:///etc/passwd">'), "with a document type definition"),
        (green([1], head=BOMB).replace("UTF-8", "UTF-16").encode("utf-16"), "with a document type definition"),
        (green(["&nosuch;"]), "not an XML file"),
        ("<feed", "not an XML file"),
        (green([1], uom=73), "not energy in Wh"),
        (green(["1,5"]), "'1,5' is not a number"),
        (green([1], start=99_999_999_900), "'99999999900' is not a day of the calendar"),
        (green([1]).replace("MeterReading/01", "MeterReading/" + "0" * 200), "too long or holds control characters"),
    ],
)
def test_a_wrong_or_hostile_green_button_file_puts_nothing_on_record(road, content, said):
    with pytest.raises(ConfigurationError) as caught:
        road.enter("green-button", content)
    assert any(said in line for line in caught.value.lines), caught.value.lines


def test_a_quality_that_is_none_of_the_formats_counts_as_not_good(road):
    quality = "<ReadingQuality><quality>A;A;A</quality></ReadingQuality>"
    road.enter("green-button", green([1000] * 4, quality=quality))
    found = road.energy(1_772_323_200 * 10**6, 1_772_323_200 * 10**6 + HOUR)
    assert (found.value, found.quality & 3) == (4, Status.UNCERTAIN)


def test_the_point_must_be_in_the_ledger(road):
    with pytest.raises(UnknownObjectError):
        road.enter("nem12", nem12(stream(), day()), point="Q")
    assert "name the metering point" in road.enter("nem12", nem12(stream(), day()), point="")
    with pytest.raises(ConfigurationError) as caught:
        road.enter("tickets", "point,number,at,net,unit\nQ,1,2026-03-01,5,t\n", point="")
    assert caught.value.lines == ("tickets.csv:2: the ledger has no metering point 'Q'",)


def test_no_day_beyond_what_an_entry_holds_goes_on_record(road):
    """An instant beyond 2^53 µs would stand as text in its entry: everything after it would stumble over it."""
    for at in ("9999-12-31", "0001-01-01", "9999-12-31T23:59:00-14:00"):
        with pytest.raises(ConfigurationError) as caught:
            road.enter("readings", f"point,at,register,unit\nP,{at},5,kWh\n", point="")
        assert "before 1900 or after 2200" in caught.value.lines[0]


def test_amounts_of_one_point_have_one_unit(road):
    head = "point,number,at,net,unit\n"
    road.enter("tickets", f"{head}P,1,2026-03-01,5,t\n", point="")
    with pytest.raises(ConfigurationError) as caught:
        road.enter("tickets", f"{head}P,2,2026-03-01,5000,kg\n", point="")
    assert "'kg' is not that of the others at this point, 't'" in caught.value.lines[0]


def test_a_register_that_falls_is_a_doubt_and_stops_nothing(road):
    rows = "point,at,register,unit\nP,2026-03-01,50,kWh\nP,2026-03-02,7,kWh\nP,2026-03-03,9,kWh\n"
    said = road.enter("readings", rows, point="")
    assert "? readings.csv:3: the register falls from 50 to 7" in said
    assert said.count("falls") == 1
    assert "3 put on record" in said


def test_text_in_another_unicode_form_is_taken(road):
    said = road.enter(
        "readings", "point,at,register,unit\nP,2026-03-01,50,kWh\n", "--reason", "re\u0301paration", point=""
    )
    assert "1 put on record" in said


TICKETS = "point,number,at,gross,tare,net,unit\nP,77,2026-03-01 01:00,30,10,20,t\n"


def test_a_ticket_is_taken_back_by_its_file_and_both_times_are_answered(road):
    road.enter("tickets", TICKETS, point="")
    wrong = road.last_seq()
    assert "say with --reason" in road.enter("tickets", TICKETS, "--withdraw", point="")
    assert "1 rows taken back" in road.enter("tickets", TICKETS, "--withdraw", "--reason", "slip", point="")
    gone = road.last_seq()
    road.enter("tickets", TICKETS.replace("30,10,20", "32,10,22"), point="")
    masses = [road.energy(DAY - 24 * HOUR, DAY + 24 * HOUR, known).value for known in (wrong, gone, None)]
    assert masses == [20, 0, 22]
    with pytest.raises(ConfigurationError) as caught:
        road.enter("tickets", TICKETS, "--withdraw", "--reason", "again", point="")
    assert caught.value.lines == ("tickets.csv:2: '77' is not on record like this",)


def test_an_interval_file_and_a_hand_reading_are_taken_back(road):
    content = nem12(stream(), day())
    road.enter("nem12", content)
    before = road.last_seq()
    road.enter("nem12", content, "--withdraw", "--reason", "another meter's")
    assert road.energy(DAY, DAY + 24 * HOUR).value == 0
    assert road.energy(DAY, DAY + 24 * HOUR, before).value == Fraction(48 * 47, 2) + 24
    assert "1 put on record" in road.enter("nem12", nem12(stream("E2", minutes=15), day(values=["1"] * 96)))
    reading = "point,at,register,unit\nP,2026-04-01,50,kWh\n"
    road.enter("readings", reading, point="")
    road.enter("readings", reading, "--withdraw", "--reason", "slip", point="")
    assert "1 put on record" in road.enter("readings", reading.replace("50", "60"), point="")


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.registry.meter_files.MAX_FILE_BYTES", 10)
    file = tmp_path / "f"
    file.write_bytes(b"x" * 11)
    rows, problems = read_meter_file(file, "P", what="nem12")
    assert not rows
    assert "larger than" in problems[0].message


DATES = ["2025-03-01 08:00", "2025.3.2", "2025年3月3日", "45720"]
MOMENTS = [
    "2025-03-01T08:00:00+08:00",
    "2025-03-02T00:00:00+08:00",
    "2025-03-03T00:00:00+08:00",
    "2025-03-04T00:00:00+08:00",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "xlsx"])
def test_hand_readings_come_in_any_of_the_usual_files(road, encoding, tmp_path):
    table = [
        ["计量点编号", "抄表时间", "表底度", "单位"],
        *(["P", date, str(100 + k), "kWh"] for k, date in enumerate(DATES)),
    ]
    file = tmp_path / ("r.xlsx" if encoding == "xlsx" else "r.csv")
    if encoding == "xlsx":
        workbook = Workbook()
        for row in table:
            workbook.active.append(row)
        workbook.active["B5"] = 45720  # the spreadsheet's own number for 2025-03-04
        workbook.save(file)
    else:
        file.write_text("\n".join(",".join(row) for row in table), encoding=encoding)
    arguments = ["readings", str(file), "--data", str(road.folder.path), "--actor", "li"]
    done = CliRunner().invoke(command, arguments, obj="zh", catch_exceptions=False)
    assert done.exit_code == 0
    road.project()
    registry = Registry.open(road.folder.registry)
    settlement = Settlement.open(road.folder.settlement, registry)
    found = settlement.hand_readings(ORG, "P")
    settlement.close()
    registry.close()
    assert [each.at_us for each in found] == [parse_iso(moment) for moment in MOMENTS]
    assert [each.register for each in found] == [100, 101, 102, 103]
    assert datetime.fromtimestamp(found[1].at_us / 1e6, ZoneInfo("Asia/Shanghai")).hour == 0
