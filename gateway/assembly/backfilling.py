"""Puts a back-fill together: the parts of a collector without actors, on a virtual clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.acquisition.history import History, PendingEntries, RecordLine, VirtualClock
from gateway.acquisition.keeping import Keeper
from gateway.acquisition.pushed import PushedSlots
from gateway.assembly.collecting import Collection, make_keeper, open_collection
from gateway.assembly.site_loading import AssembledSite
from gateway.domain.errors import DataFolderError
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.registry.recording import object_draft
from gateway.sealing.sealer import Sealer

SOURCE = "history"
Projecting = Callable[[DataFolder], Callable[[], object]]


class BackFill:
    """An open folder that takes the stream."""

    def __init__(self, collection: Collection, clock: VirtualClock, project: Callable[[], object]) -> None:
        self.collection = collection
        self.clock = clock
        self.pending = PendingEntries(collection.journal.append_encoded)
        self._project = project
        slots = {
            name: PushedSlots(
                list(intake.lines.values()),
                recorder=collection.recorder,
                outbox=self.pending,
                clock=clock,
                connected=lambda: True,
            )
            for name, intake in collection.intakes.items()
        }
        self._keeper: Keeper = make_keeper(collection, slots)
        self._keeper.restore(collection.journal)
        self._sealer = Sealer(collection.folder, clock)
        self.history = History(
            collection.all_lines(),
            collection.intakes,
            slots,
            recorder=collection.recorder,
            pending=self.pending,
            clock=clock,
            learn=self._learn,
            make_record=self._record,
            on_commit=self._committed,
        )

    def finish(self) -> None:
        """Commit the rest, leave the state for live collection, seal."""
        self.history.finish()
        journal = self.collection.journal
        self._sealer.seal(journal)
        self._keeper.save(self._keeper.snapshot(), journal.head())

    def _record(self, line: RecordLine) -> Draft:
        return object_draft(
            line.kind,
            self.collection.folder.organisation,
            line.id,
            line.object,
            at_us=line.at,
            from_us=line.from_us,
            to_us=line.to_us,
            actor="system",
            reason="",
            source=SOURCE,
        )

    def _learn(self, line: RecordLine, seq: int) -> None:
        self.collection.ledger.learn(line.kind, line.id, line.object, (line.from_us, line.to_us), seq)

    def _committed(self, at_us: int) -> None:
        del at_us
        self._project()
        self.collection.ledger.refresh()


@contextmanager
def open_back_fill(site: AssembledSite, data: Path, start_us: int, project: Projecting) -> Iterator[BackFill]:
    """The folder, simulated or refused, with its virtual clock at ``start_us``.

    ``project`` makes, for the folder, what brings its projections up to date after a commit.
    """
    if not site.file.simulated:
        raise DataFolderError(
            "back-fill enters simulated readings only; %(file)s does not say 'simulated: true'", file=str(site.path)
        )
    clock = VirtualClock(start_us)
    with open_collection(site, data, clock) as collection:
        collection.folder.require(simulated=True)
        yield BackFill(collection, clock, project(collection.folder))
