"""One module a page of the menu."""

from fastapi import APIRouter

from api.web.pages import (
    balance,
    calibration,
    carbon,
    certificates,
    comparison,
    effects,
    energy,
    export,
    findings,
    handing_in,
    instruments,
    journal,
    live,
    overview,
    points,
    quality,
    registry,
    replacements,
    reports,
    reviews,
    settings,
    trace,
    watch,
    work,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router
    for module in (
        overview,
        live,
        instruments,
        points,
        calibration,
        certificates,
        replacements,
        registry,
        handing_in,
        quality,
        energy,
        balance,
        carbon,
        comparison,
        watch,
        findings,
        effects,
        trace,
        reviews,
        reports,
        journal,
        export,
        work,
        settings,
    )
)
