"""What a page says in the other language: for tests that crawl pages in one.

What the plant itself wrote (its site file, its ledger, its reviews) stays as it was written; so do quoted titles, and
codes. Anything else that a page says in another language than its own is a mistake.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.testclient import TestClient
from lxml import html

from api.people.store import AUTH_FILE, People
from gateway.assembly.platform import SystemRandom
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from tests.plant_folder import FixedClock

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
ENGLISH = re.compile(r"(?<![\w./#:_@-])[A-Za-z][a-z']+(?:[ ,;]+[A-Za-z][a-z']*){2,}")
STANDINGS = frozenset({"原文", "转载", "程序引用", "记忆", "推断"})
"""Words of the catalogues for where a number comes from; never a name, so never to be read on an English page."""
TITLES = re.compile(
    r"JJ[FG]\s?\(皖\)\s?\d+-\d+|Regulation \(EU\) (?:No )?\d+/\d+[^·)）]*|40 CFR Part 75, appendices A and B"
)
COMMANDS = re.compile(r"meterproof(?: [a-z-]+)+")
SPOKEN_ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "data-label")
QUOTED_ELEMENTS = frozenset({"script", "style", "code", "pre", "textarea"})
WRITTEN_BY_PEOPLE = (
    "organisation", "site", "point", "instrument", "installation", "certificate", "standard", "document", "person",
    "configuration", "review", "replacement", "manual", "batch", "laboratory", "stock", "event", "result", "invoice",
)  # fmt: skip
PAGE_ENTRIES = 5_000
MOST_FACTS = 50_000
NOT_PAGES = ("/api", "/static", "/charts", "/files", "/sign")
ONE_OF_MANY = re.compile(
    r"/(live|instruments|journal|certificates|replacements|draws|reviews|items|checks|files)/[^?/]+"
)


def written_by_people(folder: DataFolder) -> list[str]:
    """Every text of the folder's ledger, configuration and reviews, longest first."""
    found: set[str] = set()
    with Journal.open(folder, read_only=True) as journal:
        after = 0
        while len(found) < MOST_FACTS and (page := journal.read(after, PAGE_ENTRIES, WRITTEN_BY_PEOPLE)):
            found.update(*(_strings(entry.body) for entry in page))
            after = page[-1].seq
    people = People(folder.path / AUTH_FILE, FixedClock(), SystemRandom())
    try:
        found.update(each.name for each in people.listed(folder.organisation))
    finally:
        people.close()
    return sorted((each for each in found if each not in STANDINGS), key=len, reverse=True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str) and len(value) > 1:
        yield value


def strange_words(page: str, language: str, written: Iterable[str]) -> list[str]:
    """What a page says in the other language than its own, without what people wrote and titles."""
    pattern = CHINESE if language == "en" else ENGLISH
    found = []
    for said in _said(html.fromstring(page)):
        rest = said
        if pattern.search(rest):
            rest = COMMANDS.sub(" ", TITLES.sub(" ", rest))
            for each in written:
                if pattern.search(rest) is None:
                    break
                rest = rest.replace(each, " ")
        if pattern.search(rest):
            found.append(said)
    return found


def _said(tree: html.HtmlElement) -> Iterator[str]:
    """Every text of a page that is neither code nor said to be in another language."""
    for element in tree.iter():
        if not isinstance(element.tag, str) or any(_is_quoted(each) for each in (element, *element.iterancestors())):
            continue
        texts = [element.get(name) for name in SPOKEN_ATTRIBUTES]
        texts += [element.text, *(child.tail for child in element)]
        for each in texts:
            if each and each.strip():
                yield re.sub(r"\s+", " ", each.strip())


def _is_quoted(element: html.HtmlElement) -> bool:
    return element.tag in QUOTED_ELEMENTS or (element.tag != "html" and bool(element.get("lang")))


def strange_pages(
    client: TestClient, language: str, written: Iterable[str], *, first: Iterable[str], most: int
) -> tuple[list[str], int]:
    """Follow the links, one page of each sort; what was said in the other language, and how many pages were read."""
    pending, patterns, read, problems = list(first), set[str](), 0, []
    while pending and read < most:
        address = pending.pop(0)
        pattern = ONE_OF_MANY.sub(r"/\1/*", address.split("?")[0]) + ",".join(re.findall(r"[?&](\w+)=", address))
        if pattern in patterns:
            continue
        patterns.add(pattern)
        answer = client.get(address, headers={"accept-language": language})
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        read += 1
        problems += [f"{address}: {each}" for each in strange_words(answer.text, language, written)]
        links = (each.replace("&amp;", "&") for each in re.findall(r'href="(/[^"#]*)', answer.text))
        pending += [
            each for each in links if not each.startswith(NOT_PAGES) and "format=" not in each and "lang=" not in each
        ]
    return problems, read
