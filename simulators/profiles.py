"""The profiles that ship with the product, for whoever simulates their meters."""

from functools import cache
from pathlib import Path

from config.profile import Profile, load_profile, shipped_profiles


class UnusableProfileError(Exception):
    """There is no such profile, or it is wrong."""


@cache
def shipped_profile(profile_id: str) -> Profile:
    """A shipped profile by id; UnusableProfileError names what is wrong."""
    return profile_from(profile_id, (shipped_profiles(),))


def profile_from(profile_id: str, folders: tuple[Path, ...]) -> Profile:
    """A profile from the first folder that has it; UnusableProfileError names what is wrong."""
    profile, _, problems = load_profile(profile_id, list(folders))
    if profile is None or problems:
        reasons = "; ".join(each.message % each.facts for each in problems) or "no such profile"
        raise UnusableProfileError(f"{profile_id}: {reasons}")
    return profile
