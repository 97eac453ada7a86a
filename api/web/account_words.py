"""How accounting figures are written on pages: digits with separators, reasons, causes and lines in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from api.web import format as shown
from api.web.view import View
from gateway.audit.accounts import FigureFact
from gateway.domain.figure import significant

_SUMS = {"direct": "direct emissions", "indirect": "indirect emissions", "total": "total emissions"}


def grouped(text: str) -> str:
    """Decimal text with thousands separators and a true minus; an em dash for nothing."""
    if not text:
        return shown.NOTHING
    sign = "−" if text.startswith("-") else ""
    whole, point, part = text.lstrip("-").partition(".")
    return f"{sign}{int(whole):,}{point}{part}"


@dataclass(frozen=True, slots=True)
class AccountWords:
    """Accounting in one reader's language."""

    view: View
    boundaries: Mapping[str, str] = field(default_factory=dict)
    """Names of the pack's boundaries by id."""
    products: Mapping[str, str] = field(default_factory=dict)
    """Names of the plan's products by id."""

    def value(self, fact: FigureFact) -> str:
        """The digits its uncertainty allows."""
        return grouped(fact.value)

    def expanded(self, fact: FigureFact) -> str:
        """U, k = 2, with its sign; empty where it cannot be stated."""
        return f"± {grouped(fact.expanded)}" if fact.expanded not in {"", "0"} else ""

    def grouped(self, text: str) -> str:
        """Decimal text with thousands separators."""
        return grouped(text)

    def number(self, text: str) -> str:
        """Decimal text at a glance: five figures or so."""
        return shown.NOTHING if not text else shown.glance(Fraction(text))

    def digits(self, text: str) -> str:
        """Decimal text with five significant digits, for factors."""
        return grouped(significant(Fraction(text), 5)) if text else shown.NOTHING

    def permille(self, share: int | None) -> str:
        """A share in percent with one decimal."""
        return shown.NOTHING if share is None else shown.rounded(Fraction(share, 10), 1) + "%"

    def significant(self, value: float | None, unit: str = "") -> str:
        """A float of uncertainty with three significant digits; an em dash for nothing."""
        if value is None:
            return shown.NOTHING
        text = grouped(f"{value:.0f}") if abs(value) >= 1000 else f"{value:.3g}"
        return f"{text} {self.view.unit(unit)}".strip()

    def reason(self, reason: str) -> str:
        """A reason in words, with what it names: ``missing_windows:el-mill:3``."""
        head, _, rest = reason.partition(":")
        return self._with(self.view.term("account_reason", head), rest)

    def cause(self, cause: str) -> str:
        """What explains a change: ``data``, ``factor:grid/…``."""
        head, _, rest = cause.partition(":")
        return self._with(self.view.term("change_cause", head), rest)

    def effect(self, label: str) -> str:
        """A cause of uncertainty by name: a laboratory property, a value somebody stated, else what it is called."""
        head, _, rest = label.partition(":")
        if head == "laboratory":
            point, _, name = rest.rpartition(":")
            return f"{point} · {self.view.term('parameter', name)}"
        if head == "stated":
            reason, _, value = rest.rpartition(":")
            return f"{reason} ({value})"
        return label

    def basis(self, basis: str) -> str:
        """Where an uncertainty comes from: ``class 0.5``, ``limit 0.5 % …``, ``certificate …``, ``accounting plan``, or
        the edition that states it.
        """
        head, _, rest = basis.partition(" ")
        if basis == "accounting plan":
            return self.view.t("accounting plan")
        word = {"class": "accuracy class", "limit": "limit", "certificate": "certificate"}.get(head)
        return f"{self.view.t(word)} {rest}" if word and rest else self.view.t(basis)

    def _with(self, word: str, rest: str) -> str:
        return f"{word}{'：' if self.view.language == 'zh' else ': '}{rest}" if rest else word

    def line(self, id_: str) -> str:
        """A line's name: ``carbon/enterprise/total``, ``tce/kind/coal``, ``intensity/clinker/tce/total``."""
        first, _, rest = id_.partition("/")
        t = self.view.t
        if first == "intensity":
            product, _, line = rest.partition("/")
            name = self.products.get(product, product)
            return t("%(line)s per tonne of %(product)s", line=self.line(line), product=name)
        if first == "carbon":
            kind, _, last = rest.partition("/")
            if kind == "source":
                return t("source %(id)s", id=last)
            return f"{self.boundaries.get(kind, kind)} · {t(_SUMS.get(last, last))}"
        if first in {"tce", "tce-primary"}:
            return f"{t('standard coal')} ({self.view.term('tce_basis', first)}){self._group(rest)}"
        if first == "energy":
            return f"{t('energy')}{self._group(rest)}"
        return f"{t('product')} · {self.products.get(rest, rest)}" if first == "product" else id_

    def _group(self, rest: str) -> str:
        family, _, name = rest.partition("/")
        if rest in {"total", "consumed"}:
            word = "bought less delivered" if rest == "total" else "consumed, with the change of stock"
            return f" · {self.view.t(word)}"
        if not name:
            return f" · {rest}"
        if family == "kind":
            return f" · {self.view.energy_kind(name)}"
        return f" · {self.view.term('level', name) if family == 'level' else name}"
