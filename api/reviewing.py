"""What pages and API of the reviews have in common: one question's facts, the reviewer's machine, cells of a table."""

from typing import Any

from markupsafe import Markup, escape

from api.asked import Asked, instant
from api.web import format as shown
from api.web.view import View
from gateway.assembly.review_loading import editions
from gateway.assembly.review_machine import Marker
from gateway.audit.asking import Asking
from gateway.audit.delivery import sink_states
from gateway.domain.errors import UnknownObjectError
from gateway.review.gathered import Cell, Entry, Gathered, Instant, Ref, Word
from gateway.review.on_site import Expected, expected
from gateway.review.state import Draw, Review

SECTION_CLASS = {"attention": "warn", "in_order": "good", "stated": "none", "empty": "none", "nothing": "none"}
VERDICT_CLASS = {"conforming": "good", "nonconforming": "bad", "not_applicable": "none", "open": "none"}


def marker_of(asked: Asked) -> Marker | None:
    """The marker of a package opened on a reviewer's machine; None on the gateway itself."""
    return Marker.of(asked.reader.folder)


def gathered_for(asked: Asked, review: Review | None = None) -> Gathered:
    """One question's facts. A package is looked at as of its newest instant, unless another one is asked for."""
    marker = marker_of(asked)
    asking = asked.asking
    if marker is not None and not asked.view.query.get("as_of"):
        asking = Asking(
            organisation=asking.organisation, as_of_us=marker.until_us, known_seq=asking.known_seq, zone=asking.zone
        )
    sources = asked.reader.sources
    sinks = None if marker else sink_states(asked.reader.folder.state, sources.journal.head())
    return Gathered(sources, asking, editions(), sinks, review)


def reviewed(asked: Asked, id_: str) -> tuple[Gathered, Review]:
    """A review with its facts; UnknownObjectError when none of that id is on record."""
    gathered = gathered_for(asked)
    review = gathered.reviews.review(id_)
    gathered.review = review
    return gathered, review


def expected_at(asked: Asked, id_: str, instrument: str, at: str) -> tuple[Review, Expected]:
    """A review, and what an instrument should show there at a time; at the moment asked about where none is said."""
    gathered, review = reviewed(asked, id_)
    at_us = instant("at", at, asked.reader.zone, end=False) if at else gathered.asking.as_of_us
    return review, expected(gathered.sources, gathered.asking, instrument, at_us)


def found_draw(asked: Asked, draw: str) -> Draw:
    """A draw on record."""
    found = gathered_for(asked).reviews.draws.get(draw)
    if found is None:
        raise UnknownObjectError("no draw '%(id)s' is on record", id=draw)
    return found


def summary(review: Review) -> dict[str, Any]:
    """A review in a few words."""
    verdicts = dict.fromkeys(("conforming", "nonconforming", "not_applicable", "open"), 0)
    for item in review.checklist.items:
        verdicts[review.verdict(item.id)] = verdicts.get(review.verdict(item.id), 0) + 1
    return {
        "id": review.id,
        "kind": review.kind,
        "title": review.title,
        "checklist": review.checklist.id,
        "edition": review.checklist.edition,
        "from_us": review.from_us,
        "to_us": review.to_us,
        "enterprise": review.enterprise,
        "organiser": review.organiser,
        "team": review.team,
        "seq": review.seq,
        "verdicts": verdicts,
        "nonconformities": len(review.nonconformities),
        "nonconformities_open": sum(each.state != "closed" for each in review.nonconformities.values()),
        "refusals": len(review.refusals),
    }


def cell(view: View, gathered: Gathered, content: Cell) -> Markup:
    """A cell as it stands on a page."""
    match content:
        case None | "":
            return Markup("—")
        case Instant(at_us):
            return escape(view.minute(at_us))
        case Entry(seq):
            return Markup('<a href="{}">#{}</a>').format(view.link(f"/journal/{seq}"), seq)
        case Ref(kind, id_):
            return _ref(view, gathered, kind, id_)
        case Word(family, words):
            return escape(
                ("、" if view.language == "zh" else ", ").join(_word(view, family, each) for each in words) or "—"
            )
        case _:
            return escape(str(content))


def _ref(view: View, gathered: Gathered, kind: str, id_: str) -> Markup:
    fact = gathered.plant.points.get(id_)
    name = view.name(fact.point) if fact else id_
    address = view.link(f"/live/{id_}" if kind == "point" else f"/instruments/{id_}")
    return Markup('<a href="{}">{}</a>').format(address, name)


def _word(view: View, family: str, word: str) -> str:
    if family == "rule":
        return view.rule(word)
    if family == "energy_kind":
        return view.energy_kind(word)
    return view.term(family, word)


def heading(view: View, column: str) -> str:
    """A column's heading."""
    family, mark, word = column.partition(":")
    return view.term(family, word) if mark else view.t(column)


def plain_cell(view: View, content: Cell) -> object:
    """A cell in CSV: instants as text, words as stored."""
    match content:
        case Instant(at_us):
            return None if at_us is None else shown.local(at_us, view.zone, "%Y-%m-%dT%H:%M:%S%z")
        case Entry(seq):
            return seq
        case Ref(_, id_):
            return id_
        case Word(_, words):
            return ";".join(words)
        case _:
            return content
