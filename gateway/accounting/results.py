"""Results on record: versions that name their factors, rules and inputs, move through states, and are never
overwritten.

Each act is one entry of kind ``result``: ``computed`` makes version n (草稿), ``submitted`` (已提交), ``verified``
(已核查) and ``frozen`` (冻结) move it on, ``returned`` sends it back to draft. Computing again makes version n + 1.
Nobody verifies what they computed or submitted themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.accounting.account import CARBON_RULE, ENERGY_RULE, Account
from gateway.accounting.inputs import Inputs
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.figure import Figure, decimal_text
from gateway.domain.time import Period
from gateway.journal.entry import Draft
from gateway.registry.registry import Registry

KIND = "result"
MAX_RESULTS = 100_000
MAX_REASONS = 12
DRAFT = "draft"
STATES = (DRAFT, "submitted", "verified", "frozen")
_NEXT = {"submitted": DRAFT, "verified": "submitted", "frozen": "verified"}
_RETURNED = "returned"
_FIRST_EDITION = "1"


class ResultStateError(MeterproofError):
    """A step that does not follow from the state a result is in, or is not this person's to take."""


@dataclass(frozen=True, slots=True)
class ResultAct:
    """One act on a version: what was done, by whom, when (µs UTC), why, and the entry that says so."""

    action: str
    actor: str
    at_us: int
    reason: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultVersion:
    """One recorded computation with its newest state."""

    id: str
    version: int
    seq: int
    at_us: int
    period: Period
    known_seq: int
    plan_seq: int
    inputs: str
    rules: tuple[str, ...]
    factors: Mapping[str, str | None]  # version → value; None where the plan itself states it
    figures: Mapping[str, Mapping[str, Any]]
    exposure: Mapping[str, str]
    state: str
    actor: str
    acts: tuple[ResultAct, ...] = ()  # oldest first; the first one computed it

    def inputs_again(self, gathered: Inputs) -> Inputs | None:
        """Inputs gathered anew for its time and entry, as its edition of the rules took them; None when they are not
        as they were.
        """
        found = gathered.under(CARBON_RULE.partition("@")[2] if CARBON_RULE in self.rules else _FIRST_EDITION)
        return found if found.digest() == self.inputs else None


def figure_document(figure: Figure) -> dict[str, Any]:
    """A figure's journal form: text and integers only."""
    value, expanded = figure.displayed()
    return {
        "value": value,
        "expanded": expanded,
        "exact": None if figure.value is None else decimal_text(figure.value),
        "unit": figure.unit,
        "coverage": figure.coverage_permille,
        "quality": figure.quality,
        "methods": {name: decimal_text(share, 6) for name, share in figure.methods.items()},
        "reasons": list(figure.reasons[:MAX_REASONS]),
        "more_reasons": max(0, len(figure.reasons) - MAX_REASONS),
    }


def result_draft(
    made: Account, id_: str, version: int, *, known_seq: int, at_us: int, actor: str, reason: str
) -> Draft:
    """The entry of a computed version. ``known_seq`` is the entry up to which it was computed."""
    lines = {name: line for name, line in sorted(made.lines.items()) if _reported(name)}
    used = sorted({factor for line in made.lines.values() for factor in line.figure.factors})
    values = {each.version: decimal_text(each.value) for each in made.inputs.factors}
    return Draft(
        kind=KIND,
        subject=f"{made.inputs.organisation}/result/{id_}",
        at_us=at_us,
        body={
            "action": "computed",
            "actor": actor,
            "reason": reason,
            "version": version,
            "from": made.inputs.period.start_us,
            "to": made.inputs.period.end_us,
            "known": known_seq,
            "plan": made.inputs.plan.seq,
            "rules": [ENERGY_RULE, CARBON_RULE],
            "inputs": made.inputs.digest(),
            # lists: the keys of an entry are ASCII, names of processes and regions are not
            "factors": [[each, values.get(each)] for each in used],
            "figures": [[name, figure_document(line.figure)] for name, line in lines.items()],
            "exposure": [[name, decimal_text(tonnes, 6)] for name, tonnes in sorted(made.exposure.items())],
        },
    )


def _reported(name: str) -> bool:
    """Points stand in the energy views; a result reports sums, sources, products and what is made of them."""
    return not name.startswith(("energy/", "tce/")) or name.count("/") > 1 or name in {"tce/total", "tce/consumed"}


def step_draft(result: ResultVersion, organisation: str, action: str, *, at_us: int, actor: str, reason: str) -> Draft:
    """The entry of a step; ResultStateError when it does not follow from the state the result is in, or when somebody
    would verify what they computed or submitted themselves.
    """
    allowed = result.state in {"submitted", "verified"} if action == _RETURNED else _NEXT.get(action) == result.state
    if not allowed:
        raise ResultStateError(
            "the result '%(id)s' version %(version)s is %(state)s; %(action)s does not follow from that",
            id=result.id,
            version=str(result.version),
            state=result.state,
            action=action,
        )
    if action == "verified" and actor in {
        each.actor for each in result.acts if each.action in {"computed", "submitted"}
    }:
        raise ResultStateError(
            "'%(actor)s' computed or submitted the result '%(id)s' version %(version)s; somebody else verifies it",
            actor=actor,
            id=result.id,
            version=str(result.version),
        )
    return Draft(
        kind=KIND,
        subject=f"{organisation}/result/{result.id}",
        at_us=at_us,
        body={"action": action, "actor": actor, "reason": reason, "version": result.version},
    )


def results(registry: Registry, organisation: str, known_seq: int | None = None) -> list[ResultVersion]:
    """Every version on record with its state, oldest first."""
    found: dict[tuple[str, int], ResultVersion] = {}
    for event in registry.events(organisation, kind=KIND, limit=MAX_RESULTS):
        if known_seq is not None and event.seq > known_seq:
            break
        body = event.body
        id_ = event.subject.split("/", 2)[2]
        key = (id_, int(body["version"]))
        if event.action == "computed":
            found[key] = _computed(id_, event.seq, event.at_us, body)
        elif key in found:
            state = DRAFT if event.action == _RETURNED else event.action
            found[key] = replace(
                found[key], state=state, acts=(*found[key].acts, _act(event.action, event.seq, body, event.at_us))
            )
    return list(found.values())


def result(
    registry: Registry, organisation: str, id_: str, version: int | None = None, known_seq: int | None = None
) -> ResultVersion:
    """One version, the newest where none is named; UnknownObjectError when there is none."""
    on_record = results(registry, organisation, known_seq)
    found = [each for each in on_record if each.id == id_ and version in {None, each.version}]
    if not found:
        raise UnknownObjectError("no result '%(id)s' is on record", id=id_)
    return found[-1]


def _act(action: str, seq: int, body: Mapping[str, Any], at_us: int) -> ResultAct:
    return ResultAct(action, str(body.get("actor") or ""), at_us, str(body.get("reason") or ""), seq)


def _computed(id_: str, seq: int, at_us: int, body: Mapping[str, Any]) -> ResultVersion:
    return ResultVersion(
        id=id_,
        version=int(body["version"]),
        seq=seq,
        at_us=at_us,
        period=Period(int(body["from"]), int(body["to"])),
        known_seq=int(body["known"]),
        plan_seq=int(body["plan"]),
        inputs=str(body["inputs"]),
        rules=tuple(body["rules"]),
        factors=dict(body["factors"]),
        figures=dict(body["figures"]),
        exposure=dict(body["exposure"]),
        state=DRAFT,
        actor=str(body["actor"]),
        acts=(_act("computed", seq, body, at_us),),
    )
