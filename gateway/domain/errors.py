"""Errors an operator can mend. Each says what happened, where, and what to do; field trouble is never an error here.

MeterproofError
├── ConfigurationError     a file is wrong; carries every problem found
├── DataFolderError        not ours, not writable, wrong birth
│   ├── DiskFullError      collection stops loudly, nothing is dropped
│   └── OutdatedProjectionError   built by another version; the journal builds it again
├── JournalError           the journal refuses (size, order, damage)
└── UnknownObjectError     a point, device or instrument that does not exist
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a block of a file, as the driver that owns the block sees it.

    ``message`` is an English text with ``%(name)s`` placeholders filled from ``facts`` (see gateway.i18n); ``path`` are
    the keys and indexes from the block's top to the wrong spot, so that ``check`` can print file, line and column.
    """

    message: str
    facts: dict[str, str] = field(default_factory=dict)
    path: tuple[str | int, ...] = ()


class MeterproofError(Exception):
    """Base of all errors meant for the operator: a text id and its placeholders, translated where shown."""

    exit_code = 1

    def __init__(self, message: str, **facts: str) -> None:
        super().__init__(message, facts)
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message % self.facts if self.facts else self.message


class ConfigurationError(MeterproofError):
    """One or more files are wrong; nothing was started. ``lines`` are the finished sentences, one a problem."""

    exit_code = 2

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("%(count)s problem(s); nothing was started or written", count=str(len(lines)))
        self.lines = tuple(lines)


class DataFolderError(MeterproofError):
    """The data folder cannot be used."""

    exit_code = 3


class DiskFullError(DataFolderError):
    """No room left: collection stops loudly, nothing already acknowledged is lost."""

    exit_code = 4


class OutdatedProjectionError(DataFolderError):
    """A projection was written by another version of the program; it can be built again from the journal."""


class JournalError(MeterproofError):
    """The journal refuses an entry or finds itself damaged."""

    exit_code = 5


class UnknownObjectError(MeterproofError):
    """A named point, device or instrument does not exist."""

    exit_code = 6
