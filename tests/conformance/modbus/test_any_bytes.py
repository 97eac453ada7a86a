"""Any bytes decode to a value or to a finding about that very channel: every type, every order, every scale."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.device import ChannelKind
from gateway.domain.quality import Flag, Status, flags_of, status_of
from tests.campaign import share
from tests.conformance.modbus.rig import plan_of

NUMBERS = ("u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "m16", "m32", "bcd16", "bcd32", "bcd64")
ORDERS = {2: ("AB", "BA"), 4: ("ABCD", "CDAB", "BADC", "DCBA"),
          8: ("ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA", "CDABGHEF", "EFGHABCD")}  # fmt: skip
SCALES = ("1", "1/1000", "7/3", "10000")
REGISTERS = 120


def sources() -> dict[str, dict[str, Any]]:
    """Every numeric type in each of its orders, the texts, dates and bit fields, spread over one block."""
    found: dict[str, dict[str, Any]] = {}
    for kind in NUMBERS:
        for order in ORDERS[int("".join(each for each in kind if each.isdigit())) // 8]:
            found[f"{kind}_{order.lower()}"] = {"type": kind, "order": order, "scale": SCALES[len(found) % len(SCALES)]}
    found |= {f"mod10k_{words}": {"type": "mod10k", "words": words} for words in (1, 2, 3, 4)}
    found |= {f"text_{words}": {"type": "text", "words": words} for words in (1, 6)}
    found |= {f"bits_{start}": {"type": "u32", "bit": start, "width": 5} for start in (0, 13, 27)}
    found |= {each: {"type": each} for each in ("time_bytes", "time_bcd")}
    found["marked"] = {"type": "u16", "no_value": [65_535, "0x8000"]}
    scale_by = [{"address": REGISTERS - 1, "type": "i16", "kind": "power10", "minimum": -10, "maximum": 10}]
    found["scaled"] = {"type": "u32", "scale_by": scale_by}
    return {
        name: source | {"address": 5 * index % (REGISTERS - 8)} for index, (name, source) in enumerate(found.items())
    }


SOURCES = sources()
TEXTS = {name: ChannelKind.TEXT for name in SOURCES if name.startswith(("text", "time"))}
PLAN = plan_of(SOURCES, decimals=dict.fromkeys(SOURCES, 3), kinds=TEXTS)
EXAMPLES = share(40_000, 2_500)
"""Each decodes more than forty values: CI decodes over 100 000."""


@pytest.mark.campaign
@given(raw=st.one_of(st.binary(min_size=2 * REGISTERS, max_size=2 * REGISTERS), st.binary(max_size=250)))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_a_value_or_a_finding(raw: bytes) -> None:
    assert len(PLAN.requests) == 1
    assert len(SOURCES) * EXAMPLES >= 100_000
    values, quality, findings = PLAN.decode([raw])
    told = {each.channel for each in findings}
    for name, value, word in zip(SOURCES, values, quality, strict=True):
        if value is None:
            # an answer of another length than asked for is none; the link lets no such answer through
            assert name in told or (Flag.NOT_READ in flags_of(word) and len(raw) < PLAN.requests[0].size)
            assert status_of(word) is not Status.GOOD
        elif name in TEXTS:
            assert isinstance(value, str)
        else:
            assert isinstance(value, int)
            assert -(2**63) <= value < 2**63
