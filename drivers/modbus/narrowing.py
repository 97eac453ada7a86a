"""Cutting a refused request in pieces, so that one register a meter lacks does not cost the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from drivers.modbus.fields import MAX_REQUESTS, ScaleField, Slice, ValueField
from drivers.modbus.plan import ModbusPlan, make_plan
from drivers.modbus.request import IDENTIFICATION, Request

Part = TypeVar("Part", ValueField, ScaleField)
Items = tuple[int, int]  # first item and the one after the last, from the request's start


def narrowed(plan: ModbusPlan, index: int) -> ModbusPlan | None:
    """The plan with request ``index`` cut in two at the widest gap between its fields, or None when it cannot be cut.

    A meter that answers exception 2 or 3 refuses the range as a whole. Cutting again and again, what it refuses at last
    is a single value it does not have; all others are read. The cut leaves the gap itself out.
    """
    request = plan.requests[index]
    if request.function == IDENTIFICATION or len(plan.requests) >= MAX_REQUESTS:
        return None
    bits = request.function in {1, 2}
    spans = _united([_items(part, bits) for part in _parts(plan) if part.request == index])
    if len(spans) < 2:
        return None
    middle = len(spans) / 2
    cut = max(range(1, len(spans)), key=lambda at: (spans[at][0] - spans[at - 1][1], -abs(at - middle)))
    pieces = [(spans[0][0], spans[cut - 1][1]), (spans[cut][0], spans[-1][1])]
    requests = [
        *plan.requests[:index],
        *(Request(request.unit, request.function, request.address + low, high - low) for low, high in pieces),
        *plan.requests[index + 1 :],
    ]
    fields = [_moved(field, index, pieces, bits) for field in plan.fields]
    scales = [_moved(scale, index, pieces, bits) for scale in plan.scales]
    return make_plan(requests, fields, scales)


def _parts(plan: ModbusPlan) -> list[Slice]:
    return [*plan.fields, *plan.scales]


def _items(part: Slice, bits: bool) -> Items:
    if bits:
        first = 8 * part.offset + part.shift
        return first, first + 1
    return part.offset // 2, (part.offset + part.length + 1) // 2


def _united(spans: Sequence[Items]) -> list[Items]:
    result: list[Items] = []
    for low, high in sorted(spans):
        if result and low < result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def _moved(part: Part, index: int, pieces: Sequence[Items], bits: bool) -> Part:
    if part.request < index:
        return part
    if part.request > index:
        return replace(part, request=part.request + 1)
    low = _items(part, bits)[0]
    piece = 1 if low >= pieces[1][0] else 0
    start = pieces[piece][0]
    if not bits:
        return replace(part, request=index + piece, offset=part.offset - 2 * start)
    offset, shift = divmod(low - start, 8)
    return replace(part, request=index + piece, offset=offset, shift=shift)
