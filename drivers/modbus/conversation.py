"""One question at a time on a byte stream: what to send, and whether what came is the answer to it.

An answer is taken only when unit, function, byte count and, with MBAP, the transaction id are those of the question.
What else arrives is counted and thrown away; it is never booked. Where a stream cannot go on being read safely
(``dirty``), the link must reopen it or drain it before the next question. There is no input or output here.
"""

from dataclasses import dataclass

from drivers.modbus.checksums import crc16, lrc
from drivers.modbus.request import IDENTIFICATION, MEI_DEVICE_ID, Request
from gateway.domain.reading import Outcome

BUFFER_BYTES = 2_048
MBAP_BYTES = 7
MAX_PDU_BYTES = 253
MAX_RTU_BYTES = 256
MAX_LATE_IDS = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a question brought no data."""

    outcome: Outcome
    code: int = 0
    detail: str = ""


Result = bytes | Verdict
"""The data of a good answer, or why there is none."""


class Conversation:
    """State of one stream. Received bytes are put into ``buffer`` from ``size`` on and announced with ``feed``."""

    ids = False  # whether answers carry the identity of their question

    def __init__(self, heartbeat: bytes = b"") -> None:
        self.buffer = bytearray(BUFFER_BYTES)
        self.view = memoryview(self.buffer)
        self.size = 0
        self.dirty = False
        self._question: Request | None = None
        self._foreign = 0
        self._heartbeat = heartbeat

    def ask(self, request: Request) -> bytes:
        """The bytes to send; the stream must not be dirty and no question may be open."""
        raise NotImplementedError

    def feed(self, count: int) -> Result | None:
        """Take note of ``count`` more bytes; the verdict when the question is decided."""
        raise NotImplementedError

    def expire(self) -> Verdict:
        """The verdict when no answer came in time."""
        partial = self.size
        self._question = None
        if self.dirty or partial:
            self._abandon()
            return Verdict(Outcome.FRAME_ERROR, detail=f"the answer broke off after {partial} bytes")
        if not self.ids:
            self._abandon()
        if self._foreign:
            return Verdict(Outcome.FOREIGN_ANSWER, detail=f"{self._foreign} answers to other questions, none to this")
        return Verdict(Outcome.TIMEOUT)

    def forget(self) -> None:
        """The caller gave the question up: its answer may still come and must not be taken for the next one's."""
        self._question = None
        if not self.ids:
            self._abandon()

    def discard(self) -> None:
        """Forget what was received; the line has been drained."""
        self.size = 0
        self.dirty = False

    def _abandon(self) -> None:
        self.size = 0
        self.dirty = True

    def _close_question(self, outcome: Outcome, data: bytes | None = None, code: int = 0, detail: str = "") -> Result:
        self._question = None
        if data is not None:
            return data
        if not self.ids and outcome in {Outcome.FRAME_ERROR, Outcome.FOREIGN_ANSWER}:
            self._abandon()
        return Verdict(outcome, code, detail)

    def _without_heartbeats(self, start: int) -> int:
        """The position behind heartbeats that stand at a frame's place."""
        beat = self._heartbeat
        while beat and self.buffer.startswith(beat, start, self.size):
            start += len(beat)
        return start

    def _keep_from(self, start: int) -> None:
        rest = self.size - start
        if start and rest:
            self.buffer[:rest] = self.buffer[start : self.size]
        self.size = rest


