"""What the demo puts on record about its stack, and what is wrong with its analyser.

The plan ships as ``config/examples/demo/stack.yaml``; the reference time is the first third of the history, when the
analyser was right. From two thirds on it reads low: its span drifts away, as the span checks of the works' own people
show. Nothing of the gateway is used.
"""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from simulators.demo.plant import DemoPlant
from simulators.plant.rate import DAY_US, day_start_us, local_day

PLAN_FILE = "stack.yaml"
TESTS_FILE = "stack-tests.csv"
LEAST_DAYS = 12
SPAN_PERCENT = 25
SPAN_GAS_PERCENT = 20.0
Step = Callable[..., str]


def stack_plan(plant: DemoPlant) -> dict[str, Any]:
    """The shipped plan with the reference time of this history; without one where the history is short."""
    document: dict[str, Any] = yaml.safe_load((files("config") / "examples" / "demo" / PLAN_FILE).read_text("utf-8"))
    first = local_day(plant.calendar.start_us) + 1
    days = local_day(plant.calendar.born_us) - first
    if days >= LEAST_DAYS:
        document["stacks"][0]["reference"] = {
            "from": _date(first),
            "to": _date(first + days // 3 - 1),
            "reason": "演示：比对检测后的前三分之一历史 / demo: first third of the history, after an accuracy test",
        }
    return document


def stack_tests(plant: DemoPlant) -> list[dict[str, str]]:
    """Weekly zero and span checks at nine in the morning, and one relative accuracy test before everything."""
    calendar = plant.calendar
    first, last = local_day(calendar.start_us) + 1, local_day(calendar.born_us) - 1
    rows: list[dict[str, str]] = []
    if last < first:
        return rows
    for day in range(first, last + 1, 7):
        at_us = day_start_us(day) + 9 * DAY_US // 24
        drift = calendar.analyser_drift(at_us)
        for type_, reference, reading in (
            ("zero", 0.0, 0.02),
            ("span", SPAN_GAS_PERCENT, SPAN_GAS_PERCENT * (1.001 + drift)),
        ):
            rows.append(_row(type_, _local(at_us), reference, reading))
    at = _local(day_start_us(first) + 10 * DAY_US // 24)
    for number in range(9):
        reference = 18.2 + 0.05 * (number % 4)
        rows.append(_row("rata", at, reference, reference * (0.997 + 0.001 * (number % 3))))
    return rows


def write_stack(folder: Path, plant: DemoPlant) -> None:
    """Plan and tests beside the ledger."""
    text = yaml.safe_dump(stack_plan(plant), allow_unicode=True, sort_keys=False, width=160)
    (folder / PLAN_FILE).write_text(text, encoding="utf-8")
    rows = stack_tests(plant)
    if rows:
        with (folder / TESTS_FILE).open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def put_on_record(folder: Path, data: Path, run: Step) -> None:
    """Enter them by the commands an operator uses; ``run`` takes a command's words."""
    run("stack", "plan", folder / PLAN_FILE, "--data", data)
    if (folder / TESTS_FILE).is_file():
        run("stack", "tests", folder / TESTS_FILE, "--data", data)


def _row(type_: str, at: str, reference: float, reading: float) -> dict[str, str]:
    return {
        "stack": "kiln",
        "parameter": "co2",
        "type": type_,
        "at": at,
        "reference": f"{reference:.3f}",
        "reading": f"{reading:.3f}",
        "span": str(SPAN_PERCENT) if type_ in {"zero", "span"} else "",
        "by": "演示 CEMS 运维 / demo CEMS crew",
    }


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()


def _local(at_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us, hours=8)).strftime("%Y-%m-%d %H:%M")
