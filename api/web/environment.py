"""The template environment: escaping on, unknown names are errors, numbers and instants through ``api.web.format``."""

from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.language import COOKIE, COOKIE_MAX_AGE_S
from api.people.permits import ROUTES
from api.web import format as shown
from api.web.view import View
from gateway.audit.trace_facts import Trace
from gateway.i18n import LANGUAGES, text

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"

MENU = (
    ("overview", "/", "Overview"),
    ("live", "/live", "Live"),
    ("instruments", "/instruments", "Instrument ledger"),
    ("network", "/points", "Points and network"),
    ("calibration", "/calibration", "Verification and calibration"),
    ("quality", "/quality", "Data quality"),
    ("energy", "/energy", "Energy statistics"),
    ("balance", "/balance", "Energy balance"),
    ("carbon", "/carbon", "Carbon emissions"),
    ("comparison", "/comparison", "Stack against fuel"),
    ("watch", "/watch", "In-service watch"),
    ("findings", "/findings", "Findings"),
    ("trace", "/trace", "Trace"),
    ("audit", "/audit", "Audit views"),
    ("reviews", "/reviews", "Metering reviews"),
    ("reports", "/reports", "Reports"),
    ("journal", "/journal", "Journal and seal"),
    ("settings", "/settings", "Settings"),
)
"""Page id (also its icon), address, and name, in the order of the menu."""


@cache
def environment() -> Environment:
    """The one environment; templates are compiled once."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        glance=shown.glance, trusted=shown.trusted, exact=shown.exact, scaled=shown.scaled, percent=shown.percent
    )
    made.globals.update(has_standards=_has_standards)
    made.globals.update(ratio=shown.ratio, rounded=shown.rounded, size=shown.size, duration=shown.duration)
    return made


def _has_standards(trace: Trace) -> bool:
    return any(each.certificate and each.certificate.standards for each in trace.instruments)


def page(view: View, template: str, *, status_code: int = 200, **facts: object) -> HTMLResponse:
    """A whole page; texts through ``t`` and ``view``."""
    menu = [each for each in MENU if view.may(ROUTES[f"GET {each[1]}"])]
    body = environment().get_template(template).render(view=view, _=view.t, menu=menu, **facts)
    answer = HTMLResponse(body, status_code=status_code, headers={"cache-control": "no-store"})
    if view.query.get("lang") in LANGUAGES:
        answer.set_cookie(COOKIE, view.language, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="lax", path="/")
    return answer


def bare_page(language: str, template: str, *, status_code: int = 200, **facts: object) -> HTMLResponse:
    """A page for somebody who is not signed in: no menu, nothing of the folder but whether it is simulated."""

    def speak(message: str, /, **values: object) -> str:
        return text(language, message, **values)

    body = environment().get_template(template).render(language=language, _=speak, **facts)
    return HTMLResponse(body, status_code=status_code, headers={"cache-control": "no-store"})
