"""A meter that stops answering while its profile is questioned."""

from typing import Any

import pytest

from drivers.modbus.plugin import PLUGIN
from gateway.domain.device import Channel, ChannelKind, Device, RequestGroup
from gateway.domain.errors import MeterproofError
from gateway.domain.reading import Outcome
from gateway.ports import Answer

CHANNEL = {"id": "e", "measurand": "active_energy_import", "decimals": 0, "source": {"address": 10, "type": "u32"}}
PROFILE = {"id": "p", "protocol": "modbus", "groups": [{"id": "energy", "channels": [CHANNEL]}]}
CONNECTION = {"transport": "tcp", "host": "127.0.0.1"}


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def utc_us(self) -> int:
        return self.now_ns // 1_000

    def monotonic_ns(self) -> int:
        return self.now_ns

    async def sleep(self, duration_s: float) -> None:
        self.now_ns += int(duration_s * 1e9)


class AnsweringUntil:
    """Answers with zeros until the clock has moved on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def exchange(self, _device: Device, request: Any, _timeout_s: float) -> Answer:
        if self._clock.now_ns:
            return Answer(outcome=str(Outcome.TIMEOUT))
        return Answer(outcome=str(Outcome.OK), data=bytes(request.size))

    async def close(self) -> None:
        return


async def test_a_meter_that_answers_once_and_then_no_more_is_said_so() -> None:
    channel = Channel(
        id="e", measurand="active_energy_import", unit="kWh", kind=ChannelKind.CUMULATIVE, decimals=0, modulus=2**32
    )
    group = RequestGroup(id="energy", period_us=1_000_000, offset_us=0, channels=(channel,))
    device = Device(
        id="d", organisation="o", endpoint="bus", protocol="modbus", profile="p", address={"unit": 1}, groups=(group,)
    )
    clock = Clock()
    with pytest.raises(MeterproofError, match="once and then no more"):
        await PLUGIN.commission(AnsweringUntil(clock), device, PROFILE, group, CONNECTION, clock=clock, interval_s=10.0)
