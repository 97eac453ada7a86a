"""One journal entry as it stands: its body, its leaf hash, and what names it."""

import json

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.audit.decoding import entry_fact, entry_or_none
from gateway.domain.errors import UnknownObjectError

router = APIRouter(include_in_schema=False)


@router.get("/journal/{seq}")
def show_entry(asked: AskedFor, seq: int = Path(ge=1, le=2**62)) -> HTMLResponse:
    """The entry, byte for byte and laid out for reading."""
    entry = entry_or_none(asked.reader.sources, seq)
    if entry is None or not entry.subject.startswith(f"{asked.asking.organisation}/"):
        raise UnknownObjectError("the journal has no entry %(seq)s", seq=str(seq))
    return page(
        asked.view,
        "entry.html",
        fact=entry_fact(entry),
        laid_out=json.dumps(entry.body, ensure_ascii=False, indent=2),
        size_bytes=len(entry.body_bytes),
        head=asked.reader.sources.journal.head(),
    )
