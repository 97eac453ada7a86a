"""The ledger out again in the form it is imported; the import finds nothing new in it."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.ledger import WHOLE_LIFE_KINDS
from gateway.domain.time import to_datetime
from gateway.registry.columns import LEDGER_FILES, Cell, LedgerFile
from gateway.registry.record import Record
from gateway.registry.registry import Registry


def import_files(registry: Registry, organisation: str, as_of_us: int, zone: ZoneInfo) -> dict[str, list[list[str]]]:
    """The ledger in the form it is imported, by file name, headers included; what the import would find unchanged."""
    tables: dict[str, list[list[str]]] = {}
    for file in LEDGER_FILES:
        whole_life = file.kind in WHOLE_LIFE_KINDS
        records = registry.objects(organisation, file.kind, None if whole_life else as_of_us)
        if records:
            header = [column.field for column in file.columns]
            tables[file.name] = [header, *(cells_of(file, record, zone) for record in records)]
    return tables


def cells_of(file: LedgerFile, record: Record, zone: ZoneInfo) -> list[str]:
    """A record as the row of its file."""
    values: Mapping[str, Any] = {**record.object, file.id_field: record.id, "from": record.from_us, "to": record.to_us}
    cells = []
    for column in file.columns:
        value = values.get(column.field)
        if value is not None and column.cell is Cell.MOMENT:
            cells.append(to_datetime(int(value)).astimezone(zone).isoformat())
        else:
            cells.append("" if value is None else str(value))
    return cells
