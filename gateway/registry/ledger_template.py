"""Empty ledger files with their headers, to be filled in a spreadsheet program."""

from pathlib import Path

from gateway.registry.columns import LEDGER_FILES, TITLES, Cell, Column
from gateway.registry.sheets import csv_of, workbook_of


def template_paths(target: Path) -> list[Path]:
    """Where the files of a ledger stand in a folder; a workbook is one file."""
    if target.suffix.lower() == ".xlsx":
        return [target]
    return [target / file.name for file in LEDGER_FILES]


def write_templates(target: Path, language: str) -> list[Path]:
    """One empty file a kind in a folder, or one sheet a kind in a ``.xlsx``; headers in the language; the paths.

    OSError when it cannot.
    """
    paths = template_paths(target)
    if target.suffix.lower() == ".xlsx":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(template_workbook(language))
        return paths
    target.mkdir(parents=True, exist_ok=True)
    for file, path in zip(LEDGER_FILES, paths, strict=True):
        path.write_bytes(csv_of([_header(file.columns, language)]))
    return paths


def template_workbook(language: str) -> bytes:
    """The workbook: a sheet a kind, drop-down lists where a cell is a choice; ``*`` marks what must be filled."""
    sheets = [
        (
            TITLES[file.kind] if language == "zh" else file.name.removesuffix(".csv"),
            [
                [
                    f"{name}*" if column.required else name
                    for name, column in zip(_header(file.columns, language), file.columns, strict=True)
                ]
            ],
        )
        for file in LEDGER_FILES
    ]
    return workbook_of(sheets, [[_words(column, language) for column in file.columns] for file in LEDGER_FILES])


def _header(columns: tuple[Column, ...], language: str) -> list[str]:
    return [column.zh if language == "zh" else column.field for column in columns]


def _words(column: Column, language: str) -> list[str]:
    """The choices of a column in the language; the first word of each."""
    if column.cell is Cell.FLAG:
        return ["是", "否"] if language == "zh" else ["1", "0"]
    words: dict[str, str] = {}
    for word, value in column.choices.items():
        if word.isascii() != (language == "zh"):
            words.setdefault(value, word)
    return list(words.values())
