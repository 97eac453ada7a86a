"""A large ledger put on record as long work: read and compared, written in one commit, then waited for until shown."""

from collections.abc import Sequence

from anyio import from_thread

from api.job import Job
from api.reading import Readers
from api.writing import MAX_DRAFTS, Writing, with_query
from gateway.assembly.ledger_desk import look_at_ledger, reader_of
from gateway.domain.errors import ConfigurationError, MeterproofError
from gateway.i18n import text
from gateway.ports import Clock

MAX_LINES = 200
"""Problems that are listed."""
SHOWN_WITHIN_S = 900.0
_LOOK_EVERY_S = 0.25
_STEPS = ("Reading the files and comparing them with the ledger", "Writing the entries", "Until every page shows it")


class LedgerImport:
    """The work itself. It holds nothing of the request that began it but who asked, and in which language."""

    def __init__(
        self,
        writing: Writing,
        contents: Sequence[tuple[str, bytes]],
        reason: str,
        said: Sequence[tuple[str, str]],
        *,
        then: str,
    ) -> None:
        self._folder, self._journal = writing.folder, writing.journal
        self._readers: Readers = writing.request.app.state.readers
        self._clock: Clock = writing.request.app.state.clock
        self._actor, self._at_us, self._language = writing.actor, writing.at_us, writing.asked.view.language
        self._contents, self._reason, self._said, self._then = contents, reason, said, then

    def __call__(self, job: Job) -> None:
        """All of it, or nothing while a problem stands."""
        job.progress(0, None, _STEPS[0])
        handed = look_at_ledger(
            self._folder,
            self._journal,
            reader_of(self._folder, self._contents),
            said=self._said,
            at_us=self._at_us,
            actor=self._actor,
            reason=self._reason,
        )
        if handed.seen.problems:
            lines = [
                f"{':'.join(str(part) for part in (each.file, each.row, each.column) if part)}: "
                f"{text(self._language, each.message, **each.facts)}"
                for each in handed.seen.problems[:MAX_LINES]
            ]
            raise ConfigurationError(lines)
        drafts = handed.drafts
        if len(drafts) > MAX_DRAFTS:
            message = "these are %(count)s entries, more than one form writes; use 'meterproof ledger import'"
            raise MeterproofError(message, count=str(len(drafts)))
        job.progress(0, len(drafts), _STEPS[1])
        if not drafts:
            job.finish_with(address=with_query(self._then, recorded=0))
            return
        seqs = self._journal.append(drafts)
        job.finish_with(address=with_query(self._then, recorded=seqs[-1]))
        self._wait_until_shown(job, seqs[0], seqs[-1])

    def _wait_until_shown(self, job: Job, first: int, last: int) -> None:
        """On record it is already: who waits sees how far the pages are, and a stopped projection ends the waiting."""
        for _ in range(round(SHOWN_WITHIN_S / _LOOK_EVERY_S)):
            with self._readers.borrowed() as reader:
                shown = min(reader.sources.registry.applied_seq(), last)
            job.progress(max(shown - first + 1, 0), last - first + 1, _STEPS[2])
            if shown >= last:
                return
            from_thread.run(self._clock.sleep, _LOOK_EVERY_S)
        job.said.append(("It is on record; the pages do not show it yet, because the projection is behind.", {}))
