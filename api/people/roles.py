"""Roles and permissions: which work belongs to whom. A person may hold several roles; what none grants is denied."""

from enum import StrEnum

MAX_ROLES = 10


class Role(StrEnum):
    """A role of a person at one organisation."""

    ENERGY_MANAGER = "energy_manager"
    CUSTODIAN = "custodian"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    REVIEW_LEADER = "review_leader"
    REVIEW_OFFICE = "review_office"
    MARKET_SUPERVISION = "market_supervision"
    DEVELOPMENT_SUPERVISION = "development_supervision"
    ENVIRONMENT_SUPERVISION = "environment_supervision"
    ADMINISTRATOR = "administrator"


ROLE_NAMES = {
    Role.ENERGY_MANAGER: "energy manager",
    Role.CUSTODIAN: "instrument custodian",
    Role.OPERATOR: "operator",
    Role.REVIEWER: "reviewer",
    Role.REVIEW_LEADER: "review team leader",
    Role.REVIEW_OFFICE: "officer of the reviewing body",
    Role.MARKET_SUPERVISION: "supervision: market regulation",
    Role.DEVELOPMENT_SUPERVISION: "supervision: development and reform",
    Role.ENVIRONMENT_SUPERVISION: "supervision: ecology and environment",
    Role.ADMINISTRATOR: "administrator",
}
"""English names; the Chinese ones stand in the catalogue ``people.po``."""

FOR_A_TIME = frozenset({Role.REVIEWER, Role.REVIEW_LEADER})
"""Roles that are given until a day and never for ever: a review ends."""

SUPERVISION = frozenset({Role.MARKET_SUPERVISION, Role.DEVELOPMENT_SUPERVISION, Role.ENVIRONMENT_SUPERVISION})
_REVIEW = frozenset({Role.REVIEWER, Role.REVIEW_LEADER})
_EVERYBODY = frozenset(Role)

PUBLIC = "public"
"""A route without a person: signing in, and what its page needs."""
OWN = "own"
"""A route about the signed-in person alone."""

PERMISSIONS: dict[str, frozenset[Role]] = {
    OWN: _EVERYBODY,
    # reading
    "figures": _EVERYBODY - {Role.REVIEW_OFFICE},  # values, energy, balance, carbon, quality, charts
    "ledger": _EVERYBODY,  # points, instruments, certificates, network
    "findings": _EVERYBODY,
    "evidence": _EVERYBODY - {Role.OPERATOR},  # trace, journal entries, proofs
    "reports": _EVERYBODY - {Role.OPERATOR},
    "reviews": _EVERYBODY - {Role.OPERATOR},
    "export": _EVERYBODY - {Role.OPERATOR, Role.CUSTODIAN},  # evidence packages
    # writing
    "ledger.write": frozenset({Role.ENERGY_MANAGER, Role.CUSTODIAN}),
    "readings.write": frozenset({Role.ENERGY_MANAGER, Role.OPERATOR}),
    "quality.decide": frozenset({Role.ENERGY_MANAGER}),
    "account.write": frozenset({Role.ENERGY_MANAGER}),
    "account.verify": _REVIEW,  # what the plant computed, somebody else verifies
    "account.step": frozenset({Role.ENERGY_MANAGER}) | _REVIEW,  # which steps are whose: api/web/pages/carbon.py
    "reports.write": frozenset({Role.ENERGY_MANAGER}) | _REVIEW,
    "review.prepare": frozenset({Role.ENERGY_MANAGER, Role.CUSTODIAN}),
    "review.conduct": _REVIEW,
    "review.lead": frozenset({Role.REVIEW_LEADER}),
    "review.organise": frozenset({Role.REVIEW_OFFICE}),
    # the house
    "settings": frozenset({Role.ADMINISTRATOR, Role.ENERGY_MANAGER}),
    "people": frozenset({Role.ADMINISTRATOR}),
}
"""What a permission is for, and the roles that have it."""


def allowed(roles: frozenset[Role], permission: str) -> bool:
    """Whether one of the roles grants the permission. An unknown permission is granted by none."""
    return bool(roles & PERMISSIONS.get(permission, frozenset()))
