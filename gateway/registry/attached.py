"""Files that ledger rows name by their hash: each must be in the data folder before an entry names it."""

import re
from collections.abc import Callable, Iterable

from gateway.registry.reading_files import LedgerProblem, LedgerRow

FILE_FIELDS = (("certificate", "document"), ("document", "file"), ("invoice", "document"))
_DIGEST = re.compile(r"^[0-9a-f]{64}\Z")


def check_files(rows: Iterable[LedgerRow], is_kept: Callable[[str], bool]) -> list[LedgerProblem]:
    """A problem for each cell that is no SHA-256 (64 digits, lower case), or names a file that is not kept.

    An entry cannot be taken back: one that named a missing file would let no verification pass again.
    """
    problems = []
    for row in rows:
        for kind, field in FILE_FIELDS:
            digest = str(row.object.get(field) or "") if row.kind == kind else ""
            if digest and not (_DIGEST.match(digest) and is_kept(digest)):
                message = (
                    "'%(column)s' names the file '%(digest)s', which is not in the folder blobs; add the file first"
                )
                facts = {"column": field, "digest": digest[:80]}
                problems.append(LedgerProblem(row.file, row.row, 0, message, facts))
    return problems
