import json
from pathlib import Path

import pytest

from gateway.verifier.body import BodyError, parse

CASES = json.loads((Path(__file__).parents[3] / "cases/journal/canonical.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["name"])
def test_canonical_bytes_are_accepted(case):
    assert isinstance(parse(case["bytes"].encode()), dict)


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_everything_else_is_refused(case):
    with pytest.raises(BodyError):
        parse(case["bytes"].encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{" * 5_000,
        b'{"a":' * 5_000,
        b'{"a":' * 950 + b"true" + b"}" * 950,
        b'{"a":"' + b"x" * 60_000 + b'"}',
    ],
)
def test_nonsense_is_refused_and_never_crashes(body):
    with pytest.raises(BodyError):
        parse(body)
