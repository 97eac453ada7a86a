"""What people write above their columns, and which column of ours that is; the answers given once are remembered.

Known beside our own headers: form B.3 of JJF 1356 and the e-CQS platform's list, both as pages quote them (转载).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.journal import canonical
from gateway.journal.entry import Draft
from gateway.journal.journal import MAX_PAGE_ENTRIES, Journal
from gateway.registry.columns import INSTRUMENT_KINDS, Column, LedgerFile
from gateway.registry.writing import split_subject

KIND = "column_mapping"
IGNORED = ""
MAX_HEADERS = 200
ECQS_FIELDS = (
    ("器具名称", "name"),
    ("器具项别", "ecqs_item"),
    ("器具种别", "ecqs_type"),
    ("型号规格", "model"),
    ("测量范围", "range"),
    ("准确度等级", "accuracy_class"),
    ("出厂编号", "serial"),
    ("生产厂家", "maker"),
    ("器具产地", "origin"),
    ("安装/使用地点", "location"),
    ("使用地点行政区划", "district"),
    ("器具数量", "quantity"),
    ("器具用途(贸易结算/安全防护/医疗卫生/环境监测)", "usage"),
    ("送检方式", "submission"),
)
"""The fourteen fields of an instrument on the e-CQS platform and our columns (转载)."""

_ALIASES: Mapping[str, Mapping[str, str]] = {
    "instruments.csv": {
        **dict(ECQS_FIELDS),
        "序号": IGNORED,
        "器具用途": "usage",
        "用能单位管理编号": "id",
        "器具编号": "id",
        "设备编号": "id",
        "检定周期/校准间隔": "cycle_months",
        "检定周期(月)": "cycle_months",
        "校准间隔": "cycle_months",
        "状态(合格/准用/停用)": "metrological_state",
        "规格型号": "model",
        "型号": "model",
        "精度等级": "accuracy_class",
        "准确度": "accuracy_class",
        "生产厂商": "maker",
        "制造厂": "maker",
        "安装使用地点": "location",
        "安装地点": "location",
    },
    "*": {"序号": IGNORED, "no.": IGNORED},
}
_KIND_WORDS = sorted((word for word in INSTRUMENT_KINDS if not word.isascii()), key=len, reverse=True)
_MORE_KINDS = {"电度表": "electricity_meter", "多功能表": "electricity_meter", "衡": "weighbridge", "秤": "belt_scale"}


@dataclass(slots=True)
class ColumnMapping:
    """Per file: what people's headers stand for (``""``: the column is not read)."""

    files: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, journal: Journal, organisation: str) -> "ColumnMapping":
        """What was said before; the newest word on each file counts."""
        mapping = cls()
        seq = 0
        while page := journal.read(seq, MAX_PAGE_ENTRIES, kinds=(KIND,)):
            for entry in page:
                owner, _, file = split_subject(entry.subject)
                pairs = entry.body.get("columns")
                if owner == organisation and isinstance(pairs, list):
                    mapping.files[file] = {str(header): str(column) for header, column in pairs}
            seq = page[-1].seq
        return mapping

    def say(self, file: str, header: str, column: str) -> None:
        """A person's header of a file stands for a column; blank: for none."""
        known = self.files.setdefault(file, {})
        if len(known) < MAX_HEADERS:
            known[plain_header(header)] = column

    def column(self, file: LedgerFile, header: str) -> Column | str | None:
        """The column a header stands for; ``IGNORED`` where it is to be passed over; None where nobody knows."""
        plain = plain_header(header)
        said = self.files.get(file.name, {})
        if plain in said:
            return _named(file, said[plain])
        for column in file.columns:
            if plain in {column.field, plain_header(column.zh)}:
                return column
        for name in (file.name, "*"):
            for alias, field_ in _ALIASES.get(name, {}).items():
                if plain == plain_header(alias):
                    return _named(file, field_)
        return None


def mapping_draft(
    organisation: str, file: str, columns: Mapping[str, str], *, at_us: int, actor: str, reason: str
) -> Draft:
    """The entry that remembers a file's mapping."""
    pairs = [[header, column] for header, column in columns.items()]  # keys of an entry are ASCII, headers are not
    body = canonical.plain({"columns": pairs, "actor": actor, "reason": reason})
    return Draft(KIND, f"{organisation}/{KIND}/{file}", at_us, body)


def plain_header(text: str) -> str:
    """A header without blanks, case, full-width forms and asterisks."""
    return re.sub(r"[\s*＊]+", "", unicodedata.normalize("NFKC", text)).casefold()


def guessed_kind(name: str) -> str:
    """The kind an instrument's name speaks of; ``other`` where it speaks of none."""
    for word in _KIND_WORDS:
        if word in name:
            return INSTRUMENT_KINDS[word]
    return next((kind for word, kind in _MORE_KINDS.items() if word in name), "other")


def _named(file: LedgerFile, field_: str) -> Column | str | None:
    if field_ == IGNORED:
        return IGNORED
    return next((column for column in file.columns if column.field == field_), None)
