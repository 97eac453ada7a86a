"""The short-lived process that draws charts: the drawing engine takes tens of megabytes, which ``serve`` need not keep.

It reads one JSON line ``{"spec": …}`` after the other from standard input and answers each with one JSON line,
``{"text": …}`` (an SVG) or ``{"error": …}``; ``{"bundle": …}`` is answered with the browser's copy of the engine. It
ends when its input ends.
"""

import json
import sys

import vl_convert

MAX_LINE_BYTES = 4_000_000


def answer(line: bytes) -> dict[str, str]:
    """The text one request asked for, or why there is none."""
    if len(line) > MAX_LINE_BYTES:
        return {"error": "the specification is too large"}
    try:
        request = json.loads(line)
        if "bundle" in request:
            return {"text": vl_convert.javascript_bundle(request["bundle"])}
        return {"text": vl_convert.vegalite_to_svg(request["spec"], allowed_base_urls=[])}
    except (ValueError, KeyError, TypeError) as error:
        return {"error": str(error)[:500]}


def main() -> None:
    """Answer until the input ends."""
    while line := sys.stdin.buffer.readline(MAX_LINE_BYTES + 1):
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
