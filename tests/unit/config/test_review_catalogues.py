"""Checklists and editions as they ship: whole, honest about their sources, and covering every rule."""

from datetime import date
from pathlib import Path

import pytest

from config.loading import UnusableFileError
from config.review_catalogues import (
    EquippingEdition,
    ReviewChecklist,
    read_review_catalogue,
    shipped_review_catalogues,
)
from gateway.assembly.review_loading import checklists, editions
from gateway.i18n.rules import RULES
from gateway.review.checklist import edition_in_force
from gateway.review.views import GROUPS, VIEWS

ENERGY, CARBON = "jjf1356-2012", "jjf-wan-218-2025"


def test_the_items_are_those_of_the_norms() -> None:
    energy, carbon = checklists()[ENERGY], checklists()[CARBON]
    numbers = ["4.1", "4.2", "4.3", "4.4", "5.1", "5.2", "6.1", "6.2", "6.3", "6.4", "7.1", "7.2", "7.3", "8.1", "8.2"]
    assert [each.id for each in energy.items] == [*numbers, "P.1"]
    wanted = ["4", "5.1", "5.2", "6.1", "6.2", "6.3", "7.1", "7.2", "7.3", "7.4", "8", "9", "P.1"]
    assert [each.id for each in carbon.items] == wanted


def test_what_is_no_quotation_or_has_no_source_says_so() -> None:
    energy, carbon = checklists()[ENERGY], checklists()[CARBON]
    assert all(each.paraphrased for each in carbon.items)
    assert {each.id for each in energy.items if each.paraphrased} == {"P.1"}
    for found in (energy, carbon):
        assert {each.id for each in found.items if each.practice} == {"P.1"}
        assert all(each.confidence == "unconfirmed" for each in found.items if each.practice)
        assert all(bool(each.source) != each.practice for each in found.stages)
        assert "原文" not in {each.standing for each in found.items}


def test_the_five_focuses_and_the_ten_stages() -> None:
    for found in checklists().values():
        assert [each.id for each in found.focuses] == ["instruments", "data", "platform", "people", "rules"]
        assert {each.focus for each in found.items} == {"instruments", "data", "platform", "people", "rules"}
        assert len(found.stages) == 10
        assert [each.by for each in found.stages if each.id in {"plan", "notice", "closure"}] == ["organiser"] * 3


@pytest.mark.parametrize("checklist", [ENERGY, CARBON])
def test_every_rule_has_an_item(checklist: str) -> None:
    rules = [each for each in RULES if each.split(".")[0] not in {"stack", "watch"}]  # pages of their own
    silent = [rule for rule in rules if not any(item.speaks_of(rule) for item in checklists()[checklist].items)]
    assert silent == []


def test_every_view_an_item_names_exists_and_every_group_is_made() -> None:
    for found in checklists().values():
        assert {name for item in found.items for name in item.views} <= set(VIEWS)
    assert {name for names in GROUPS.values() for name in names} <= set(VIEWS)
    assert list(GROUPS) == ["instruments", "data", "behaviour", "result"]


def test_the_edition_of_a_day() -> None:
    known = editions()
    before = edition_in_force(known, date(2026, 1, 31))
    after = edition_in_force(known, date(2026, 2, 1))
    assert before is not None
    assert after is not None
    assert (before.id, before.required("electricity", 3)) == ("gb17167-2006", 95)
    assert (after.id, after.table, after.required("electricity", 3)) == ("gb17167-2025", False, None)
    assert edition_in_force(known, date(2006, 12, 31)) is None
    assert before.required("electricity", 4) is None


WRONG = {
    "an item of an unknown chapter": ('chapter: "6"', 'chapter: "66"'),
    "a view nobody makes": ("views: [certificates]", "views: [palmistry]"),
    "a standing of its own": ("standing: 转载", "standing: 听说"),
    "an item twice": ('- id: "4.2"', '- id: "4.1"'),
    "an unknown key": ("focus: people", "focus: people\n    mood: good"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_refused(what: str, tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "config/catalogue/review/jjf1356-2012.yaml"
    text = shipped.read_text("utf-8")
    old, new = WRONG[what]
    assert old in text
    (tmp_path / "own.yaml").write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(UnusableFileError):
        read_review_catalogue(tmp_path / "own.yaml")


def test_what_ships_is_of_two_kinds() -> None:
    kinds = [type(each) for each, _ in shipped_review_catalogues()]
    assert kinds.count(ReviewChecklist) == 2
    assert kinds.count(EquippingEdition) == 2
