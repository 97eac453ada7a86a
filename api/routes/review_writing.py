"""What the gateway records of reviews: plans, stages, documents, rectifications, draws, a reviewer's signed file."""

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import File, Form, UploadFile
from fastapi.responses import Response

from api.asked import instant
from api.commands.reviews import (
    Commands,
    Documents,
    Long,
    Named,
    ReviewCommandFor,
    Short,
    recorded,
    require_gateway,
    reviews_of,
)
from api.problems import UnreadableParameterError
from api.writing import WritingFor
from gateway.assembly.review_desk import read_hand_back, take_in
from gateway.assembly.review_loading import checklist_documents
from gateway.domain.errors import UnknownObjectError
from gateway.i18n.terms import term
from gateway.journal.folder import DataFolder
from gateway.review import acts, statement
from gateway.review.acts import ReviewError, act_draft, checked_id, checked_text
from gateway.review.draw import Wish, draw

commands = Commands()
Progress = Annotated[Literal["begun", "done"], Form()]


@commands.at("/reviews")
def plan(
    writing: WritingFor,
    *,
    review: Named,
    checklist: Short,
    from_: Annotated[str, Form(alias="from", max_length=40)],
    to: Annotated[str, Form(max_length=40)],
    title: Short = "",
    organiser: Short = "",
    team: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Plan a review; ``team`` are registered reviewers, comma-separated, the leader first."""
    documents = checklist_documents()
    if checklist not in documents:
        raise UnknownObjectError("there is no checklist '%(id)s'", id=checklist)
    zone = writing.asked.reader.zone
    start, end = instant("from", from_, zone, end=False), instant("to", to, zone, end=True)
    if end <= start:
        raise UnreadableParameterError("'%(name)s' must lie after the beginning, and within ten years", name="to")
    state = reviews_of(writing)
    if review in state.reviews:
        raise ReviewError("a review '%(id)s' is on record already", id=review)
    names = [each.strip() for each in team.split(",") if each.strip()]
    for name in names:
        if name not in state.reviewers:
            raise UnknownObjectError("no reviewer '%(id)s' is registered", id=name)
    facts = {
        "title": checked_text(title),
        "from": start,
        "to": end,
        "enterprise": writing.organisation,
        "organiser": checked_text(organiser),
        "team": [{"reviewer": name, "role": "member" if place else "leader"} for place, name in enumerate(names)],
    }
    draft = acts.plan_draft(
        writing.organisation,
        checked_id(review),
        checklist=documents[checklist],
        facts=facts,
        at_us=writing.at_us,
        actor=writing.actor,
    )
    return recorded(writing, draft, then=f"/reviews/{review}")


def _stage_of(by: str) -> Callable[..., Response]:
    def taken(
        command: ReviewCommandFor, *, stage: Named, step: Named = "", state: Progress = "done", remark: Long = ""
    ) -> Response:
        found = command.found()
        known = found.checklist.stage(stage)
        if known.by != by:
            raise ReviewError("the stage '%(id)s' is somebody else's", id=stage)
        if step and step not in {each.id for each in known.steps}:
            raise UnknownObjectError("the stage has no step '%(id)s'", id=step)
        said = {"stage": stage, "step": step, "state": state, "remark": checked_text(remark)}
        if by == "reviewer":
            return command.sign(statement.REVIEWER_STAGE, said)
        return command.record(acts.STAGE, said)

    return taken


for _by, _meaning in (
    ("organiser", "A stage of the organiser is begun or done."),
    ("enterprise", "A stage of the enterprise is begun or done."),
    ("reviewer", "A stage of the reviewers is begun or done: signed, on the reviewer's machine."),
):
    _place = f"/reviews/{{review}}/stages/{_by}"  # an address each: whose a stage is decides who may take it
    commands.at(_place, name=f"{_by}s_stage", description=_meaning)(_stage_of(_by))


@commands.at("/reviews/{review}/handed-in")
def hand_in(command: ReviewCommandFor, *, category: Named, title: Short = "", documents: Documents) -> Response:
    """Documents of the enterprise for the review."""
    command.found()
    said = {"category": checked_id(category), "title": checked_text(title or category)}
    return command.record(acts.HANDED_IN, said, documents)


@commands.at("/reviews/{review}/rectifications")
def rectify(command: ReviewCommandFor, *, number: Named, title: Long, documents: Documents) -> Response:
    """What was done about a nonconformity."""
    found = command.found()
    if number not in found.nonconformities:
        raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
    said = {"number": number, "category": "rectification", "title": checked_text(title)}
    return command.record(acts.RECTIFIED, said, documents)


@commands.at("/reviews/imports")
def take_file(writing: WritingFor, file: Annotated[UploadFile, File()]) -> Response:
    """A reviewer's signed file; what does not hold is refused, and the attempt is on record."""
    require_gateway(writing)
    handed = read_hand_back(file.file.read())
    folder = DataFolder.open(writing.folder.path)
    found = take_in(folder, writing.journal, writing.request.app.state.clock, handed, actor=writing.actor)
    if found.why:
        raise ReviewError(
            "refused: %(why)s; the attempt is on record as entry %(seq)s",
            why=term(writing.asked.view.language, "refusal", found.why),
            seq=str(found.written[-1]),
        )
    return writing.answer(found.written or [writing.journal.head()], then=f"/reviews/{handed.review}")


@commands.at("/draws")
def make_draw(
    writing: WritingFor,
    *,
    draw_id: Annotated[str, Form(alias="draw", max_length=60)],
    pool: Annotated[str, Form(max_length=200_000)],
    count: Annotated[int, Form(ge=1, le=10_000)],
    seed: Short = "",
    inspectors: Annotated[str, Form(max_length=20_000)] = "",
    per_object: Annotated[int, Form(ge=0, le=20)] = 0,
    conflicts: Annotated[str, Form(max_length=50_000)] = "",
) -> Response:
    """Draw by lot: ``pool`` one id a line ('#' and a reason excludes), ``conflicts`` lines inspector,object,reason."""
    if draw_id in reviews_of(writing).draws:
        raise ReviewError("a draw '%(id)s' is on record already", id=draw_id)
    lines = [each.partition("#") for each in pool.splitlines() if each.strip()]
    wish = Wish(
        what="objects",
        seed=seed.strip() or writing.request.app.state.random.token(16).hex(),
        objects=[name.strip() for name, _mark, _why in lines],
        count=count,
        inspectors=[each.strip() for each in inspectors.splitlines() if each.strip()],
        per_object=per_object,
        excluded={name.strip(): why.strip() or "excluded" for name, mark, why in lines if mark},
        conflicts=[_conflict(each) for each in conflicts.splitlines() if each.strip()],
    )
    draft = act_draft(
        writing.organisation,
        ("draw", draw_id),
        acts.DRAWN,
        at_us=writing.at_us,
        actor=writing.actor,
        object_=draw(wish),
    )
    return recorded(writing, draft, then=f"/draws/{draw_id}")


def _conflict(line: str) -> tuple[str, str, str]:
    inspector, _, rest = line.partition(",")
    about, _, why = rest.partition(",")
    return inspector.strip(), about.strip(), why.strip()
