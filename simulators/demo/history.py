"""The demo's history as the lines that ``meterproof backfill`` reads: what the meters would have answered, slot by
slot."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.profile import Profile
from simulators.demo.faults import CELL_US, HOUR_US
from simulators.demo.ledger import Record
from simulators.demo.places import FITTED
from simulators.demo.plant import DemoPlant
from simulators.demo.pushing import ENDPOINT, Pushers, Sent
from simulators.instruments.instrument import Instrument
from simulators.modbus.layout import CompiledRequest, Layout

HISTORY_PERIOD_S = 300
_TURNAROUND_US = 14_000
_SPACING_US = 40_000
_TIMEOUT_US = 500_000

Line = tuple[int, str]
"""The time a thing happened, and its line."""


@dataclass(frozen=True, slots=True)
class _Polled:
    """One group of one polled device."""

    device: str
    group: str
    period_us: int
    delay_us: int
    requests: Sequence[CompiledRequest]
    instrument: Instrument


@dataclass(slots=True)
class Counts:
    """What has been generated so far."""

    slots: int = 0
    polls: int = 0
    misses: int = 0
    messages: int = 0
    records: int = 0


class History:
    """Everything between two instants, hour by hour.

    ``plans`` and ``devices`` are those of ``meterproof check --json``; ``live_period_us`` is the period the site file
    gives for live running, which the history replaces by five minutes.
    """

    def __init__(
        self,
        plant: DemoPlant,
        pushers: Pushers,
        profile_of: Callable[[str], Profile],
        report: Mapping[str, Any],
        *,
        live_period_us: int,
        records: Sequence[Record] = (),
    ) -> None:
        self._plant = plant
        self._pushers = pushers
        self._records = sorted(records, key=lambda record: record.at_us)
        self._polled = _polled(plant, profile_of, report, live_period_us)
        self.counts = Counts()

    def hours(self, start_us: int, end_us: int) -> Iterator[tuple[int, bytes]]:
        """(end of the hour, its lines), in order, each hour closed by a commit line."""
        at_us = start_us
        while at_us < end_us:
            until_us = min((at_us // HOUR_US + 1) * HOUR_US, end_us)
            lines = sorted(self._hour(at_us, until_us))
            lines.append((until_us, f'{{"t":"commit","at":{until_us}}}'))
            yield until_us, ("\n".join(line for _, line in lines) + "\n").encode()
            at_us = until_us

    def _hour(self, start_us: int, end_us: int) -> Iterator[Line]:
        for polled in self._polled:
            first = -(-start_us // polled.period_us) * polled.period_us
            for slot_us in range(first, end_us, polled.period_us):
                yield self._slot(polled, slot_us)
        for slot_us in range(-(-start_us // CELL_US) * CELL_US, end_us, CELL_US):
            for sent in self._pushers.regular(slot_us + 1_500_000):
                yield self._message(sent)
        for sent in self._pushers.events(start_us, end_us):
            yield self._message(sent)
        for record in self._records:
            if start_us <= record.at_us < end_us:
                self.counts.records += 1
                yield record.at_us, _record_line(record)

    def _slot(self, polled: _Polled, slot_us: int) -> Line:
        self.counts.slots += 1
        sent_us = slot_us + polled.delay_us
        if self._plant.silent(polled.device, sent_us):
            self.counts.misses += 1
            return sent_us + _TIMEOUT_US, (
                f'{{"t":"miss","device":"{polled.device}","group":"{polled.group}","slot":{slot_us},'
                '"outcome":"timeout","code":0,"detail":""}'
            )
        self.counts.polls += 1
        at_us = sent_us
        raw = []
        for request in polled.requests:
            at_us += _TURNAROUND_US
            raw.append(f'"{b64encode(request.answer(polled.instrument, at_us)).decode()}"')
        return at_us, (
            f'{{"t":"poll","device":"{polled.device}","group":"{polled.group}","slot":{slot_us},"sent":{sent_us},'
            f'"received":{at_us},"outcome":"ok","raw":[{",".join(raw)}]}}'
        )

    def _message(self, sent: Sent) -> Line:
        self.counts.messages += 1
        received_us = sent.at_us + 30_000
        return received_us, (
            f'{{"t":"message","endpoint":"{ENDPOINT}","topic":"{sent.topic}",'
            f'"payload":"{b64encode(sent.payload).decode()}","received":{received_us}}}'
        )


def _polled(
    plant: DemoPlant, profile_of: Callable[[str], Profile], report: Mapping[str, Any], live_period_us: int
) -> list[_Polled]:
    found = []
    position: dict[str, int] = {}
    for place in FITTED:
        if place.endpoint == ENDPOINT:
            continue
        layout = Layout(profile_of(place.profile))
        periods = report["devices"][place.device]["groups"]
        # who a meter is comes before what it shows, so that an exchange is known when its first reading is judged
        for group, plan in sorted(report["plans"][place.device].items(), key=lambda pair: -int(periods[pair[0]])):
            period_us = int(periods[group])
            turn = position[place.endpoint] = position.get(place.endpoint, 0) + 1
            found.append(
                _Polled(
                    device=place.device,
                    group=group,
                    period_us=HISTORY_PERIOD_S * 1_000_000 if period_us == live_period_us else period_us,
                    delay_us=turn * _SPACING_US,
                    requests=layout.requests(plan["requests"]),
                    instrument=plant.instruments[place.device],
                )
            )
    return found


def _record_line(record: Record) -> str:
    return json.dumps(
        {
            "t": "record",
            "at": record.at_us,
            "kind": record.kind,
            "id": record.id,
            "object": record.object,
            "from": record.from_us,
            "to": record.to_us,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
