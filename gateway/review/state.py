"""Reviews as the log has them: every act in order, reviewers' acts counted only where their signature holds.

One fold serves pages, API, commands and the import: what ``judged`` refuses here can count nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.errors import UnknownObjectError
from gateway.registry.record import Event
from gateway.registry.registry import Registry
from gateway.review import acts, statement
from gateway.review.checklist import Checklist, EquippingEdition
from gateway.review.signers import Reviewer, registered
from gateway.review.statement import SIGNED_ACTIONS, Statement, opened, text_hash
from gateway.sealing.note import Note, NoteError

MAX_EVENTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A reviewer's act that counts. ``at_us`` is when it was signed, ``seq`` the entry that holds it."""

    action: str
    reviewer: str
    reviewer_name: str
    at_us: int
    seq: int
    recorded_us: int
    number: int
    object: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that claimed to be a reviewer's act and is none.

    ``why``: ``unsigned``, ``malformed``, ``not_registered``, ``not_in_team``, ``signature``, ``other_log``,
    ``other_review``, ``out_of_order``, ``differs``, ``registration``, ``planned`` (a second plan under the same
    id). ``attempted`` is True where the gateway refused a file, False where an entry stands in the log and does not
    count.
    """

    why: str
    seq: int
    at_us: int
    actor: str
    action: str
    reviewer: str
    item: str
    attempted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageState:
    """How far a stage is: ``begun``, ``done``, or ``open``; who said so in which entry."""

    stage: str
    step: str
    state: str
    at_us: int
    actor: str
    seq: int
    signed: bool
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A document the enterprise handed in. ``category``: self_check, forms, figures, training, report …"""

    category: str
    title: str
    documents: Sequence[Mapping[str, Any]]
    at_us: int
    actor: str
    seq: int


@dataclass(slots=True, kw_only=True)
class Nonconformity:
    """不符合项: the reviewer's act, what the enterprise says it did, and the reviewer's check of that."""

    number: str
    item: str
    act: Act
    rectified: HandedIn | None = None
    checked: Act | None = None

    @property
    def state(self) -> str:
        """``open``, ``rectified`` (said, not checked), ``closed``, ``not_accepted``."""
        if self.checked is not None:
            return "closed" if self.checked.object.get("accepted") == 1 else "not_accepted"
        return "rectified" if self.rectified else "open"


@dataclass(slots=True, kw_only=True)
class Review:
    """One review. ``judgements`` hold the act that counts for each item, ``earlier`` those it replaced."""

    id: str
    seq: int
    at_us: int
    actor: str
    title: str
    from_us: int
    to_us: int
    enterprise: str
    organiser: str
    team: Sequence[Mapping[str, str]]
    checklist: Checklist
    stages: list[StageState] = field(default_factory=list)
    judgements: dict[str, Act] = field(default_factory=dict)
    earlier: list[Act] = field(default_factory=list)
    checks: list[Act] = field(default_factory=list)
    nonconformities: dict[str, Nonconformity] = field(default_factory=dict)
    reports: list[Act] = field(default_factory=list)
    handed_in: list[HandedIn] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    chain: dict[str, list[str]] = field(default_factory=dict)
    """Per reviewer: the hash of every act that counts, in order; the next one names the last of them."""

    @property
    def kind(self) -> str:
        """``energy`` or ``carbon``."""
        return self.checklist.kind

    def verdict(self, item: str) -> str:
        """The verdict on an item; ``open`` (未审) without a judgement."""
        act = self.judgements.get(item)
        return str(act.object.get("verdict")) if act else "open"

    def stage_state(self, stage: str, step: str = "") -> StageState | None:
        """The newest word on a stage or a step of it."""
        found = [each for each in self.stages if each.stage == stage and each.step == step]
        return found[-1] if found else None

    def next_of(self, reviewer: str) -> tuple[int, str]:
        """The number and the ``previous`` of a reviewer's next act."""
        hashes = self.chain.get(reviewer, [])
        return len(hashes) + 1, hashes[-1] if hashes else statement.FIRST

    def files(self) -> dict[str, str]:
        """Every file that an act of this review names: hash to name."""
        signed = [*self.judgements.values(), *self.earlier, *self.checks, *self.reports]
        told: list[HandedIn] = list(self.handed_in)
        for each in self.nonconformities.values():
            signed += [act for act in (each.act, each.checked) if act is not None]
            told += [] if each.rectified is None else [each.rectified]
        listed = [document for act in signed for document in act.documents]
        listed += [document for each in told for document in each.documents]
        return {str(each.get("sha256")): str(each.get("name") or "file") for each in listed}

    def in_team(self, reviewer: str) -> bool:
        """Whether the plan names the reviewer."""
        return any(each.get("reviewer") == reviewer for each in self.team)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A draw on record, with everything needed to draw it again (``gateway.review.draw``)."""

    id: str
    seq: int
    at_us: int
    actor: str
    document: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Reviews:
    """Everything of kind ``review`` in a log."""

    origin: str
    reviews: dict[str, Review] = field(default_factory=dict)
    reviewers: dict[str, Reviewer] = field(default_factory=dict)
    draws: dict[str, Draw] = field(default_factory=dict)
    editions: list[EquippingEdition] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    """Those about no review on record."""

    def review(self, id_: str) -> Review:
        """One review; UnknownObjectError when none of that id is on record."""
        found = self.reviews.get(id_)
        if found is None:
            raise UnknownObjectError("no review '%(id)s' is on record", id=id_)
        return found

    def before(self, review: Review) -> Review | None:
        """The review of the same kind planned before it."""
        earlier = [each for each in self.reviews.values() if each.kind == review.kind and each.seq < review.seq]
        return max(earlier, key=lambda each: each.seq, default=None)


def read_reviews(registry: Registry, organisation: str, origin: str, known_seq: int | None = None) -> Reviews:
    """The state of all reviews as recorded up to an entry. ``origin`` is the log's, from its first entry."""
    events = registry.events(organisation, kind=acts.KIND, limit=MAX_EVENTS)
    return fold([each for each in events if known_seq is None or each.seq <= known_seq], origin)


