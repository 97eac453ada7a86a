"""What every file model has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", min_length=1, max_length=64)]
"""A stable id: lower-case letters, digits, dot, dash, underscore. Never reused once it has readings."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FileModel(BaseModel):
    """Unknown keys are errors, values are not bent into shape, instances do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Name(FileModel):
    """A name people read, in both languages."""

    zh: Text
    en: Text
