from fractions import Fraction

import pytest

from gateway.domain.ratio import class_rank, parse_ratio


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("200/5", 40),
        ("35000/100", 350),
        ("40", 40),
        ("", 1),
        (" 150 : 5 ", 30),
        ("10/0.1", 100),
        ("1/3", Fraction(1, 3)),
    ],
)
def test_ratios_as_written(text, ratio):
    assert parse_ratio(text) == ratio


@pytest.mark.parametrize("text", ["200/0", "0/5", "a/b", "200/5/2", "-200/5", "1e3", "200//5"])
def test_what_is_no_ratio(text):
    with pytest.raises(ValueError, match="ratio"):
        parse_ratio(text)


def test_classes_in_order_of_accuracy():
    ordered = ["0.1", "0.2S", "0.2", "0.5S", "0.5", "1", "1.5", "2", "3"]
    assert sorted(ordered, key=class_rank) == ordered
    assert class_rank("1级") == class_rank("B") == class_rank("class 1")
    assert class_rank("Ⅲ") is None
