"""The read plan of one group: requests, fields, and their journal form."""

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache

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


class Decoding:
    """What the bytes of a plan's answers mean. Immutable; all devices of one profile share it."""

    def __init__(self, fields: Sequence[ValueField], scales: Sequence[ScaleField], requests: int) -> None:
        if requests > MAX_REQUESTS or len(fields) > MAX_FIELDS or len(scales) > MAX_SCALES:
            raise ValueError("the plan has too many requests, fields or scales")
        for part in (*fields, *scales):
            if not 0 <= part.request < requests or part.offset < 0 or part.length < 0:
                raise ValueError("a field stands outside the requests")
        for field in fields:
            if any(not 0 <= scale < len(scales) for scale in field.scales):
                raise ValueError("a field names a scale that is not there")
        self.fields = tuple(fields)
        self.scales = tuple(scales)
        self.requests = requests

    @cached_property
    def decoder(self) -> CompiledDecoder:
        """Compiled on first use: a rebuild loads many plans and decodes by few."""
        return CompiledDecoder(self.fields, self.scales, self.requests)

    @cached_property
    def documents(self) -> tuple[list[Document], list[Document]]:
        """Fields and scales in journal form."""
        return [field.document() for field in self.fields], [scale.document() for scale in self.scales]


class ModbusPlan:
    """The read plan of one group (``gateway.ports.ReadPlan``). Immutable."""

    def __init__(self, requests: Sequence[Request], decoding: Decoding) -> None:
        if len(requests) != decoding.requests:
            raise ValueError("the requests are not those of the fields")
        self._requests = tuple(requests)
        self._decoding = decoding

    @property
    def requests(self) -> tuple[Request, ...]:
        """In the order they are exchanged."""
        return self._requests

    @property
    def fields(self) -> tuple[ValueField, ...]:
        """One a channel, in the group's order."""
        return self._decoding.fields

    @property
    def scales(self) -> tuple[ScaleField, ...]:
        """The registers that multiply fields."""
        return self._decoding.scales

    def document(self) -> Document:
        """The journal form (docs/decode-plan.md)."""
        fields, scales = self._decoding.documents
        document: Document = {
            "v": 1,
            "protocol": "modbus",
            "requests": [request.document() for request in self._requests],
            "fields": fields,
        }
        if scales:
            document["scales"] = scales
        return document

    def decode(
        self, raw: Sequence[bytes | None]
    ) -> tuple[tuple[int | str | None, ...], tuple[int, ...], tuple[Finding, ...]]:
        """Values, quality words and findings in the order of the group's channels. Total: any bytes give a result."""
        return self._decoding.decoder.decode(raw)


def make_plan(
    requests: Sequence[Request], fields: Sequence[ValueField], scales: Sequence[ScaleField] = ()
) -> ModbusPlan:
    """A plan of its own; ValueError when its parts do not hold together."""
    return ModbusPlan(requests, Decoding(fields, scales, len(requests)))


def load_plan(document: Document) -> ModbusPlan:
    """The plan back from its journal form; ValueError, TypeError or KeyError when it is none."""
    if document.get("v") != 1 or document.get("protocol") != "modbus":
        raise ValueError("not a Modbus decode plan of version 1")
    requests = [Request(**request) for request in document["requests"]]
    text = json.dumps([document["fields"], document.get("scales", [])], sort_keys=True)
    return ModbusPlan(requests, _loaded(text, len(requests)))


@lru_cache(maxsize=512)
def _loaded(text: str, requests: int) -> Decoding:
    fields, scales = json.loads(text)
    return Decoding(
        [load_value_field(field) for field in fields], [load_scale_field(scale) for scale in scales], requests
    )
