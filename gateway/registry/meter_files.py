"""Interval files of metering companies: NEM12 (AEMO Meter Data File Format) and Green Button (NAESB ESPI) XML.

Amounts a period, not registers. Field positions and codes follow the published formats (confidence 记忆); only energy
in Wh, kWh or MWh is taken, and everything else is said to be left out.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from unicodedata import normalize

from lxml import etree

from gateway.domain.time import LAST_DAY, US_PER_DAY, US_PER_MINUTE, US_PER_S, from_datetime, iso, recordable
from gateway.registry.reading_files import LedgerProblem, LedgerRow
from gateway.registry.recording import MAX_ID_LENGTH
from gateway.registry.tables import MAX_FILE_BYTES

MAX_INTERVALS = 600_000
MAX_PROBLEMS = 200
NEM12_ZONE = timezone(timedelta(hours=10))  # market time: no daylight saving
NEM12_MINUTES = {"5": 5, "05": 5, "15": 15, "30": 30}
NEM12_KNOWN = frozenset("AESFNV")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_PLACE = re.compile(r"[0-9]{1,4}")
_TO_KWH = {"WH": -3, "KWH": 0, "MWH": 3}
_LAST_US = from_datetime(datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, tzinfo=NEM12_ZONE))
_ESPI = "{http://naesb.org/espi}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_WATT_HOURS, _DELTA, _FORWARD = "72", "4", "1"
_ESPI_VALID = frozenset({"", "0", "17"})  # valid, validated
_SECONDS = frozenset({300, 600, 900, 1800, 3600, 86_400})


class _FileError(ValueError):
    def __init__(self, line: int, message: str, /, **facts: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.facts = facts


@dataclass(slots=True)
class _Days:
    """Amounts of one stream, day by day as the file groups them: exact decimal text in kWh, blank where null."""

    stream: str
    serial: str
    start_us: int
    step_us: int
    line: int
    amounts: list[str] = field(default_factory=list)
    quality: list[str] = field(default_factory=list)


def read_meter_file(
    path: Path, point: str, stream: str = "", *, what: str
) -> tuple[list[LedgerRow], list[LedgerProblem]]:
    """Rows of kind ``manual``, one a day or block, for a metering point; and every problem found.

    ``what`` is ``nem12`` or ``green-button``. ``stream`` names one of the file's streams where it holds several.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_FILE_BYTES else None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return [], [LedgerProblem(path.name, 0, 0, "cannot read the file: %(reason)s", {"reason": reason})]
    if raw is None:
        limit = {"limit": str(MAX_FILE_BYTES)}
        return [], [LedgerProblem(path.name, 0, 0, "the file is larger than %(limit)s bytes", limit)]
    problems: list[LedgerProblem] = []

    def say(problem: _FileError) -> None:
        if len(problems) < MAX_PROBLEMS:
            problems.append(LedgerProblem(path.name, problem.line, 0, problem.message, problem.facts))

    try:
        days = list(_READERS[what](raw, say))
    except _FileError as problem:
        say(problem)
        return [], problems
    streams = sorted({each.stream for each in days})
    if not stream and len(streams) > 1:
        say(_FileError(0, "the file holds several streams, name one: %(streams)s", streams=", ".join(streams)))
        return [], problems
    chosen = [each for each in days if each.stream == (stream or each.stream)]
    if not chosen:
        say(
            _FileError(
                0, "no energy of such a stream is in the file; it holds: %(streams)s", streams=", ".join(streams)
            )
        )
    for earlier, later in zip(ordered := sorted(chosen, key=lambda each: each.start_us), ordered[1:], strict=False):
        if later.start_us < earlier.start_us + earlier.step_us * len(earlier.amounts):
            say(_FileError(later.line, "it overlaps line %(line)s", line=str(earlier.line)))
    return [_row(path.name, point, each) for each in ordered], problems


