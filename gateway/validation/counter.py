"""``counter.*``: what it means when an index that only grows has fallen.

A fall is first a suspicion: a momentary zero or a stale answer must not become energy, and a new meter must not freeze
the old one's index. It is decided when the readings after it agree:

- *exchange*: the serial number or the installation on record changed since the last good reading;
- *jitter*: the step back is within two steps of the resolution or of a float32 of that size;
- *rollover*: the register passed its declared modulus;
- *glitch*: the reading is suspect and not used; if the next ones return to the old level, it was one;
- *reset*: the readings after it go on from the new level.

Each finding about a step carries ``previous`` (last good reading) and ``value``; ``since`` is the slot of the first
reading on the new level when it was decided later than it happened, ``first`` that reading's value.
"""

from typing import NamedTuple

from gateway.domain.finding import Finding
from gateway.validation.pack import finding

JITTER_STEPS = 2
FLOAT32_MANTISSA_BITS = 23
ZERO_READINGS_TO_CONFIRM = 12
"""A meter that shows zero this often in a row was reset; a communication module that starts up shows it a few times."""
READINGS_TO_WATCH_A_RESET = 12
USUAL_WIDTHS: tuple[int, ...] = (*(10**digits for digits in range(5, 16)), 2**31, 2**32)


class Memory(NamedTuple):
    """What is known of one counter. ``last`` is the last good reading, ``before`` the one before it.

    ``suspect*`` hold a fall that is not decided yet: its first value, that slot, the newest value, how many readings.
    ``former`` is the level before a reset, watched for ``watch`` readings in case the meter returns to it.
    """

    last: int | None = None
    before: int | None = None
    last_slot: int = 0
    suspect: int | None = None
    suspect_slot: int = 0
    suspect_newest: int = 0
    suspects: int = 0
    former: int | None = None
    watch: int = 0

    @property
    def settled(self) -> bool:
        """No fall is waiting to be decided and no reset is being watched."""
        return self.suspect is None and self.watch == 0


class Step(NamedTuple):
    """One new reading of one counter; ``modulus`` as the channel declares it."""

    channel: str
    value: int
    slot_us: int
    modulus: int | None = None


def jitter_limit(last: int) -> int:
    """The largest step back that is noise, in scaled integers."""
    ulp: int = abs(last) >> FLOAT32_MANTISSA_BITS
    return JITTER_STEPS * max(1, ulp)


def judge(memory: Memory, step: Step, *, exchanged: bool) -> tuple[Memory, Finding | None]:
    """The next memory and what the rule found, None for a normal step.

    ``exchanged``: another instrument is known to answer since the reading in ``memory.last``.
    """
    last = memory.last
    if last is None:
        return Memory(step.value, None, step.slot_us), None
    if exchanged:
        return _exchange(memory, last, step)
    if memory.suspect is not None:
        return _decide(memory, last, memory.suspect, step)
    if step.value >= last:
        return _risen(memory, last, step)
    return _fallen(memory, last, step)


def rolled_over(last: int, value: int, modulus: int | None) -> bool:
    """Whether the fall is one through the top of a register: from its last tenth into its first tenth."""
    if modulus is None:
        return False
    return modulus - modulus // 10 <= last < modulus and 0 <= value <= modulus // 10


def usual_width(last: int, value: int) -> int | None:
    """The usual register width that would make this fall a rollover, when the profile declares none."""
    for width in USUAL_WIDTHS:
        if width - width // 100 <= last < width and 0 <= value <= width // 100:
            return width
    return None


def _risen(memory: Memory, last: int, step: Step) -> tuple[Memory, Finding | None]:
    former, value = memory.former, step.value
    if former is not None and value >= former > last and value - former <= max(former // 10, 1):
        # the level before the reset is back: what was taken for a reset was none, and the step up is no energy
        return Memory(value, None, step.slot_us), finding("counter.reset", step.channel, previous=last, value=value)
    watch = max(memory.watch - 1, 0)
    return Memory(value, last, step.slot_us, former=former if watch else None, watch=watch), None


def _fallen(memory: Memory, last: int, step: Step) -> tuple[Memory, Finding | None]:
    channel, value = step.channel, step.value
    if last - value <= jitter_limit(last):
        return memory._replace(last_slot=step.slot_us), finding("counter.jitter", channel, previous=last, value=value)
    if memory.before is not None and memory.before <= value != 0:
        # back on the way it had before: the reading between was the wrong one
        facts = {"slot": memory.last_slot, "previous": memory.before, "value": last}
        return Memory(value, memory.before, step.slot_us), finding("counter.glitch", channel, **facts)
    if step.modulus is not None and rolled_over(last, value, step.modulus):
        found = finding("counter.rollover", channel, previous=last, value=value, modulus=step.modulus)
        if value != 0:
            return Memory(value, None, step.slot_us), found
        if last >= step.modulus - step.modulus // 100:
            # the next reading may yet show that the zero was a momentary one
            return Memory(value, None, step.slot_us, former=last, watch=READINGS_TO_WATCH_A_RESET), found
    return _suspect(memory, last, step)


def _suspect(memory: Memory, last: int, step: Step) -> tuple[Memory, Finding]:
    suspected = memory._replace(suspect=step.value, suspect_slot=step.slot_us, suspect_newest=step.value, suspects=1)
    return suspected, finding("counter.glitch", step.channel, previous=last, value=step.value)


def _exchange(memory: Memory, last: int, step: Step) -> tuple[Memory, Finding]:
    facts: dict[str, int | str] = {"previous": last, "value": step.value}
    if memory.suspect is not None and step.value >= memory.suspect_newest:
        facts |= {"since": memory.suspect_slot, "first": memory.suspect}
    return Memory(step.value, None, step.slot_us), finding("counter.exchange", step.channel, **facts)


def _decide(memory: Memory, last: int, first: int, step: Step) -> tuple[Memory, Finding | None]:
    """A reading after a suspicious one, whose value was ``first``."""
    value, channel = step.value, step.channel
    if value >= last - jitter_limit(last):
        return Memory(max(value, last), memory.before, step.slot_us), None
    if value < memory.suspect_newest - jitter_limit(memory.suspect_newest):
        return _suspect(memory, last, step)
    if value == 0 and memory.suspects + 1 < ZERO_READINGS_TO_CONFIRM:
        suspected = memory._replace(suspect_newest=value, suspects=memory.suspects + 1)
        return suspected, finding("counter.glitch", channel, previous=last, value=value)
    facts: dict[str, int | str] = {"previous": last, "value": value, "since": memory.suspect_slot, "first": first}
    if step.modulus is not None and rolled_over(last, first, step.modulus):
        found = finding("counter.rollover", channel, **facts, modulus=step.modulus)
        return Memory(value, None, step.slot_us), found
    if step.modulus is None and (width := usual_width(last, first)) is not None:
        facts["width"] = width
    decided = Memory(value, None, step.slot_us, former=last, watch=READINGS_TO_WATCH_A_RESET)
    return decided, finding("counter.reset", channel, **facts)
