"""One reading from its journal entry: the raw words as they came, and how each became a value."""

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from gateway.audit.asking import Sources
from gateway.audit.plant import ChannelFact, channel_facts
from gateway.domain.errors import JournalError
from gateway.journal.entry import Entry, leaf_hash
from gateway.registry.record import Configuration

MAX_PAYLOAD_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFact:
    """A journal entry as evidence: its number, when it was recorded (µs UTC), and its Merkle leaf in hexadecimal."""

    seq: int
    at_us: int
    kind: str
    subject: str
    leaf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFact:
    """One request of the read plan and what it brought: 16-bit words (function 3 and 4) or bytes, in hexadecimal."""

    unit_id: int | None
    function: int | None
    address: int | None
    count: int | None
    words: Sequence[str]
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFact:
    """How one channel came out of the raw bytes. ``raw`` as on the wire, ``ordered`` most significant byte first."""

    channel: str
    measurand: str
    unit: str
    decimals: int
    request: int | None
    first_word: int | None
    last_word: int | None
    register: int | None
    raw: str
    ordered: str
    type: str
    scale: str
    value: int | str | None
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReading:
    """A poll or a sample of a message with everything needed to compute its values again.

    ``agrees`` says whether decoding the raw bytes again gives what the series holds (None where that cannot be said);
    ``missing`` names what could not be found.
    """

    entry: EntryFact
    device: str
    group: str
    protocol: str
    slot_us: int | None
    sent_us: int | None
    received_us: int | None
    outcome: str
    configuration_seq: int | None
    profile: str
    profile_sha256: str
    requests: Sequence[RequestFact] = ()
    fields: Sequence[FieldFact] = ()
    topic: str = ""
    payload: str = ""
    findings: Sequence[tuple[str, str, Mapping[str, Any]]] = ()
    agrees: bool | None = None
    missing: Sequence[str] = field(default_factory=tuple)


def entry_fact(entry: Entry) -> EntryFact:
    """The evidence line of an entry."""
    return EntryFact(
        seq=entry.seq,
        at_us=entry.at_us,
        kind=entry.kind,
        subject=entry.subject,
        leaf=leaf_hash(entry.body_bytes).hex(),
    )


def entry_or_none(sources: Sources, seq: int | None) -> Entry | None:
    """The entry of a number; None where the journal has it no more (pruned) or never had it."""
    if not seq:
        return None
    try:
        return sources.journal.entry(seq)
    except JournalError:
        return None


def raw_reading(sources: Sources, seq: int, device: str, group: str) -> RawReading | None:
    """The reading that an entry brought for a device's group; None when the journal does not have the entry."""
    entry = entry_or_none(sources, seq)
    if entry is None:
        return None
    if entry.kind == "message":
        return _from_message(sources, entry, device, group)
    return _from_poll(sources, entry, device, group)


def _configuration(sources: Sources, seq: int | None) -> Configuration | None:
    return None if not seq else sources.registry.configuration(seq)


def _from_poll(sources: Sources, entry: Entry, device: str, group: str) -> RawReading:
    body = entry.body
    configuration = _configuration(sources, body.get("cfg"))
    described = (configuration.body.get("groups") or {}).get(group) if configuration else None
    facts: Mapping[str, Any] = (configuration.body.get("device") or {}) if configuration else {}
    plan: Mapping[str, Any] = (described or {}).get("plan") or {}
    raw = [None if each is None else _bytes(each) for each in body.get("raw") or ()]
    protocol = str(plan.get("protocol") or facts.get("protocol") or "")
    decoded = sources.decode(protocol, plan, raw) if plan and raw else None
    channels = [each for each in channel_facts(configuration) if each.group == group] if configuration else []
    row = sources.series.row(device, group, int(body.get("slot") or 0))
    missing = () if configuration else ("the configuration entry",)
    return RawReading(
        entry=entry_fact(entry),
        device=device,
        group=group,
        protocol=protocol,
        slot_us=body.get("slot"),
        sent_us=body.get("sent"),
        received_us=body.get("received"),
        outcome=str(body.get("outcome") or ""),
        configuration_seq=body.get("cfg"),
        profile=str(facts.get("profile") or ""),
        profile_sha256=str(facts.get("profile_sha256") or ""),
        requests=_requests(plan.get("requests") or (), raw),
        fields=_fields(plan, raw, channels, decoded),
        findings=[(str(each[0]), str(each[1]), each[2] or {}) for each in body.get("findings") or ()],
        agrees=_agrees(decoded, row.values if row else None),
        missing=missing,
    )


def _agrees(
    decoded: tuple[Sequence[int | str | None], Sequence[int]] | None, stored: Sequence[int | None] | None
) -> bool | None:
    if decoded is None or stored is None or len(decoded[0]) != len(stored):
        return None
    # texts are not in the series, and a judged value may have been left out of it
    return all(
        kept is None or isinstance(value, str) or value == kept for value, kept in zip(decoded[0], stored, strict=True)
    )


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _requests(requests: Sequence[Mapping[str, Any]], raw: Sequence[bytes | None]) -> list[RequestFact]:
    facts = []
    for position, request in enumerate(requests):
        answer = raw[position] if position < len(raw) else None
        width = 2 if request.get("function") in {3, 4} else 1
        facts.append(
            RequestFact(
                unit_id=request.get("unit"),
                function=request.get("function"),
                address=request.get("address"),
                count=request.get("count"),
                words=[answer[at : at + width].hex().upper() for at in range(0, len(answer), width)] if answer else [],
                answered=answer is not None,
            )
        )
    return facts


