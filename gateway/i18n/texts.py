"""Look-up of texts: English is the key, Chinese comes from the catalogues."""

from functools import cache
from importlib.resources import files

from babel.messages.pofile import read_po

LANGUAGES = ("zh", "en")
DEFAULT_LANGUAGE = "zh"


@cache
def _catalogue(language: str) -> dict[str, str]:
    """Every non-empty, non-fuzzy message of a language, all rooms merged."""
    messages: dict[str, str] = {}
    folder = files("gateway.i18n") / "locale" / language
    if not folder.is_dir():
        return messages
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".po"):
            continue
        with entry.open("rb") as stream:
            for message in read_po(stream, locale=language):
                if message.id and message.string and not message.fuzzy:
                    messages[str(message.id)] = str(message.string)
    return messages


def text(language: str, message: str, /, **facts: object) -> str:
    """``message`` in the language with its placeholders filled; the message itself where no translation stands.

    English has a catalogue too: of what shipped catalogues say in Chinese.
    """
    template = _catalogue(language).get(message, message)
    return template % facts if facts else template


def language_from(*wishes: str | None) -> str:
    """The first wish that names a language we speak (``zh_CN.UTF-8``, ``en-GB``, ``zh;q=0.8,en``), else Chinese."""
    for wish in wishes:
        for part in (wish or "").split(","):
            tag = part.split(";")[0].strip().lower().replace("_", "-").split(".")[0].split("-")[0]
            if tag in LANGUAGES:
                return tag
    return DEFAULT_LANGUAGE
