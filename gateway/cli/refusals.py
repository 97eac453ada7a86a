"""What a person reads when a command is refused, in the language asked for: wrong usage, and files that cannot be used.

Click says in English what is wrong with a command line and has no language of its own to be chosen. Its sentences are
found again by their form and said in Chinese; one that is not known stays as it is.
"""

import errno
import re
import sqlite3
from functools import cache

import click

from gateway.domain.errors import DataFolderError, DiskFullError, MeterproofError
from gateway.i18n import text

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_KIND = "(?:File|Directory|Path)"
_FORMS = {
    r"Missing option (?P<name>.+?)\.(?P<rest>.*)": "Missing option %(name)s.%(rest)s",
    r"Missing argument (?P<name>.+?)\.(?P<rest>.*)": "Missing argument %(name)s.%(rest)s",
    r"\s+Choose from:(?P<choices>.+)": " Choose from:%(choices)s",
    r"No such option (?P<name>'.+?')\.(?P<rest>.*)": "No such option %(name)s.%(rest)s",
    r"No such command (?P<name>'.+?')\.(?P<rest>.*)": "No such command %(name)s.%(rest)s",
    r"\s+(?:Did you mean|\(Did you mean one of:|\(Possible options:) (?P<names>.+?)\??\)?": " Did you mean %(names)s?",
    r"Invalid value for (?P<name>.+?): (?P<rest>.+)": "Invalid value for %(name)s: %(rest)s",
    r"Invalid value: (?P<rest>.+)": "Invalid value: %(rest)s",
    r"Missing command\.": "Missing command.",
    r"Option (?P<name>'.+?') requires an argument\.": "Option %(name)s requires an argument.",
    r"Option (?P<name>'.+?') does not take a value\.": "Option %(name)s does not take a value.",
    r"Got unexpected extra arguments? \((?P<given>.+)\)": "Got unexpected extra argument (%(given)s)",
    r"(?P<value>.+) is not one of (?P<choices>.+)\.": "%(value)s is not one of %(choices)s.",
    r"(?P<value>.+) is not in the range (?P<range>.+)\.": "%(value)s is not in the range %(range)s.",
    r"(?P<value>.+) is not (?P<choices>'.+')\.": "%(value)s is not %(choices)s.",
    r"(?P<value>.+) is not a valid (?:integer|float)(?: range)?\.": "%(value)s is not a number.",
    r"(?P<value>.+) does not match the formats? (?P<form>.+)\.": "%(value)s does not match the format %(form)s.",
    rf"{_KIND} (?P<path>.+) does not exist\.": "%(path)s does not exist.",
    rf"{_KIND} (?P<path>.+) is a file\.": "%(path)s is a file.",
    rf"{_KIND} (?P<path>.+) is a directory\.": "%(path)s is a folder.",
    rf"{_KIND} (?P<path>.+) is not (?:readable|writable)\.": "%(path)s cannot be read or written by this user.",
}


def show_usage_error(error: click.ClickException, language: str) -> None:
    """Write what is wrong with the command line to standard error."""
    if language == "en":
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(text(language, "Usage: %(usage)s", usage=context.get_usage().removeprefix("Usage: ")), err=True)
        help_line = "'%(command)s --help' says what it takes."
        click.echo(text(language, help_line, command=context.command_path) + "\n", err=True)
    click.echo(text(language, "Error: %(reason)s", reason=said(error.format_message(), language)), err=True)


def said(sentence: str, language: str) -> str:
    """One of click's sentences in the language; unchanged where its form is not known."""
    for form, message in _forms():
        if found := form.fullmatch(sentence):
            facts = found.groupdict()
            if "rest" in facts:
                facts["rest"] = said(facts["rest"], language)
            return text(language, message, **facts)
    return sentence


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(form, re.DOTALL), message) for form, message in _FORMS.items())


def refused_by_database(error: sqlite3.Error) -> MeterproofError:
    """A database's refusal that no room has put into words: why, and what to do where its disk is full."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError("no room left on the disk: make room and try again")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DataFolderError("a file of the data folder stayed locked by another program; try again later")
    return DataFolderError("a file of the data folder cannot be read or written: %(reason)s", reason=str(error))


def refused_by_system(error: OSError) -> MeterproofError:
    """An operating system's refusal as an error of ours: where, why, and what to do where the disk is full."""
    where, why = str(error.filename or ""), error.strerror or str(error) or type(error).__name__
    if error.errno in FULL:
        if where:
            return DiskFullError("no room left for %(path)s: make room and try again", path=where)
        return DiskFullError("no room left on the disk: make room and try again")
    if not where:
        return DataFolderError("the operating system refuses: %(reason)s", reason=why)
    return DataFolderError("%(path)s cannot be used: %(reason)s", path=where, reason=why)
