"""Only what a registered reviewer of the team signed, for this log and review, in its order, counts."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.assembly.review_loading import checklist_documents
from gateway.journal import canonical
from gateway.registry.record import Event
from gateway.review import acts, statement
from gateway.review.signers import registration
from gateway.review.state import Reviews, fold
from gateway.review.statement import Statement, signed, text_hash
from gateway.sealing.note import Note, NoteError, SigningKey
from gateway.verifier.notes import Key, parse_key
from gateway.verifier.report import Report
from gateway.verifier.reviews import ReviewActs

ORIGIN = "meterproof/real/works/main/1"
LI, WANG = (
    SigningKey(name, Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)))
    for name, seed in (("li", 1), ("wang", 2))
)
FORGER = SigningKey("li", Ed25519PrivateKey.from_private_bytes(b"\3" * 32))


class Log:
    """A log of review entries, read by the gateway's fold and by the verifier, which must agree."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.chain: dict[str, tuple[int, str]] = {}

    def add(self, draft: Any, actor: str = "") -> None:
        entry = draft.encode()
        body = canonical.decode(entry.body_bytes)
        action = str(body["action"])
        self.events.append(
            Event(len(self.events) + 2, draft.at_us, "works", "review", draft.subject, action, actor, body)
        )

    def register(self, key: SigningKey, old: SigningKey | None = None) -> None:
        note = registration(key.verifier.name, "李", "市监局", key, old)
        self.add(acts.registration_draft("works", note, at_us=5, actor="office"))

    def plan(self, review: str = "r1", team: tuple[str, ...] = ("li",)) -> None:
        facts = {
            "title": "审查",
            "from": 0,
            "to": 10,
            "enterprise": "works",
            "organiser": "o",
            "team": [{"reviewer": each, "role": "member"} for each in team],
        }
        document = checklist_documents()["jjf1356-2012"]
        self.add(acts.plan_draft("works", review, checklist=document, facts=facts, at_us=6, actor="office"))

    def act(self, key: SigningKey = LI, *, review: str = "r1", **changes: Any) -> str:
        name = key.verifier.name
        number, previous = self.chain.get(name, (0, ""))
        fields: dict[str, Any] = {
            "origin": ORIGIN,
            "review": review,
            "reviewer": name,
            "number": number + 1,
            "previous": previous,
            "action": statement.JUDGED,
            "at_us": 7,
            "object": {"item": "6.1", "verdict": "conforming", "remark": "齐全"},
        } | changes
        made = Statement(**fields)
        self.chain[name] = (made.number, text_hash(made.text()))
        return signed(made.text(), key)

    def put(self, signed_note: str, at: str = "r1", **changes: Any) -> None:
        draft = acts.signed_draft("works", signed_note, at_us=8, actor="clerk")
        body = {**draft.body, **changes}
        self.add(type(draft)(draft.kind, f"works/review/{at}", draft.at_us, body))

    def read(self) -> Reviews:
        return fold(self.events, ORIGIN)

    def verified(self, *given: SigningKey) -> Report:
        report = Report()
        keys: list[Key] = [parse_key(str(each.verifier)) for each in given]
        found = ReviewActs(report, keys)
        for event in self.events:
            found.take(event.seq, {**event.body, "subject": event.subject, "kind": "review"}, ORIGIN)
        found.finish()
        return report


@pytest.fixture
def log() -> Log:
    made = Log()
    made.register(LI)
    made.plan()
    return made


def test_a_judgement_counts_and_the_next_one_takes_its_place(log: Log) -> None:
    log.put(log.act())
    log.put(log.act(object={"item": "6.1", "verdict": "nonconforming"}))
    found = log.read().reviews["r1"]
    assert found.verdict("6.1") == "nonconforming"
    assert found.verdict("6.2") == "open"
    assert [each.object["verdict"] for each in found.earlier] == ["conforming"]
    assert found.refusals == []
    report = log.verified(LI)
    assert report.ok
    assert report.counts["acts"] == 2


def _another_key(log: Log) -> None:
    log.put(log.act(FORGER))


def _unknown(log: Log) -> None:
    log.put(log.act(WANG))


def _outside_the_team(log: Log) -> None:
    log.register(WANG)
    log.put(log.act(WANG))


def _another_log(log: Log) -> None:
    log.put(log.act(origin="meterproof/real/other/main/1"))


def _another_review(log: Log) -> None:
    log.plan("r2")
    log.put(log.act(review="r2"), at="r1")


def _left_one_out(log: Log) -> None:
    log.act()
    log.put(log.act())


def _twice(log: Log) -> None:
    note = log.act()
    log.put(note)
    log.put(note)


def _other_action(log: Log) -> None:
    log.put(log.act(), action=statement.REPORTED)


def _other_documents(log: Log) -> None:
    log.put(log.act(), documents=[{"name": "x", "sha256": "0" * 64, "size": 1, "media_type": "a/b"}])


