"""Draws (双随机、一公开): objects and inspectors chosen by lot, so that anybody can draw again and get the same.

The lot of a thing is SHA-256 of the seed, a newline and its id, in hexadecimal; the smallest lots are drawn. Inspectors
of an object have the lots of seed, newline, object, newline, inspector; who is in conflict with the object is left out.
A sheet of paper and any SHA-256 program are enough to check a draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gateway.review.acts import ReviewError

METHOD = "sha256-lot/v1"
MAX_POOL = 10_000
MAX_SEED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is drawn: ``count`` of ``objects``, each with ``per_object`` of ``inspectors``. ``excluded`` objects (id to
    reason) are in the pool that is published and cannot be drawn; ``conflicts`` are (inspector, object) pairs with the
    reason, ``*`` for every object."""

    what: str
    seed: str
    objects: Sequence[str]
    count: int
    inspectors: Sequence[str] = ()
    per_object: int = 0
    excluded: Mapping[str, str] = field(default_factory=dict)
    conflicts: Sequence[tuple[str, str, str]] = ()


def lot(seed: str, *parts: str) -> str:
    """The lot of a thing."""
    return sha256("\n".join([seed, *parts]).encode()).hexdigest()


def draw(wish: Wish) -> dict[str, Any]:
    """The draw as it is published: everything that went in, every lot, what came out.

    Raises:
        ReviewError: nothing to draw from, or not enough inspectors without a conflict.
    """
    excluded = dict(wish.excluded)
    _check(wish, excluded)
    lots = {each: lot(wish.seed, each) for each in wish.objects}
    able = sorted((each for each in wish.objects if each not in excluded), key=lambda each: (lots[each], each))
    chosen = able[: wish.count]
    conflicts = {(inspector, about) for inspector, about, _why in wish.conflicts}
    drawn = [
        {
            "object": each,
            "lot": lots[each],
            "inspectors": _inspectors(wish, each, conflicts),
        }
        for each in chosen
    ]
    return {
        "method": METHOD,
        "what": wish.what,
        "seed": wish.seed,
        "count": wish.count,
        "per_object": wish.per_object,
        "pool": [[each, lots[each]] for each in wish.objects],
        "excluded": [[each, why] for each, why in sorted(excluded.items())],
        "inspectors": list(wish.inspectors),
        "conflicts": [list(each) for each in wish.conflicts],
        "drawn": drawn,
    }


def _check(wish: Wish, excluded: Mapping[str, str]) -> None:
    if not wish.seed.strip() or len(wish.seed) > MAX_SEED or "\n" in wish.seed:
        raise ReviewError("a draw needs a seed of one line, at most 200 characters")
    for pool in (wish.objects, wish.inspectors):
        if len(pool) > MAX_POOL or len(set(pool)) != len(pool) or any("\n" in each or not each for each in pool):
            raise ReviewError("a pool holds at most %(limit)s ids, each once and on one line", limit=str(MAX_POOL))
    able = len([each for each in wish.objects if each not in excluded])
    if not 1 <= wish.count <= able:
        raise ReviewError(
            "%(count)s cannot be drawn from %(able)s that may be drawn", count=str(wish.count), able=str(able)
        )


def _inspectors(wish: Wish, about: str, conflicts: set[tuple[str, str]]) -> list[list[str]]:
    if not wish.per_object:
        return []
    able = [each for each in wish.inspectors if (each, about) not in conflicts and (each, "*") not in conflicts]
    if len(able) < wish.per_object:
        raise ReviewError(
            "fewer than %(count)s inspectors have no conflict with %(id)s", count=str(wish.per_object), id=about
        )
    lots = sorted((lot(wish.seed, about, each), each) for each in able)
    return [[each, number] for number, each in lots[: wish.per_object]]


def drawn_again(document: Mapping[str, Any]) -> bool:
    """Whether a published draw comes out the same when drawn again from what it states; ReviewError when it is none."""
    try:
        wish = Wish(
            what=str(document["what"]),
            seed=str(document["seed"]),
            objects=[str(each) for each, _lot in document["pool"]],
            count=int(document["count"]),
            inspectors=[str(each) for each in document["inspectors"]],
            per_object=int(document["per_object"]),
            excluded={str(each): str(why) for each, why in document["excluded"]},
            conflicts=[(str(who), str(about), str(why)) for who, about, why in document["conflicts"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReviewError("this is no published draw") from error
    return document.get("method") == METHOD and draw(wish) == dict(document)
