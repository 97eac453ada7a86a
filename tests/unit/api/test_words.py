"""Every word the pages take from a table, and every text asked of a view, stands in Chinese."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from api.people.roles import ROLE_NAMES
from api.problems import _TITLES
from api.web.environment import MENU
from api.web.view import WEEKDAYS
from gateway.audit.judged import CONFIRMED, DISMISSED
from gateway.domain.quality import Flag, Status, word
from gateway.i18n.terms import FLAG_TERMS, TERMS, quality_terms, term

ROOT = Path(__file__).parents[3]


def _translated() -> set[str]:
    found = set()
    for path in (ROOT / "gateway/i18n/locale/zh").glob("*.po"):
        with path.open("rb") as stream:
            found |= {str(each.id) for each in read_po(stream, locale="zh") if each.id and each.string}
    return found


def _asked_of_views() -> set[str]:
    sources = [path.read_text("utf-8") for path in (ROOT / "api").rglob("*.py")]
    return {match for source in sources for match in re.findall(r'\.t\("((?:[^"\\]|\\.)*)"', source)}


def _named_tasks() -> set[str]:
    """What may wait for somebody, titles and steps of long work."""
    sources = [path.read_text("utf-8") for path in (ROOT / "api").rglob("*.py")]
    patterns = (
        r'Task\("((?:[^"\\]|\\.)*)"',
        r'title = "((?:[^"\\]|\\.)*)"',
        r'job\.progress\([^"\n]*"((?:[^"\\]|\\.)*)"',
    )
    found = {match for source in sources for pattern in patterns for match in re.findall(pattern, source)}
    assert "suspected events to decide" in found
    return found


@pytest.mark.parametrize(
    "words",
    [
        {each for family in TERMS.values() for each in family.values()},
        set(FLAG_TERMS.values()),
        {name for _id, _address, name in MENU},
        set(WEEKDAYS),
        set(_TITLES.values()),
        _asked_of_views(),
        set(ROLE_NAMES.values()),
        _named_tasks(),
        {CONFIRMED, DISMISSED},
    ],
    ids=["terms", "flags", "menu", "weekdays", "problems", "views", "roles", "tasks", "decisions"],
)
def test_words_have_chinese(words: set[str]) -> None:
    assert words
    assert words <= _translated()


def test_every_flag_has_a_word() -> None:
    assert set(FLAG_TERMS) == set(Flag)
    status, said = quality_terms("zh", word(Status.UNCERTAIN, Flag.INTERPOLATED | Flag.RANGE))
    assert (status, said) == ("存疑", ["超出范围", "内插"])


def test_verification_and_calibration_are_never_one_word() -> None:
    for language in ("zh", "en"):
        kinds = [term(language, "certificate_kind", each) for each in ("verification", "calibration")]
        assert len(set(kinds)) == 2
    assert "检定" in term("zh", "certificate_kind", "verification")
    assert "校准" in term("zh", "certificate_kind", "calibration")
    assert term("zh", "due", None) == "—"
    assert term("zh", "due", "no such word") == "no such word"
