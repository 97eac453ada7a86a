"""The OpenAPI document: what FastAPI reads off the routes, with every problem of every route and an example of each."""

import json
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from api.problems import MEDIA_TYPE, ProblemDocument

PREFIX = "/api/v1"
REFERENCE = "#/components/schemas/{model}"
PROBLEMS: dict[int, tuple[str, str]] = {
    400: ("http-400", "There was an error parsing the body"),
    401: ("sign-in", "Sign in, or send a token: Authorization: Bearer <token>."),
    403: ("denied", "Your roles do not include this page or act; ask your administrator."),
    404: ("unknown-object", "the ledger has no metering point el-unknown at that moment"),
    409: ("refused", "what is asked for does not follow from what is on record"),
    413: ("http-413", "Request Entity Too Large"),
    422: ("unreadable-parameter", "A parameter of this address cannot be read."),
    503: ("data-folder", "A store of the data folder cannot be read now; if it stays so, run 'meterproof rebuild'."),
}
"""Status of every problem a route may answer with, with the last part of its type and what it may say."""
OF_WRITES_ONLY = frozenset({400, 409, 413})


@cache
def _examples() -> dict[str, Any]:
    """A true answer of each reading route, as ``openapi_examples.json`` holds it."""
    found: dict[str, Any] = json.loads((files("api") / "openapi_examples.json").read_bytes())
    return found


def openapi(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = FastAPI.openapi(app)
        schemas = made["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):  # ours are problem documents
            schemas.pop(name, None)
        schemas.update(models_json_schema([(ProblemDocument, "serialization")], ref_template=REFERENCE)[1]["$defs"])
        for path, operations in made["paths"].items():
            if path.startswith(PREFIX):
                for method, operation in operations.items():
                    _describe(path, method, operation)
    assert app.openapi_schema is not None, "just made"
    return app.openapi_schema


def _describe(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    if method == "get" and path in _examples():
        content = responses.setdefault("200", {"description": "OK"}).setdefault("content", {})
        content.setdefault("application/json", {})["example"] = _examples()[path]
    for status, (name, detail) in PROBLEMS.items():
        if method == "get" and status in OF_WRITES_ONLY:
            continue
        example = {
            "type": f"urn:meterproof:problem:{name}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": path,
            "parameters": [{"name": "as_of", "reason": "no date and no time"}] if status == 422 else [],
        }
        problem = {"schema": {"$ref": REFERENCE.format(model=ProblemDocument.__name__)}, "example": example}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: problem}}
