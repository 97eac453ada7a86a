"""The series rows an entry brings: polls decoded again by their plan, samples as they stand."""

from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.journal.entry import Entry
from gateway.journal.journal import Journal
from gateway.projection.plans import MAX_CACHED, GroupReading, PlanCache, Plans, group_readings
from gateway.series.row import SeriesRow
from gateway.validation import judged_quality


class RowReader:
    """Reads entries of one journal; remembers the configurations it has seen."""

    def __init__(self, journal: Journal, plans: Plans) -> None:
        self._journal = journal
        self._groups: dict[tuple[int, str], GroupReading] = {}
        self._decoders = PlanCache(plans)

    def rows(self, entry: Entry) -> Iterator[SeriesRow]:
        """The rows of a poll or message entry, in its order."""
        body = entry.body
        if entry.kind == "poll":
            group = self._group(body["cfg"], body["group"])
            raw = [None if each is None else a2b_base64(each) for each in body["raw"]]
            values, quality, _ = self._decoders.of(group).decode(raw)
            if body["findings"]:
                quality = judged_quality(quality, body["findings"], group.index)
            slot_us = body["slot"]
            yield _row(entry.seq, group, (slot_us, body["received"] or slot_us), values, quality)
            return
        for sample in body["samples"]:
            group = self._group(sample["cfg"], sample["group"])
            yield _row(entry.seq, group, (sample["at"], sample["at"]), sample["values"], tuple(sample["quality"]))

    def row(self, seq: int, device: str, group: str, slot_us: int) -> SeriesRow | None:
        """The last row of an entry under one key of the series; None when it brings none."""
        entry = self._journal.entry(seq)
        if entry.kind not in {"poll", "message"}:
            return None
        found = [row for row in self.rows(entry) if (row.device, row.group, row.slot_us) == (device, group, slot_us)]
        return found[-1] if found else None

    def _group(self, cfg: int, name: str) -> GroupReading:
        group = self._groups.get((cfg, name))
        if group is None:
            if len(self._groups) > MAX_CACHED:
                self._groups.clear()
            entry = self._journal.entry(cfg)
            for each, reading in group_readings(cfg, entry.subject, entry.body).items():
                self._groups[cfg, each] = reading
            group = self._groups[cfg, name]
        return group


def _row(
    seq: int, group: GroupReading, times: tuple[int, int], values: Sequence[Any], quality: tuple[int, ...]
) -> SeriesRow:
    numbers = tuple(values)
    if group.texts:
        numbers = tuple(None if place in group.texts else value for place, value in enumerate(numbers))
    return SeriesRow(group.device, group.group, *times, seq, group.cfg, numbers, quality)
