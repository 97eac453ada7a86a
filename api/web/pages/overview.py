"""总览: the first page."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.asked import Asked, AskedFor
from api.people.roles import SUPERVISION
from api.people.store import People
from api.web.environment import page
from gateway.audit.delivery import sink_states
from gateway.audit.live import live
from gateway.audit.overview import Overview, overview
from gateway.audit.suspected import queue
from gateway.domain.time import US_PER_DAY, local_midnight

router = APIRouter(include_in_schema=False)
TROUBLED = frozenset({"retrying", "holding"})


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits: a text with its count, where it is done, and how bad it is if there is any."""

    name: str
    count: int
    link: str
    style: str


@router.get("/")
def show(request: Request, asked: AskedFor) -> HTMLResponse:
    """What waits for the reader; today's energy, completeness, due certificates, open findings."""
    found = overview(asked.reader.sources, asked.asking)
    start = local_midnight(asked.asking.today, asked.asking.zone)
    return page(
        asked.view,
        "overview.html",
        overview=found,
        tasks=tasks_of(asked, found, request.app.state.people),
        slots_since_us=start // US_PER_DAY * US_PER_DAY,
    )


def tasks_of(asked: Asked, found: Overview, people: People) -> list[Task]:
    """What waits for this person, by what their roles let them do; nothing that somebody else has to do."""
    view, sources, asking = asked.view, asked.reader.sources, asked.asking
    tasks = []
    if view.may("quality.decide"):
        waiting = len(queue(sources, asking).waiting)
        tasks.append(Task("suspected events to decide", waiting, view.link("/quality") + "#queue", "warn"))
        tasks.append(Task("look-backs to decide", found.look_backs_waiting, view.link("/effects"), "bad"))
    if view.may("ledger.write"):
        link = view.link("/instruments", due="attention")
        tasks.append(Task("instruments whose certificate needs attention", found.due_count, link, "bad"))
        lacking = found.points_to_measure - found.points_with_meter
        tasks.append(
            Task("points without a meter that demand one", lacking, view.link("/points", state="lacking"), "bad")
        )
    if view.may("readings.write"):
        silent = sum(bool(each.device) and each.stale for each in live(sources, asking))
        tasks.append(Task("points from which no reading comes", silent, view.link("/live"), "warn"))
    if view.may("review.conduct") or view.may("review.prepare") or view.person.roles & SUPERVISION:
        link = view.link("/findings", state="open")
        tasks.append(Task("open findings", sum(found.open_by_severity.values()), link, "bad"))
    if view.may("settings") and asking.organisation == asked.reader.folder.organisation:
        stuck = [each for each in sink_states(asked.reader.folder.state, found.journal_head) if each.state in TROUBLED]
        tasks.append(Task("stores that do not take readings", len(stuck), "/settings#sinks", "warn"))
    if view.may("people"):
        new = [each for each in people.listed(asking.organisation) if not each.has_password and not each.disabled_us]
        tasks.append(Task("accounts without a password", len(new), "/settings#people", "none"))
    return tasks
