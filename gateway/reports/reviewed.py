"""The review object as the plain facts its reports print."""

from collections.abc import Callable, Sequence

from gateway.audit.findings import findings
from gateway.domain.time import local_date
from gateway.i18n import text
from gateway.i18n.review_terms import REVIEW_TERMS
from gateway.i18n.rules import RULES, rule_title
from gateway.reports.facts import Member, Nonconformity, ReviewFacts, ReviewItem, Stage
from gateway.reports.making import Making
from gateway.review.state import Review, Reviews, StageState

VERDICTS = {"conforming": "conforms", "nonconforming": "fails", "not_applicable": "not_applicable"}
Automatic = Callable[[str], tuple[str, Sequence[int]]]
"""Item id → what the live data say of it, and the journal entries that is from."""


def review_facts(making: Making, state: Reviews, review: Review, automatic: Automatic | None = None) -> ReviewFacts:
    """Everything of a review that stands in its reports, in the report's language."""
    language = making.language
    names = {id_: reviewer.name for id_, reviewer in state.reviewers.items()}
    members = [
        Member(
            name=names.get(each.get("reviewer", ""), each.get("reviewer", "")),
            role=making.t(each.get("role", "")),
            organisation=review.organiser,
        )
        for each in review.team
    ]
    leader = next((each for each, said in zip(members, review.team, strict=True) if said.get("role") == "leader"), None)
    checklist = review.checklist
    laws = [making.t(checklist.law)] if checklist.law else []
    return ReviewFacts(
        id=review.id,
        kind=review.kind,
        title=review.title,
        number=review.id,
        organiser=review.organiser,
        leader=leader.name if leader else "",
        day=_day(making, _on_site_us(review)),
        basis=[*laws, f"{checklist.name_zh if language == 'zh' else checklist.name_en} ({checklist.edition})"],
        members=members,
        stages=[
            Stage(
                title=each.name_zh if language == "zh" else each.name_en,
                reached_on=_day(making, found.at_us if found and found.state == "done" else None),
                note=_stage_note(making, found, practice=each.practice),
            )
            for each in checklist.stages
            for found in (review.stage_state(each.id),)
        ],
        items=[_item(making, review, each.id, automatic) for each in checklist.items],
        nonconformities=[_nonconformity(making, review, number) for number in sorted(review.nonconformities)],
        conclusion=str(review.reports[-1].object.get("conclusion") or review.reports[-1].object.get("text") or "")
        if review.reports
        else "",
    )


def _day(making: Making, at_us: int | None) -> str:
    return "" if at_us is None else local_date(at_us, making.asking.zone).isoformat()


def _on_site_us(review: Review) -> int | None:
    """When the reviewers were on site: their first check there, else when they said that it was done."""
    said = review.stage_state("on_site")
    return review.checks[0].at_us if review.checks else said.at_us if said else None


def _stage_note(making: Making, found: StageState | None, *, practice: bool) -> str:
    begun = (
        making.t(REVIEW_TERMS["stage_state"].get(found.state, found.state)) if found and found.state != "done" else ""
    )
    asked = making.t("practice: no norm at hand asks for it") if practice else ""
    return making.joined([begun, found.remark if found else "", asked])


def _item(making: Making, review: Review, item: str, automatic: Automatic | None) -> ReviewItem:
    known = next(each for each in review.checklist.items if each.id == item)
    act = review.judgements.get(item)
    said, evidence = automatic(item) if automatic else ("", ())
    return ReviewItem(
        clause=known.id,
        title=known.name_zh if making.language == "zh" else known.name_en,
        verdict=VERDICTS.get(review.verdict(item), "open"),
        automatic=said,
        note=str(act.object.get("remark") or "") if act else "",
        judged_by=act.reviewer_name if act else "",
        judged_on=_day(making, act.at_us) if act else "",
        entry=act.seq if act else None,
        evidence=[*([act.seq] if act else []), *evidence],
    )


def _nonconformity(making: Making, review: Review, number: str) -> Nonconformity:
    found = review.nonconformities[number]
    said = found.act.object
    item = next((each for each in review.checklist.items if each.id == found.item), None)
    name = "" if item is None else item.name_zh if making.language == "zh" else item.name_en
    checked = ""
    if found.checked is not None:
        accepted = found.checked.object.get("accepted") == 1
        checked = making.joined(
            [making.t("accepted" if accepted else "not accepted"), _day(making, found.checked.at_us)]
        )
    return Nonconformity(
        number=number,
        clause=found.item,
        title=name,
        fact=str(said.get("text") or ""),
        demand=str(said.get("demand") or ""),
        rectification=found.rectified.title if found.rectified else "",
        verification=checked,
        entry=found.act.seq,
    )


def findings_of(making: Making, review: Review) -> Automatic:
    """What open findings say of an item: counted by rule, with the entries that opened them."""
    listed = findings(making.sources, making.asking, only_open=True)

    def said(item: str) -> tuple[str, Sequence[int]]:
        known = next(each for each in review.checklist.items if each.id == item)
        mine = [each for each in listed if known.speaks_of(each.rule)]
        counts: dict[str, int] = {}
        for each in mine:
            counts[each.rule] = counts.get(each.rule, 0) + 1
        titles = [
            f"{rule_title(making.language, rule) if rule in RULES else rule} ×{count}" for rule, count in counts.items()
        ]
        nothing = text(making.language, "no open finding") if known.rules else ""
        return making.joined(titles) or nothing, [each.entry_seq for each in mine][:20]

    return said
