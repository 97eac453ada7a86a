"""From a request to the frame of its question: reader, organisation, as-of, known-at, language."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request

from api.language import language_of
from api.people.guard import SignedIn, form_token
from api.people.store import Person
from api.problems import UnreadableParameterError
from api.web.view import View
from gateway.assembly.reading import OpenFolder
from gateway.audit.asking import Asking
from gateway.audit.site import site_fact
from gateway.domain.errors import UnknownObjectError
from gateway.domain.time import from_datetime, local_midnight

MAX_TIME_CHARACTERS = 40
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2200, 12, 31)
"""Days that can be asked for: every sum of days around them stays a date that Python and a screen can show."""
AsOf = Annotated[
    str | None,
    Query(
        max_length=MAX_TIME_CHARACTERS, description="What held then: a civil date of the site (its end) or RFC 3339."
    ),
]
KnownAt = Annotated[
    str | None,
    Query(
        max_length=MAX_TIME_CHARACTERS,
        description="As recorded by then: a civil date of the site (its end) or RFC 3339.",
    ),
]
OrganisationId = Annotated[str | None, Query(max_length=64, description="Organisation id; one's own where left out.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request's reader and frame, who asks, and the view for the page."""

    reader: OpenFolder
    asking: Asking
    view: View
    person: Person
    request: Request


def asked(
    request: Request,
    person: SignedIn,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    organisation: OrganisationId = None,
) -> Iterator[Asked]:
    """The frame of a question. Another organisation than the person's own is unknown to them."""
    with request.app.state.readers.borrowed(person.organisation) as reader:
        now_us = request.app.state.clock.utc_us()
        folder = reader.folder
        if organisation is not None and organisation != person.organisation:
            raise UnknownObjectError("this data folder holds no organisation %(id)s", id=organisation)
        as_of_us = instant("as_of", as_of, reader.zone, end=True) if as_of else now_us
        known_at_us = instant("known_at", known_at, reader.zone, end=True) if known_at else None
        asking = reader.asking(min(as_of_us, now_us), known_at_us)
        language = language_of(request)
        site = site_fact(reader.sources, asking, folder.site)
        view = View(
            language=language,
            path=request.url.path,
            query=dict(request.query_params),
            zone=reader.zone,
            organisation=person.organisation,
            organisation_name=site.organisation_name(language) or person.organisation,
            site_name=site.site_name(language) or folder.site,
            simulated=folder.simulated,
            now_us=now_us,
            as_of_us=asking.as_of_us,
            known_at_us=known_at_us,
            person=person,
            form_token=form_token(request),
        )
        yield Asked(reader, asking, view, person, request)


AskedFor = Annotated[Asked, Depends(asked)]


def instant(name: str, text: str, zone: ZoneInfo, *, end: bool) -> int:
    """A civil date (its beginning, or with ``end`` its last microsecond) or a time; without an offset the site's."""
    try:
        if len(text) == len("2026-01-31"):
            day = shown_day(date.fromisoformat(text))
            return local_midnight(day + timedelta(days=1), zone) - 1 if end else local_midnight(day, zone)
        # an unescaped + of an offset arrives as a blank
        moment = datetime.fromisoformat(text if text.count(":") < 2 else text.replace(" ", "+"))
        shown_day(moment.date())
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        raise UnreadableParameterError(
            "'%(name)s' is no date (2026-03-01) and no time (2026-03-01T08:00, with an offset unless it is the site's)",
            name=name,
        ) from error


def shown_day(day: date) -> date:
    """The day itself; ValueError for one that no record can have."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(day)
    return day
