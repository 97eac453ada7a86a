"""Writing about reviews, by form and by API alike: each command appends entries through ``api.writing``.

On the gateway: plan, stages, documents, rectifications, draws, and a reviewer's signed file. On the reviewer's own
machine (an opened package with the reviewer's key): judgements, checks, nonconformities, the report; signed there.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, UploadFile
from fastapi.responses import Response

from api.asked import instant
from api.problems import RESPONSES, UnreadableParameterError
from api.reviewing import gathered_for, marker_of, reviewed
from api.writing import Recorded, Writing, WritingFor
from gateway.assembly.review_desk import keep, read_hand_back, take_in, write_hand_back
from gateway.assembly.review_loading import checklist_documents
from gateway.assembly.review_machine import hand_back, require_machine, reviewer_key, sign_act
from gateway.domain.errors import UnknownObjectError
from gateway.i18n.terms import term
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.review import acts, statement
from gateway.review.acts import Attachment, ReviewError, act_draft, checked_id, checked_text
from gateway.review.draw import Wish, draw
from gateway.review.evidence import evidence, snapshot
from gateway.review.on_site import check_object, compare, expected
from gateway.review.state import Reviews

MAX_UPLOADS = 8
CONFLICT: dict[int | str, dict[str, Any]] = {
    **RESPONSES,
    202: {"model": Recorded, "description": "on record, not yet shown"},
    409: RESPONSES[422] | {"description": "Conflict"},
}
pages = APIRouter(include_in_schema=False)
router = APIRouter(prefix="/api/v1", responses=CONFLICT)
Id = Annotated[str, Path(max_length=60)]
Short = Annotated[str, Form(max_length=200)]
Long = Annotated[str, Form(max_length=acts.MAX_TEXT)]
Files = Annotated[list[UploadFile], File()]


def uploaded(files: Sequence[UploadFile]) -> list[Attachment]:
    """Uploaded files; empty fields of a form are none."""
    named = [each for each in files if each.filename]
    if len(named) > MAX_UPLOADS:
        raise UnreadableParameterError("at most %(limit)s files at once", limit=str(MAX_UPLOADS))
    return [
        Attachment(str(each.filename)[:120], each.file.read(), each.content_type or "application/octet-stream")
        for each in named
    ]


def _home(review: str) -> str:
    return f"/reviews/{review}"


def _record(writing: Writing, drafts: Sequence[Draft], then: str, documents: Sequence[Attachment] = ()) -> Response:
    """Put acts on record at the gateway; a reading copy takes none."""
    if marker_of(writing.asked) is not None:
        raise ReviewError(
            "%(path)s is a package opened for reading; this belongs into the gateway's own folder",
            path=str(writing.folder.path),
        )
    keep(DataFolder.open(writing.folder.path), documents)
    return writing.done(drafts, then=then)


def _act(
    writing: Writing, review: str, action: str, said: dict[str, Any], documents: Sequence[Attachment] = ()
) -> Draft:
    return act_draft(
        writing.organisation,
        ("review", review),
        action,
        at_us=writing.at_us,
        actor=writing.actor,
        object_=said,
        documents=documents,
    )


# -- the gateway's side


@pages.post("/reviews")
@router.post("/reviews", status_code=201, response_model=Recorded)
def plan(
    writing: WritingFor,
    *,
    review: Annotated[str, Form(max_length=60)],
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
    state = _state(writing)
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
    return _record(writing, [draft], _home(review))


def _state(writing: Writing) -> Reviews:
    return gathered_for(writing.asked).reviews


Step = Annotated[str, Form(max_length=60)]
Progress = Annotated[Literal["begun", "done"], Form()]


@pages.post("/reviews/{review}/stages/organiser")
@router.post("/reviews/{review}/stages/organiser", status_code=201, response_model=Recorded)
def organisers_stage(
    writing: WritingFor, review: Id, *, stage: Step, step: Step = "", state: Progress = "done", remark: Long = ""
) -> Response:
    """A stage of the organiser is begun or done."""
    return _stage(writing, review, "organiser", (stage, step, state, remark))


@pages.post("/reviews/{review}/stages/enterprise")
@router.post("/reviews/{review}/stages/enterprise", status_code=201, response_model=Recorded)
def enterprises_stage(
    writing: WritingFor, review: Id, *, stage: Step, step: Step = "", state: Progress = "done", remark: Long = ""
) -> Response:
    """A stage of the enterprise is begun or done."""
    return _stage(writing, review, "enterprise", (stage, step, state, remark))


@pages.post("/reviews/{review}/stages/reviewer")
@router.post("/reviews/{review}/stages/reviewer", status_code=201, response_model=Recorded)
def reviewers_stage(
    writing: WritingFor, review: Id, *, stage: Step, step: Step = "", state: Progress = "done", remark: Long = ""
) -> Response:
    """A stage of the reviewers is begun or done: signed, on the reviewer's machine."""
    return _stage(writing, review, "reviewer", (stage, step, state, remark))