class TcpConversation(Conversation):
    """MBAP framing: TCP and TLS."""

    ids = True

    def __init__(self, heartbeat: bytes = b"", first_id: int = 0) -> None:
        super().__init__(heartbeat)
        self._id = first_id & 0xFFFF
        self._head = b""
        self._total = 0
        self._late: list[int] = []

    def ask(self, request: Request) -> bytes:
        """The request behind a fresh transaction id."""
        self._id = number = (self._id + 1) & 0xFFFF
        self._question = request
        self._foreign = 0
        identity = number.to_bytes(2, "big")
        self._head = identity + request.head
        self._total = 9 + (request.size or 0)
        return identity + request.tail

    def expire(self) -> Verdict:
        """As for every stream; a whole late answer will be known by its id."""
        self._late = [*self._late[-MAX_LATE_IDS + 1 :], self._id]
        return super().expire()

    def forget(self) -> None:
        """The late answer will be known by its id."""
        self._late = [*self._late[-MAX_LATE_IDS + 1 :], self._id]
        super().forget()

    def feed(self, count: int) -> Result | None:
        """Take whole frames; the usual case is exactly one, and the right one."""
        self.size = size = self.size + count
        question = self._question
        if question is not None and size == self._total and question.size and self.buffer.startswith(self._head):
            self._question = None
            self.size = 0
            return bytes(self.view[9:size])
        return self._scan()

    def _scan(self) -> Result | None:
        buffer = self.buffer
        start = 0
        verdict = None
        while True:
            start = self._without_heartbeats(start)
            if self.size - start < 6:
                break
            length = buffer[start + 4] << 8 | buffer[start + 5]
            if buffer[start + 2] or buffer[start + 3] or not 2 <= length <= MAX_PDU_BYTES + 1:
                self._abandon()
                if verdict is None and self._question is not None:
                    return self._close_question(Outcome.FRAME_ERROR, detail="not a Modbus/TCP header")
                return verdict
            end = start + 6 + length
            if end > self.size:
                break
            if self._question is not None:
                verdict = self._judge(start, end)
                if self.dirty:
                    return verdict
            start = end
        self._keep_from(start)
        return verdict

    def _judge(self, start: int, end: int) -> Result | None:
        question = self._question
        assert question is not None
        number = self.buffer[start] << 8 | self.buffer[start + 1]
        if number != self._id:
            if number in self._late:
                self._late.remove(number)
            else:
                self._foreign += 1
            return None
        if self.buffer[start + 6] != question.unit:
            detail = f"unit {self.buffer[start + 6]} answered for unit {question.unit}"
            return self._close_question(Outcome.FOREIGN_ANSWER, detail=detail)
        result = judge_pdu(question, bytes(self.view[start + 7 : end]))
        return self._close_question(*result)


def judge_pdu(  # noqa: PLR0911  # one return a way to be wrong
    question: Request, pdu: bytes
) -> tuple[Outcome, bytes | None, int, str]:
    """Outcome, data, exception code and detail of an answer whose unit is already known to be right."""
    function = pdu[0]
    if function == question.function | 0x80:
        if len(pdu) != 2 or not pdu[1]:
            return Outcome.FRAME_ERROR, None, 0, "an exception of the wrong length or without a code"
        return Outcome.EXCEPTION, None, pdu[1], ""
    if function != question.function:
        return Outcome.FOREIGN_ANSWER, None, 0, f"function {function} answered for function {question.function}"
    if function == IDENTIFICATION:
        if len(pdu) < 7 or pdu[1] != MEI_DEVICE_ID or pdu[2] != question.count or identification_end(pdu) != len(pdu):
            return Outcome.FRAME_ERROR, None, 0, "a device identification that does not hold together"
        return Outcome.OK, pdu[2:], 0, ""
    if len(pdu) < 2 or pdu[1] != question.size or len(pdu) != 2 + pdu[1]:
        return Outcome.FRAME_ERROR, None, 0, f"{len(pdu) - 2} data bytes where {question.size} were asked for"
    return Outcome.OK, pdu[2:], 0, ""


def identification_end(pdu: bytes | memoryview) -> int | None:
    """Where a device identification answer ends; None as long as that cannot be seen."""
    if len(pdu) < 7:
        return None
    end = 7
    for _ in range(pdu[6]):
        if len(pdu) < end + 2:
            return None
        end += 2 + pdu[end + 1]
    return end


