"""Two reviews planned at the simulated works: a reviewer with a key, an energy and a carbon review, the self-check.

The reviewer's key lies in the demo's folder only so that everybody can try the whole way; a real one never leaves its
owner. What the reviewer judges is left to whoever runs the demo.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from simulators.demo.faults import Calendar
from simulators.plant.rate import local_day

Step = Callable[..., object]
"""Runs a command of the gateway by its words."""

REVIEWER = "zhou-lan"
KEY_FILE = "reviewer.key"
SELF_CHECK_FILE = "self-check.md"
_AUTHORITY = "演示市市场监督管理局（模拟）"
_REVIEWS = (
    ("energy-demo", "jjf1356-2012", "年度能源计量审查（模拟）"),
    ("carbon-demo", "jjf-wan-218-2025", "碳排放计量审查（模拟）"),
)
_SELF_CHECK = """# 能源计量自查报告（模拟）

自查范围：器具、数据、人员、制度。自查发现：煤磨电能表证书即将到期，已列入检定计划；窑尾排风机尚未配备电能表。
"""


def put_on_record(folder: Path, calendar: Calendar, run: Step) -> None:
    """Plan both reviews by the commands an organiser uses; ``run`` takes a command's words."""
    key = folder / "ledger" / KEY_FILE
    run("review", "key", key, "--id", REVIEWER, "--name", "周岚（模拟审查员）", "--authority", _AUTHORITY)
    registration = key.with_name(KEY_FILE + ".registration")
    run("review", "register", registration, "--data", folder, "--actor", "office", "--reason", "电话核对公钥（模拟）")
    first = date(1970, 1, 1) + timedelta(days=local_day(calendar.start_us))
    span = ("--from", first.isoformat(), "--to", (first + timedelta(days=365)).isoformat())
    for id_, checklist, title in _REVIEWS:
        words = ("--checklist", checklist, "--title", title, "--organiser", _AUTHORITY, "--team", REVIEWER)
        run("review", "plan", id_, "--data", folder, *span, *words, "--actor", "office")
    report = folder / "ledger" / SELF_CHECK_FILE
    report.write_text(_SELF_CHECK, encoding="utf-8")
    said = ("--title", "能源计量自查报告（模拟）", "--actor", "manager")
    run("review", "hand-in", _REVIEWS[0][0], "self_check", report, "--data", folder, *said)
