"""One module a page of the menu."""

from fastapi import APIRouter

from api.web.pages import (
    balance,
    calibration,
    carbon,
    energy,
    findings,
    instruments,
    journal,
    live,
    overview,
    points,
    quality,
    trace,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        overview,
        live,
        instruments,
        points,
        calibration,
        quality,
        energy,
        balance,
        carbon,
        findings,
        trace,
        journal,
    )
)
