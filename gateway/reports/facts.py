"""What reports need to know of a review: plain facts, filled from the review object by whoever makes the report."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One item: its clause and title, how it was judged, why. ``verdict``: conforms, fails, not_applicable, open."""

    clause: str
    title: str
    verdict: str
    automatic: str = ""
    note: str = ""
    judged_by: str = ""
    judged_on: str = ""
    entry: int | None = None
    evidence: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonconformity:
    """One 不符合项: the clause it offends, what was found, what is demanded, and what became of it."""

    number: str
    clause: str
    title: str
    fact: str
    demand: str = ""
    rectification: str = ""
    verification: str = ""
    entry: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the review team and what they do."""

    name: str
    role: str
    organisation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the review and when it was reached; empty where it was not."""

    title: str
    reached_on: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """A review as its reports print it. ``kind``: energy or carbon; ``basis`` the norms it rests on."""

    id: str
    kind: str
    title: str
    number: str = ""
    organiser: str = ""
    leader: str = ""
    day: str = ""
    basis: Sequence[str] = ()
    members: Sequence[Member] = ()
    stages: Sequence[Stage] = ()
    items: Sequence[ReviewItem] = ()
    nonconformities: Sequence[Nonconformity] = ()
    conclusion: str = ""