def _fields(
    plan: Mapping[str, Any],
    raw: Sequence[bytes | None],
    channels: Sequence[ChannelFact],
    decoded: tuple[Sequence[int | str | None], Sequence[int]] | None,
) -> list[FieldFact]:
    described = {str(each.get("channel")): each for each in plan.get("fields") or ()}
    requests = plan.get("requests") or ()
    facts = []
    for channel in channels:
        value: int | str | None = None
        quality = 3
        if decoded is not None and channel.position < len(decoded[0]):
            value, quality = decoded[0][channel.position], decoded[1][channel.position]
        facts.append(_field(channel, described.get(channel.id), requests, raw, (value, quality)))
    return facts


def _field(
    channel: ChannelFact,
    plan: Mapping[str, Any] | None,
    requests: Sequence[Mapping[str, Any]],
    raw: Sequence[bytes | None],
    decoded: tuple[int | str | None, int],
) -> FieldFact:
    request, offset, length = (int(plan["request"]), int(plan["offset"]), int(plan["length"])) if plan else (None, 0, 0)
    answer = raw[request] if request is not None and request < len(raw) else None
    taken = answer[offset : offset + length] if answer else b""
    words = request is not None and requests[request].get("function") in {3, 4}
    return FieldFact(
        channel=channel.id,
        measurand=channel.measurand,
        unit=channel.unit,
        decimals=channel.decimals,
        request=request,
        first_word=offset // 2 if words else None,
        last_word=(offset + max(length, 1) - 1) // 2 if words else None,
        register=int(requests[request or 0].get("address") or 0) + offset // 2 if words else None,
        raw=taken.hex().upper(),
        ordered=_ordered(taken, str((plan or {}).get("order") or "A")).hex().upper(),
        type=_type(plan),
        scale=_scale(plan),
        value=decoded[0],
        quality=decoded[1],
    )


def _ordered(taken: bytes, order: str) -> bytes:
    """Bytes put most significant first (docs/decode-plan.md, step 2)."""
    step = len(order)
    if step < 2 or len(taken) % step:
        return taken
    result = bytearray(len(taken))
    for start in range(0, len(taken), step):
        for wire, letter in enumerate(order):
            result[start + ord(letter) - ord("A")] = taken[start + wire]
    return bytes(result)


def _type(plan: Mapping[str, Any] | None) -> str:
    if not plan:
        return ""
    order = str(plan.get("order") or "A")
    bits = (
        f"{plan.get('type')}{8 * int(plan['length'])}" if plan.get("type") in {"uint", "int", "float"} else plan["type"]
    )
    return f"{bits} {order}" if len(order) > 1 else str(bits)


def _scale(plan: Mapping[str, Any] | None) -> str:
    """The declared scale as people write it: ``× 1/100``, ``− 1000, × 1/10``; empty when there is none."""
    if not plan:
        return ""
    factor = Fraction(int(plan.get("numerator") or 1), int(plan.get("denominator") or 1))
    parts = [f"− {plan['subtract']}"] if plan.get("subtract") else []
    parts += [f"× {factor}"] if factor != 1 else []
    parts += [f"× scale register {each}" for each in plan.get("scales") or ()]
    return ", ".join(parts)


def _from_message(sources: Sources, entry: Entry, device: str, group: str) -> RawReading:
    body = entry.body
    sample = next(
        (each for each in body.get("samples") or () if each.get("device") == device and each.get("group") == group),
        None,
    )
    configuration = _configuration(sources, sample.get("cfg") if sample else None)
    facts: Mapping[str, Any] = (configuration.body.get("device") or {}) if configuration else {}
    channels = [each for each in channel_facts(configuration) if each.group == group] if configuration else []
    payload = _bytes(str(body.get("payload") or ""))
    missing = []
    if sample is None:
        missing.append("a sample of this device")
    elif configuration is None:
        missing.append("the configuration entry")
    return RawReading(
        entry=entry_fact(entry),
        device=device,
        group=group,
        protocol=str(facts.get("protocol") or "mqtt"),
        slot_us=sample.get("slot") if sample else None,
        sent_us=sample.get("device_time") if sample else None,
        received_us=body.get("received"),
        outcome="ok" if sample else "",
        configuration_seq=sample.get("cfg") if sample else None,
        profile=str(facts.get("profile") or ""),
        profile_sha256=str(facts.get("profile_sha256") or ""),
        fields=[_sampled(each, sample or {}) for each in channels],
        topic=str(body.get("topic") or ""),
        payload=_payload_text(payload),
        findings=[(str(each[0]), str(each[1]), each[2] or {}) for each in (sample or {}).get("findings") or ()],
        missing=missing,
    )


def _sampled(channel: ChannelFact, sample: Mapping[str, Any]) -> FieldFact:
    values, quality = sample.get("values") or (), sample.get("quality") or ()
    at = channel.position
    return FieldFact(
        channel=channel.id,
        measurand=channel.measurand,
        unit=channel.unit,
        decimals=channel.decimals,
        request=None,
        first_word=None,
        last_word=None,
        register=None,
        raw="",
        ordered="",
        type="",
        scale="",
        value=values[at] if at < len(values) else None,
        quality=quality[at] if at < len(quality) else 3,
    )


def _payload_text(payload: bytes) -> str:
    """The payload as text where it is text, else in hexadecimal."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return payload.hex(" ").upper()[:MAX_PAYLOAD_CHARACTERS]
    printable = all(character.isprintable() or character in "\r\n\t" for character in text)
    return (text if printable else payload.hex(" ").upper())[:MAX_PAYLOAD_CHARACTERS]
