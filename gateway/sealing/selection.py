"""Which entries belong into an evidence package: every fact, and the chosen devices' readings in the chosen span."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.errors import UnknownObjectError
from gateway.journal.entry import HIGH_VOLUME_KINDS, Entry
from gateway.journal.journal import Journal

PAGE = 2_000
DIGEST = re.compile(r"^[0-9a-f]{64}\Z")
PRIVATE_KINDS = frozenset({"user"})
IN_SPAN_KINDS = frozenset({"clock"})
MARGIN_US = 3_600_000_000  # the readings around both edges, from which edge registers are interpolated


@dataclass(frozen=True, slots=True)
class Wish:
    """What the package shall be about: a half-open span (µs UTC), and points or devices; all when none is named."""

    from_us: int
    to_us: int
    points: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(slots=True)
class SettledWindow:
    """The rows of one channel and window at their newest revision, and the entries they stand in."""

    revision: int
    seqs: list[int]
    rows: list[list[Any]]


@dataclass(slots=True)
class Selection:
    """The entries, in order, and what they refer to."""

    devices: frozenset[str] | None  # None: all
    last_seq: int
    numbers: list[int] = field(default_factory=list)
    documents: dict[str, int] = field(default_factory=dict)
    settled: dict[tuple[str, str, int], "SettledWindow"] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)


def chosen_devices(journal: Journal, wish: Wish, last_seq: int) -> frozenset[str] | None:
    """Device ids of the named devices and of every device ever installed at the named points; None when none is named.

    Raises:
        UnknownObjectError: a named device or point is nowhere in the journal.
    """
    if not wish.points and not wish.devices:
        return None
    known_points, known_devices, found = set(), set(), set(wish.devices)
    for entry in _pages(journal, last_seq, frozenset({"installation", "point", "configuration"})):
        body = entry.body
        if entry.kind == "configuration":
            if entry.subject.split("/")[1] == "device":
                known_devices.add(entry.subject.split("/", 2)[2])
            continue
        if entry.kind == "point":
            known_points.add(entry.subject.split("/", 2)[2])
            continue
        document = body.get("object") or {}
        if document.get("point") in wish.points and document.get("device"):
            found.add(str(document["device"]))
    for point in wish.points:
        if point not in known_points:
            raise UnknownObjectError("the metering point '%(id)s' is not on record", id=point)
    for device in wish.devices:
        if device not in known_devices:
            raise UnknownObjectError("the device '%(id)s' is not on record", id=device)
    return frozenset(found)


def entries(journal: Journal, wish: Wish, selection: Selection) -> Iterator[Entry]:
    """The chosen entries in order; fills ``selection`` on the way. What settlement rows name comes along."""
    wanted: set[int] = set()
    for entry in _pages(journal, selection.last_seq, frozenset({"settlement"})):
        if _overlaps(entry, wish):
            wanted.update(_settled_rows(entry, wish, selection))
    for entry in _pages(journal, selection.last_seq, None):
        if entry.seq in wanted or _chosen(entry, wish, selection.devices):
            selection.numbers.append(entry.seq)
            selection.kinds[entry.kind] = selection.kinds.get(entry.kind, 0) + 1
            for digest in _documents(entry):
                selection.documents.setdefault(digest, entry.seq)
            yield entry


def _documents(entry: Entry) -> Iterator[str]:
    """The files an entry names by their hash: a ledger object's, the answer of a time stamp, an issued report's."""
    if entry.kind in HIGH_VOLUME_KINDS:
        return
    said = entry.body.get("object")
    named = [said.get("document"), said.get("file") if entry.kind == "document" else None] if type(said) is dict else []
    if entry.kind == "event":
        named.append(entry.body.get("document"))
    # an event's files are those of the archive
    for listed in () if entry.kind == "event" else (entry.body.get("files"), entry.body.get("documents")):
        named += [each.get("sha256") for each in listed if type(each) is dict] if type(listed) is list else []
    yield from (each for each in named if isinstance(each, str) and DIGEST.match(each))


def _pages(journal: Journal, last_seq: int, kinds: frozenset[str] | None) -> Iterator[Entry]:
    after = 0
    while page := journal.read(after, PAGE, kinds):
        for entry in page:
            if entry.seq > last_seq:
                return
            yield entry
        after = page[-1].seq


def _overlaps(entry: Entry, wish: Wish) -> bool:
    return bool(entry.body["from"] < wish.to_us and entry.body["to"] > wish.from_us)


def _settled_rows(entry: Entry, wish: Wish, selection: Selection) -> Iterator[int]:
    """Keep the newest row of every window and channel; yield the entries its edges rest on."""
    begin, end = entry.body["from"], entry.body["to"]
    if begin < wish.from_us or end > wish.to_us:
        return
    revision = entry.body["revision"]
    for row in entry.body["rows"]:
        if selection.devices is None or row[0] in selection.devices:
            known = selection.settled.get((row[0], row[1], begin))
            if known is not None and known.revision == revision:
                known.rows.append(row)
                known.seqs.append(entry.seq)
            elif known is None or known.revision < revision:
                selection.settled[row[0], row[1], begin] = SettledWindow(revision, [entry.seq], [row])
            yield from (seq for seq in row[11:15] if seq is not None)


def _chosen(entry: Entry, wish: Wish, devices: frozenset[str] | None) -> bool:
    kind = entry.kind
    if kind in PRIVATE_KINDS:
        return False
    if kind == "settlement":
        return _overlaps(entry, wish)
    begin, end = wish.from_us - MARGIN_US, wish.to_us + MARGIN_US
    if kind in IN_SPAN_KINDS:
        return begin <= entry.at_us < end
    if kind not in HIGH_VOLUME_KINDS:
        return kind != "configuration" or _of(entry, devices)
    body = entry.body
    if kind == "message":
        samples = body.get("samples") or []
        in_span = begin <= entry.at_us < end or any(begin <= sample["at"] < end for sample in samples)
        return in_span and (devices is None or any(sample["device"] in devices for sample in samples))
    last = body.get("to", body["slot"])
    return bool(body["slot"] < end and last >= begin) and _of(entry, devices)


def _of(entry: Entry, devices: frozenset[str] | None) -> bool:
    _, kind, identifier = entry.subject.split("/", 2)
    return devices is None or kind != "device" or identifier in devices
