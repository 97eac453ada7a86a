"""The projection process: catch up with the journal, settle what is due, judge, and do it again.

Everything derived here (settlement, verdicts) goes through the journal first and comes back by the same ``apply`` as
all else. Nothing is derived while an entry derived earlier is still unread, so a restart never says a thing twice.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.assembly.plugins import drivers, is_polling
from gateway.assembly.witnessing import ProjectedWitness
from gateway.domain.errors import JournalError
from gateway.domain.ledger import InstallationRole
from gateway.domain.time import US_PER_MINUTE
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.metrology.judge import Judge
from gateway.ports import Clock, Document, ReadPlan
from gateway.projection.conflicts import CONFLICT, opening_drafts
from gateway.projection.projector import BATCH_ENTRIES, Projector
from gateway.registry.record import Record
from gateway.settlement.settler import Settler

DRAFTS_PER_COMMIT = 500
MAX_ROUNDS = 10_000
"""Rounds of settling and judging after one batch; each settles up to two weeks a group, so this is never reached."""


@dataclass(slots=True)
class Progress:
    """What one step did."""

    applied: int = 0
    settled: int = 0
    verdicts: int = 0


def load_plan(protocol: str, document: Document) -> ReadPlan:
    """The decode plan of a configuration entry, by the driver of its protocol."""
    driver = drivers().get(protocol)
    if driver is None or not is_polling(driver):
        raise JournalError("no driver for the protocol '%(protocol)s' is installed", protocol=protocol)
    return driver.load_plan(document)


class Projection:
    """A data folder's projections, kept up to date. Hold the lock ``project`` around it."""

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._journal = Journal.open(folder)
        self.projector = Projector(folder, self._journal, load_plan)
        self._derived_seq = self._journal.head()
        registry = self.projector.registry
        self._settler = Settler(
            self.projector.settlement,
            self.projector.series,
            self._installations,
            self.projector.counters,
            registry.id_of,
        )
        self._judge = Judge(
            registry,
            folder.organisation,
            ZoneInfo(folder.time_zone),
            folder.born_us,
            is_primary=self.projector.is_primary,
            measured_since_us=self.projector.measured_since_us,
            witness=ProjectedWitness(self.projector, folder, self._journal),
        )
        self._looked_at = -1
        self._ledger_seq = -1
        self._installed: dict[str, list[Record]] = {}

    def step(self, limit: int = BATCH_ENTRIES) -> Progress:
        """Apply a batch, then settle and judge until nothing more is due."""
        progress = Progress(applied=self.projector.catch_up(limit))
        if self.projector.applied_seq() < self._derived_seq:
            return progress
        for _round in range(MAX_ROUNDS):
            settled, verdicts = self._settle(), self._judged() + self._conflicts()
            progress.settled += settled
            progress.verdicts += verdicts
            if not settled and not verdicts:
                break
            while self.projector.applied_seq() < self._derived_seq:
                progress.applied += self.projector.catch_up(limit)
        return progress

    def head_seq(self) -> int:
        """The newest entry of the journal."""
        return self._journal.head()

    def close(self) -> None:
        """Close everything; idempotent."""
        self.projector.close()
        self._journal.close()

    def _settle(self) -> int:
        settlement, organisation = self.projector.settlement, self.folder.organisation
        horizon_us = self.projector.horizon_us
        minute = horizon_us // US_PER_MINUTE
        if not settlement.moved and minute == self._looked_at:
            return 0  # no window can have fallen due
        self._looked_at = minute
        settlement.moved = False
        found = self._settler.round(
            horizon_us,
            at_us=self._recording_us(),
            registry_seq=self.projector.registry.ledger_seq(),
            organisation=organisation,
        )
        self._append(found.drafts)
        if found.had_dirty:
            settlement.clean(found.left)
        if found.drafts or found.left:
            settlement.moved = True
        return len(found.drafts)

    def _judged(self) -> int:
        drafts = self._judge.round(self.projector.horizon_us, self._recording_us())
        self._append(drafts)
        return len(drafts)

    def _conflicts(self) -> int:
        """Say of every key of the series that got a second, differing value; never twice, so never in a rebuild."""
        if not self.projector.conflicted:
            return 0
        registry, organisation = self.projector.registry, self.folder.organisation
        found = self.projector.series.conflicts()
        drafts = (
            opening_drafts(
                found,
                registry.verdicts(organisation, rule=CONFLICT),
                organisation,
                at_us=self._recording_us(),
                registry_seq=registry.ledger_seq(),
            )
            if found
            else []
        )
        self._append(drafts)
        self.projector.conflicted = False
        return len(drafts)

    def _append(self, drafts: list[Draft]) -> None:
        for start in range(0, len(drafts), DRAFTS_PER_COMMIT):
            self._derived_seq = self._journal.append(drafts[start : start + DRAFTS_PER_COMMIT])[-1]

    def _recording_us(self) -> int:
        """When derived entries are recorded: now; in a simulated folder, whose clock is virtual, at the horizon."""
        return self.projector.horizon_us if self.folder.simulated else self._clock.utc_us()

    def _installations(self, organisation: str, device: str) -> list[Record]:
        registry = self.projector.registry
        if registry.ledger_seq() != self._ledger_seq:
            self._ledger_seq = registry.ledger_seq()
            self._installed.clear()
        found = self._installed.get(device)
        if found is None:
            records = registry.installations_of_device(organisation, device)
            meters = [each for each in records if each.object.get("role", "meter") == InstallationRole.METER]
            found = self._installed[device] = meters
        return found


def drop_projections(folder: DataFolder) -> None:
    """Remove every projection file of a folder; the journal, the seal and ``state/`` stay."""
    for path in (folder.registry, folder.settlement):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    for path in sorted(folder.series.glob("*.sqlite*")):
        path.unlink(missing_ok=True)
