"""One module a page of the menu."""

from fastapi import APIRouter

from api.web.pages import findings, instruments, journal, live, overview, trace

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router for module in (overview, live, instruments, findings, trace, journal)
)
