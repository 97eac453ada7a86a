"""The watch in words: states, reasons, and the evidence a check order carries."""

from gateway.audit.watch import WatchedNodeView, WatchedPoint
from gateway.domain.time import iso
from gateway.i18n import text

STATES = {
    "suspect": "in doubt: to be checked",
    "clear": "nothing found",
    "undetermined": "undetermined",
    "not_observable": "not observable",
}
REASONS = {
    "unmetered": "not metered",
    "no_class": "no accuracy class on record",
    "too_many_children": "too many meters under one node",
    "too_few_steps": "too few whole hours",
    "global_test": "the difference of the whole time is larger than calibration and losses allow",
    "measurement_test": "more meters contradict their calibration than can be told apart",
    "noise_beyond_meters": "the difference scatters more than meters do",
    "innovations_too_large": "the hours contradict what the hours before said",
    "innovations_not_white": "the difference follows a course of its own",
    "power_triangle": "active, reactive and apparent power",
    "phase_sum": "sum of the phases",
    "energy_power": "energy against mean power",
}


def state_text(language: str, state: str) -> str:
    """A state in the reader's language."""
    return text(language, STATES[str(state)])


def reason_text(language: str, reason: str) -> str:
    """A reason or an identity in the reader's language; ``reason:subject`` names whom it is about."""
    word, _, subject = str(reason).partition(":")
    said = text(language, REASONS[word])
    return f"{said} ({subject})" if subject else said


def evidence_of(view: WatchedNodeView, each: WatchedPoint, language: str) -> list[str]:
    """What speaks against a meter, as people read it; empty for one the watch has nothing on."""
    found, gate = each.estimate, view.gate
    if found is None or gate is None:
        return []
    span = {"start": iso(view.used_from_us), "end": iso(view.to_us), "hours": view.hours}
    error = {"error": f"{100 * found.error:+.2f}", "u": f"{200 * found.u:.2f}", "limit": f"{100 * found.limit:.2f}"}
    chance = {"p": f"{found.p:.3f}", "gain": f"{found.gain:.2f}"}
    tests = {
        "z": f"{gate.global_z:+.2f}",
        "z_limit": f"{gate.global_limit:.2f}",
        "nis": f"{gate.nis:.2f}",
        "nis_limit": f"{gate.nis_limit:.2f}",
        "lag": f"{dict(gate.correlations).get(1, 0.0):+.2f}",
        "lag_limit": f"{gate.correlation_limit:.2f}",
    }
    return [
        text(language, "node %(node)s, %(hours)s whole hours from %(start)s to %(end)s", node=view.point.id, **span),
        text(language, "estimated error %(error)s %% ± %(u)s %% (k = 2), limit ± %(limit)s %%", **error),
        text(language, "probability of being beyond the limit %(p)s, information gained %(gain)s", **chance),
        text(
            language,
            "gate open: whole time %(z)s (limit %(z_limit)s), scatter %(nis)s (limit %(nis_limit)s), lag 1 %(lag)s "
            "(limit %(lag_limit)s)",
            **tests,
        ),
        text(language, "errors are relative to the meter at the top; this is a reason to check, not a verdict"),
    ]