def fold(events: Sequence[Event], origin: str) -> Reviews:
    """Take events in order."""
    state = Reviews(origin=origin)
    for event in events:
        take(state, event)
    return state


def take(state: Reviews, event: Event) -> None:
    """Take one more event into the state."""
    _, subject_type, id_ = event.subject.split("/", 2)
    if subject_type == "reviewer":
        made = registered(event, state.reviewers) if event.action == statement.REGISTERED else None
        if made is None:
            state.refusals.append(_refusal(event, "registration", reviewer=id_))
        else:
            state.reviewers[id_] = made
    elif subject_type == "draw" and event.action == acts.DRAWN:
        document = dict(event.body.get("object") or {})
        state.draws[id_] = Draw(id=id_, seq=event.seq, at_us=event.at_us, actor=event.actor, document=document)
    elif subject_type == "equipping_edition" and event.action == acts.EDITION:
        _edition(state, event)
    elif subject_type == "review":
        _review_act(state, event, id_)


def _edition(state: Reviews, event: Event) -> None:
    try:
        made = EquippingEdition.of(event.body["object"])
    except (KeyError, TypeError, ValueError):
        return
    state.editions = [each for each in state.editions if each.id != made.id] + [made]


def _review_act(state: Reviews, event: Event, id_: str) -> None:
    review = state.reviews.get(id_)
    if event.action == acts.PLANNED:
        made = _planned(event, id_) if review is None else None
        if made is not None:
            state.reviews[id_] = made
        else:
            (review.refusals if review else state.refusals).append(
                _refusal(event, "planned" if review else "malformed")
            )
        return
    if event.action in SIGNED_ACTIONS:
        act, why = judged(state, event, id_)
        if act is None or review is None:
            wrong = _refusal(event, why or "other_review", **_claimed(event))
            (review.refusals if review else state.refusals).append(wrong)
        else:
            _count(review, act, str(event.body["note"]))
        return
    if event.action == acts.REFUSED:
        said = event.body.get("object") or {}
        wrong = Refusal(
            why=str(said.get("why") or ""),
            seq=event.seq,
            at_us=event.at_us,
            actor=event.actor,
            action=str(said.get("action_claimed") or ""),
            reviewer=str(said.get("reviewer") or ""),
            item=str(said.get("item") or ""),
            attempted=True,
        )
        (review.refusals if review else state.refusals).append(wrong)
    elif review is not None:
        _unsigned(review, event)


