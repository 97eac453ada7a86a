"""``meterproof``: runs one of its commands and turns operator errors into sentences and exit codes.

Exit codes: 0 done; 1 the command says what failed; 2 wrong usage or configuration; 3 the data folder cannot be used;
4 disk full; 5 the journal refuses; 6 a named object does not exist; 130 interrupted.
"""

import os
import sqlite3
import sys
from collections.abc import Iterator
from importlib.metadata import distribution, version
from importlib.util import find_spec
from json import loads
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import click

from gateway.cli.commands import Commands
from gateway.cli.refusals import refused_by_database, refused_by_system, show_usage_error
from gateway.domain.errors import ConfigurationError, DataFolderError, MeterproofError
from gateway.i18n import LANGUAGES, language_from, text

EXIT_INTERRUPTED = 130
EXIT_UNREAD = 1
DISTRIBUTION = "meterproof"
PACKAGES = ("gateway", "api", "drivers", "config", "simulators")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(DISTRIBUTION), prog_name="meterproof")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), help="zh or en; default from LC_ALL, LC_MESSAGES or LANG, else zh."
)
@click.pass_context
def root(context: click.Context, lang: str | None) -> None:
    """Meterproof: energy and carbon metering gateway. 能源与碳计量网关。"""
    context.obj = language_from(lang, *_languages_set())


def main() -> None:
    """Run the command line; the only place where exceptions become exit codes."""
    language = language_from(_language_option(sys.argv), *_languages_set())
    try:
        assert_one_distribution()
        code = root.main(standalone_mode=False)
        sys.stdout.flush()  # a full disk behind a redirection is told here, not while the interpreter ends
        sys.exit(code)
    except click.ClickException as error:
        show_usage_error(error, language)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # whoever reads what we write has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_UNREAD)
    except MeterproofError as error:
        _show(error, language)
    except OSError as error:
        _show(refused_by_system(error), language)
    except sqlite3.Error as error:
        _show(refused_by_database(error), language)


def _show(error: MeterproofError, language: str) -> NoReturn:
    for line in error.lines if isinstance(error, ConfigurationError) else ():
        click.echo(line, err=True)
    click.echo(text(language, error.message, **error.facts), err=True)
    sys.exit(error.exit_code)


def _languages_set() -> Iterator[str | None]:
    return (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))


def assert_one_distribution() -> None:
    """Our package names are plain words; a package of the same name from elsewhere must not be run by mistake."""
    roots = {_root_of(package) for package in PACKAGES}
    if roots != {_installed_at()}:
        raise DataFolderError(
            "another installed package shadows one of ours (%(roots)s); install meterproof in its own environment",
            roots=", ".join(sorted(str(each) for each in roots)),
        )


def _root_of(package: str) -> Path | None:
    """The folder that an import of this package would take it from; None where it is no package with code."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent.parent if spec.submodule_search_locations else origin.parent


def _installed_at() -> Path:
    """Where our distribution's packages stand: beside its metadata, or in the checkout of an editable installation."""
    ours = distribution(DISTRIBUTION)
    recorded = loads(ours.read_text("direct_url.json") or "{}")
    if recorded.get("dir_info", {}).get("editable"):
        return Path(unquote(urlsplit(recorded["url"]).path)).resolve()
    return Path(str(ours.locate_file(""))).resolve()


def _language_option(arguments: list[str]) -> str | None:
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None


if __name__ == "__main__":
    main()