class RtuConversation(Conversation):
    """RTU framing: serial lines and serial servers that pass bytes through.

    There is no transaction id: what follows a time-out may belong to the question before, so the stream is dirty after
    everything that is not a clean answer.
    """

    def ask(self, request: Request) -> bytes:
        """Unit, PDU, CRC."""
        self._question = request
        self._foreign = 0
        self.size = 0
        frame = bytes((request.unit,)) + request.pdu
        return frame + crc16(frame).to_bytes(2, "little")

    def feed(self, count: int) -> Result | None:
        """Take whole frames, told apart by their length and CRC."""
        self.size += count
        if self._question is None:
            self._unasked()
            return None
        start = 0
        while True:
            start = self._without_heartbeats(start)
            start = self._without_line_noise(start)
            if self.size - start < 3:
                break
            end = self._frame_end(start)
            if end is None:
                if self.size - start >= MAX_RTU_BYTES:
                    return self._close_question(Outcome.FRAME_ERROR, detail="bytes that are no Modbus RTU frame")
                break
            if end > self.size:
                break
            verdict = self._judge(start, end)
            if verdict is not None:
                return verdict
            start = end
        self._keep_from(start)
        return None

    def _unasked(self) -> None:
        if self._without_heartbeats(0) < self.size and not (self._heartbeat and self.size < len(self._heartbeat)):
            self.dirty = True
        self.size = 0

    def _without_line_noise(self, start: int) -> int:
        """Behind up to four 0x00 or 0xFF that a line makes while its driver turns round; no unit answers with these."""
        question = self._question
        assert question is not None
        limit = min(start + 4, self.size)
        while start < limit and self.buffer[start] in {0x00, 0xFF} and self.buffer[start] != question.unit:
            start += 1
        return start

    def _frame_end(self, start: int) -> int | None:
        """Where the frame at ``start`` ends; None when its length cannot be known (yet)."""
        function = self.buffer[start + 1]
        if function & 0x80:
            return start + 5
        if function in {1, 2, 3, 4}:
            return start + 5 + self.buffer[start + 2]
        if function == IDENTIFICATION:
            end = identification_end(self.view[start + 1 : self.size])
            return None if end is None else start + 3 + end
        return None

    def _judge(self, start: int, end: int) -> Result | None:
        question = self._question
        assert question is not None
        if crc16(self.view[start:end]) != 0:
            return self._close_question(Outcome.FRAME_ERROR, detail="wrong CRC")
        if self.buffer[start] != question.unit:
            self._foreign += 1
            return None
        outcome, data, code, detail = judge_pdu(question, bytes(self.view[start + 1 : end - 2]))
        if outcome is Outcome.FOREIGN_ANSWER:
            self._foreign += 1
            return None
        if end < self.size and outcome in {Outcome.OK, Outcome.EXCEPTION}:
            # two answers to one question, and nothing tells which of them is to this one
            return self._close_question(Outcome.FOREIGN_ANSWER, detail=f"{self.size - end} bytes behind the answer")
        verdict = self._close_question(outcome, data, code, detail)
        self.size = 0
        return verdict


class AsciiConversation(Conversation):
    """ASCII framing: a colon, hexadecimal characters, LRC, CR LF. No transaction id either."""

    MAX_CHARACTERS = 513

    def ask(self, request: Request) -> bytes:
        """Colon, unit, PDU and LRC in hexadecimal, CR LF."""
        self._question = request
        self._foreign = 0
        self.size = 0
        frame = bytes((request.unit,)) + request.pdu
        return b":" + (frame + bytes((lrc(frame),))).hex().upper().encode() + b"\r\n"

    def feed(self, count: int) -> Result | None:
        """Take whole lines."""
        self.size += count
        if self._question is None:
            self.dirty = True
            self.size = 0
            return None
        start = 0
        while True:
            colon = self.buffer.find(b":", start, self.size)
            if colon < 0:
                start = self.size
                break
            end = self.buffer.find(b"\r\n", colon, self.size)
            if end < 0:
                if self.size - colon > self.MAX_CHARACTERS:
                    return self._close_question(Outcome.FRAME_ERROR, detail="a line longer than a Modbus ASCII frame")
                start = colon
                break
            verdict = self._judge(bytes(self.view[colon + 1 : end]), end + 2)
            if verdict is not None:
                return verdict
            start = end + 2
        self._keep_from(start)
        return None

    def _judge(self, characters: bytes, end: int) -> Result | None:
        question = self._question
        assert question is not None
        try:
            frame = bytes.fromhex(characters.decode("ascii"))
        except ValueError:
            return self._close_question(Outcome.FRAME_ERROR, detail="characters that are not hexadecimal")
        if len(frame) < 4 or 2 * len(frame) != len(characters) or sum(frame) & 0xFF:
            return self._close_question(Outcome.FRAME_ERROR, detail="wrong LRC")
        if frame[0] != question.unit:
            self._foreign += 1
            return None
        outcome, data, code, detail = judge_pdu(question, frame[1:-1])
        if outcome is Outcome.FOREIGN_ANSWER:
            self._foreign += 1
            return None
        if end < self.size and outcome in {Outcome.OK, Outcome.EXCEPTION}:
            return self._close_question(
                Outcome.FOREIGN_ANSWER, detail=f"{self.size - end} characters behind the answer"
            )
        verdict = self._close_question(outcome, data, code, detail)
        self.size = 0
        return verdict
