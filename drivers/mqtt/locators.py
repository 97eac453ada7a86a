"""Where a value stands in a JSON payload: ``meters[0].energy.total`` as keys and indexes."""

import re
from collections.abc import Sequence
from typing import Any, Final

Path = tuple[str | int, ...]

MAX_PATH_STEPS = 16
_STEP = re.compile(r'(?:^|\.)([^.\[\]"]{1,64})|\[([0-9]{1,4})\]|\["([^"]{1,64})"\]')


class _Absent:
    """The sign for “nothing stands there”, which is not JSON's null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


def parse_path(text: str) -> Path | None:
    """Keys and indexes of a path; a key with dots is written ``["a.b"]``. None when it is no path."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or len(steps) >= MAX_PATH_STEPS or (not steps and text.startswith(".")):
            return None
        steps.append(int(match[2]) if match[2] is not None else match[1] if match[1] is not None else match[3])
        position = match.end()
    return tuple(steps) or None


def at_path(value: Any, path: Sequence[str | int]) -> Any:  # any JSON value
    """What stands at the path, or ABSENT."""
    for step in path:
        if type(step) is str:
            if type(value) is not dict or step not in value:
                return ABSENT
            value = value[step]
        else:
            if type(value) is not list or not isinstance(step, int) or step >= len(value):
                return ABSENT
            value = value[step]
    return value
