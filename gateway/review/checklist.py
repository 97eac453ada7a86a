"""A checklist as it stands in a review's own entry: items, stages, where each comes from and how far to trust it.

Documents here are JSON-shaped as journaled; ``gateway.assembly.review_loading`` makes them from catalogue files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from gateway.domain.errors import UnknownObjectError


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something with a name in both languages."""

    id: str
    name_zh: str
    name_en: str

    @classmethod
    def of(cls, document: Mapping[str, Any], field: str = "name") -> Self:
        """From its journal form."""
        name = document[field]
        return cls(id=str(document["id"]), name_zh=str(name["zh"]), name_en=str(name["en"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to review.

    ``standing`` says how the clause title was come by (原文 转载 程序引用 记忆 推断), ``confidence`` whether a second
    source agreed; ``paraphrased`` that the title is no quotation; ``practice`` that no norm at hand asks for it.
    The question is always this product's wording. ``indicators``, ``rules``, ``views``, ``documents`` name its
    automatic evidence.
    """

    id: str
    chapter: str
    name_zh: str
    name_en: str
    question_zh: str
    question_en: str
    focus: str
    view: str
    law: tuple[str, ...]
    standing: str
    confidence: str
    paraphrased: bool
    practice: bool
    indicators: tuple[str, ...]
    rules: tuple[str, ...]
    views: tuple[str, ...]
    documents: tuple[str, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From its journal form."""
        title, question = document["title"], document["question"]
        lists = {name: tuple(map(str, document.get(name) or ())) for name in _LISTS}
        return cls(
            id=str(document["id"]),
            chapter=str(document["chapter"]),
            name_zh=str(title["zh"]),
            name_en=str(title["en"]),
            question_zh=str(question["zh"]),
            question_en=str(question["en"]),
            focus=str(document["focus"]),
            view=str(document["view"]),
            standing=str(document["standing"]),
            confidence=str(document["confidence"]),
            paraphrased=bool(document["paraphrased"]),
            practice=bool(document.get("practice")),
            **lists,
        )

    def speaks_of(self, rule: str) -> bool:
        """Whether findings of a rule belong to this item."""
        return any(each == rule or (each.endswith(".*") and rule.startswith(each[:-1])) for each in self.rules)


_LISTS = ("law", "indicators", "rules", "views", "documents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the way; ``by`` is ``organiser``, ``enterprise`` or ``reviewer``; ``practice``: it has no source."""

    id: str
    name_zh: str
    name_en: str
    by: str
    practice: bool
    source: str
    steps: tuple[Named, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From its journal form."""
        named = Named.of(document)
        return cls(
            id=named.id,
            name_zh=named.name_zh,
            name_en=named.name_en,
            by=str(document["by"]),
            practice=bool(document["practice"]),
            source=str(document["source"]),
            steps=tuple(Named.of(each) for each in document.get("steps") or ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """One norm's items and stages in one version; ``sha256`` is that of the file it came from."""

    id: str
    kind: str
    edition: str
    version: str
    name_zh: str
    name_en: str
    standing: str
    source: str
    note_zh: str
    note_en: str
    law: str
    sha256: str
    focuses: tuple[Named, ...]
    chapters: tuple[Named, ...]
    paraphrased_chapters: frozenset[str]
    items: tuple[Item, ...]
    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From its journal form; KeyError or TypeError when it is none."""
        texts = {name: str(document[name]) for name in _TEXTS}
        return cls(
            name_zh=str(document["title"]["zh"]),
            name_en=str(document["title"]["en"]),
            note_zh=str(document["note"]["zh"]),
            note_en=str(document["note"]["en"]),
            sha256=str(document["file_sha256"]),
            focuses=tuple(Named.of(each) for each in document["focuses"]),
            chapters=tuple(Named.of(each, "title") for each in document["chapters"]),
            paraphrased_chapters=frozenset(str(each["id"]) for each in document["chapters"] if each["paraphrased"]),
            items=tuple(Item.of(each) for each in document["items"]),
            stages=tuple(Stage.of(each) for each in document["stages"]),
            **texts,
        )

    def item(self, id_: str) -> Item:
        """One item; UnknownObjectError when the checklist has none of that id."""
        for each in self.items:
            if each.id == id_:
                return each
        raise UnknownObjectError("the checklist has no item '%(id)s'", id=id_)

    def stage(self, id_: str) -> Stage:
        """One stage; UnknownObjectError when there is none of that id."""
        for each in self.stages:
            if each.id == id_:
                return each
        raise UnknownObjectError("the checklist has no stage '%(id)s'", id=id_)


_TEXTS = ("id", "kind", "edition", "version", "standing", "source", "law")


@dataclass(frozen=True, slots=True, kw_only=True)
class EquippingEdition:
    """Required equipping rates of one edition; percent at levels 1, 2, 3 by energy kind.

    ``table`` is False where the edition's table was not at hand: then nothing is demanded and that is said.
    """

    id: str
    edition: str
    name_zh: str
    name_en: str
    from_day: date
    to_day: date | None
    table: bool
    standing: str
    source: str
    note: str
    sha256: str
    percent: Mapping[str, tuple[int, int, int]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From its journal form."""
        texts = {name: str(document[name]) for name in ("id", "edition", "standing", "source", "note")}
        until = document.get("to")
        return cls(
            name_zh=str(document["name"]["zh"]),
            name_en=str(document["name"]["en"]),
            sha256=str(document["file_sha256"]),
            from_day=date.fromisoformat(str(document["from"])),
            to_day=None if until is None else date.fromisoformat(str(until)),
            table=bool(document["table"]),
            percent={str(each["energy_kind"]): _three(each["percent"]) for each in document["rates"]},
            **texts,
        )

    def in_force(self, day: date) -> bool:
        """Whether it is in force on a civil day."""
        return self.from_day <= day and (self.to_day is None or day < self.to_day)

    def required(self, energy_kind: str, level: int) -> int | None:
        """Percent demanded of a kind at a level; None where the edition says nothing or its table is not at hand."""
        found = self.percent.get(energy_kind)
        return found[level - 1] if self.table and found is not None and 1 <= level <= 3 else None


def _three(values: Sequence[Any]) -> tuple[int, int, int]:
    first, second, third = (int(each) for each in values)
    return first, second, third


def edition_in_force(editions: Sequence[EquippingEdition], day: date) -> EquippingEdition | None:
    """The edition in force on a day; of several the one given last, so that an operator's file stands over ours."""
    found = [each for each in editions if each.in_force(day)]
    return found[-1] if found else None
