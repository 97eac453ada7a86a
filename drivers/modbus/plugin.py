"""The Modbus driver as the gateway sees it (entry point ``modbus`` in ``meterproof.drivers``)."""

import binascii
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from drivers.blocks import read_block
from drivers.modbus.commissioning import Hypothesis, commission
from drivers.modbus.cost import line_cost
from drivers.modbus.link import ModbusLink, octets
from drivers.modbus.narrowing import narrowed
from drivers.modbus.plan import ModbusPlan, load_plan
from drivers.modbus.planning import build_plan, profile_problems, profile_text, usable
from drivers.modbus.scanning import FoundUnit, scan
from drivers.modbus.schema import Address, Connection, Options
from drivers.modbus.tls import client_context
from gateway.domain.device import Device, RequestGroup
from gateway.domain.errors import Problem
from gateway.ports import Clock, Document, Link, Random, Streams

FULL_PERMILLE = 1_000


class ModbusDriver:
    """``gateway.ports.PollingDriver`` for Modbus TCP, TLS, RTU and ASCII."""

    name = "modbus"

    def check_connection(self, connection: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with an endpoint's ``connection`` block; certificate files are opened."""
        block = read_block(Connection, connection)
        if isinstance(block, list):
            return block
        problems = []
        for key in ("registration", "heartbeat"):
            try:
                octets(getattr(block, key))
            except (ValueError, binascii.Error):
                problems.append(Problem("'%(key)s' is not hexadecimal behind 'hex:'", {"key": key}, (key,)))
        if block.tls is not None:
            try:
                client_context(block.tls)
            except OSError as error:  # ssl.SSLError is one
                reason = error.strerror or str(error)
                problems.append(Problem("the certificates cannot be used: %(reason)s", {"reason": reason}, ("tls",)))
        return problems

    def line(self, connection: Mapping[str, Any]) -> str:
        """What an endpoint occupies: its serial port, or the host and port it connects to or listens on."""
        block = usable(Connection, connection)
        if block.serial:
            return block.path or ""
        return f"{'*' if block.listen else ''}{(block.host or '').lower()}:{block.tcp_port}"

    def check_device(self, address: Mapping[str, Any], profile: Mapping[str, Any]) -> list[Problem]:
        """Everything wrong with a device's ``address`` and with the profile's ``options`` and ``source`` blocks."""
        block = read_block(Address, address)
        if isinstance(block, list):
            return [*block, *profile_problems(profile_text(profile), 0)]
        return list(profile_problems(profile_text(profile), block.base))

    def plan(
        self, address: Mapping[str, Any], profile: Mapping[str, Any], group: RequestGroup, connection: Mapping[str, Any]
    ) -> ModbusPlan:
        """The read plan of one group; ConfigurationError when the blocks are unusable (``check_device`` says why)."""
        return build_plan(usable(Address, address), profile, group, usable(Connection, connection))

    def load_plan(self, document: Document) -> ModbusPlan:
        """The plan back from its journal form."""
        return load_plan(document)

    def narrowed(self, plan: ModbusPlan, index: int) -> ModbusPlan | None:
        """The plan after a meter refused request ``index`` with exception 2 or 3; None when it cannot be cut."""
        return narrowed(plan, index)

    def predicted_us(self, connection: Mapping[str, Any], profile: Mapping[str, Any], plan: ModbusPlan) -> int:
        """How long one poll of the plan is expected to occupy the endpoint, microseconds."""
        options = usable(Options, profile.get("options", {}))
        return line_cost(usable(Connection, connection), options.turnaround_ms).plan_us(plan.requests)

    def utilisation_permille(
        self, connection: Mapping[str, Any], polled: Sequence[tuple[Mapping[str, Any], ModbusPlan, int]]
    ) -> int:
        """The share of an endpoint's time that its groups need, permille; ``polled``: profile, plan, period in µs."""
        loads = [(self.predicted_us(connection, profile, plan), period_us) for profile, plan, period_us in polled]
        return ceil(sum(Fraction(1_000 * predicted_us, period_us) for predicted_us, period_us in loads))

    def scan(
        self, open_link: Callable[[], Link], units: Iterable[int], timeout_s: float, clock: Clock
    ) -> AsyncIterator[FoundUnit]:
        """What each unit brought, one after the other; OSError when the endpoint is out of reach."""
        return scan(open_link, units, timeout_s, clock)

    async def commission(
        self,
        link: Link,
        device: Device,
        profile: Mapping[str, Any],
        group: RequestGroup,
        connection: Mapping[str, Any],
        *,
        clock: Clock,
        interval_s: float,
    ) -> list[Hypothesis]:
        """Ways to read the meter beside the profile's own, scored against physics, best first."""
        return await commission(self, link, device, profile, group, connection, clock=clock, interval_s=interval_s)

    def check_schedule(
        self, connection: Mapping[str, Any], polled: Sequence[tuple[Mapping[str, Any], ModbusPlan, int]]
    ) -> list[Problem]:
        """A schedule that the line cannot keep; empty when all groups fit into their periods."""
        permille = self.utilisation_permille(connection, polled)
        if permille <= FULL_PERMILLE:
            return []
        message = "the schedule needs %(percent)s %% of this line's time; lengthen periods or split the line"
        return [Problem(message, {"percent": str(permille // 10)})]

    def open(
        self,
        endpoint: str,  # noqa: ARG002  # the port names it; the block says everything
        connection: Mapping[str, Any],
        *,
        clock: Clock,
        streams: Streams,
        random: Random,
    ) -> Link:
        """A link to the endpoint; does not connect yet."""
        block = usable(Connection, connection)
        if block.client == "pymodbus":
            # a heavy import that only those pay who choose it
            from drivers.modbus.pymodbus_link import PymodbusLink  # noqa: PLC0415

            return PymodbusLink(block, clock=clock, random=random)
        return ModbusLink(block, clock=clock, streams=streams, random=random)


PLUGIN = ModbusDriver()
