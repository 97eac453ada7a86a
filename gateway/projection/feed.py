"""The journal as couriers read it: decoded rows and verdicts after a cursor, never ahead of the series store."""

from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.delivery.port import Layout, Portion, VerdictRow
from gateway.journal.entry import Entry
from gateway.journal.journal import Journal
from gateway.ports import ReadPlan
from gateway.projection.channels import ChannelDirectory
from gateway.projection.plans import MAX_CACHED, GroupReading, Plans, group_readings
from gateway.registry.writing import split_subject
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore
from gateway.validation import judged_quality

KINDS = ("message", "poll", "verdict")
_SEVERITY = {"info": 0, "warning": 1, "error": 2}


class JournalFeed:
    """Feed of gateway.delivery over a data folder; ``series`` may be open for reading only.

    A row that lost a conflict is left out: a sink keeps the last value it was given, the journal the first.
    """

    def __init__(self, journal: Journal, plans: Plans, series: SeriesStore, channels: ChannelDirectory) -> None:
        self._journal = journal
        self._plans = plans
        self._series = series
        self._channels = channels
        self._groups: dict[tuple[int, str], GroupReading] = {}
        self._decoders: dict[tuple[int, str], ReadPlan] = {}
        self._newest: dict[tuple[str, str], int] = {}

    async def read(self, after_seq: int, limit: int) -> Portion:
        """See Feed."""
        head, bound = self._journal.head(), self._series.applied_seq()
        if bound <= after_seq:
            return Portion(after_seq, head)
        page = self._journal.read(after_seq, limit, KINDS)
        entries = [entry for entry in page if entry.seq <= bound]
        rows: list[SeriesRow] = []
        verdicts: list[VerdictRow] = []
        for entry in entries:
            if entry.kind == "verdict":
                verdicts.append(_verdict(entry))
            else:
                rows += [row for row in self._rows(entry) if self._is_kept(row)]
        whole = len(page) < limit or len(entries) < len(page)
        return Portion(bound if whole else entries[-1].seq, head, rows, verdicts)

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        """See Feed."""
        return self._channels.layout(device, group, cfg_seq)

    def _rows(self, entry: Entry) -> Iterator[SeriesRow]:
        body = entry.body
        if entry.kind == "poll":
            group = self._group(body["cfg"], body["group"])
            raw = [None if each is None else a2b_base64(each) for each in body["raw"]]
            values, quality, _ = self._decoder(group).decode(raw)
            if body["findings"]:
                quality = judged_quality(quality, body["findings"], group.index)
            slot_us = body["slot"]
            yield _row(entry.seq, group, (slot_us, body["received"] or slot_us), values, quality)
            return
        for sample in body["samples"]:
            group = self._group(sample["cfg"], sample["group"])
            yield _row(entry.seq, group, (sample["at"], sample["at"]), sample["values"], tuple(sample["quality"]))

    def _is_kept(self, row: SeriesRow) -> bool:
        """Whether the series holds this very row. Rows in order need no look, except the first since the start."""
        key = (row.device, row.group)
        newest = self._newest.get(key)
        if newest is not None and row.slot_us > newest:
            self._newest[key] = row.slot_us
            return True
        self._newest[key] = row.slot_us if newest is None else newest
        kept = self._series.row(row.device, row.group, row.slot_us)
        return kept is not None and kept.seq == row.seq and kept.values == row.values

    def _group(self, cfg: int, name: str) -> GroupReading:
        group = self._groups.get((cfg, name))
        if group is None:
            if len(self._groups) > MAX_CACHED:
                self._groups.clear()
                self._decoders.clear()
            entry = self._journal.entry(cfg)
            for each, reading in group_readings(cfg, entry.subject, entry.body).items():
                self._groups[cfg, each] = reading
            group = self._groups[cfg, name]
        return group

    def _decoder(self, group: GroupReading) -> ReadPlan:
        key = (group.cfg, group.group)
        decoder = self._decoders.get(key)
        if decoder is None:
            assert group.plan_document is not None, "a polled group has its plan in the journal"
            decoder = self._decoders[key] = self._plans(group.protocol, group.plan_document)
        return decoder


def _row(
    seq: int, group: GroupReading, times: tuple[int, int], values: Sequence[Any], quality: tuple[int, ...]
) -> SeriesRow:
    numbers = tuple(values)
    if group.texts:
        numbers = tuple(None if place in group.texts else value for place, value in enumerate(numbers))
    return SeriesRow(group.device, group.group, *times, seq, group.cfg, numbers, quality)


def _verdict(entry: Entry) -> VerdictRow:
    body = entry.body
    about = body["about"]
    opened = body["state"] == "open"
    at_us = body["from"] if opened or body.get("to") is None else body["to"]
    subject_device = split_subject(entry.subject)[2] if split_subject(entry.subject)[1] == "device" else ""
    return VerdictRow(
        device=about.get("device") or subject_device,
        point=about.get("point") or "",
        rule=body["rule"],
        state=int(opened),
        severity=_SEVERITY[body["severity"]],
        at_us=at_us,
        seq=entry.seq,
    )