def judged(state: Reviews, event: Event, id_: str) -> tuple[Act | None, str]:  # noqa: PLR0911  # one a reason
    """A reviewer's act that counts, or why it does not."""
    note = event.body.get("note")
    review = state.reviews.get(id_)
    if not isinstance(note, str) or not note:
        return None, "unsigned"
    try:
        said = Statement.parse(Note.parse(note).text)
    except NoteError:
        return None, "malformed"
    reviewer = state.reviewers.get(said.reviewer)
    if reviewer is None:
        return None, "not_registered"
    try:
        opened(note, reviewer.key)
    except NoteError:
        return None, "signature"
    if said.origin != state.origin:
        return None, "other_log"
    if review is None or said.review != id_:
        return None, "other_review"
    if said.action != event.action or [dict(each) for each in said.documents] != list(event.body["documents"]):
        return None, "differs"
    if not review.in_team(said.reviewer):
        return None, "not_in_team"
    if (said.number, said.previous) != review.next_of(said.reviewer):
        return None, "out_of_order"
    act = Act(
        action=said.action,
        reviewer=said.reviewer,
        reviewer_name=reviewer.name,
        at_us=said.at_us,
        seq=event.seq,
        recorded_us=event.at_us,
        number=said.number,
        object=said.object,
        documents=said.documents,
    )
    return act, ""


def _count(review: Review, act: Act, note: str) -> None:
    """An act that holds moves the review on."""
    review.chain.setdefault(act.reviewer, []).append(text_hash(Note.parse(note).text))
    said = act.object
    if act.action == statement.JUDGED:
        item = str(said.get("item"))
        if item in review.judgements:
            review.earlier.append(review.judgements[item])
        review.judgements[item] = act
    elif act.action == statement.CHECKED:
        review.checks.append(act)
    elif act.action == statement.NONCONFORMITY:
        number = str(said.get("number"))
        review.nonconformities[number] = Nonconformity(number=number, item=str(said.get("item") or ""), act=act)
    elif act.action == statement.RECTIFICATION_CHECKED:
        found = review.nonconformities.get(str(said.get("number")))
        if found is not None:
            found.checked = act
    elif act.action == statement.REPORTED:
        review.reports.append(act)
    elif act.action == statement.REVIEWER_STAGE:
        review.stages.append(_stage(said, act.at_us, act.reviewer_name, act.seq, signed=True))


def _stage(said: Mapping[str, Any], at_us: int, actor: str, seq: int, *, signed: bool) -> StageState:
    return StageState(
        stage=str(said.get("stage") or ""),
        step=str(said.get("step") or ""),
        state=str(said.get("state") or "done"),
        at_us=at_us,
        actor=actor,
        seq=seq,
        signed=signed,
        remark=str(said.get("remark") or ""),
    )


def _unsigned(review: Review, event: Event) -> None:
    said = event.body.get("object") or {}
    if event.action == acts.STAGE:
        stage = str(said.get("stage") or "")
        known = next((each for each in review.checklist.stages if each.id == stage), None)
        if known is None or known.by == "reviewer":
            review.refusals.append(_refusal(event, "unsigned", item=stage))
            return
        review.stages.append(_stage(said, event.at_us, event.actor, event.seq, signed=False))
    elif event.action in {acts.HANDED_IN, acts.RECTIFIED}:
        made = HandedIn(
            category=str(said.get("category") or ""),
            title=str(said.get("title") or ""),
            documents=list(event.body.get("documents") or ()),
            at_us=event.at_us,
            actor=event.actor,
            seq=event.seq,
        )
        if event.action == acts.HANDED_IN:
            review.handed_in.append(made)
            return
        found = review.nonconformities.get(str(said.get("number") or ""))
        if found is not None:
            found.rectified, found.checked = made, None


def _planned(event: Event, id_: str) -> Review | None:
    said = event.body.get("object") or {}
    try:
        return Review(
            id=id_,
            seq=event.seq,
            at_us=event.at_us,
            actor=event.actor,
            title=str(said.get("title") or ""),
            from_us=int(said["from"]),
            to_us=int(said["to"]),
            enterprise=str(said.get("enterprise") or ""),
            organiser=str(said.get("organiser") or ""),
            team=[{str(name): str(value) for name, value in each.items()} for each in said.get("team") or ()],
            checklist=Checklist.of(said["checklist"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _claimed(event: Event) -> dict[str, str]:
    said = acts.claimed(str(event.body.get("note") or ""))
    return {"reviewer": str(said.get("reviewer") or ""), "item": str(said.get("item") or "")}


def _refusal(event: Event, why: str, *, reviewer: str = "", item: str = "") -> Refusal:
    return Refusal(
        why=why,
        seq=event.seq,
        at_us=event.at_us,
        actor=event.actor,
        action=event.action,
        reviewer=reviewer,
        item=item,
        attempted=False,
    )
