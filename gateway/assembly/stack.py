"""Putting the plan of the stacks and the tests of their monitors on record, from files."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from config.stack_plan import CemsPackFile, StackPlan, load_packs, load_stack_plan, shipped_packs
from gateway.accounting.plan import Plan
from gateway.assembly.file_problems import problems_said
from gateway.audit.plant import channel_facts
from gateway.cems.control import TYPES, QualityTest
from gateway.cems.pack import CemsPack
from gateway.cems.plan import FIELD, PLAN_ID, document_of_test, id_of_test
from gateway.domain.errors import ConfigurationError, UnknownObjectError
from gateway.domain.time import from_datetime, recordable
from gateway.i18n import text
from gateway.journal.entry import Draft
from gateway.registry.recording import object_draft
from gateway.registry.registry import Registry
from gateway.registry.tables import TableError, tables_of

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
MAX_PROBLEMS = 100
MAX_DIGITS = 30
TEST_COLUMNS = ("stack", "parameter", "type", "at", "reference", "reading", "span", "by")
PARAMETERS = ("co2", "o2", "flow", "moisture")


def packs(also: tuple[Path, ...], language: str) -> dict[str, CemsPackFile]:
    """The packs that ship and the operator's; ConfigurationError with every problem."""
    with problems_said(language):
        return {**shipped_packs(), **(load_packs(list(also)) if also else {})}


def shipped_facts() -> list[CemsPack]:
    """The packs that ship, as the stacks use them."""
    return [CemsPack.of(each.document()) for each in shipped_packs().values()]


def read_plan(path: Path, language: str) -> StackPlan:
    """A plan file; ConfigurationError with file, line and column of every problem."""
    with problems_said(language):
        return load_stack_plan(path)


def check_plan(
    plan: StackPlan, known: Mapping[str, CemsPackFile], registry: Registry, organisation: str, language: str
) -> None:
    """Everything a plan names exists; ConfigurationError with every problem otherwise."""
    points = {each.id for each in registry.objects(organisation, "point")}
    channels = {
        each.id: {channel.id for channel in channel_facts(each)}
        for each in registry.configurations(organisation, "device")
    }
    try:
        sources = {each.id for each in Plan.on_record(registry, organisation, registry.latest_at(), None).sources}
    except UnknownObjectError:
        sources = None  # nothing to hold them against yet; the comparison says so when it is asked
    lines = []
    for each in plan.stacks:
        if each.pack not in known:
            lines.append(text(language, "there is no rule pack '%(pack)s'", pack=each.pack))
        if each.point not in points:
            lines.append(text(language, "the ledger has no metering point '%(point)s'", point=each.point))
        offered = channels.get(each.device, set())
        lines += [
            text(language, "device '%(device)s' has no channel '%(channel)s'", device=each.device, channel=channel)
            for channel in each.channels.model_dump().values()
            if channel and channel not in offered
        ]
        lines += [
            text(language, "the accounting plan has no source '%(source)s'", source=source)
            for source in each.sources
            if sources is not None and source not in sources
        ]
    if lines:
        raise ConfigurationError(lines)


def plan_draft(
    plan: StackPlan,
    known: Mapping[str, CemsPackFile],
    organisation: str,
    *,
    from_us: int | None,
    at_us: int,
    actor: str,
    reason: str,
) -> Draft:
    """The entry of a plan, with the packs it names."""
    return object_draft(
        "document",
        organisation,
        PLAN_ID,
        {"title": plan.title, "kind": "other", FIELD: plan.document(dict(known))},
        at_us=at_us,
        from_us=from_us,
        to_us=None,
        actor=actor,
        reason=reason,
        source="stack plan",
    )


