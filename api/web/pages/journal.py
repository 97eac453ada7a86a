"""日志与校验: entries newest first, how far they are sealed, and one entry as it stands."""

import json

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.evidence import own_entry
from api.questions.words import EntryNumber
from api.web.environment import page
from gateway.audit.decoding import entry_fact
from gateway.audit.delivery import sink_states
from gateway.audit.record import KINDS, journal_page, seal_state

router = APIRouter(include_in_schema=False)


@router.get("/journal")
def show(
    asked: AskedFor,
    before: int = Query(0, ge=0, le=2**62),
    kind: str = Query("", max_length=30),
) -> HTMLResponse:
    """A page of entries."""
    found = journal_page(asked.reader.sources, asked.asking, before=before, kind=kind)
    folder = asked.reader.folder
    sinks = sink_states(folder.state, found.head)
    return page(asked.view, "journal.html", found=found, kind=kind, kinds=KINDS, folder=folder.path, sinks=sinks)


@router.get("/journal/{seq}")
def show_entry(asked: AskedFor, seq: EntryNumber) -> HTMLResponse:
    """The entry, byte for byte and laid out for reading."""
    entry = own_entry(asked, seq)
    return page(
        asked.view,
        "entry.html",
        fact=entry_fact(entry),
        laid_out=json.dumps(entry.body, ensure_ascii=False, indent=2),
        size_bytes=len(entry.body_bytes),
        head=asked.reader.sources.journal.head(),
        sealed=seal_state(asked.reader.sources).size,
    )
