"""The read plan of one group: requests, fields, and their journal form."""

from collections.abc import Sequence

from drivers.modbus.compiled import CompiledDecoder
from drivers.modbus.fields import (
    MAX_FIELDS,
    MAX_REQUESTS,
    MAX_SCALES,
    ScaleField,
    ValueField,
    load_scale_field,
    load_value_field,
)
from drivers.modbus.request import Request
from gateway.domain.finding import Finding
from gateway.ports import Document


class ModbusPlan:
    """The read plan of one group (``gateway.ports.ReadPlan``). Immutable."""

    def __init__(
        self, requests: Sequence[Request], fields: Sequence[ValueField], scales: Sequence[ScaleField] = ()
    ) -> None:
        if len(requests) > MAX_REQUESTS or len(fields) > MAX_FIELDS or len(scales) > MAX_SCALES:
            raise ValueError("the plan has too many requests, fields or scales")
        for part in (*fields, *scales):
            if not 0 <= part.request < len(requests) or part.offset < 0 or part.length < 0:
                raise ValueError("a field stands outside the requests")
        for field in fields:
            if any(not 0 <= scale < len(scales) for scale in field.scales):
                raise ValueError("a field names a scale that is not there")
        self._requests = tuple(requests)
        self._fields = tuple(fields)
        self._scales = tuple(scales)
        self._decoder: CompiledDecoder | None = None

    @property
    def requests(self) -> tuple[Request, ...]:
        """In the order they are exchanged."""
        return self._requests

    @property
    def fields(self) -> tuple[ValueField, ...]:
        """One a channel, in the group's order."""
        return self._fields

    @property
    def scales(self) -> tuple[ScaleField, ...]:
        """The registers that multiply fields."""
        return self._scales

    def document(self) -> Document:
        """The journal form (docs/decode-plan.md)."""
        document: Document = {
            "v": 1,
            "protocol": "modbus",
            "requests": [request.document() for request in self._requests],
            "fields": [field.document() for field in self._fields],
        }
        if self._scales:
            document["scales"] = [scale.document() for scale in self._scales]
        return document

    def decode(
        self, raw: Sequence[bytes | None]
    ) -> tuple[tuple[int | str | None, ...], tuple[int, ...], tuple[Finding, ...]]:
        """Values, quality words and findings in the order of the group's channels. Total: any bytes give a result."""
        if self._decoder is None:
            self._decoder = CompiledDecoder(self._fields, self._scales, len(self._requests))
        return self._decoder.decode(raw)


def load_plan(document: Document) -> ModbusPlan:
    """The plan back from its journal form; ValueError, TypeError or KeyError when it is none."""
    if document.get("v") != 1 or document.get("protocol") != "modbus":
        raise ValueError("not a Modbus decode plan of version 1")
    return ModbusPlan(
        [Request(**request) for request in document["requests"]],
        [load_value_field(field) for field in document["fields"]],
        [load_scale_field(scale) for scale in document.get("scales", [])],
    )