def read_tests(path: Path, zone: ZoneInfo, language: str) -> list[QualityTest]:
    """Tests from a CSV file of the columns ``TEST_COLUMNS``; rows of one stack, parameter, type and time are one test.

    ConfigurationError with every row that cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ConfigurationError([text(language, "%(file)s is larger than %(most)s bytes", file=path, most=MAX_BYTES)])
    found: dict[tuple[str, str, str, int], list[Mapping[str, str]]] = {}
    problems = []
    for number, row in _rows(path, language):
        try:
            found.setdefault(_key(row, zone), []).append(_checked(row))
        except (ValueError, KeyError, InvalidOperation, OverflowError) as error:
            sentence = "%(file)s, row %(row)s: %(reason)s cannot be read"
            problems.append(text(language, sentence, file=path, row=number, reason=str(error)))
    if problems:
        raise ConfigurationError(problems[:MAX_PROBLEMS])
    return [_test(key, rows) for key, rows in found.items()]


def _rows(path: Path, language: str) -> list[tuple[int, dict[str, str]]]:
    """The rows under a heading that names every column, with their numbers; UTF-8 or GB18030, as spreadsheets write."""
    try:
        tables = tables_of(path.name, path.read_bytes())
    except TableError as error:
        raise ConfigurationError([f"{path}: {text(language, error.message, **error.facts)}"]) from error
    rows = tables[0].rows if tables else []
    heading = [cell.strip() for cell in rows[0]] if rows else []
    lacking = [name for name in TEST_COLUMNS if name not in heading]
    if lacking:
        sentence = "%(file)s: the first row must name the columns %(columns)s; missing: %(missing)s"
        facts = {"file": path, "columns": ", ".join(TEST_COLUMNS), "missing": ", ".join(lacking)}
        raise ConfigurationError([text(language, sentence, **facts)])
    found = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)]
    if not found or len(found) > MAX_ROWS:
        sentence = "%(file)s has more than %(most)s rows" if found else "%(file)s has no test"
        raise ConfigurationError([text(language, sentence, file=path, most=MAX_ROWS)])
    return [(number, dict(zip(heading, row, strict=False))) for number, row in found]


def _key(row: Mapping[str, str], zone: ZoneInfo) -> tuple[str, str, str, int]:
    if row["type"] not in TYPES:
        raise ValueError(f"type '{row['type']}'")
    if row["parameter"] not in PARAMETERS:
        raise ValueError(f"parameter '{row['parameter']}'")
    return row["stack"], row["parameter"], row["type"], _moment(row["at"], zone)


def _moment(cell: str, zone: ZoneInfo) -> int:
    """A time of the site, ``2026-03-01 08:00``, or one with its own offset."""
    moment = datetime.fromisoformat(cell.strip())
    if not recordable(moment.date()):
        raise ValueError(cell)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _checked(row: Mapping[str, str]) -> Mapping[str, str]:
    _number(row["reference"])
    _number(row["reading"])
    if row["type"] in {"zero", "span"} and _number(row.get("span") or "0") <= 0:
        raise ValueError("span")
    return row


def _test(key: tuple[str, str, str, int], rows: list[Mapping[str, str]]) -> QualityTest:
    stack, parameter, type_, at_us = key
    span = rows[0].get("span") or ""
    return QualityTest(
        seq=0,
        stack=stack,
        parameter=parameter,
        type=type_,
        at_us=at_us,
        pairs=tuple((_number(row["reference"]), _number(row["reading"])) for row in rows),
        span=_number(span) if span else None,
        by=str(rows[0].get("by") or ""),
    )


def _number(cell: str) -> Fraction:
    number = Decimal(cell.strip())
    if (
        not number.is_finite()
        or len(cell) > MAX_DIGITS
        or (number and not -MAX_DIGITS < number.adjusted() < MAX_DIGITS)
    ):
        raise ValueError(f"'{cell[:MAX_DIGITS]}'")
    return Fraction(number)


def drafts_of_tests(tests: list[QualityTest], organisation: str, *, at_us: int, actor: str, reason: str) -> list[Draft]:
    """The entries of tests; one entered again replaces itself."""
    return [
        object_draft(
            "document",
            organisation,
            id_of_test(each),
            document_of_test(each),
            at_us=at_us,
            from_us=None,
            to_us=None,
            actor=actor,
            reason=reason,
            source="stack tests",
        )
        for each in tests
    ]
