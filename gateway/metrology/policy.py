"""By which decision rule, correction and jurisdiction a point's readings are judged: the point's word, else the site's.

``correction_mode``: ``curve`` (a: the certificate's error at the load), ``mean`` (b: one mean correction, its spread
added), ``none`` (c, the default: the permissible error as a rectangle; without one |error| added to U). None of them
changes an energy: they say what error and uncertainty a figure is judged with.
"""

from dataclasses import dataclass

from gateway.domain.ledger import MeteringPoint, Site
from gateway.metrology.conformity import RULES
from gateway.metrology.limits import DEFAULT_JURISDICTION

CURVE, MEAN, NONE = "curve", "mean", "none"
CORRECTION_MODES = (CURVE, MEAN, NONE)
DEFAULT_RULE = "jjf1094"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one point."""

    decision_rule: str = DEFAULT_RULE
    correction_mode: str = NONE
    jurisdiction: str = DEFAULT_JURISDICTION


DEFAULT = Policy()


def policy_of(point: MeteringPoint | None, site: Site | None) -> Policy:
    """The policy of a point; words that are not known count as not said."""
    rules = [each.decision_rule for each in (point, site) if each is not None and each.decision_rule in RULES]
    modes = [
        each.correction_mode for each in (point, site) if each is not None and each.correction_mode in CORRECTION_MODES
    ]
    place = site.jurisdiction if site is not None else ""
    if not rules and not modes and not place:
        return DEFAULT
    return Policy(rules[0] if rules else DEFAULT_RULE, modes[0] if modes else NONE, place or DEFAULT_JURISDICTION)
