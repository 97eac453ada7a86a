"""Promise 11: every rule, setting, command and route is documented in both languages; every link leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import EVERY_ROUTER
from api.asked import asked
from api.charts import routes as charts
from api.web.pages import ROUTERS
from config.site import SiteFile
from gateway.cli.main import root
from gateway.i18n.rules import RULES, rule_sentence, rule_title

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {"en": ".md", "zh": ".zh-CN.md"}
SEVERITIES = {
    "en": {"info": "info", "warning": "warning", "error": "error"},
    "zh": {"info": "提示", "warning": "警告", "error": "严重"},
}
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def _page(topic: str, language: str) -> str:
    return (DOCS / f"{topic}{LANGUAGES[language]}").read_text(encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    """Heading to what stands under it, up to the next heading."""
    found = list(HEADING.finditer(page))
    ends = [each.start() for each in found[1:]] + [len(page)]
    return {each[2]: page[each.end() : end] for each, end in zip(found, ends, strict=True)}


CONTEXT = click.Context(root)
NAMES = root.list_commands(CONTEXT)  # type: ignore[attr-defined]  # a group


def _members(name: str) -> dict[str, click.Command]:
    """A command under its full name; of a group, each of its commands."""
    command = root.get_command(CONTEXT, name)  # type: ignore[attr-defined]
    if isinstance(command, click.Group):
        return {f"{name} {each}": member for each, member in sorted(command.commands.items())}
    return {name: command}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_command_and_its_options(name: str, language: str) -> None:
    """A heading ```meterproof NAME …``` in docs/commands, and under it a line for each option."""
    sections = _sections(_page("commands", language))
    for full, command in _members(name).items():
        place = f"docs/commands{LANGUAGES[language]}: {full}"
        own = [body for heading, body in sections.items() if re.match(rf"`meterproof {re.escape(full)}[ `]", heading)]
        assert len(own) == 1, f"{place} needs one heading '### `meterproof {full} …`'"
        for option in command.params:
            if isinstance(option, click.Option) and "--lang" not in option.opts:
                longest = max(option.opts, key=len)
                row = re.search(rf"^\| `{re.escape(longest)}[ `][^|]*\| *(\S[^|]*)\|", own[0], re.MULTILINE)
                assert row, f"{place} {longest} is not described"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_command_is_documented_that_is_not_there(language: str) -> None:
    documented = set(re.findall(r"^### `meterproof ((?:[a-z-]+ ?)+)", _page("commands", language), re.MULTILINE))
    there = {full for name in NAMES for full in _members(name)}
    assert {each.strip() for each in documented} <= there


@pytest.mark.parametrize("language", LANGUAGES)
def test_exit_codes(language: str) -> None:
    """Every exit code an operator's error can have."""
    errors = __import__("gateway.domain.errors", fromlist=["errors"])
    codes = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    page = _page("commands", language)
    for code in {0, *codes, 130}:
        assert re.search(rf"^\| {code} \| \S", page, re.MULTILINE), code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", RULES)
def test_a_rule(rule: str, language: str) -> None:
    """Its row in docs/rules says its severity, its title and its sentence as they are shown."""
    row = re.search(rf"^\| `{re.escape(rule)}` \|([^|]*)\|(.*)\|$", _page("rules", language), re.MULTILINE)
    assert row, f"docs/rules{LANGUAGES[language]} needs a row for {rule}"
    assert row[1].strip() == SEVERITIES[language][RULES[rule].severity]
    assert rule_title(language, rule) in row[2]
    assert rule_sentence(language, rule) in row[2]


def _settings() -> Iterator[tuple[str, str]]:
    """(section, key) of every key a site file can hold; the file itself is section ''."""
    for name, field in SiteFile.model_fields.items():
        yield "", name
        annotation = field.annotation
        for each in (annotation, *get_args(annotation)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from ((name, key) for key in each.model_fields)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("section", "key"), list(_settings()))
def test_a_setting(section: str, key: str, language: str) -> None:
    """A row in docs/site-file, under the heading of its section."""
    page = _page("site-file", language)
    own = [body for heading, body in _sections(page).items() if heading.startswith(section)] if section else [page]
    assert own, f"docs/site-file{LANGUAGES[language]} needs a heading for {section}"
    assert re.search(rf"^\| [^|]*`{re.escape(key)}`[^|]*\|", own[0], re.MULTILINE), f"{section}.{key}"


API_ROUTES = [
    each
    for router in EVERY_ROUTER
    for each in router.routes
    if isinstance(each, APIRoute) and each.path.startswith("/api/v1/")
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("route", API_ROUTES, ids=lambda each: f"{min(each.methods)} {each.path}")
def test_an_api_route_and_its_parameters(route: APIRoute, language: str) -> None:
    path = re.sub(r"\{(\w+)(:\w+)?\}", r"{\1}", route.path.removeprefix("/api/v1"))
    page = _page("api", language)
    if route.methods == {"POST"}:  # its own row, or named in the row of what it writes about
        last = path.rpartition("/")[2]
        named = re.search(rf"`(…/|[^`|]*/){re.escape(last)}`", page)
        assert named or re.search(rf"POST[^|]*`{re.escape(last)}`", page), f"docs/api{LANGUAGES[language]}: POST {path}"
        return
    row = re.search(rf"^\| `{re.escape(path)}` \|.*$", page, re.MULTILINE)
    assert row, f"docs/api{LANGUAGES[language]} needs a row for {path}"
    for parameter in _query_of(route.dependant):
        if parameter != "format":
            assert f"`{parameter}`" in row[0], f"docs/api{LANGUAGES[language]}: {path} {parameter}"


def _query_of(dependant: Dependant) -> set[str]:
    """Names of the query parameters, those of the questions it depends on included; the frame of all is not theirs."""
    found = {each.alias for each in dependant.query_params}
    return found.union(*(_query_of(each) for each in dependant.dependencies if each.call is not asked))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page(language: str) -> None:
    page = _page("pages", language)
    for router in ROUTERS:
        for route in router.routes:
            first = "/" + route.path.strip("/").split("/")[0]  # type: ignore[attr-defined]
            assert re.search(rf"\| [^|]*`{re.escape(first)}[`?/]", page), route
    assert charts.router.prefix == "/charts"  # pictures of the pages: no address of their own to document


def test_every_page_stands_in_both_languages_and_in_the_index() -> None:
    english = {each.name.removesuffix(".md") for each in DOCS.glob("*.md") if not each.name.endswith(".zh-CN.md")}
    chinese = {each.name.removesuffix(".zh-CN.md") for each in DOCS.glob("*.zh-CN.md")}
    assert english == chinese
    for language, ending in LANGUAGES.items():
        index = _page("README", language)
        missing = [each for each in sorted(english - {"README"}) if f"({each}{ending})" not in index]
        assert not missing, f"docs/README{ending} does not name {missing}"


@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("*/README.md")],
    ids=lambda each: each.relative_to(ROOT).as_posix(),
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"
