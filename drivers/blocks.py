"""What is wrong with a driver's block of a site file or profile, as sentences that can be translated."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from gateway.domain.errors import Problem

Block = TypeVar("Block", bound=BaseModel)

_SENTENCES = {
    "missing": "'%(key)s' is missing",
    "extra_forbidden": "'%(key)s' is not a key that can stand here",
    "int_type": "'%(key)s' must be a whole number",
    "int_from_float": "'%(key)s' must be a whole number",
    "string_type": "'%(key)s' must be text (put it in quotes if it looks like a number)",
    "bool_type": "'%(key)s' must be true or false",
    "list_type": "'%(key)s' must be a list",
    "dict_type": "'%(key)s' must be a block of keys",
    "model_type": "'%(key)s' must be a block of keys",
    "greater_than_equal": "'%(key)s' must be at least %(ge)s",
    "less_than_equal": "'%(key)s' must be at most %(le)s",
    "string_pattern_mismatch": "'%(key)s' has characters that cannot stand here; allowed: %(pattern)s",
    "string_too_long": "'%(key)s' is longer than %(max_length)s characters",
    "string_too_short": "'%(key)s' is empty",
    "too_long": "'%(key)s' has more than %(max_length)s entries",
    "literal_error": "'%(key)s' must be one of %(expected)s",
}


def wrong(sentence: str, **facts: str) -> PydanticCustomError:
    """A problem to raise while a block is read: an English sentence with ``%(name)s`` placeholders and their facts."""
    return PydanticCustomError("block", "{sentence}", {"sentence": sentence, **facts})


def read_block(model: type[Block], value: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> Block | list[Problem]:
    """The block as its model, or everything wrong with it, each at its place below ``path``."""
    try:
        return model.model_validate(dict(value))
    except ValidationError as error:
        return [_problem(item, path) for item in error.errors(include_url=False)]


def _problem(item: Any, path: tuple[str | int, ...]) -> Problem:  # pydantic's ErrorDetails
    place = tuple(item["loc"])
    key = ".".join(str(part) for part in place) or str(path[-1] if path else "block")
    facts = {name: str(each) for name, each in item.get("ctx", {}).items()}
    sentence = facts.pop("sentence", None) or _SENTENCES.get(item["type"])
    if sentence is None:
        reason = str(item["msg"]).removeprefix("Value error, ")
        return Problem("'%(key)s': %(reason)s", {"key": key, "reason": reason}, (*path, *place))
    return Problem(sentence, {"key": key} | facts, (*path, *place))