def check_overlaps(rows: Sequence[LedgerRow], known: Iterable[Mapping[str, Any]]) -> list[LedgerProblem]:
    """Amounts for a time that other amounts of the point (``known``: objects on record) cover already."""
    there = [each for each in known if "amounts" in each]
    numbers = {each["number"] for each in there}  # the same once more is somebody else's question
    taken = sorted(
        (int(each["from"]), int(each["from"]) + int(each["step"]) * (str(each["amounts"]).count(";") + 1))
        for each in there
    )
    starts = [start for start, _end in taken]
    problems: list[LedgerProblem] = []
    for row in rows:
        start = int(row.object["from"])
        end = start + int(row.object["step"]) * (str(row.object["amounts"]).count(";") + 1)
        place = bisect_left(starts, end)
        if (
            row.object["number"] not in numbers
            and place
            and taken[place - 1][1] > start
            and len(problems) < MAX_PROBLEMS
        ):
            facts = {"start": iso(start)}
            message = "amounts for the time from %(start)s are on record already; withdraw those first"
            problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
    return problems


def _row(file: str, point: str, days: _Days) -> LedgerRow:
    quality = set(days.quality)
    document: dict[str, str | int] = {
        "number": f"{days.stream} {days.start_us}",
        "stream": days.stream,
        "serial": days.serial,
        "from": days.start_us,
        "step": days.step_us,
        "unit": "kWh",
        "amounts": ";".join(days.amounts),
        "quality": days.quality[0] if len(quality) == 1 else ";".join(days.quality),
    }
    return LedgerRow(file, days.line, "manual", point, document, None, None)


def _name(line: int, said: str) -> str:
    """A stream or a meter as the file calls it, in the form entries have."""
    name = normalize("NFC", said)
    if len(name) > MAX_ID_LENGTH or not name.isprintable():
        raise _FileError(
            line, "the name '%(value)s' is too long or holds control characters", value=ascii(name[:40])[1:-1]
        )
    return name


# ---------------------------------------------------------------- NEM12


def _nem12(raw: bytes, say: Callable[[_FileError], None]) -> Iterator[_Days]:
    """200: a stream begins; 300: a day of it; 400: quality of a stretch of the day before; 900: the end."""
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _FileError(0, "the file is neither UTF-8 nor GB18030 text") from error
    if not lines or not lines[0].upper().startswith("100,NEM12,"):
        raise _FileError(1, "not a NEM12 file: it does not begin with '100,NEM12'")
    stream: tuple[str, str, int, int] | None = None
    day: _Days | None = None
    total = 0
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line.split(",")]
        if cells[0] in {"200", "300", "900"} and day is not None:
            yield day
            day = None
        try:
            if cells[0] == "200":
                stream = None
                stream = _nem12_stream(number, cells)
            elif cells[0] == "300" and stream is not None:
                day = _nem12_day(number, cells, stream)
                total += len(day.amounts)
            elif cells[0] == "400" and day is not None:
                _nem12_quality(number, cells, day)
        except _FileError as problem:
            say(problem)
        if total > MAX_INTERVALS:
            raise _FileError(number, "more than %(limit)s rows", limit=str(MAX_INTERVALS))
        if cells[0] == "900":
            return
    raise _FileError(len(lines), "the file ends without its last record (900): it is not whole")


def _nem12_stream(number: int, cells: list[str]) -> tuple[str, str, int, int] | None:
    """Name, meter serial, minutes, power of ten to kWh; None for what is no energy."""
    if len(cells) < 9 or not cells[1] or not cells[4]:
        raise _FileError(number, "record %(record)s is too short", record="200")
    if cells[7].upper() not in _TO_KWH:
        return None  # reactive energy and the like are another quantity
    if cells[8] not in NEM12_MINUTES:
        raise _FileError(number, "'%(value)s' is not an interval length", value=cells[8][:40])
    name, serial = _name(number, f"{cells[1]}/{cells[4]}"), _name(number, cells[6])
    return name, serial, NEM12_MINUTES[cells[8]], _TO_KWH[cells[7].upper()]


