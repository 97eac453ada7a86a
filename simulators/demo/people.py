"""The people of the simulated works: one account a role, with one-time sign-in links."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.demo.commands import run_json

ROSTER_FILE = "people.csv"
ACTOR = "demo"
REVIEW_DAYS = 60

PEOPLE = (
    ("manager", "陈明（企业能源管理员）", "energy_manager"),
    ("custodian", "李静（器具管理员）", "custodian"),
    ("operator", "赵强（运行人员）", "operator"),
    ("reviewer", "周岚（审查员）", "reviewer"),
    ("leader", "吴正（审查组长）", "review_leader"),
    ("office", "郑洁（组织审查单位）", "review_office"),
    ("market", "孙立（市场监管）", "market_supervision"),
    ("development", "钱进（发改）", "development_supervision"),
    ("environment", "何青（生态环境）", "environment_supervision"),
    ("admin", "管理员", "administrator"),
)
"""Account, name, role. Invented people."""

_FOR_A_TIME = frozenset({"reviewer", "review_leader"})


@dataclass(frozen=True, slots=True)
class Invitation:
    """A role's link: good once."""

    account: str
    role: str
    role_name: str
    link: str


def invite(folder: Path, language: str, url: str, now_us: int) -> list[Invitation]:
    """Accounts as the roster says, and a fresh link for each; CommandError when it fails."""
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us, days=REVIEW_DAYS)
    roster = folder / ROSTER_FILE
    with roster.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("id", "name", "roles", "until"))
        for account, name, role in PEOPLE:
            writer.writerow((account, name, role, f"{day:%Y-%m-%d}" if role in _FOR_A_TIME else ""))
    options = ("--data", folder, "--links", "--address", url, "--actor", ACTOR, "--json")
    answer = run_json(language, "people", "roster", roster, *options)
    return [Invitation(each["id"], each["roles"][0], each["role_names"][0], each["link"]) for each in answer["people"]]
