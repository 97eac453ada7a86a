"""``python -m tests.api_examples``: writes ``api/openapi_examples.json``, one true answer of every reading route.

The answers come from the small test plant at its fixed moment; lists are cut to their first element, long texts to
their beginning, so that an example shows the shape and not the plant.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.people import client_of
from tests.plant_folder import build_folder

TARGET = Path(__file__).parents[1] / "api" / "openapi_examples.json"
MAX_TEXT = 120
KNOWN = {
    "point": "P-01",
    "root": "P-01",
    "instrument": "M-01",
    "seq": "12",
    "kind": "form-b3",
    "first": "2026-03-10",
    "last": "2026-03-10",
}
ASKED = {
    "/api/v1/touched": {"kind": "instrument", "id": "M-01"},
    "/api/v1/trace": {"point": "P-01", "from": "2026-03-10"},
}


def trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "/var/lib/meterproof" if name == "folder" else trimmed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [trimmed(each) for each in value[:1]]
    return f"{value[:MAX_TEXT]}…" if isinstance(value, str) and len(value) > MAX_TEXT else value


def examples() -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory() as work:
        folder = build_folder(Path(work) / "data")
        with client_of(folder, role="everything") as client:
            document = client.get("/api/v1/openapi.json").json()
            for path, operations in sorted(document["paths"].items()):
                if "get" not in operations or not path.startswith("/api/v1"):
                    continue
                address = path
                query = dict(ASKED.get(path, {}))
                for parameter in operations["get"].get("parameters", []):
                    name = parameter["name"]
                    if parameter["in"] == "path":
                        address = address.replace("{" + name + "}", KNOWN.get(name, "x"))
                    elif parameter.get("required") and name not in query and name in KNOWN:
                        query[name] = KNOWN[name]
                answer = client.get(address, params=query)
                if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
                    found[path] = trimmed(answer.json())
    return found


if __name__ == "__main__":
    TARGET.write_text(json.dumps(examples(), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
