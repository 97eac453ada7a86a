"""``/live/events``: server-sent events that say when there is something new to look at.

An event names the newest entry that every answer shows; the page then asks for itself again. A browser without scripts,
or behind a proxy that holds streams back, misses nothing but the hurry: the pages are whole without it.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.people.guard import SignedIn
from api.problems import BusyError
from gateway.ports import Clock

router = APIRouter(include_in_schema=False)
LOOK_EVERY_S = 2.0
LONGEST_S = 600.0
"""A stream ends after this; the browser opens a new one, and the guard looks at its person again."""
MAX_STREAMS = 60
RETRY_MS = 5_000


class Streams:
    """How many streams are open, and whether the server is about to end."""

    def __init__(self) -> None:
        self.open = 0
        self.ending = asyncio.Event()

    def close(self) -> None:
        """Let every stream end."""
        self.ending.set()


@router.get("/live/events")
async def events(request: Request, person: SignedIn) -> StreamingResponse:
    """The stream."""
    streams: Streams = request.app.state.streams
    if streams.open >= MAX_STREAMS:
        raise BusyError("too many live pages are open; they go on without hurry")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    said = _said(request, streams, person.organisation)
    return StreamingResponse(said, media_type="text/event-stream", headers=headers)


async def _said(request: Request, streams: Streams, organisation: str) -> AsyncIterator[str]:
    streams.open += 1
    clock: Clock = request.app.state.clock
    try:
        yield f"retry: {RETRY_MS}\n\n"
        last = -1
        for _ in range(round(LONGEST_S / LOOK_EVERY_S)):
            newest = await run_in_threadpool(_newest, request, organisation)
            if newest != last:
                last = newest
                yield f"event: entry\ndata: {newest}\n\n"
            else:
                yield ": nothing new\n\n"  # so that a reader who has left is noticed
            if await _rests(clock, streams):
                return
    finally:
        streams.open -= 1


async def _rests(clock: Clock, streams: Streams) -> bool:
    """Wait for the next look; True when the server ends."""
    resting = asyncio.ensure_future(clock.sleep(LOOK_EVERY_S))
    ending = asyncio.ensure_future(streams.ending.wait())
    try:
        await asyncio.wait({resting, ending}, return_when=asyncio.FIRST_COMPLETED)
        return streams.ending.is_set()
    finally:
        resting.cancel()
        ending.cancel()


def _newest(request: Request, organisation: str) -> int:
    with request.app.state.readers.borrowed(organisation) as reader:
        return int(reader.sources.registry.applied_seq())
