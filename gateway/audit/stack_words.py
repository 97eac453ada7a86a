"""The comparison in words: judgements, relations, causes, states of hours, and what was said against them."""

from gateway.i18n import text

JUDGEMENTS = {"agrees": "within U", "differs": "beyond U", "undecided": "cannot be judged"}
RELATIONS = {
    "undiluted_gas": "CO2 of the gas without air",
    "gas_per_emission": "gas without air per tonne by the books",
    "specific": "amounts against one another",
    "carbon_content": "carbon content",
    "stock": "used against bought and stock",
    "span_checks": "span checks of the analyser",
}
CAUSES = {
    "concentration": "concentration (analyser)",
    "flow": "flow (velocity and area)",
    "amount": "fuel or material amount (scale)",
    "carbon": "carbon content (laboratory or factor)",
}
STATES = {
    "valid": "valid",
    "unjudged": "not judged",
    "substituted": "replaced by rule",
    "invalid": "not valid",
    "missing": "no readings",
    "stopped": "plant stopped",
}
REASONS = {
    "share": "too few readings",
    "quadrants": "a quarter hour without a reading",
    "missing": "no readings",
    "impossible": "beyond what a gas can be",
    "out_of_control": "monitor out of control",
    "substituted": "replaced by rule",
    "no_rule": "no rule to replace it",
}
PARAMETERS = {
    "co2": "CO2",
    "o2": "oxygen",
    "oxygen": "oxygen",
    "flow": "flow",
    "velocity": "velocity",
    "temperature": "temperature",
    "pressure": "pressure",
    "moisture": "moisture",
}
TESTS = {"zero": "zero check", "span": "span check", "linearity": "linearity", "rata": "relative accuracy"}
TEXT_STATES = {"read": "text read", "quoted": "text quoted", "unread": "text not read"}


def judgement_text(language: str, agreement: str) -> str:
    """A judgement in the reader's language."""
    return text(language, JUDGEMENTS[str(agreement)])


def relation_text(language: str, name: str) -> str:
    """A relation; ``kind:source`` names what it is about."""
    kind, _, of = name.partition(":")
    said = text(language, RELATIONS[kind])
    return f"{said} ({of.replace(':', ' / ')})" if of else said


def cause_text(language: str, name: str) -> str:
    """A cause; ``kind:source`` names whose amount or carbon."""
    kind, _, of = name.partition(":")
    said = text(language, CAUSES[kind])
    return f"{said}: {of}" if of else said


def state_text(language: str, state: str) -> str:
    """An hour's state."""
    return text(language, STATES[str(state)])


def reason_text(language: str, reason: str) -> str:
    """What was said against hours, with the parameter."""
    kind, _, of = reason.partition(":")
    said = text(language, REASONS.get(kind, kind)) if kind in REASONS else kind
    return f"{said}: {parameter_text(language, of)}" if of else said


def parameter_text(language: str, parameter: str) -> str:
    """A parameter of the gas."""
    return text(language, PARAMETERS[parameter]) if parameter in PARAMETERS else parameter


def kind_of_test_text(language: str, type_: str) -> str:
    """A kind of test."""
    return text(language, TESTS[type_]) if type_ in TESTS else type_
