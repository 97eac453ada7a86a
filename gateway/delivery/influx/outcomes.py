"""What an HTTP answer to a write means. One table for 1.x, 2.x and 3.x; docs/influxdb.md shows it to people.

| answer | meaning |
|---|---|
| 200, 204 | written |
| 400 "partial write", 422 | final: some points stored, the others refused |
| 400 otherwise | a line in it is unacceptable; 1.x kept nothing, 2.x keeps nothing |
| 401, 403, 404 | credentials, rights or a missing database: hold and say so |
| 413 | too large: halve |
| 408, 429, 5xx, no answer | trouble there: again, after Retry-After when given |
| 3xx, other 4xx | the way there is wrong: hold and say so |
"""

import json
import re
from collections.abc import Mapping

from gateway.delivery.port import Answer, AnswerKind

MAX_DETAIL = 300
_DROPPED = re.compile(r"dropped[ =]*(\d+)")


def classify(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    """The meaning of a status, a body (at most its beginning is looked at) and headers (any case)."""
    if status in {200, 204}:
        return Answer(AnswerKind.WRITTEN)
    lowered = {key.lower(): value for key, value in headers.items()}
    detail = f"{status} {message_of(body) or lowered.get('x-influxdb-error', '')}".strip()[:MAX_DETAIL]
    if status == 422 or (status == 400 and _is_partial(body)):
        dropped = _DROPPED.search(detail)
        return Answer(AnswerKind.PARTIAL, detail, refused=int(dropped[1]) if dropped else None)
    if status == 400:
        return Answer(AnswerKind.REFUSED, detail)
    wrong_policy = "retention policy not found" in detail  # 1.x answers 500 to it
    if (status in {408, 429} or status >= 500) and not wrong_policy:
        return Answer(AnswerKind.RETRY, detail, retry_after_s=_seconds(lowered.get("retry-after")))
    return Answer(AnswerKind.TOO_LARGE if status == 413 else AnswerKind.HOLD, detail)


def message_of(body: bytes) -> str:
    """The server's own words: ``error`` (1.x, 3.x) or ``message`` (2.x) of a JSON body, else its text."""
    try:
        document = json.loads(body[:65_536])
    except ValueError:
        return body[:MAX_DETAIL].decode(errors="replace").strip()
    if isinstance(document, dict):
        words = [str(document[key]) for key in ("error", "message") if document.get(key)]
        faults = document.get("data")
        if isinstance(faults, list):
            words += [str(each.get("error_message", "")) for each in faults[:3] if isinstance(each, dict)]
        return ": ".join(word for word in words if word)
    return ""


def _is_partial(body: bytes) -> bool:
    start = body[:4096]
    return b"partial write" in start


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; None when absent or a date, whose clock we need not share."""
    try:
        return float(header) if header else None
    except ValueError:
        return None
