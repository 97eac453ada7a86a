"""The stack against the fuel side as evidence of a review, where there is nothing to compare, and its words."""

import pytest

from gateway.assembly.reading import open_for_reading
from gateway.i18n import text
from gateway.i18n.terms import TERMS, term
from gateway.review.gathered import Gathered
from gateway.review.views import view
from tests.plant_folder import build_folder


def test_without_a_stack_that_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    with open_for_reading(build_folder(tmp_path_factory.mktemp("plain") / "data")) as plain:
        found = view(Gathered(plain.sources, plain.asking(plain.sources.registry.latest_at())), "stack")
    assert (found.state, list(found.rows)) == ("empty", [])
    assert text("zh", found.said[0][0]) != found.said[0][0]


@pytest.mark.parametrize("family", ["stack_agreement", "stack_cause"])
def test_its_words_are_spoken_in_chinese(family: str) -> None:
    for word, english in TERMS[family].items():
        assert term("zh", family, word) != english
