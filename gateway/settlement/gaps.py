"""Finding gaps in settled intervals and making the entries that fill them by a pack."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from gateway.domain.quality import Flag, Status, word
from gateway.domain.time import SETTLEMENT_WINDOW_US, US_PER_DAY, Period, iso, to_datetime
from gateway.journal.entry import Draft
from gateway.settlement.query import Interval, Settlement
from gateway.settlement.row import IntervalRow, Method
from gateway.settlement.settler import SETTLEMENT_RULES
from gateway.settlement.substitution import Gap, Known, Pack, RefusedGapError, substitute

FILLABLE = frozenset({Method.MISSING, Method.CAUGHT_UP})
MEASURED = frozenset({Method.MEASURED, Method.INTERPOLATED})
HISTORY_US = 366 * US_PER_DAY
FOLLOWING_US = US_PER_DAY
_QUALITY = word(Status.UNCERTAIN, Flag.SUBSTITUTED)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class FilledGap:
    """A gap and what a pack makes of it: new rows by window, or why it refuses."""

    period: Period
    rows: Sequence[tuple[int, IntervalRow]] = ()
    refused: str = ""


def fill_gaps(
    settlement: Settlement,
    organisation: str,
    source: tuple[str, str],
    period: Period,
    pack: Pack,
    *,
    zone: ZoneInfo,
    highest: int | None = None,
) -> list[FilledGap]:
    """Every gap of a channel (``source``: device, channel) in a period, filled by the pack or refused.

    Windows cut by an exchange are left alone. Workdays are Monday to Friday in the site's zone; public holidays are not
    known here.
    """
    around = Period(period.start_us - HISTORY_US, period.end_us + FOLLOWING_US)
    found = settlement.intervals(organisation, *source, around)
    whole = [each for each in found if each.part == 0]
    known = Known(
        {
            each.start_us: each.row.energy
            for each in whole
            if each.row.method in MEASURED and each.row.energy is not None
        },
        highest,
    )
    cut = {each.start_us for each in found if each.part > 0}
    wanted = [each for each in whole if each.start_us in period and each.start_us not in cut]

    def workday(window: int) -> bool:
        return to_datetime(window).astimezone(zone).weekday() < _SATURDAY

    result = []
    for gap, intervals in _gaps(wanted, workday):
        span = Period(gap.first_us, gap.first_us + gap.duration_us)
        try:
            values = substitute(pack, gap, known)
        except RefusedGapError as error:
            result.append(FilledGap(span, refused=str(error)))
            continue
        rows = [(each.start_us, _filled(each.row, value)) for each, value in zip(intervals, values, strict=True)]
        result.append(FilledGap(span, rows))
    return result


def _filled(row: IntervalRow, value: int) -> IntervalRow:
    """A window with an estimated energy: no register says it, but the entries around the gap stay named."""
    return row._replace(start=None, end=None, energy=value, method=Method.SUBSTITUTED, quality=_QUALITY)


def _gaps(intervals: Sequence[Interval], workday: Callable[[int], bool]) -> Iterator[tuple[Gap, list[Interval]]]:
    """Runs of neighbouring windows that are missing, or caught up, each with its total."""
    fillable = [each for each in intervals if each.row.method in FILLABLE]
    numbered = enumerate(fillable)

    def run(item: tuple[int, Interval]) -> tuple[int, Method]:
        place, each = item
        return (each.start_us - place * SETTLEMENT_WINDOW_US, each.row.method)

    for (_start, method), members in groupby(numbered, key=run):
        group = [each for _place, each in members]
        total = sum(each.row.energy or 0 for each in group) if method is Method.CAUGHT_UP else None
        yield Gap(group[0].start_us, len(group), total, workday), group


def drafts_for_gaps(
    settlement: Settlement,
    organisation: str,
    gaps: Sequence[FilledGap],
    pack: Pack,
    *,
    at_us: int,
    registry_seq: int,
    actor: str,
    reason: str,
) -> list[Draft]:
    """One settlement entry a window, saying pack, version, law, person and reason."""
    said = {"pack": pack.id, "version": pack.version, "law": pack.law, "chinese": int(pack.chinese)}
    said |= {"actor": actor, "reason": reason}
    drafts = []
    for gap in gaps:
        for window, row in gap.rows:
            body = {
                "from": window,
                "to": window + SETTLEMENT_WINDOW_US,
                "revision": settlement.next_revision(organisation, window),
                "rules": SETTLEMENT_RULES,
                "registry": registry_seq,
                "chunk": 0,
                "chunks": 1,
                "rows": [row.document()],
                "substitution": said,
            }
            drafts.append(Draft("settlement", f"{organisation}/window/{iso(window)}", at_us, body))
    return drafts
