"""Draws: the same for everybody who draws again; nobody excluded or in conflict comes out."""

import hashlib
from typing import Any

import pytest

from gateway.review.acts import DRAWN, ReviewError, act_draft
from gateway.review.draw import Wish, draw, drawn_again

OBJECTS = [f"works-{number:02}" for number in range(20)]


def wish(**changes: Any) -> Wish:
    given: dict[str, Any] = {"what": "objects", "seed": "07 11 23", "objects": OBJECTS, "count": 5}
    return Wish(**(given | changes))


def test_the_smallest_hashes_are_drawn() -> None:
    found = draw(wish(excluded={OBJECTS[3]: "drawn last year"}))
    by_hand = sorted(
        (hashlib.sha256(f"07 11 23\n{each}".encode()).hexdigest(), each) for each in OBJECTS if each != OBJECTS[3]
    )
    assert [each["object"] for each in found["drawn"]] == [each for _, each in by_hand[:5]]
    assert found["excluded"] == [[OBJECTS[3], "drawn last year"]]
    assert drawn_again(found)


def test_inspectors_are_drawn_for_each_object_without_conflicts() -> None:
    inspectors = ["li", "wang", "zhao", "sun"]
    conflicts = [("li", "*", "retired"), ("wang", OBJECTS[0], "brother works there")]
    found = draw(wish(objects=OBJECTS[:3], count=3, inspectors=inspectors, per_object=2, conflicts=conflicts))
    for each in found["drawn"]:
        able = [name for name in inspectors if name != "li" and (name, each["object"]) != ("wang", OBJECTS[0])]
        lots = sorted(
            (hashlib.sha256(f"07 11 23\n{each['object']}\n{name}".encode()).hexdigest(), name) for name in able
        )
        assert [name for name, _ in each["inspectors"]] == [name for _, name in lots[:2]]
    assert drawn_again(found)


def test_another_seed_draws_otherwise_and_every_object_comes_out_sometimes() -> None:
    seen = {each["object"] for seed in range(60) for each in draw(wish(seed=f"seed {seed}"))["drawn"]}
    assert seen == set(OBJECTS)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 21},
        {"count": 0},
        {"seed": "  "},
        {"seed": "two\nlines"},
        {"objects": ["a", "a"]},
        {"objects": ["a", ""]},
        {"excluded": dict.fromkeys(OBJECTS[:16], "x")},
        {"inspectors": ["li"], "per_object": 2},
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ReviewError):
        draw(wish(**changes))


def test_a_changed_draw_is_seen() -> None:
    found = draw(wish())
    for name, value in (("seed", "07 11 24"), ("count", 4), ("drawn", found["drawn"][1:]), ("method", "my own")):
        assert not drawn_again({**found, name: value}), name
    assert not drawn_again({**found, "pool": [*found["pool"], ["one-more", "0" * 64]]})
    with pytest.raises(ReviewError):
        drawn_again({"seed": "x"})


def test_a_draw_too_large_for_an_entry_is_refused_before_it_is_written() -> None:
    made = draw(wish(objects=[f"works-{number:04}" for number in range(2_000)], count=2))
    with pytest.raises(ReviewError, match="too large"):
        act_draft("works", ("draw", "d1"), DRAWN, at_us=1, actor="office", object_=made)
