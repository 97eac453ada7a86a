"""A font with Chinese characters for PDF files: found on this machine, or a clear sentence how to get one."""

from collections.abc import Sequence
from pathlib import Path

import typst

from gateway.domain.errors import MeterproofError

CHINESE_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
    "Noto Serif CJK SC",
    "Noto Serif SC",
    "Source Han Serif SC",
    "SimSun",
    "Songti SC",
    "FandolSong",
    "Droid Sans Fallback",
)
"""Families that have the characters, the better readable first."""


class MissingFontError(MeterproofError):
    """No font with Chinese characters is there."""

    exit_code = 2


def chinese_family(folders: Sequence[Path] = (), *, system: bool = True) -> str:
    """The first known family in the folders and on the machine; MissingFontError with what to do when there is none."""
    fonts = typst.Fonts(font_paths=[str(each) for each in folders], include_system_fonts=system)
    there = set(fonts.families())
    found = next((each for each in CHINESE_FAMILIES if each in there), None)
    if found is None:
        raise MissingFontError(
            "no font with Chinese characters was found, and a PDF file needs one: install one (Debian: apt-get install "
            "fonts-noto-cjk) or name the folder of one with --fonts"
        )
    return found
