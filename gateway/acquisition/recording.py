"""From what arrived to the journal's entries: decode, judge, encode. One way for live collection and back-fill.

A poll is one object from here on. Its body is written straight in canonical form (keys sorted, no spaces); a test holds
it equal to what the journal's own encoder makes of the same fields.
"""

from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.acquisition.line import Line
from gateway.acquisition.parts import Part, pieces, shared_out
from gateway.acquisition.tally import Tally
from gateway.domain.errors import JournalError
from gateway.domain.finding import Finding
from gateway.domain.reading import Arrival, Message, Outcome, Sample
from gateway.journal import canonical
from gateway.journal.entry import Draft, EncodedDraft, leaf_hash
from gateway.validation import RULE_PACK, InstalledInstruments, judged_quality

_POLL = (
    '{{"at":%d,"cfg":%d,"findings":%b,"group":"{group}","kind":"poll","outcome":"%b","raw":[%b],"received":%d,'
    '"registry":%d,"rules":"{rules}","sent":%d,"slot":%d,"subject":"{subject}","v":1}}'
)
JudgedSample = tuple[Line, Sample, Sequence[Finding]]

_NULL = b"null"
_OUTCOME_BYTES = {outcome: outcome.value.encode() for outcome in Outcome}


class Recorder:
    """Makes entries. Holds no queue and knows no clock: ``at_us`` is told.

    ``circumstances`` (clock state, software, configuration) is asked when an audit event is made.
    """

    def __init__(
        self,
        organisation: str,
        registry: InstalledInstruments,
        tally: Tally,
        circumstances: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._organisation = organisation
        self._registry = registry
        self._circumstances = circumstances
        self.tally = tally
        self._templates: dict[Line, bytes] = {}

    def poll(self, line: Line, arrival: Arrival, at_us: int) -> EncodedDraft:
        """The entry of a slot that brought bytes: decoded and judged now, journaled raw."""
        plan = line.plan
        assert plan is not None
        values, _, decode_findings = plan.decode(arrival.raw)
        judged = line.rules.judge(values, arrival.slot_us, arrival.received_us or arrival.slot_us)
        findings = b"[]"
        if decode_findings or judged:
            findings = _findings([*decode_findings, *judged])
            self.tally.found(decode_findings)
            self.tally.found(judged)
        raw = b",".join([_NULL if each is None else b'"%b"' % b2a_base64(each, newline=False) for each in arrival.raw])
        template = self._templates.get(line) or self._template(line)
        body = template % (
            at_us,
            line.cfg,
            findings,
            _OUTCOME_BYTES[arrival.outcome],
            raw,
            arrival.received_us,
            self._registry.seq,
            arrival.sent_us,
            arrival.slot_us,
        )
        if len(body) > canonical.MAX_BODY_BYTES:
            raise JournalError("the answer of %(line)s does not fit one entry; split its group", line=line.key)
        self.tally.slot(line, arrival.outcome, len(values) - values.count(None))
        return EncodedDraft(at_us, "poll", line.device.subject, body, leaf_hash(body))

    def miss(self, line: Line, arrival: Arrival, at_us: int) -> EncodedDraft:
        """The entry of a slot that brought nothing."""
        self.tally.slot(line, arrival.outcome)
        body = {
            "group": line.group.id,
            "slot": arrival.slot_us,
            "cfg": line.cfg,
            "outcome": arrival.outcome.value,
            "code": arrival.code,
            "detail": arrival.detail,
        }
        return Draft("miss", line.device.subject, at_us, body).encode()

    def stopped(self, line: Line, from_us: int, to_us: int, at_us: int, detail: str = "") -> EncodedDraft | None:
        """One entry for all slots in ``[from_us, to_us)`` during which nobody collected; None when there is none."""
        count = line.grid.count(from_us, to_us)
        if count == 0:
            return None
        self.tally.slot(line, Outcome.STOPPED, slots=count)
        body = {
            "group": line.group.id,
            "slot": line.grid.first_from(from_us),
            "to": to_us,
            "count": count,
            "cfg": line.cfg,
            "outcome": Outcome.STOPPED.value,
            "code": 0,
            "detail": detail,
        }
        return Draft("miss", line.device.subject, at_us, body).encode()

    def identity(self, line: Line, arrival: Arrival, at_us: int) -> EncodedDraft | None:
        """The event of an identity read outside the slots: None while the device says the same as before."""
        assert line.plan is not None
        values, _, _ = line.plan.decode(arrival.raw)
        findings = line.rules.identify(values, at_us)
        if not any(each.rule == "identity.changed" for each in findings):
            return None
        self.tally.found(findings)
        changed = {each.channel: each.facts for each in findings if each.rule == "identity.changed"}
        body = {
            "actor": "system",
            "action": "identity.changed",
            "object": line.device.subject,
            "old": {channel: facts["old"] for channel, facts in changed.items()},
            "new": {channel: facts["new"] for channel, facts in changed.items()},
            "reason": "read outside the schedule: a counter fell, or the device came back",
            **self._circumstances(),
            "result": "ok",
            "group": line.group.id,
            "cfg": line.cfg,
            "sent": arrival.sent_us,
            "received": arrival.received_us,
            "raw": [each if each is None else b2a_base64(each, newline=False).decode() for each in arrival.raw],
            "findings": [_triple(each) for each in findings],
            "rules": RULE_PACK,
            "registry": self._registry.seq,
        }
        return Draft("event", line.device.subject, at_us, body).encode()

    def message(
        self,
        message: Message,
        judged: Sequence[JudgedSample],
        findings: Sequence[Finding],
        at_us: int,
        *,
        payload: bytes | None = None,
        part: Part | None = None,
    ) -> EncodedDraft:
        """The entry of a message with its judged samples and the findings about the message itself.

        ``payload`` stands in for the message's own where only a piece of it is kept here; ``part`` says which entry of
        several this is. JournalError when the entry would be too large.
        """
        kept = message.payload if payload is None else payload
        body: dict[str, Any] = {
            "topic": message.topic,
            "payload": b2a_base64(kept, newline=False).decode("ascii"),
            "qos": message.qos,
            "retained": int(message.retained),
            "received": message.received_us,
            "findings": [_triple(each) for each in findings],
            "samples": [_sample(line, sample, found) for line, sample, found in judged],
            "registry": self._registry.seq,
            "rules": RULE_PACK,
        }
        if part is not None:
            body |= {"part": part.number, "parts": part.count}
        subject = f"{self._organisation}/endpoint/{message.endpoint}"
        try:
            draft = Draft("message", subject, at_us, body).encode()
        except canonical.BodyError:  # text of a form the journal does not keep: the payload beside it stays as it came
            draft = Draft("message", subject, at_us, canonical.plain(body)).encode()
        self.tally.found(findings)
        for line, sample, found in judged:
            self.tally.found(sample.findings)
            self.tally.found(found)
            self.tally.sample(line, len(sample.values) - sample.values.count(None))
        return draft

    def message_in_parts(
        self, message: Message, judged: Sequence[JudgedSample], findings: Sequence[Finding], at_us: int
    ) -> list[EncodedDraft]:
        """The entries of a message that does not fit one; JournalError when it does not fit several either."""
        cut = pieces(message.payload)
        sized = [
            ((line, sample, found), len(canonical.encode(_sample(line, sample, found))))
            for line, sample, found in judged
        ]
        runs = shared_out(sized)
        count = len(cut) + len(runs)
        parts = [(piece, ()) for piece in cut] + [(b"", run) for run in runs]
        return [
            self.message(message, run, findings if number == 1 else (), at_us, payload=piece, part=Part(number, count))
            for number, (piece, run) in enumerate(parts, 1)
        ]

    def judged(self, samples: Sequence[Sample], lines: Mapping[tuple[str, str], Line]) -> list[JudgedSample]:
        """The samples of known groups, each with what the rules found."""
        result: list[JudgedSample] = []
        for sample in samples:
            line = lines.get((sample.device, sample.group))
            if line is not None:
                found = line.rules.judge(sample.values, slot_of(line, sample), sample.at_us)
                result.append((line, sample, found))
        return result

    def _template(self, line: Line) -> bytes:
        text = _POLL.format(group=line.group.id, rules=RULE_PACK, subject=line.device.subject)
        self._templates[line] = template = text.encode()
        return template


def slot_of(line: Line, sample: Sample) -> int:
    """The slot of a pushed group into which a sample falls."""
    return line.grid.current(sample.at_us)


def _sample(line: Line, sample: Sample, found: Sequence[Finding]) -> dict[str, Any]:
    findings = [_triple(each) for each in (*sample.findings, *found)]
    return {
        "device": sample.device,
        "group": sample.group,
        "cfg": line.cfg,
        "at": sample.at_us,
        "device_time": sample.device_time_us,
        "slot": slot_of(line, sample),
        "values": list(sample.values),
        "quality": list(judged_quality(sample.quality, findings, line.index) if findings else sample.quality),
        "findings": findings,
    }


def _triple(finding: Finding) -> tuple[str, str, dict[str, int | str]]:
    return (finding.rule, finding.channel, finding.facts)


def _findings(findings: Sequence[Finding]) -> bytes:
    whole = canonical.encode({"f": [_triple(each) for each in findings]})
    return whole[len(b'{"f":') : -1]
