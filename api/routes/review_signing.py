"""What is signed on the reviewer's own machine, in an opened package: judgements, checks, nonconformities, report."""

import json
from typing import Annotated, Literal

from fastapi import Form, Path
from fastapi.responses import Response

from api.asked import instant
from api.commands.reviews import Commands, Documents, Id, Long, Named, ReviewCommandFor, Short
from api.problems import UnreadableParameterError
from gateway.assembly.review_desk import write_hand_back
from gateway.assembly.review_machine import hand_back, require_machine, reviewer_key
from gateway.domain.errors import UnknownObjectError
from gateway.journal.folder import DataFolder
from gateway.review import statement
from gateway.review.acts import MAX_TEXT, Attachment, checked_id, checked_text
from gateway.review.evidence import evidence, snapshot
from gateway.review.on_site import check_object, compare, expected

commands = Commands()
Right = Annotated[Literal["right", "wrong", ""], Form()]


@commands.at("/reviews/{review}/items/{item}/judgement")
def judge(
    command: ReviewCommandFor,
    item: Id,
    *,
    verdict: Annotated[Literal["conforming", "nonconforming", "not_applicable", "open"], Form()],
    remark: Long = "",
    documents: Documents,
) -> Response:
    """A judgement, signed here and now, with a snapshot of the evidence it rests on."""
    require_machine(command.writing.folder)
    gathered, found = command.facts()
    content = snapshot(evidence(gathered, found.checklist.item(item)), found)
    seen = Attachment(f"evidence-{item}.json", content, "application/json")
    said = {
        "item": item,
        "verdict": verdict,
        "remark": checked_text(remark),
        "evidence": seen.sha256,
        "proposal": str(json.loads(content)["proposal"]),
    }
    return command.sign(statement.JUDGED, said, [seen, *documents], then=f"{command.home}/items/{item}")


@commands.at("/reviews/{review}/checks/{instrument}")
def check(
    command: ReviewCommandFor,
    instrument: Annotated[str, Path(max_length=120)],
    *,
    at: Annotated[str, Form(max_length=40)],
    index: Short = "",
    serial: Short = "",
    number: Short = "",
    seal: Short = "",
    ct_plate: Short = "",
    pt_plate: Short = "",
    label: Right = "",
    environment: Right = "",
    found: Annotated[Literal["yes", "no"], Form()] = "yes",
    remark: Long = "",
    documents: Documents,
) -> Response:
    """What was found at an instrument, beside what the gateway says of that minute; signed."""
    require_machine(command.writing.folder)
    gathered, _review = command.facts()
    at_us = instant("at", at, command.writing.asked.reader.zone, end=False)
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
    here = f"{command.home}/checks/{instrument}"
    return command.sign(statement.CHECKED, check_object(said, against, made), documents, then=here)


@commands.at("/reviews/{review}/nonconformities")
def nonconformity(
    command: ReviewCommandFor,
    *,
    number: Named,
    item: Named,
    what: Annotated[str, Form(alias="text", max_length=MAX_TEXT)],
    demand: Long = "",
    documents: Documents,
) -> Response:
    """A nonconformity report; signed."""
    found = command.found()
    found.checklist.item(item)
    said = {"number": checked_id(number), "item": item, "text": checked_text(what), "demand": checked_text(demand)}
    return command.sign(statement.NONCONFORMITY, said, documents)


@commands.at("/reviews/{review}/rectification-checks")
def accept(
    command: ReviewCommandFor,
    *,
    number: Named,
    accepted: Annotated[Literal["1", "0"], Form()],
    remark: Long = "",
    documents: Documents,
) -> Response:
    """Whether a rectification holds; signed."""
    found = command.found()
    if number not in found.nonconformities:
        raise UnknownObjectError("the review has no nonconformity '%(id)s'", id=number)
    said = {"number": number, "accepted": int(accepted), "remark": checked_text(remark)}
    return command.sign(statement.RECTIFICATION_CHECKED, said, documents)


@commands.at("/reviews/{review}/report")
def report(command: ReviewCommandFor, *, conclusion: Long, documents: Documents) -> Response:
    """The review report with its files; signed."""
    found = command.found()
    verdicts = [[each.id, found.verdict(each.id)] for each in found.checklist.items]
    return command.sign(statement.REPORTED, {"conclusion": checked_text(conclusion), "verdicts": verdicts}, documents)


@commands.at(
    "/reviews/{review}/hand-back",
    status_code=200,
    response_model=None,
    response_class=Response,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
def hand_back_file(command: ReviewCommandFor) -> Response:
    """The signed file that goes back to the plant."""
    folder = DataFolder.open(command.writing.folder.path)
    key = reviewer_key(require_machine(folder), None)
    content = write_hand_back(hand_back(folder, command.writing.journal, key, command.review))
    name = f'attachment; filename="{command.review}.review.zip"'
    return Response(content, media_type="application/zip", headers={"content-disposition": name})
