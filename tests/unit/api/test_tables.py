"""Tables of exports: every column leads somewhere, whatever the rows hold, and stands under its own header."""

import csv
import importlib
import io
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from fastapi.testclient import TestClient

from api import routes
from api.encoding import At
from api.tables import Column, Table
from gateway.journal.folder import DataFolder
from tests.people import client_of

MODULES = [importlib.import_module(f"api.routes.{each.name}") for each in pkgutil.iter_modules(routes.__path__)]
TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Table)
}
UNITS = {int, str, bool, float, date, NoneType}


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, role="everything") as made:
        yield made


def _kinds(annotation: Any) -> list[Any]:
    """The types that a value may have, without None."""
    if get_origin(annotation) in {Union, UnionType}:
        return [kind for each in get_args(annotation) for kind in _kinds(each)]
    return [] if annotation is NoneType else [annotation]


def _attribute(kind: Any, name: str) -> Any:
    hints = get_type_hints(kind)
    if name in hints:
        return hints[name]
    found = getattr(kind, name, None)
    assert isinstance(found, property), f"{kind.__name__} has no {name}"
    return get_type_hints(found.fget)["return"]


@pytest.mark.parametrize("name", TABLES)
def test_every_column_leads_somewhere(name: str) -> None:
    table = TABLES[name]
    assert len(table.headers) == len(set(table.headers)) == len(table.cells)
    assert not [each for each in table.headers if "." in each], "a way of several steps needs a header"
    for column in table.cells:
        if not isinstance(column, Column):
            continue
        kinds = [table.row]
        for step in column.path:
            kinds = [kind for each in kinds for kind in _kinds(_attribute(each, step))]
        assert kinds, column
        assert not any(get_origin(each) in {dict, Mapping} for each in kinds), f"{column}: no cell"


def test_there_are_tables() -> None:
    assert len(TABLES) >= 20


@dataclass
class _Inner:
    at_us: int | None = 0
    words: tuple[str, ...] = ("a", "b")


@dataclass
class _Row:
    number: float | None = 1 / 3
    inner: _Inner | None = None


def test_cells_are_found_by_their_way() -> None:
    table = Table(_Row, "number third=number:.3f at=inner.at_us", "words=inner.words", ("twice", lambda row: 2))
    assert table.headers == ["number", "third", "at", "words", "twice"]
    assert list(table.rows([_Row(), _Row(None, _Inner())])) == [
        [1 / 3, "0.333", None, None, 2],
        [None, None, At(0), "a; b", 2],
    ]


@pytest.mark.parametrize("column", ["a=b=c", "=a", "a b-c", "a:"])
def test_a_column_that_cannot_be_read_is_refused(column: str) -> None:
    with pytest.raises(ValueError, match="is no column"):
        Table(_Row, column)


def _offering_tables(client: TestClient) -> list[str]:
    document = client.get("/api/v1/openapi.json").json()
    found = {
        path: operations["get"]
        for path, operations in document["paths"].items()
        if "format" in {each["name"] for each in operations.get("get", {}).get("parameters", [])}
    }
    for path, operation in found.items():
        assert "text/csv" in operation["responses"]["200"]["content"], path
    return list(found)


KNOWN = {
    "/api/v1/trace": "point=P-01&from=2026-03-10",
    "/api/v1/touched": "kind=instrument&id=M-01",
    "/api/v1/calibration/plan": "year=2026",
    "/api/v1/account/comparison": "result=none&before=1&after=2",
}


def test_a_row_has_a_cell_for_each_header(client: TestClient) -> None:
    filled = 0
    for path in _offering_tables(client):
        address = path.replace("{kind}", "instruments" if "registry" in path else "form-b3").replace("{name}", "due")
        answer = client.get(f"{address}?format=csv&{KNOWN.get(path, '')}")
        if answer.status_code == 404:
            assert "/account" in path or "/comparison" in path or "{name}" in path, (path, "the plant has no plan")
            continue
        assert answer.status_code == 200, (path, answer.text)
        if "reports" in path:
            continue  # made of a document and not of one table
        header, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
        assert all(len(row) == len(header) for row in rows), path
        filled += bool(rows)
    assert filled > 12


def test_the_days_of_the_outlook_stand_under_their_headers(client: TestClient) -> None:
    wanted = client.get("/api/v1/outlook").json()["result"]
    text = client.get("/api/v1/outlook?format=csv").text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert wanted
    for row, said in zip(rows, wanted, strict=True):
        assert None not in row, "a cell without a header"
        for name in ("risk_on", "assumed_on", "due_on", "basis"):
            assert row[name] == (said[name] or ""), name
        assert row["act_by"] == min(each for each in (row["risk_on"], row["due_on"]) if each)


def test_an_answer_of_json_alone_promises_no_table(client: TestClient) -> None:
    content = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/overview"]["get"]["responses"]["200"]
    assert set(content["content"]) == {"application/json"}