def _nem12_day(number: int, cells: list[str], stream: tuple[str, str, int, int]) -> _Days:
    name, serial, minutes, power = stream
    count = 1440 // minutes
    if len(cells) < count + 3:
        raise _FileError(number, "record %(record)s is too short", record="300")
    try:
        start = datetime.strptime(cells[1], "%Y%m%d").replace(tzinfo=NEM12_ZONE)
    except ValueError as error:
        raise _FileError(number, "'%(value)s' is not a day of the calendar", value=cells[1][:40]) from error
    if not recordable(start.date()):
        raise _FileError(number, "'%(value)s' is not a day of the calendar", value=cells[1])
    method = cells[count + 2][:1].upper()
    if method not in NEM12_KNOWN:
        raise _FileError(number, "the quality '%(value)s' is not known", value=cells[count + 2][:40])
    amounts = ["" if method == "N" else _kwh(number, cell, power) for cell in cells[2 : count + 2]]
    return _Days(name, serial, from_datetime(start), minutes * US_PER_MINUTE, number, amounts, [method] * count)


def _nem12_quality(number: int, cells: list[str], day: _Days) -> None:
    """Intervals count from 1; both ends belong to the stretch."""
    if len(cells) < 4 or not all(_PLACE.fullmatch(each) for each in cells[1:3]):
        raise _FileError(number, "record %(record)s is too short", record="400")
    first, last, method = int(cells[1]), int(cells[2]), cells[3][:1].upper()
    if not 1 <= first <= last <= len(day.amounts) or method not in NEM12_KNOWN - {"V"}:
        raise _FileError(number, "the quality '%(value)s' is not known", value=",".join(cells[1:4])[:40])
    for place in range(first - 1, last):
        day.quality[place] = method
        if method == "N":
            day.amounts[place] = ""


# ---------------------------------------------------------------- Green Button


def _green_button(raw: bytes, say: Callable[[_FileError], None]) -> Iterator[_Days]:
    root = parse_hardened(raw)
    kinds: dict[str, etree._Element] = {}
    meters: dict[str, tuple[str, str]] = {}  # where its blocks hang → (name, reading type)
    for entry in root.iter(f"{_ATOM}entry"):
        links = [(each.get("rel"), str(each.get("href") or "")) for each in entry.iter(f"{_ATOM}link")]
        own = next((href for rel, href in links if rel == "self"), "")
        kind = next(entry.iter(f"{_ESPI}ReadingType"), None)
        if kind is not None:
            kinds[own] = kind
        if next(entry.iter(f"{_ESPI}MeterReading"), None) is not None:
            related = [href for rel, href in links if rel == "related"]
            of_kind = next((href for href in related if "/ReadingType" in href), "")
            for href in related:
                if href != of_kind:
                    meters[href] = (own.rstrip("/").rpartition("/")[2], of_kind)
    total = 0
    for entry in root.iter(f"{_ATOM}entry"):
        up = next((str(each.get("href")) for each in entry.iter(f"{_ATOM}link") if each.get("rel") == "up"), "")
        said, of_kind = meters.get(up, ("1", ""))
        for block in entry.iter(f"{_ESPI}IntervalBlock"):
            line = int(block.sourceline or 0)
            kind = kinds.get(of_kind) if of_kind in kinds or len(kinds) != 1 else next(iter(kinds.values()))
            try:
                name, power = _name(line, said), _espi_power(line, kind)
                for days in _espi_block(block, name, power):
                    total += len(days.amounts)
                    yield days
            except _FileError as problem:
                say(problem)
            if total > MAX_INTERVALS:
                raise _FileError(line, "more than %(limit)s rows", limit=str(MAX_INTERVALS))


