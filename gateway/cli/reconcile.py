"""``meterproof reconcile SITE``: does the InfluxDB hold what the journal holds? Repair is sending again."""

import asyncio
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.assembly.delivering import Delivery, courier_state, open_sink, sink_blocks
from gateway.assembly.platform import SystemClock, SystemRandom
from gateway.assembly.projecting import load_plan
from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from gateway.delivery.courier import Courier, SinkHeldError
from gateway.delivery.influx.query import QueryError
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.reconciliation import Difference, Reconciliation, Report
from gateway.domain.errors import MeterproofError
from gateway.domain.time import US_PER_DAY, Period, iso, local_midnight
from gateway.i18n import text
from gateway.journal.folder import DataFolder
from gateway.projection.feed import JournalFeed

SINK = "influxdb"
EXIT_DIFFERENT = 1
DEFAULT_DAYS = 7
MAX_DAYS = 4_000
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("reconcile")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder; default: the one the site file names.")
@click.option("--from", "first", type=_DAY, help="First day, in the site's time zone; default: a week ago.")
@click.option("--to", "last", type=_DAY, help="Last day, inclusive; default: today.")
@click.option("--values", is_flag=True, help="Compare every value, not counts and sums only.")
@click.option("--repair", is_flag=True, help="Send again what is missing or differs, and the dead letters.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(
    language: str,
    *,
    site: Path,
    data: Path | None,
    first: datetime | None,
    last: datetime | None,
    values: bool,
    repair: bool,
    as_json: bool,
) -> None:
    """Compare InfluxDB with the journal. 核对 InfluxDB 与日志。"""
    assembled = load_assembled_site(site, language=language)
    if SINK not in sink_blocks(assembled):
        raise MeterproofError("%(file)s has no 'influxdb:' block", file=str(site))
    folder = DataFolder.open(data or assembled.data_folder, read_only=not repair)
    period = _period(ZoneInfo(folder.time_zone), first, last)
    try:
        report = asyncio.run(_reconcile(assembled, folder, period, language, values=values, repair=repair))
    except SinkHeldError as error:
        raise MeterproofError("the InfluxDB refuses what is sent: %(reason)s", reason=str(error)) from error
    except QueryError as error:
        raise MeterproofError("the InfluxDB cannot be asked: %(reason)s", reason=str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(report)))
    else:
        _tell(report, language)
    if report.differences:
        click.get_current_context().exit(EXIT_DIFFERENT)


def _period(zone: ZoneInfo, first: datetime | None, last: datetime | None) -> Period:
    now_us = SystemClock().utc_us()
    start_us = local_midnight(first.date(), zone) if first else now_us - DEFAULT_DAYS * US_PER_DAY
    end_us = local_midnight(last.date(), zone) + US_PER_DAY if last else now_us
    if not 0 < end_us - start_us <= MAX_DAYS * US_PER_DAY:
        raise click.BadParameter(f"--from / --to (≤ {MAX_DAYS} d)")
    return Period(start_us, end_us)


async def _reconcile(
    site: AssembledSite, folder: DataFolder, period: Period, language: str, *, values: bool, repair: bool
) -> Report:
    clock = SystemClock()
    delivery = Delivery(folder)
    sink = open_sink(site, SINK, clock, language)
    assert isinstance(sink, InfluxSink), "the influxdb block opens an InfluxDB"
    state = courier_state(folder, SINK)
    try:
        if not state.seq:
            raise MeterproofError("nothing was delivered from %(folder)s yet", folder=str(folder.path))
        channels = delivery.channels
        feed = JournalFeed(delivery.journal, load_plan, delivery.series, channels)
        courier = Courier(feed, sink, state, clock=clock, random=SystemRandom(), quiet=True) if repair else None
        work = Reconciliation(delivery.series, sink, state, channels.layout, clock)
        report = await work.run(period, values=values, courier=courier)
        report.head_seq = delivery.journal.head()
        return report
    finally:
        await sink.close()
        state.close()
        delivery.close()


def _tell(report: Report, language: str) -> None:
    for each in report.differences:
        click.echo(_line(each, language))
    click.echo(
        text(
            language,
            "%(days)s days: %(sent)s points in the journal, %(written)s in the sink, %(verified)s verified,"
            " %(resent)s sent again, %(dead)s dead letters.",
            days=report.days,
            sent=report.sent,
            written=report.written,
            verified=report.verified,
            resent=report.resent,
            dead=report.dead_letters,
        )
    )
    if report.upto_seq < report.head_seq:
        message = "Compared up to entry %(upto)s, where delivery stands; the journal reaches entry %(head)s."
        click.echo(text(language, message, upto=report.upto_seq, head=report.head_seq))


def _line(each: Difference, language: str) -> str:
    return text(
        language,
        "%(day)s %(device)s / %(group)s: journal %(journal)s, sink %(sink)s; missing %(missing)s,"
        " differing %(differing)s, foreign %(foreign)s",
        day=iso(each.start_us)[:10],
        device=each.device,
        group=each.group,
        journal=each.journal.rows,
        sink=each.sink.rows,
        missing=len(each.missing),
        differing=len(each.differing),
        foreign=len(each.foreign),
    )
