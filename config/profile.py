"""Profiles: what a model of meter offers, as data. One file a model under ``profiles/<maker>/<model>.yaml``."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from config.loading import FileProblem, LoadedFile, UnusableFileError, load_yaml, validated
from config.model import FileModel, Identifier, Name, Text

Confidence = Literal["原文", "转载", "程序引用", "记忆", "推断"]
"""Where a fact was seen: the document itself, a page quoting it, a program, memory, inference."""


class SourceDocument(FileModel):
    """The maker's document the register map was taken from, and how sure we are."""

    title: Text
    edition: str | None = Field(default=None, min_length=1, max_length=100)
    url: str | None = Field(default=None, min_length=1, max_length=500)
    confidence: Confidence
    note: str | None = Field(default=None, min_length=1, max_length=1_000)


class ProfileChannel(FileModel):
    """One measurand of the meter. ``source`` says where it is on the wire and belongs to the driver.

    ``decimals`` fixes the resolution: stored integer = value * 10**decimals, rounded half to even. ``modulus`` is where
    a counter rolls over to 0, in stored integers; ``minimum`` and ``maximum`` are in the measurand's unit, inclusive.
    """

    id: Identifier
    measurand: Identifier
    decimals: int = Field(default=0, ge=0, le=9)
    modulus: int | None = Field(default=None, ge=2)
    minimum: int | None = None
    maximum: int | None = None
    primary: bool = False
    source: dict[str, Any]


class ProfileGroup(FileModel):
    """Channels read together. Without ``period_s`` the site's schedule holds; ``identity`` groups say who is there."""

    id: Identifier
    identity: bool = False
    period_s: int | None = Field(default=None, ge=1, le=86_400)
    channels: list[ProfileChannel] = Field(min_length=1, max_length=500)


class Profile(FileModel):
    """A meter model as the gateway reads it."""

    profile: Literal[1]
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*$", max_length=130)
    protocol: Identifier
    maker: Text
    model: Text
    name: Name
    document: SourceDocument
    options: dict[str, Any] = Field(default_factory=dict)
    groups: list[ProfileGroup] = Field(min_length=1, max_length=20)


def shipped_profiles() -> Path:
    """The folder of profiles that come with the product."""
    return Path(str(files("config") / "profiles"))


def profile_ids(folder: Path) -> list[str]:
    """The ids (``maker/model``) of all profiles in a folder, sorted."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in folder.glob("*/*.yaml"))


def load_profile(profile_id: str, folders: list[Path]) -> tuple[Profile | None, LoadedFile | None, list[FileProblem]]:
    """The profile from the first folder that has it, with positions and problems; (None, None, []) when none has."""
    for folder in folders:
        path = folder / f"{profile_id}.yaml"
        if not path.is_file():
            continue
        try:
            loaded = load_yaml(path)
        except UnusableFileError as error:
            return None, None, error.problems
        problems: list[FileProblem] = []
        profile = validated(loaded, Profile, problems)
        if profile is not None and profile.id != profile_id:
            facts = {"id": profile.id, "expected": profile_id}
            problems.append(
                loaded.problem(("id",), "the id is '%(id)s' but the file stands at '%(expected)s'", **facts)
            )
        return profile, loaded, problems
    return None, None, []