def _stage(writing: Writing, review: str, by: str, told: tuple[str, str, str, str]) -> Response:
    stage, step, state, remark = told
    _gathered, found = reviewed(writing.asked, review)
    known = found.checklist.stage(stage)
    if known.by != by:
        raise ReviewError("the stage '%(id)s' is somebody else's", id=stage)
    if step and step not in {each.id for each in known.steps}:
        raise UnknownObjectError("the stage has no step '%(id)s'", id=step)
    said = {"stage": stage, "step": step, "state": state, "remark": checked_text(remark)}
    if by == "reviewer":
        return _signed(writing, review, statement.REVIEWER_STAGE, said)
    return _record(writing, [_act(writing, review, acts.STAGE, said)], _home(review))


@pages.post("/reviews/{review}/handed-in")
@router.post("/reviews/{review}/handed-in", status_code=201, response_model=Recorded)
def hand_in(
    writing: WritingFor,
    review: Id,
    *,
    category: Annotated[str, Form(max_length=60)],
    title: Short = "",
    files: Files = [],  # noqa: B006  # never changed
) -> Response:
    """Documents of the enterprise for the review."""
    reviewed(writing.asked, review)
    documents = uploaded(files)
    said = {"category": checked_id(category), "title": checked_text(title or category)}
    return _record(writing, [_act(writing, review, acts.HANDED_IN, said, documents)], _home(review), documents)


@pages.post("/reviews/{review}/rectifications")
@router.post("/reviews/{review}/rectifications", status_code=201, response_model=Recorded)
def rectify(
    writing: WritingFor,
    review: Id,
    *,
    number: Annotated[str, Form(max_length=60)],
    title: Long,
    files: Files = [],  # noqa: B006
) -> Response:
    """What was done about a nonconformity."""
    _gathered, found = reviewed(writing.asked, review)
    if number not in found.nonconformities:
        raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
    documents = uploaded(files)
    said = {"number": number, "category": "rectification", "title": checked_text(title)}
    return _record(writing, [_act(writing, review, acts.RECTIFIED, said, documents)], _home(review), documents)


@pages.post("/reviews/imports")
@router.post("/reviews/imports", status_code=201, response_model=Recorded)
def take_file(writing: WritingFor, file: Annotated[UploadFile, File()]) -> Response:
    """A reviewer's signed file; what does not hold is refused, and the attempt is on record."""
    if marker_of(writing.asked) is not None:
        raise ReviewError(
            "%(path)s is a package opened for reading; this belongs into the gateway's own folder",
            path=str(writing.folder.path),
        )
    handed = read_hand_back(file.file.read())
    folder = DataFolder.open(writing.folder.path)
    found = take_in(folder, writing.journal, writing.request.app.state.clock, handed, actor=writing.actor)
    if found.why:
        raise ReviewError(
            "refused: %(why)s; the attempt is on record as entry %(seq)s",
            why=term(writing.asked.view.language, "refusal", found.why),
            seq=str(found.written[-1]),
        )
    return writing.answer(found.written or [writing.journal.head()], then=_home(handed.review))


@pages.post("/draws")
@router.post("/draws", status_code=201, response_model=Recorded)
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
    if draw_id in _state(writing).draws:
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
    return _record(writing, [draft], f"/draws/{draw_id}")


def _conflict(line: str) -> tuple[str, str, str]:
    inspector, _, rest = line.partition(",")
    about, _, why = rest.partition(",")
    return inspector.strip(), about.strip(), why.strip()


# -- the reviewer's machine


def _signed(
    writing: Writing,
    review: str,
    action: str,
    said: dict[str, Any],
    documents: Sequence[Attachment] = (),
    *,
    then: str = "",
) -> Response:
    folder = DataFolder.open(writing.folder.path)
    key = reviewer_key(require_machine(folder), None)
    clock = writing.request.app.state.clock
    sign_act(folder, writing.journal, clock, key, review=review, action=action, object_=said, documents=documents)
    return writing.answer([writing.journal.head()], then=then or _home(review))


@pages.post("/reviews/{review}/items/{item}/judgement")
@router.post("/reviews/{review}/items/{item}/judgement", status_code=201, response_model=Recorded)
def judge(
    writing: WritingFor,
    review: Id,
    item: Id,
    *,
    verdict: Annotated[Literal["conforming", "nonconforming", "not_applicable", "open"], Form()],
    remark: Long = "",
    files: Files = [],  # noqa: B006
) -> Response:
    """A judgement, signed here and now, with a snapshot of the evidence it rests on."""
    require_machine(writing.folder)
    gathered, found = reviewed(writing.asked, review)
    content = snapshot(evidence(gathered, found.checklist.item(item)), found)
    documents = [Attachment(f"evidence-{item}.json", content, "application/json"), *uploaded(files)]
    said = {
        "item": item,
        "verdict": verdict,
        "remark": checked_text(remark),
        "evidence": documents[0].sha256,
        "proposal": str(json.loads(content)["proposal"]),
    }
    return _signed(writing, review, statement.JUDGED, said, documents, then=f"/reviews/{review}/items/{item}")


