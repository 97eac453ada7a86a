"""台账各类对象: organisations, sites, standards, documents, people … as of a moment, and one object's versions."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.questions.ledger import RegistryFor
from api.questions.words import Offset, Search
from api.web.environment import page
from gateway.registry.columns import LEDGER_FILES
from gateway.registry.exporting import cells_of

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 100


@router.get("/registry/{kind}")
def show(asked: AskedFor, wanted: RegistryFor, q: Search = "", offset: Offset = 0) -> HTMLResponse:
    """The objects of a kind."""
    kind, file = wanted.kind, wanted.file
    records = wanted.objects()
    text = q.strip().lower()
    if text:
        records = [
            each
            for each in records
            if text in each.id.lower() or any(text in str(value).lower() for value in each.object.values())
        ]
    shown = records[offset : offset + PAGE_ROWS]
    rows = [(each, cells_of(file, each, asked.reader.zone)) for each in shown]
    filled = [place for place in range(len(file.columns)) if any(cells[place] for _each, cells in rows) or place == 0]
    return page(
        asked.view,
        "registry.html",
        kind=kind,
        kinds=[each.name.removesuffix(".csv") for each in LEDGER_FILES],
        columns=[(place, file.columns[place]) for place in filled],
        rows=rows,
        total=len(records),
        offset=offset,
        limit=PAGE_ROWS,
        q=q,
        csv=asked.view.here_at(f"/api/v1/registry/{kind}", format="csv"),
    )
