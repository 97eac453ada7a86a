import json
import unicodedata
from enum import IntEnum, StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import canonical

CASES = json.loads((Path(__file__).parents[3] / "cases/journal/canonical.json").read_text("utf-8"))


class Word(StrEnum):
    OK = "ok"


class Number(IntEnum):
    THREE = 3


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["name"])
def test_the_vectors_encode_to_their_bytes(case):
    assert canonical.encode(case["body"]) == case["bytes"].encode()


@pytest.mark.parametrize(
    "body",
    [
        {"a": 1.5},
        {"a": True},
        {"a": [{"b": False}]},
        {"a": {1: 2}},
        {"é": 1},
        {"a": "e\u0301"},
        {"a": "\ud800"},
        {"a": object()},
        {"a": {1, 2}},
    ],
)
def test_what_the_rules_forbid_is_refused(body):
    with pytest.raises(canonical.BodyError):
        canonical.encode(body)


def test_depth_and_length_have_limits():
    deep = {}
    for _ in range(canonical.MAX_DEPTH + 1):
        deep = {"a": deep}
    with pytest.raises(canonical.BodyError):
        canonical.encode(deep)
    assert len(canonical.encode({"a": "x" * (canonical.MAX_BODY_BYTES - 8)})) == canonical.MAX_BODY_BYTES
    with pytest.raises(canonical.BodyError):
        canonical.encode({"a": "x" * (canonical.MAX_BODY_BYTES - 7)})


def test_bytes_become_base64_and_enums_their_values():
    assert canonical.encode({"raw": [b"\x00\xff", None], "w": Word.OK, "n": Number.THREE}) == (
        b'{"n":3,"raw":["AP8=",null],"w":"ok"}'
    )


def test_plain_converts_a_parsed_file():
    value = {"simulated": False, "ratio": 0.5, "name": "e\u0301", "list": (1, True)}
    assert canonical.plain(value) == {"simulated": 0, "ratio": "0.5", "name": "é", "list": [1, 1]}


texts = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
keys = st.text(st.characters(max_codepoint=127))
safe = st.integers(-canonical.MAX_SAFE_INTEGER, canonical.MAX_SAFE_INTEGER)
values = st.recursive(
    st.none() | safe | texts, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20
)


@given(st.dictionaries(keys, values))
def test_the_bytes_equal_those_of_another_encoder(body):
    other = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    assert canonical.encode(body) == other
    assert canonical.decode(other) == body
