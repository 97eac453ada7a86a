"""Texts in Chinese and English for pages, commands and reports.

A text is its English sentence with ``%(name)s`` placeholders; ``locale/zh/*.po`` holds the Chinese, a catalogue a room
so that each room keeps its own. Findings are looked up by rule id in ``gateway.i18n.rules``.
"""

from gateway.i18n.texts import LANGUAGES, language_from, text

__all__ = ["LANGUAGES", "language_from", "text"]
