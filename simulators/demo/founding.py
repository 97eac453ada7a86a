"""The first start of a demo: site file, ledger, birth of the data folder, history."""

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.demo.accounting import accounting_files, put_on_record, write_accounting
from simulators.demo.commands import Feeding, run_json, run_step
from simulators.demo.faults import CELL_US
from simulators.demo.folder import LEDGER_FOLDER, SITE_FILE, DemoState, settled_ports
from simulators.demo.history import HISTORY_PERIOD_S, History
from simulators.demo.ledger import exchange_records, ledger_files, write_ledger
from simulators.demo.plant import DemoPlant, build_plant
from simulators.demo.pushing import Pushers
from simulators.demo.records import put_on_record as records_on_record
from simulators.demo.records import record_files
from simulators.demo.review import put_on_record as reviews_on_record
from simulators.demo.site import LIVE_PERIOD_S, site_text
from simulators.demo.stack import put_on_record as stack_on_record
from simulators.demo.stack import write_stack
from simulators.profiles import shipped_profile

ACTOR = "demo"
REASON = "模拟水泥厂建账 / ledger of the simulated works"

Progress = Callable[[int], None]
"""Told the microseconds of history written since it was last told."""


def found(
    folder: Path, seed: int, history_days: int, *, now_us: Callable[[], int], language: str, progress: Progress
) -> DemoState:
    """Make the whole folder; CommandError when a step fails, OSError when the folder cannot be written."""
    state = DemoState(seed, now_us(), history_days, complete=False, history={}, ports=settled_ports({}))
    plant = build_plant(seed, state.calendar)
    start = _iso(state.calendar.start_us)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        stage = Path(work)
        (stage / SITE_FILE).write_text(site_text(state.ports), encoding="utf-8")
        write_ledger(stage / LEDGER_FOLDER, ledger_files(plant) | record_files(plant))
        _birth(stage / SITE_FILE, folder, start, language)
        shutil.copytree(stage, folder, dirs_exist_ok=True)
    state.write(folder)
    ledger = folder / LEDGER_FOLDER
    run_step(
        language, "ledger", "import", ledger, "--data", folder, "--actor", ACTOR, "--reason", REASON, "--at", start
    )
    state.history = _write_history(folder, plant, now_us, language, progress)
    write_accounting(ledger, accounting_files(plant))
    put_on_record(ledger, folder, lambda *words: run_step(language, *words, "--actor", ACTOR, "--reason", REASON))
    records_on_record(folder, plant, lambda *words: run_step(language, *words))
    write_stack(ledger, plant)
    stack_on_record(ledger, folder, lambda *words: run_step(language, *words, "--actor", ACTOR, "--reason", REASON))
    reviews_on_record(folder, plant.calendar, lambda *words: run_step(language, *words))
    state.complete = True
    state.write(folder)
    return state


def _birth(site: Path, folder: Path, start: str, language: str) -> None:
    """A back-fill of nothing brings the folder into being, marked simulated as the site file says."""
    period = str(HISTORY_PERIOD_S)
    run_step(language, "backfill", site, "--data", folder, "--period-s", period, "--at", start)


def _write_history(
    folder: Path, plant: DemoPlant, now_us: Callable[[], int], language: str, progress: Progress
) -> dict[str, int]:
    site = folder / SITE_FILE
    history = History(
        plant,
        Pushers(plant, shipped_profile),
        shipped_profile,
        run_json(language, "check", site, "--json"),
        live_period_us=LIVE_PERIOD_S * 1_000_000,
        records=exchange_records(plant),
    )
    start_us = plant.calendar.start_us
    feeding = Feeding(language, "backfill", site, "--data", folder, "--period-s", str(HISTORY_PERIOD_S), "--json")
    try:
        before_us = start_us
        # what passes while this is written is written too, so that live running begins within one period of its end
        while (end_us := now_us() // CELL_US * CELL_US) > before_us:
            for until_us, lines in history.hours(before_us, end_us):
                feeding.feed(lines)
                progress(until_us - before_us)
                before_us = until_us
        report = json.loads(feeding.finish())
    finally:
        feeding.abort()
    return {name: int(report[name]) for name in ("slots", "readings")}


def _iso(at_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()