@pages.post("/reviews/{review}/checks/{instrument}")
@router.post("/reviews/{review}/checks/{instrument}", status_code=201, response_model=Recorded)
def check(
    writing: WritingFor,
    review: Id,
    instrument: Annotated[str, Path(max_length=120)],
    *,
    at: Annotated[str, Form(max_length=40)],
    index: Short = "",
    serial: Short = "",
    number: Short = "",
    seal: Short = "",
    ct_plate: Short = "",
    pt_plate: Short = "",
    label: Annotated[Literal["right", "wrong", ""], Form()] = "",
    environment: Annotated[Literal["right", "wrong", ""], Form()] = "",
    found: Annotated[Literal["yes", "no"], Form()] = "yes",
    remark: Long = "",
    files: Files = [],  # noqa: B006
) -> Response:
    """What was found at an instrument, beside what the gateway says of that minute; signed."""
    require_machine(writing.folder)
    gathered, _review = reviewed(writing.asked, review)
    at_us = instant("at", at, writing.asked.reader.zone, end=False)
    against = expected(gathered.sources, gathered.asking, instrument, at_us)
    said = {
        "found": found,
        "index": index,
        "serial": serial,
        "number": number,
        "seal": seal,
        "label": label,
        "ct_plate": ct_plate,
        "pt_plate": pt_plate,
        "environment": environment,
        "remark": checked_text(remark),
    }
    try:
        made = compare(said, against)
    except ValueError as error:
        raise UnreadableParameterError("'%(value)s' is no number", value=index) from error
    here = f"/reviews/{review}/checks/{instrument}"
    return _signed(writing, review, statement.CHECKED, check_object(said, against, made), uploaded(files), then=here)


@pages.post("/reviews/{review}/nonconformities")
@router.post("/reviews/{review}/nonconformities", status_code=201, response_model=Recorded)
def nonconformity(
    writing: WritingFor,
    review: Id,
    *,
    number: Annotated[str, Form(max_length=60)],
    item: Annotated[str, Form(max_length=60)],
    what: Annotated[str, Form(alias="text", max_length=acts.MAX_TEXT)],
    demand: Long = "",
    files: Files = [],  # noqa: B006
) -> Response:
    """A nonconformity report; signed."""
    _gathered, found = reviewed(writing.asked, review)
    found.checklist.item(item)
    said = {"number": checked_id(number), "item": item, "text": checked_text(what), "demand": checked_text(demand)}
    return _signed(writing, review, statement.NONCONFORMITY, said, uploaded(files))


@pages.post("/reviews/{review}/rectification-checks")
@router.post("/reviews/{review}/rectification-checks", status_code=201, response_model=Recorded)
def accept(
    writing: WritingFor,
    review: Id,
    *,
    number: Annotated[str, Form(max_length=60)],
    accepted: Annotated[Literal["1", "0"], Form()],
    remark: Long = "",
    files: Files = [],  # noqa: B006
) -> Response:
    """Whether a rectification holds; signed."""
    _gathered, found = reviewed(writing.asked, review)
    if number not in found.nonconformities:
        raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
    said = {"number": number, "accepted": int(accepted), "remark": checked_text(remark)}
    return _signed(writing, review, statement.RECTIFICATION_CHECKED, said, uploaded(files))


@pages.post("/reviews/{review}/report")
@router.post("/reviews/{review}/report", status_code=201, response_model=Recorded)
def report(writing: WritingFor, review: Id, *, conclusion: Long, files: Files = []) -> Response:  # noqa: B006
    """The review report with its files; signed."""
    _gathered, found = reviewed(writing.asked, review)
    verdicts = [[each.id, found.verdict(each.id)] for each in found.checklist.items]
    said = {"conclusion": checked_text(conclusion), "verdicts": verdicts}
    return _signed(writing, review, statement.REPORTED, said, uploaded(files))


@pages.post("/reviews/{review}/hand-back")
@router.post(
    "/reviews/{review}/hand-back",
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def hand_back_file(writing: WritingFor, review: Id) -> Response:
    """The signed file that goes back to the plant."""
    folder = DataFolder.open(writing.folder.path)
    key = reviewer_key(require_machine(folder), None)
    content = write_hand_back(hand_back(folder, writing.journal, key, review))
    name = f'attachment; filename="{review}.review.zip"'
    return Response(content, media_type="application/zip", headers={"content-disposition": name})