def _no_signature(log: Log) -> None:
    log.put(log.act(), note=None)


def _words_changed(log: Log) -> None:
    log.put(log.act().replace('"conforming"', '"nonconforming"'))


FORGED: dict[str, Callable[[Log], None]] = {
    "signature": _another_key,
    "not_registered": _unknown,
    "not_in_team": _outside_the_team,
    "other_log": _another_log,
    "other_review": _another_review,
    "out_of_order": _left_one_out,
    "out_of_order again": _twice,
    "differs": _other_action,
    "differs again": _other_documents,
    "unsigned": _no_signature,
    "signature again": _words_changed,
}


@pytest.mark.parametrize("why", FORGED)
def test_what_is_forged_counts_nowhere_and_both_readers_say_so(log: Log, why: str) -> None:
    FORGED[why](log)
    found = log.read().reviews["r1"]
    assert [each.why for each in found.refusals] == [why.partition(" ")[0]]
    report = log.verified()
    assert [each.code for each in report.problems] == ["review.forged"]
    assert not re.search(r"[a-z]{3} [a-z]", report.problems[0].text("zh"))  # no English sentence among Chinese
    assert report.problems[0].where == f"entry {log.events[-1].seq}"


def test_a_stage_of_the_reviewers_said_by_the_enterprise_does_not_count(log: Log) -> None:
    said = {"stage": "report", "step": "", "state": "done", "remark": ""}
    log.add(acts.act_draft("works", ("review", "r1"), acts.STAGE, at_us=9, actor="admin", object_=said))
    found = log.read().reviews["r1"]
    assert found.stage_state("report") is None
    assert [each.why for each in found.refusals] == ["unsigned"]


def test_a_second_plan_changes_nothing_and_is_shown(log: Log) -> None:
    log.register(WANG)
    log.plan(team=("wang",))
    found = log.read().reviews["r1"]
    assert [each["reviewer"] for each in found.team] == ["li"]
    assert [each.why for each in found.refusals] == ["planned"]
    log.put(log.act(WANG))
    assert log.read().reviews["r1"].verdict("6.1") == "open"
    assert [each.code for each in log.verified().problems] == ["review.forged"]


def test_a_new_key_needs_the_old_one(log: Log) -> None:
    log.put(log.act())
    log.register(FORGER)
    assert [each.why for each in log.read().refusals] == ["registration"]
    assert [each.code for each in log.verified().problems] == ["review.registration"]
    log.register(FORGER, LI)
    log.put(log.act(FORGER, number=2, previous=log.chain["li"][1], object={"item": "6.3", "verdict": "conforming"}))
    assert log.read().reviews["r1"].verdict("6.3") == "conforming"


def test_a_registration_is_signed_by_its_own_key() -> None:
    note = registration("li", "李", "市监局", LI)
    other = signed(Note.parse(note).text, FORGER)
    with pytest.raises(NoteError):
        acts.registration_draft("works", other, at_us=1, actor="a")
    with pytest.raises(NoteError):
        acts.registration_draft("works", note.replace("李", "王"), at_us=1, actor="a")


def test_the_verifier_says_whose_key_it_was_when_others_were_given(log: Log) -> None:
    log.put(log.act())
    assert [each.code for each in log.verified(WANG).problems] == ["review.reviewer"]
    assert [each.code for each in log.verified().notes] == ["note.reviewer"]


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_no_character_of_a_note_can_be_changed(log: Log, place: int) -> None:
    note = log.act()
    at = place % len(note)
    changed = note[:at] + ("x" if note[at] != "x" else "y") + note[at + 1 :]
    try:
        log.put(changed)
    except (NoteError, acts.ReviewError, ValueError):
        return  # it does not even read as an act
    found = log.read().reviews.get("r1")
    assert found is not None
    assert found.verdict("6.1") == "open"


def test_a_refused_file_stays_visible(log: Log) -> None:
    said = {"reviewer": "li", "item": "6.1", "action_claimed": statement.JUDGED}
    log.add(
        acts.refusal_draft("works", "r1", why="signature", said=said, content=b"x", at_us=9, actor="admin"), "admin"
    )
    (refusal,) = log.read().reviews["r1"].refusals
    assert (refusal.attempted, refusal.actor, refusal.why, refusal.item) == (True, "admin", "signature", "6.1")
    assert log.verified().ok


def test_text_that_is_not_canonical_is_no_act() -> None:
    made = Statement(
        origin=ORIGIN, review="r1", reviewer="li", number=1, previous="", action=statement.JUDGED, at_us=1, documents=[]
    )
    header, body, _ = made.text().split("\n")
    loose = f"{header}\n{json.dumps(json.loads(body))}\n"
    assert Statement.parse(made.text()) == made
    with pytest.raises(NoteError):
        Statement.parse(loose)
