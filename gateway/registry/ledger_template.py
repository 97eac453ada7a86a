"""Empty ledger files with their headers, to be filled in a spreadsheet program."""

import csv
import io
from pathlib import Path

from gateway.registry.columns import LEDGER_FILES


def template_paths(folder: Path) -> list[Path]:
    """Where the files of a ledger stand in a folder."""
    return [folder / file.name for file in LEDGER_FILES]


def write_templates(folder: Path, language: str) -> list[Path]:
    """Write one empty file a kind into the folder, headers in the language; the paths. OSError when it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, path in zip(LEDGER_FILES, template_paths(folder), strict=True):
        header = io.StringIO()
        csv.writer(header).writerow([column.zh if language == "zh" else column.field for column in file.columns])
        # the byte-order mark lets spreadsheet programs see that it is UTF-8
        path.write_bytes(header.getvalue().encode("utf-8-sig"))
    return template_paths(folder)
