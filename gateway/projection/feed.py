"""The journal as couriers read it: decoded rows and verdicts after a cursor, never ahead of the series store."""

from gateway.delivery.port import Layout, Portion, VerdictRow
from gateway.journal.entry import Entry
from gateway.journal.journal import Journal
from gateway.projection.channels import ChannelDirectory
from gateway.projection.conflicts import ACCEPTED
from gateway.projection.plans import Plans
from gateway.projection.rows import RowReader
from gateway.registry.writing import split_subject
from gateway.series.row import SeriesRow
from gateway.series.store import SeriesStore

KINDS = ("event", "message", "poll", "verdict")
_SEVERITY = {"info": 0, "warning": 1, "error": 2}


class JournalFeed:
    """Feed of gateway.delivery over a data folder; ``series`` may be open for reading only.

    A row that lost a conflict is left out: a sink keeps the last value it was given, the journal the first.
    """

    def __init__(self, journal: Journal, plans: Plans, series: SeriesStore, channels: ChannelDirectory) -> None:
        self._journal = journal
        self._reader = RowReader(journal, plans)
        self._series = series
        self._channels = channels
        self._newest: dict[tuple[str, str], int] = {}
        self._contested: set[tuple[str, str, int]] = set()

    async def read(self, after_seq: int, limit: int) -> Portion:
        """See Feed."""
        head, bound = self._journal.head(), self._series.applied_seq()
        if bound <= after_seq:
            return Portion(after_seq, head)
        self._contested = {(each.device, each.group, each.slot_us) for each in self._series.conflicts()}
        page = self._journal.read(after_seq, limit, KINDS)
        entries = [entry for entry in page if entry.seq <= bound]
        rows: list[SeriesRow] = []
        verdicts: list[VerdictRow] = []
        for entry in entries:
            if entry.kind == "verdict":
                verdicts.append(_verdict(entry))
            elif entry.kind == "event":
                rows += self._accepted(entry)
            else:
                rows += [row for row in self._reader.rows(entry) if self._is_kept(row)]
        whole = len(page) < limit or len(entries) < len(page)
        return Portion(bound if whole else entries[-1].seq, head, rows, verdicts)

    def layout(self, device: str, group: str, cfg_seq: int) -> Layout:
        """See Feed."""
        return self._channels.layout(device, group, cfg_seq)

    def _accepted(self, entry: Entry) -> list[SeriesRow]:
        """What stands now under the key of an accepted value: the sink has the first one."""
        if entry.body.get("action") != ACCEPTED:
            return []
        device, said = split_subject(entry.subject)[2], entry.body["object"]
        row = self._series.row(device, said["group"], said["slot"])
        return [] if row is None else [row]

    def _is_kept(self, row: SeriesRow) -> bool:
        """Whether the series holds this very row. Rows in order need no look, except the first since the start; where
        a key got two values one looks always, because the first row since the start may itself be late."""
        key = (row.device, row.group)
        newest = self._newest.get(key)
        contested = bool(self._contested) and (*key, row.slot_us) in self._contested
        if newest is not None and row.slot_us > newest and not contested:
            self._newest[key] = row.slot_us
            return True
        self._newest[key] = row.slot_us if newest is None else max(newest, row.slot_us)
        kept = self._series.row(row.device, row.group, row.slot_us)
        return kept is not None and kept.seq == row.seq and kept.values == row.values


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
