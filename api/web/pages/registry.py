"""台账各类对象: organisations, sites, standards, documents, people … as of a moment, and one object's versions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from api.asked import AskedFor
from api.web.environment import page
from gateway.domain.errors import UnknownObjectError
from gateway.registry.columns import LEDGER_FILES, LedgerFile
from gateway.registry.exporting import cells_of

router = APIRouter(include_in_schema=False)
PAGE_ROWS = 100
Kind = Annotated[str, Path(max_length=30)]


def file_named(kind: str) -> LedgerFile:
    """The ledger's file of a kind by its plural, as addresses have it; UnknownObjectError when there is none."""
    found = next((file for file in LEDGER_FILES if file.name == f"{kind}.csv"), None)
    if found is None:
        raise UnknownObjectError("the ledger has no kind '%(kind)s'", kind=kind)
    return found


@router.get("/registry/{kind}")
def show(
    asked: AskedFor,
    kind: Kind,
    *,
    q: Annotated[str, Query(max_length=100)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> HTMLResponse:
    """The objects of a kind."""
    file = file_named(kind)
    asking = asked.asking
    records = asked.reader.sources.registry.objects(asking.organisation, file.kind, asking.as_of_us, asking.known_seq)
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
