"""A page speaks one language: on the small plant's pages, and where something is refused."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from gateway.journal.folder import DataFolder
from tests.one_language import strange_pages, strange_words, written_by_people
from tests.people import client_of

FIRST = ("/", "/jobs", "/account", "/handing-in", "/replacements", "/certificates", "/registry/points", "/effects")
REFUSED = ("/nowhere", "/live?known_at=x", "/journal?before=x", "/journal/0", "/journal?kind=" + "x" * 40, "/sign-out")


@pytest.fixture(scope="module")
def client(folder: DataFolder) -> Iterator[TestClient]:
    with client_of(folder, role="everything") as made:
        yield made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_one_language(client: TestClient, folder: DataFolder, language: str) -> None:
    problems, read = strange_pages(client, language, written_by_people(folder), first=FIRST, most=120)
    assert not problems, "\n".join(problems)
    assert read > 40


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_speaks_one_language(client: TestClient, language: str, path: str) -> None:
    answer = client.get(path, headers={"accept-language": language})
    assert answer.status_code >= 400
    assert strange_words(answer.text, language, ()) == []


def test_a_strange_word_would_be_noticed() -> None:
    page = '<html lang="en"><body><p title="{}">{}</p><code>{}</code><i lang="zh">{}</i></body></html>'
    chinese = page.format("记忆", "JJF(皖)218-2025 · 总进线", "编码", "中文")
    assert strange_words(chinese, "en", ["总进线"]) == ["记忆"]
    assert strange_words(page.format("title from memory", "x", "a b c d", "all of it"), "zh", ()) == [
        "title from memory"
    ]
