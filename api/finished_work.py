"""What long work left behind: a record and a file a job under ``state/jobs``, so that a restart loses no result.

Local and not evidence: what work put on record stands in the journal. A job is a folder named by its id, with
``job.json`` and the file it brought. Kept are the newest 100 of the last seven days, of files at most 2 GiB together.
"""

import json
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from api.job import Job
from gateway.domain.time import US_PER_DAY

MAX_JOBS = 100
MAX_AGE_US = 7 * US_PER_DAY
MAX_BYTES = 2 * 2**30
RECORD = "job.json"
MAX_RECORD_BYTES = 4 * 2**20
_ID = re.compile(r"^[0-9a-f]{8,64}\Z")
_FIELDS = frozenset(each.name for each in fields(Job))


def write(job: Job) -> None:
    """Put a job's record into its folder. A disk that takes no record does not stop the work itself."""
    said = {name: value for name, value in asdict(job).items() if name != "room"}
    said["file"] = job.file.name if job.file is not None else ""
    with suppress(OSError):
        job.room.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = job.room / f"{RECORD}.part"
        partial.write_text(json.dumps(said, ensure_ascii=False, default=str), "utf-8")
        partial.replace(job.room / RECORD)


def found(place: Path) -> list[Job]:
    """The jobs of servers before this one, oldest first; what had not ended is interrupted."""
    jobs = []
    with suppress(OSError):
        for room in place.iterdir():
            job = _read(room) if _ID.match(room.name) else None
            if job is not None:
                jobs.append(job)
    return sorted(jobs, key=lambda each: (each.begun_us, each.id))


def _read(room: Path) -> Job | None:
    try:
        if (room / RECORD).stat().st_size > MAX_RECORD_BYTES:
            return None
        said: dict[str, Any] = json.loads((room / RECORD).read_text("utf-8"))
        name = str(said.pop("file"))
        job = Job(**{key: value for key, value in said.items() if key in _FIELDS}, room=room)
        job.file = room / Path(name).name if name else None
        job.said = [(str(message), dict(facts)) for message, facts in job.said]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if job.id != room.name:
        return None
    if job.ended_us is None:
        job.state = "interrupted"
    return job


def outlived(jobs: Iterable[Job], now_us: int) -> list[Job]:
    """Which of these ended jobs are no longer kept: too old, too many, or too large together; the newest one stays."""
    over, size = [], 0
    for number, job in enumerate(sorted(jobs, key=lambda each: -each.begun_us)):
        size += _size(job)
        if number and (number >= MAX_JOBS or size > MAX_BYTES or now_us - job.begun_us > MAX_AGE_US):
            over.append(job)
    return over


def drop(job: Job) -> None:
    """Forget a job and its file."""
    shutil.rmtree(job.room, ignore_errors=True)


def _size(job: Job) -> int:
    with suppress(OSError):
        return job.file.stat().st_size if job.file is not None else 0
    return 0
