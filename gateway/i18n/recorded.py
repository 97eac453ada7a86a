"""What the product says in English where no language is known: on record, of a link, of another program.

The words stay on record as they were given, for evidence does not change. They are translated when they are shown, here
and nowhere else: each sentence below has its Chinese in ``recorded.po``; where its facts stand, anything may stand.
"""

import re
from functools import cache

from gateway.i18n.terms import TERMS, term
from gateway.i18n.texts import text

DETAILS = (
    # what a Modbus conversation says of an answer
    "the answer broke off after %(count)s bytes",
    "%(count)s answers to other questions, none to this",
    "not a Modbus/TCP header",
    "unit %(other)s answered for unit %(unit)s",
    "function %(other)s answered for function %(function)s",
    "function %(other)s answered",
    "an exception of the wrong length or without a code",
    "a device identification that does not hold together",
    "%(count)s data bytes where %(wanted)s were asked for",
    "bytes that are no Modbus RTU frame",
    "wrong CRC",
    "wrong LRC",
    "%(count)s bytes behind the answer",
    "%(count)s characters behind the answer",
    "a line longer than a Modbus ASCII frame",
    "characters that are not hexadecimal",
    "exception %(code)s",
    # the way to a meter, or to a broker
    "closed while asking: %(reason)s",
    "closed while asking",
    "closed by the peer",
    "no connection in time",
    "no connection",
    "connecting again in %(seconds)s s",
    "cannot listen: %(reason)s",
    "no device has dialled in",
    "the device dialled in anew",
    "endpoint not reachable",
    "unit does not answer",
    "unit does not answer; time budget of dead units spent",
    "not asked: the unit had not answered",
    "no session with the broker",
    "driver failed: %(reason)s",
    # stores that readings are delivered to
    "no answer to /ping",
    "no answer within %(seconds)s s",
    "no answer: %(reason)s",
    "TLS: %(reason)s",
    # the operating system, and what Python says for it
    "Connect call failed (%(address)s)",
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "Network is unreachable",
    "No route to host",
    "Host is down",
    "Broken pipe",
    "Name or service not known",
    "Temporary failure in name resolution",
    "No address associated with hostname",
    "No such file or directory",
    "Permission denied",
    "Address already in use",
    "Cannot assign requested address",
    "[Errno %(number)s] %(reason)s",
    "ClientConnectorError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "ServerDisconnectedError",
    "TimeoutError",
    # what a web address or a form carries
    "Method Not Allowed",
    "Content Too Large",
    "Invalid host header",
    "Invalid multipart data.",
    "There was an error parsing the body",
    "JSON decode error",
    "Field required",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be greater than or equal to %(limit)s",
    "Input should be less than or equal to %(limit)s",
    "Input should be %(words)s",
    "String should have at most %(count)s characters",
    "String should have at most %(count)s character",
    "String should have at least %(count)s character",
    "String should have at least %(count)s characters",
    "String should match pattern %(pattern)s",
    # laws of physics that a reading is held against
    "magnitude",
    "range",
    "frequency",
    "voltages",
    "power is the sum of its phases",
    "P / S is the power factor",
    "U · I is at least P",
    "%(channel)s only grows",
    "dE/dt is the power",
    # where a limit or an uncertainty comes from
    "class %(class)s read as percent",
    "no row for this jurisdiction",
    "metering point",
)


def recorded(language: str, said: str) -> str:
    """A recorded sentence in the language; as it stands where it is none of ours, such as the number of a standard."""
    return _known(language, said) or text(language, said)


def detail(language: str, said: str) -> str:
    """The detail of a failure in the language; quoted where it is none of ours, for then another program said it."""
    if language == "en" or not said:
        return said
    known = term(language, "outcome", said) if said in TERMS["outcome"] else _known(language, said)
    return known or text(language, "“%(words)s”", words=said)


def _known(language: str, said: str) -> str:
    if language == "en":
        return ""
    for pattern, sentence in _patterns():
        found = pattern.fullmatch(said)
        if found:
            facts = found.groupdict()
            if "reason" in facts:
                facts["reason"] = detail(language, facts["reason"])
            return text(language, sentence, **facts)
    return ""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each sentence as what it looks like with its facts."""
    return tuple(
        (re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", re.escape(each)), re.DOTALL), each) for each in DETAILS
    )
