"""Any stream of answers never books a foreign one: late, doubled, cut, mixed, noisy, in any pieces.

The meter side is a model of its own: every register of every unit holds a value that names unit, space, address and the
question's number, so an answer that belongs to another question cannot look right by chance.
"""

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.modbus.conversation import AsciiConversation, Conversation, RtuConversation, TcpConversation, Verdict
from drivers.modbus.request import Request
from tests.campaign import share
from tests.conformance.modbus.rig import plain_crc

QUESTIONS = 10
EXAMPLES = share(40_000, 3_500)
"""Per framing: 3 500 examples of ten questions are 105 000 questions over the three framings."""

questions = st.builds(
    Request,
    unit=st.sampled_from([1, 2, 7]),
    function=st.sampled_from([3, 4]),
    address=st.sampled_from([0, 2, 4, 100]),
    count=st.sampled_from([2, 2, 4]),
)
mishaps = st.sampled_from(
    ["right", "right", "lost", "late", "cut", "short", "long", "flipped", "doubled", "noise", "wrong_unit", "exception",
     "pieces", "wrong_function"]
)  # fmt: skip


def truth(request: Request, turn: int) -> bytes:
    """What the meter holds for this question, at this turn."""
    base = request.unit * 31 + request.function * 7 + request.address + turn * 257
    words = [(base + index) & 0xFFFF for index in range(request.count)]
    return struct.pack(f">{request.count}H", *words)


def wrap(framing: str, sent: bytes, unit: int, pdu: bytes) -> bytes:
    """A frame as the meter would send it."""
    if framing == "tcp":
        return sent[:4] + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu
    frame = bytes((unit,)) + pdu
    if framing == "rtu":
        return frame + plain_crc(frame)
    return b":" + (frame + bytes((-sum(frame) & 0xFF,))).hex().upper().encode() + b"\r\n"


def answer(framing: str, request: Request, sent: bytes, turn: int, mishap: str, noise: bytes) -> bytes:
    """What arrives for a question, the mishap included; nothing for answers that are lost or late."""
    data = truth(request, turn)
    good = wrap(framing, sent, request.unit, bytes((request.function, len(data))) + data)
    other = wrap(framing, sent, request.unit ^ 8, bytes((request.function, len(data))) + data)
    return {
        "right": good,
        "pieces": good,
        "lost": b"",
        "late": b"",
        "cut": good[: len(good) // 2],
        "short": wrap(framing, sent, request.unit, bytes((request.function, len(data) - 2)) + data[2:]),
        "long": wrap(framing, sent, request.unit, bytes((request.function, len(data) + 2)) + data + b"\1\2"),
        "flipped": bytes((*good[:-6], good[-6] ^ 1, *good[-5:])),
        "doubled": good + good,
        "noise": noise,
        "wrong_unit": other,
        "wrong_function": wrap(framing, sent, request.unit, bytes((request.function ^ 1, len(data))) + data),
        "exception": wrap(framing, sent, request.unit, bytes((request.function | 0x80, 2))),
    }[mishap]


def feed(conversation: Conversation, data: bytes, step: int) -> bytes | Verdict | None:
    """Hand over in pieces until the question is decided; the rest arrives while nobody asks."""
    result = None
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        room = len(conversation.buffer) - conversation.size
        conversation.buffer[conversation.size : conversation.size + len(piece[:room])] = piece[:room]
        decided = conversation.feed(len(piece[:room]))
        result = decided if result is None else result
    return result


@pytest.mark.campaign
@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    script=st.lists(
        st.tuples(questions, mishaps, st.binary(min_size=1, max_size=40), st.sampled_from([1, 3, 300])),
        min_size=QUESTIONS,
        max_size=QUESTIONS,
    )
)
def test_no_foreign_answer_is_booked(framing: str, script: list[tuple[Request, str, bytes, int]]) -> None:
    conversation = {"tcp": TcpConversation, "rtu": RtuConversation, "ascii": AsciiConversation}[framing]()
    late = b""
    for turn, (request, mishap, noise, step) in enumerate(script):
        if conversation.dirty:
            # what the link does: reopen, or drain for the longest time a late answer may take
            conversation.discard()
            late = b""
            if framing == "tcp":
                conversation = TcpConversation(first_id=turn)
        sent = conversation.ask(request)
        arriving = late + answer(framing, request, sent, turn, mishap, noise)
        if mishap == "late":
            data = truth(request, turn)
            late = wrap(framing, sent, request.unit, bytes((request.function, len(data))) + data)
        else:
            late = b""
        result = feed(conversation, arriving, step)
        if result is None:
            result = conversation.expire()
        if isinstance(result, bytes):
            if mishap == "flipped" and framing == "tcp":
                continue  # MBAP has no checksum; TCP's own protects it
            assert result == truth(request, turn)


@pytest.mark.campaign
@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.binary(max_size=300), max_size=12), request=questions)
def test_any_bytes_end_in_an_outcome_and_never_in_an_exception(
    framing: str, pieces: list[bytes], request: Request
) -> None:
    conversation = {"tcp": TcpConversation, "rtu": RtuConversation, "ascii": AsciiConversation}[framing]()
    conversation.ask(request)
    for piece in pieces:
        if conversation.size + len(piece) > len(conversation.buffer):
            break
        result = feed(conversation, piece, 300)
        if result is not None:
            assert isinstance(result, Verdict) or len(result) == request.size
            return
    assert isinstance(conversation.expire(), Verdict)
