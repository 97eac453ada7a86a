"""The one ``apply(entries)``: journal entries into series, registry and settlement, live and when rebuilding.

Each store keeps the number of the newest entry it contains, so a crash between two commits is healed by reading the
entries again; a store skips what it has.
"""

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gateway.domain.errors import JournalError
from gateway.domain.quality import Status
from gateway.domain.reading import Outcome
from gateway.journal.entry import Entry
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.projection.conflicts import ACCEPTED
from gateway.projection.plans import MAX_CACHED, GroupReading, PlanCache, Plans, group_readings
from gateway.projection.rows import RowReader
from gateway.registry.writing import RegistryProjection, split_subject
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore
from gateway.settlement.entered import ENTERED_KINDS, ticket_of
from gateway.settlement.store import CounterGroup, SettlementProjection
from gateway.validation import judged_quality

BATCH_ENTRIES = 10_000
BATCH_BYTES = 2 * 1024 * 1024  # 2 500 polls of 40 values, or a few dozen configurations: parsed they are ten times that


class Projector:
    """Holds the three stores of a data folder open for writing. One per folder, under the lock ``project``."""

    def __init__(self, folder: DataFolder, journal: Journal, plans: Plans) -> None:
        self.folder = folder
        self._journal = journal
        self.series = SeriesStore(folder.series, organisation=folder.organisation)
        self.registry = RegistryProjection.open(folder.registry)
        self.settlement = SettlementProjection.open(folder.settlement, ZoneInfo(folder.time_zone))
        self._series_seq = self.series.applied_seq()
        self._registry_seq = self.registry.applied_seq()
        self._settlement_seq = self.settlement.applied_seq()
        self.horizon_us = self.registry.latest_at()
        self._groups: dict[tuple[int, str], GroupReading] = {}
        self._decoders = PlanCache(plans)
        self._rows: list[SeriesRow] = []
        self._reader = RowReader(journal, plans)
        self.conflicted = True
        """Whether the series may hold conflicts nobody has spoken of, since somebody last set this to False."""
        for configuration in self.registry.configurations(folder.organisation):
            for group in self._configured(configuration.seq, self._subject(configuration.id), configuration.body):
                self.settlement.configure(group.counters)

    def applied_seq(self) -> int:
        """The newest entry that is in every store."""
        return min(self._series_seq, self._registry_seq, self._settlement_seq)

    def catch_up(self, limit: int = BATCH_ENTRIES) -> int:
        """Apply up to ``limit`` entries that are not in every store yet; how many were read."""
        entries = self._journal.read(self.applied_seq(), limit, max_bytes=BATCH_BYTES)
        if entries:
            self.apply(entries)
        return len(entries)

    def apply(self, entries: Sequence[Entry]) -> None:
        """Apply entries in order, as one batch: durable in every store on return."""
        last = entries[-1].seq
        self.registry.begin()
        self.settlement.begin()
        try:
            for entry in entries:
                self.horizon_us = max(self.horizon_us, entry.at_us)
                self._apply(entry)
                entry.forget()
            self._write(max(last, self._series_seq))
            self._series_seq = max(last, self._series_seq)
            # before the registry: what an installation replaces is looked up there
            self.settlement.commit(max(last, self._settlement_seq))
            self._settlement_seq = max(last, self._settlement_seq)
            self.registry.note_latest(self.horizon_us)
            self.registry.commit(max(last, self._registry_seq))
            self._registry_seq = max(last, self._registry_seq)
        except BaseException:
            self.registry.roll_back()
            self.settlement.roll_back()
            raise

    def _write(self, applied_seq: int | None) -> None:
        rows, self._rows = self._rows, []
        if self.series.write(rows, applied_seq):
            self.conflicted = True

    def close(self) -> None:
        """Close every store; idempotent."""
        self.series.close()
        self.registry.close()
        self.settlement.close()

    # -- entries

    def _apply(self, entry: Entry) -> None:
        kind = entry.kind
        if kind == "poll":
            self._poll(entry)
        elif kind == "message":
            self._message(entry)
        elif kind == "miss":
            self._miss(entry)
        else:
            self._fact(entry)

    def _poll(self, entry: Entry) -> None:
        body, seq = entry.body, entry.seq
        group = self._group(body["cfg"], body["group"])
        raw = [None if each is None else a2b_base64(each) for each in body["raw"]]
        values, quality, _ = self._decoders.of(group).decode(raw)
        findings = body["findings"]
        if findings:
            quality = judged_quality(quality, findings, group.index)
        slot_us = body["slot"]
        self._reading(seq, group, (slot_us, slot_us, body["received"] or slot_us), values, quality)
        if seq > self._registry_seq:
            self.registry.apply_reading(
                seq, group.organisation, group.device, group.group, slot_us, body["outcome"], findings
            )
            if group.said:
                self._identity(seq, group, slot_us, values)

    def _reading(
        self,
        seq: int,
        group: GroupReading,
        times: tuple[int, int, int],
        values: tuple[int | str | None, ...],
        quality: tuple[int, ...],
    ) -> None:
        """``times``: slot, key in the series, observed; all µs UTC."""
        slot_us, key_us, observed_us = times
        numbers: tuple[Any, ...] = values
        if group.texts:
            numbers = tuple(None if place in group.texts else value for place, value in enumerate(values))
        if seq > self._series_seq:
            row = SeriesRow(group.device, group.group, key_us, observed_us, seq, group.cfg, numbers, quality)
            self._rows.append(row)
        if group.counters.channels and seq > self._settlement_seq:
            if any(quality):
                numbers = tuple(
                    None if word & 3 >= Status.BAD else value for value, word in zip(numbers, quality, strict=True)
                )
            self.settlement.observed(group.key, observed_us, slot_us, numbers)
        if group.ticket is not None and seq > self._settlement_seq:
            ticket = ticket_of(group.ticket, observed_us, values)
            if ticket is not None:
                self.settlement.entered.ticket(seq, group.organisation, f"device/{group.device}", ticket)

    def _message(self, entry: Entry) -> None:
        body, seq = entry.body, entry.seq
        for sample in body["samples"]:
            group = self._group(sample["cfg"], sample["group"])
            at_us, slot_us = sample["at"], sample["slot"]
            values, quality = tuple(sample["values"]), tuple(sample["quality"])
            self._reading(seq, group, (slot_us, at_us, at_us), values, quality)
            if seq > self._registry_seq:
                self._sample(seq, group, slot_us, sample["findings"])
                if group.said:
                    self._identity(seq, group, at_us, values)
        if body["findings"] and seq > self._registry_seq:
            organisation, _, endpoint = split_subject(entry.subject)
            self.registry.apply_findings(seq, organisation, endpoint, entry.at_us, body["findings"])

    def _sample(self, seq: int, group: GroupReading, slot_us: int, findings: Sequence[Any]) -> None:
        if slot_us > self.registry.newest_slot(group.organisation, group.device, group.group):
            # a slot of a pushed device is ok once, however many samples fall into it
            self.registry.apply_reading(
                seq, group.organisation, group.device, group.group, slot_us, Outcome.OK, findings
            )
        elif findings:
            self.registry.apply_findings(seq, group.organisation, group.device, slot_us, findings)

    def _identity(self, seq: int, group: GroupReading, at_us: int, values: Sequence[int | str | None]) -> None:
        said = {
            measurand: _exact(value, decimals)
            for position, measurand, decimals in group.said
            if (value := values[position]) is not None
        }
        if said:
            self.registry.apply_identity(seq, group.organisation, group.device, at_us, said)

    def _miss(self, entry: Entry) -> None:
        body, seq = entry.body, entry.seq
        organisation, _, device = split_subject(entry.subject)
        name, slot_us = body["group"], body["slot"]
        if seq > self._registry_seq:
            group = self._groups.get((body["cfg"], name)) or self._group(body["cfg"], name)
            self.registry.apply_miss(
                organisation, device, name, slot_us, body["outcome"], body.get("count", 1), identity=group.identity
            )
        if seq > self._settlement_seq:
            self.settlement.missed((organisation, device, name), body.get("to", slot_us))

    def _fact(self, entry: Entry) -> None:
        organisation, subject_type, id_ = split_subject(entry.subject)
        if entry.kind == "configuration" and subject_type == "device":
            for group in self._configured(entry.seq, entry.subject, entry.body):
                self.settlement.configure(group.counters)
        if entry.seq > self._settlement_seq:
            if entry.kind == "settlement":
                self.settlement.apply(entry.seq, organisation, entry.body)
            elif entry.kind == "installation":
                self._installed(organisation, id_, entry.body)
            elif entry.kind in ENTERED_KINDS:
                self.settlement.entered.apply(entry.seq, entry.kind, organisation, id_, entry.body)
        if entry.seq > self._registry_seq:
            # readings count for the running maximum entry by entry, so that it does not depend on where batches end
            self.registry.note_latest(self.horizon_us)
            self.registry.apply_fact(entry)
            if entry.kind == "event" and entry.body.get("action") == "identity.changed" and entry.body.get("raw"):
                self._identity_event(entry)
        if entry.kind == "event" and entry.body.get("action") == ACCEPTED:
            self._accepted(entry, organisation, id_)

    def _accepted(self, entry: Entry, organisation: str, device: str) -> None:
        """A refused value takes the place of the first one; what was settled around it is settled again."""
        said = entry.body["object"]
        group, slot_us = said["group"], said["slot"]
        row = self._reader.row(said["entry"], device, group, slot_us)
        if row is None:
            return  # somebody else's entry: it brings no such reading
        if entry.seq > self._series_seq:
            self._write(None)
            self.series.accept([row])
        if entry.seq > self._settlement_seq:
            first = self._reader.row(entry.body["old"], device, group, slot_us) or row
            observed = (first.observed_us, row.observed_us)
            self.settlement.mark((organisation, device, group), min(observed), max(observed))

    def _identity_event(self, entry: Entry) -> None:
        """An identity read outside the schedule."""
        body = entry.body
        group = self._group(body["cfg"], body["group"])
        raw = [None if each is None else a2b_base64(each) for each in body["raw"]]
        values, _, _ = self._decoders.of(group).decode(raw)
        self._identity(entry.seq, group, body["received"] or entry.at_us, values)

    def _installed(self, organisation: str, id_: str, body: Mapping[str, Any]) -> None:
        """An installation, new or recorded otherwise: what was settled in its time is settled again."""
        former = self.registry.object(organisation, "installation", id_)
        if former is not None and former.object.get("device"):
            self.settlement.mark_device(organisation, str(former.object["device"]), former.from_us, former.to_us)
        if body["object"].get("device"):
            self.settlement.mark_device(organisation, str(body["object"]["device"]), body["from"], body["to"])

    # -- plans

    def counters(self, cfg: int, group: str) -> CounterGroup | None:
        """The counters of a group under a configuration entry; None when that entry has no such group."""
        try:
            return self._group(cfg, group).counters
        except JournalError:
            return None

    def measured_since_us(self) -> int:
        """When measuring began: birth of the folder, or the first counter reading where that is earlier."""
        starts = [heard.first_us for heard in self.settlement.heard.values() if heard.first_us]
        return min([self.folder.born_us, *starts])

    def is_primary(self, device: str, channel: str) -> bool:
        """Whether a device's channel is multiplied by its transformer ratio in the meter already."""
        return self.settlement.is_primary(self.folder.organisation, device, channel)

    def _subject(self, device: str) -> str:
        return f"{self.folder.organisation}/device/{device}"

    def _configured(self, seq: int, subject: str, body: Mapping[str, Any]) -> list[GroupReading]:
        if len(self._groups) > MAX_CACHED:
            self._groups.clear()
        found = group_readings(seq, subject, body)
        for name, group in found.items():
            self._groups[seq, name] = group
        return list(found.values())

    def _group(self, cfg: int, name: str) -> GroupReading:
        group = self._groups.get((cfg, name))
        if group is None:
            entry = self._journal.entry(cfg)
            if entry.kind == "configuration":
                self._configured(cfg, entry.subject, entry.body)
            group = self._groups.get((cfg, name))
        if group is None:
            raise JournalError("entry %(seq)s configures no group '%(group)s'", seq=str(cfg), group=name)
        return group


def _exact(value: int | str, decimals: int) -> str:
    """Text as it is, a scaled integer as plain decimal text without trailing zeros."""
    if isinstance(value, str) or decimals == 0:
        return str(value)
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(decimals + 1, "0")
    fraction = digits[-decimals:].rstrip("0")
    return f"{sign}{digits[:-decimals]}{'.' + fraction if fraction else ''}"