def parse_hardened(raw: bytes) -> "etree._Element":
    """The root of an XML document. Documents with a DTD are refused: nothing is expanded and nothing is fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _FileError(0, "not an XML file: %(reason)s", reason=str(error)[:200]) from error
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise _FileError(0, "an XML file with a document type definition (DTD) is not read")
    return root


def _espi_power(line: int, kind: "etree._Element | None") -> int:
    """The power of ten that turns values into kWh; only forward energy an interval is taken."""

    if kind is None:
        raise _FileError(line, "the file does not say what this block measures")

    def said(name: str, default: str) -> str:
        found = kind.find(f"{_ESPI}{name}")
        return str(found.text or "").strip() if found is not None else default

    if said("uom", "") != _WATT_HOURS:
        raise _FileError(line, "this block is not energy in Wh; it is left out")
    if said("accumulationBehaviour", _DELTA) != _DELTA or said("flowDirection", _FORWARD) != _FORWARD:
        raise _FileError(line, "this block is not energy taken in an interval; it is left out")
    power = said("powerOfTenMultiplier", "0")
    if not re.fullmatch(r"-?[0-9]{1,2}", power) or not -9 <= int(power) <= 9:
        raise _FileError(line, "'%(value)s' is not a whole number", value=power)
    return int(power) - 3


def _espi_block(block: "etree._Element", name: str, power: int) -> Iterator[_Days]:
    """Runs of intervals without a gap, cut at UTC days so that each fits an entry."""
    days: _Days | None = None
    for reading in block.iter(f"{_ESPI}IntervalReading"):
        line = int(reading.sourceline or 0)
        start_us = _espi_integer(line, reading, "start") * US_PER_S
        seconds = _espi_integer(line, reading, "duration")
        if start_us > _LAST_US:
            raise _FileError(line, "'%(value)s' is not a day of the calendar", value=str(start_us // US_PER_S))
        if seconds not in _SECONDS:
            raise _FileError(line, "'%(value)s' is not an interval length", value=str(seconds))
        step_us = seconds * US_PER_S
        if days is None or (
            start_us != days.start_us + days.step_us * len(days.amounts)
            or step_us != days.step_us
            or start_us // US_PER_DAY != days.start_us // US_PER_DAY
        ):
            if days is not None:
                yield days
            days = _Days(name, "", start_us, step_us, line)
        value = reading.find(f"{_ESPI}value")
        quality = reading.find(f"{_ESPI}ReadingQuality/{_ESPI}quality")
        days.amounts.append("" if value is None else _kwh(line, str(value.text or "").strip(), power))
        code = "" if quality is None else str(quality.text or "").strip()
        days.quality.append("A" if code in _ESPI_VALID else code if _PLACE.fullmatch(code) else "?")
    if days is not None:
        yield days


def _espi_integer(line: int, reading: "etree._Element", name: str) -> int:
    found = reading.find(f"{_ESPI}timePeriod/{_ESPI}{name}")
    said = "" if found is None else str(found.text or "").strip()
    if not re.fullmatch(r"[0-9]{1,11}", said):
        raise _FileError(line, "'%(value)s' is not a whole number", value=said[:40])
    return int(said)


def _kwh(line: int, cell: str, power: int) -> str:
    try:
        if not _AMOUNT.fullmatch(cell):
            raise _FileError(line, "'%(value)s' is not a number", value=cell[:40])
        scaled = Decimal(cell).scaleb(power)
        return format(scaled.normalize(), "f") if scaled else "0"
    except InvalidOperation as error:  # pragma: no cover  # the pattern admits nothing Decimal refuses
        raise _FileError(line, "'%(value)s' is not a number", value=cell[:40]) from error


_READERS: Mapping[str, Callable[[bytes, Callable[[_FileError], None]], Iterator[_Days]]] = {
    "nem12": _nem12,
    "green-button": _green_button,
}
METER_FILES = tuple(sorted(_READERS))
