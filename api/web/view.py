"""What every page needs to know about its request: language, organisation, time zone, as-of and known-at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from api.people.roles import ROLE_NAMES, allowed
from api.people.store import Person
from api.web import format as shown
from config.catalogues import energy_kinds, measurands
from gateway.audit.decoding import RawReading
from gateway.audit.energy import Energy
from gateway.audit.findings import FindingView
from gateway.domain.finding import Severity
from gateway.domain.quality import status_of
from gateway.domain.time import iso
from gateway.i18n import text
from gateway.i18n.recorded import detail, recorded
from gateway.i18n.rules import RULES, rule_sentence, rule_title
from gateway.i18n.terms import quality_terms, term, unit_symbol

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
INSTANT_FACTS = frozenset({"last", "since", "at"})
WORD_FACTS = {
    "transformer": "role",
    "kind": "certificate_kind",
    "result": "certificate_result",
    "instrument_kind": "instrument_kind",
    "side": "side",
    "reason": "fact_reason",
    "found": "fact_found",
    "state": "conformity",
    "mode": "correction_mode",
    "limit_confidence": "standing",
}
STATUS_CLASS = {0: "good", 1: "warn", 2: "bad", 3: "none"}
SEVERITY_CLASS = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "info"}
DUE_CLASS = {
    "valid": "good",
    "due_soon": "warn",
    "overdue": "bad",
    "failed": "bad",
    "not_verified": "bad",
    "no_certificate": "bad",
    "no_term": "none",
    "unconfirmed": "warn",
    "other_meter": "bad",
    "untrusted": "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One reader's view of one request. Instants are microseconds UTC; pages write them in ``zone``."""

    language: str
    path: str
    query: Mapping[str, str]
    zone: ZoneInfo
    organisation: str
    organisation_name: str
    site_name: str
    simulated: bool
    now_us: int
    as_of_us: int
    known_at_us: int | None
    person: Person
    form_token: str

    def may(self, permission: str) -> bool:
        """Whether the reader's roles grant a permission, for showing a form or a menu line; the guard decides again."""
        return allowed(self.person.roles, permission)

    @property
    def role_names(self) -> str:
        """The reader's roles in words."""
        return self.listed(self.t(ROLE_NAMES[each]) for each in sorted(self.person.roles))

    def listed(self, words: Iterable[str]) -> str:
        """Words in a row, with the language's own comma."""
        return ("、" if self.language == "zh" else ", ").join(words)

    def t(self, message: str, /, **facts: object) -> str:
        """A text in the reader's language."""
        return text(self.language, message, **facts)

    def detail(self, said: str) -> str:
        """The recorded detail of a failure in the reader's language; quoted where another program said it."""
        return detail(self.language, said)

    def limit_source(self, source: str, standing: str) -> str:
        """Where a limit or a part of an uncertainty comes from, and how surely."""
        return self.listed([recorded(self.language, source), *([self.term("standing", standing)] if standing else [])])

    def term(self, family: str, word: str | int | None) -> str:
        """A stored word in the reader's language."""
        return term(self.language, family, word)

    def name(self, thing: object) -> str:
        """The name of anything with ``name_zh``/``name_en``, falling back on the other language and then on its id."""
        first, second = ("name_zh", "name_en") if self.language == "zh" else ("name_en", "name_zh")
        return str(getattr(thing, first, "") or getattr(thing, second, "") or getattr(thing, "id", ""))

    def measurand(self, measurand_id: str) -> str:
        """A quantity's name from the catalogue."""
        known = measurands().get(measurand_id)
        return measurand_id if known is None else str(getattr(known.name, self.language))

    def energy_kind(self, kind_id: str) -> str:
        """An energy kind's name from the catalogue."""
        known = energy_kinds().get(kind_id)
        return kind_id or "—" if known is None else str(getattr(known.name, self.language))

    def unit(self, unit: str) -> str:
        """A unit as it is written for people."""
        return unit_symbol(unit)

    def rule(self, rule: str) -> str:
        """A rule's title; its id when it is not one of ours."""
        return rule_title(self.language, rule) if rule in RULES else rule

    def rule_sentence(self, rule: str) -> str:
        """A rule's sentence."""
        return rule_sentence(self.language, rule) if rule in RULES else ""

    def severity_class(self, severity: str) -> str:
        """The style of a severity: ``bad``, ``warn``, ``info``."""
        return SEVERITY_CLASS.get(Severity(severity), "none") if severity in set(Severity) else "none"

    def quality(self, word: int | None) -> tuple[str, str, str]:
        """``(style, word, reasons)`` of a stored quality word; not known counts as missing."""
        if word is None:
            return "none", self.term("status", 3), ""
        status, flags = quality_terms(self.language, word)
        return STATUS_CLASS[int(status_of(word))], status, ("、" if self.language == "zh" else ", ").join(flags)

    def due_class(self, due: str) -> str:
        """The style of a due state."""
        return DUE_CLASS.get(due, "none")

    def local(self, at_us: int | None, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
        """An instant in the site's zone."""
        return shown.local(at_us, self.zone, pattern)

    def utc_day(self, at_us: int) -> str:
        """The UTC day that begins at an instant."""
        return iso(at_us)[:10]

    def minute(self, at_us: int | None) -> str:
        """An instant to the minute in the site's zone."""
        return shown.local(at_us, self.zone, "%Y-%m-%d %H:%M")

    def age(self, at_us: int | None) -> str:
        """How long ago an instant was."""
        if at_us is None:
            return self.t("never")
        return self.t("%(span)s ago", span=shown.duration(self.language, max(self.as_of_us - at_us, 0)))

    def glance(self, value: Fraction | None) -> str:
        """A value for reading at a glance."""
        return shown.glance(value)

    def change(self, new: Fraction | None, old: Fraction | None) -> str:
        """The change from ``old`` to ``new`` in percent with its sign; an em dash where either is not known."""
        if new is None or old is None or old == 0:
            return "—"
        percent = shown.rounded(100 * (new - old) / abs(old), 1)
        return f"{'' if percent.startswith('−') else '+'}{percent}%"

    @property
    def utc_offset(self) -> str:
        """The zone's offset now, ``UTC+08:00``."""
        return shown.utc_offset(self.as_of_us, self.zone)

    @property
    def today(self) -> date:
        """The civil day of ``as_of`` in the site's zone."""
        return date.fromisoformat(self.local(self.as_of_us, "%Y-%m-%d"))

    def here(self, **changes: object) -> str:
        """This page's address with some query values changed; None removes one."""
        kept = {name: value for name, value in self.query.items() if name not in changes and name != "lang"}
        kept.update({name: str(value) for name, value in changes.items() if value is not None})
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def link(self, path: str, **query: object) -> str:
        """Another page's address that keeps this page's ``as_of`` and ``known_at``."""
        values = {name: self.query[name] for name in ("as_of", "known_at") if self.query.get(name)}
        values.update({name: str(value) for name, value in query.items() if value is not None and value != ""})
        path = quote(path)
        return f"{path}?{urlencode(values)}" if values else path

    def named(self, name_zh: str, name_en: str, fallback: str) -> str:
        """A name given in both languages."""
        first, second = (name_zh, name_en) if self.language == "zh" else (name_en, name_zh)
        return first or second or fallback

    def finding_link(self, finding: FindingView) -> str:
        """Where a finding is seen in its surroundings."""
        if finding.rule == "replacement.open":
            return self.link(f"/replacements/{finding.facts['order']}")
        if finding.decision:
            return self.link("/effects", certificate=finding.certificate) + f"#span-{finding.entry_seq}"
        if finding.instrument and finding.area == "certificates":
            return self.link(f"/instruments/{finding.instrument}")
        if finding.point:
            return self.link("/findings", rule=finding.rule, point=finding.point)
        return self.link("/findings", rule=finding.rule, instrument=finding.instrument, device=finding.device)

    def facts(self, finding: FindingView) -> list[tuple[str, str]]:
        """A finding's facts with their names and values in words."""
        return [(self.term("fact", name), self._fact(finding, name, value)) for name, value in finding.facts.items()]

    def _fact(self, finding: FindingView, name: str, value: object) -> str:
        if name in INSTANT_FACTS and isinstance(value, int):
            return self.local(value)
        if isinstance(value, int) and finding.channel:
            unit = self.unit(finding.unit)
            return f"{shown.scaled(value, finding.decimals)} {unit}".strip()
        if name == "limit_source":
            return recorded(self.language, str(value))
        if name in WORD_FACTS:
            return self.term(WORD_FACTS[name], str(value))
        return str(value)

    def file_name(self, name: str) -> str:
        """A file's name, which says when the readings are simulated."""
        return f"SIMULATED-{name}" if self.simulated else name

    def trace_link(self, point: str, energy: Energy) -> str:
        """From an amount to its evidence."""
        return self.link("/trace", **{"point": point, "from": self.iso(energy.start_us), "to": self.iso(energy.end_us)})

    def iso(self, at_us: int) -> str:
        """An instant with the site's offset, as addresses carry it."""
        return shown.local(at_us, self.zone, "%Y-%m-%dT%H:%M:%S%z")

    def here_at(self, path: str, **changes: object) -> str:
        """Another address with this page's whole query."""
        kept = {name: value for name, value in self.query.items() if name not in {"lang", *changes}}
        kept.update({name: str(value) for name, value in changes.items()})
        return f"{path}?{urlencode(kept)}"

    def chart_query(self) -> str:
        """This page's query as the tail of a chart's address; the minute keeps a live chart fresh."""
        kept = {name: value for name, value in self.query.items() if name not in {"lang", "theme"}}
        kept.setdefault("at", self.local(self.as_of_us, "%Y%m%d%H%M"))
        return "&" + urlencode(kept)

    def share(self, part: Fraction, whole: Fraction) -> str:
        """A share in percent with one decimal; may be above 100 or negative."""
        return "—" if whole == 0 else shown.rounded(100 * part / whole, 1) + "%"

    def permille(self, part: Fraction, whole: Fraction) -> int:
        """A share in permille, between 0 and 1000, for a bar."""
        return 0 if whole == 0 else max(0, min(1000, round(1000 * part / whole)))

    def resolution(self, decimals: int) -> str:
        """The step of a channel with that many decimals."""
        return shown.rounded(Fraction(1, 10**decimals), decimals)

    def is_marked(self, raw: RawReading, channel: str, request: int, word: int) -> bool:
        """Whether a raw word belongs to the channel that is looked at."""
        for each in raw.fields:
            if each.channel == channel and each.request == request and each.first_word is not None:
                return each.first_word <= word <= (each.last_word or each.first_word)
        return False

    @property
    def weekday(self) -> str:
        """The day of the week of ``as_of``."""
        return self.t(WEEKDAYS[self.today.weekday()])

    @property
    def in_the_past(self) -> bool:
        """True when the page was asked for another moment than now."""
        return bool(self.query.get("as_of") or self.query.get("known_at"))
