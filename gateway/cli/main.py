"""``meterproof``: finds its commands by entry point and turns operator errors into sentences and exit codes.

Exit codes: 0 done; 1 the command says what failed; 2 wrong usage or configuration; 3 the data folder cannot be used;
4 disk full; 5 the journal refuses; 6 a named object does not exist; 130 interrupted.
"""

import os
import sys
from importlib.metadata import EntryPoint, distribution, entry_points, version
from importlib.util import find_spec
from json import loads
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from gateway.domain.errors import ConfigurationError, DataFolderError, MeterproofError
from gateway.i18n import LANGUAGES, language_from, text

COMMAND_GROUP = "meterproof.commands"
EXIT_INTERRUPTED = 130
DISTRIBUTION = "meterproof"
PACKAGES = ("gateway", "api", "drivers", "config", "simulators")


class _Commands(click.Group):
    """The command list comes from entry points; a command's module is imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(point.name for point in entry_points(group=COMMAND_GROUP))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        for point in entry_points(group=COMMAND_GROUP, name=cmd_name):
            return _loaded(point)
        return None


def _loaded(point: EntryPoint) -> click.Command:
    command = point.load()
    if not isinstance(command, click.Command):
        raise TypeError(f"entry point {point.name!r} is not a click command")
    return _speaking(command)


def _speaking(command: click.Command) -> click.Command:
    """Let ``--lang`` stand after the command too, where people type it; a command with its own keeps its own."""
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _speaking(each)
    if not any("--lang" in parameter.opts for parameter in command.params):
        command.params.append(
            click.Option(
                ["--lang"],
                type=click.Choice(LANGUAGES),
                expose_value=False,
                callback=_choose,
                help="Language: zh or en.",
            )
        )
    return command


def _choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    del parameter
    if value is not None:
        context.obj = value


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(DISTRIBUTION), prog_name="meterproof")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), help="zh or en; default from LC_ALL, LC_MESSAGES or LANG, else zh."
)
@click.pass_context
def root(context: click.Context, lang: str | None) -> None:
    """Meterproof: energy and carbon metering gateway. 能源与碳计量网关。"""
    environment = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    context.obj = language_from(lang, *environment)


def main() -> None:
    """Run the command line; the only place where exceptions become exit codes."""
    language = language_from(
        _language_option(sys.argv), *(os.environ.get(n) for n in ("LC_ALL", "LC_MESSAGES", "LANG"))
    )
    try:
        assert_one_distribution()
        sys.exit(root.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except ConfigurationError as error:
        for line in error.lines:
            click.echo(line, err=True)
        click.echo(text(language, error.message, **error.facts), err=True)
        sys.exit(error.exit_code)
    except MeterproofError as error:
        click.echo(text(language, error.message, **error.facts), err=True)
        sys.exit(error.exit_code)


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
        return Path(url2pathname(urlsplit(recorded["url"]).path)).resolve()
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
