"""One piece of long work, and how it is shown."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from gateway.i18n import text

State = Literal["waiting", "running", "done", "failed", "interrupted"]


class JobView(BaseModel):
    """A job as it stands: ``done`` of ``total`` steps (null where nobody knows how many).

    ``interrupted``: the server ended while it was under way; ``again`` is the page where it can be begun anew.
    """

    id: str
    title: str
    state: State
    begun_us: int
    ended_us: int | None
    done: int
    total: int | None
    step: str
    said: list[str]
    address: str
    file: str
    look: str
    again: str


@dataclass(slots=True)
class Job:
    """One piece of long work. Texts are English sentences with their facts, translated where shown.

    ``room`` is the folder that is its own, made when the work begins; the file it brings is written there.
    """

    id: str
    person: str
    organisation: str
    title: str
    facts: dict[str, object]
    begun_us: int
    room: Path
    again: str = ""
    state: State = "waiting"
    ended_us: int | None = None
    done: int = 0
    total: int | None = None
    step: str = ""
    said: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    address: str = ""
    file: Path | None = None
    file_name: str = ""

    def progress(self, done: int, total: int | None = None, step: str = "") -> None:
        """Say how far it is; called by the work itself."""
        self.done, self.total, self.step = done, total, step or self.step

    def finish_with(self, *, address: str = "", file: Path | None = None, file_name: str = "") -> None:
        """Where the result is seen, or the file in its room that it brought."""
        self.address, self.file, self.file_name = address, file, file_name


def job_view(job: Job, language: str) -> JobView:
    """A job in the reader's language."""
    return JobView(
        id=job.id,
        title=text(language, job.title, **job.facts),
        state=job.state,
        begun_us=job.begun_us,
        ended_us=job.ended_us,
        done=job.done,
        total=job.total,
        step=text(language, job.step) if job.step else "",
        said=[*job.lines, *(text(language, message, **facts) for message, facts in job.said)],
        address=job.address,
        file=f"/jobs/{job.id}/file" if job.file is not None and job.state == "done" else "",
        look=f"/api/v1/jobs/{job.id}",
        again=job.again,
    )
