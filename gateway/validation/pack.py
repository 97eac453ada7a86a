"""The rule pack: which edition of the rules judged a reading."""

from gateway.domain.finding import Finding, Severity
from gateway.i18n.rules import RULES

RULE_PACK = "2"
"""Stands in every poll entry as ``rules``. It changes whenever a rule could judge the same reading otherwise."""


def finding(rule: str, channel: str, **facts: int | str) -> Finding:
    """A finding with the severity its rule has."""
    return Finding(rule, Severity(RULES[rule].severity), channel, facts)
