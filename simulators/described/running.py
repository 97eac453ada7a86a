"""A described plant on the wire: its servers, its brokers, its truth."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt

from config.profile import Profile, shipped_profiles
from simulators.described.format import BrokerForm, DeviceForm, PlantFile, ServerForm
from simulators.described.measuring import MeasuringInstrument
from simulators.described.meter import DescribedMeter
from simulators.described.works import Works
from simulators.faults.fault import FOR_EVER, Fault
from simulators.faults.messages import MessageFaults, Outgoing
from simulators.faults.values import FaultyInstrument
from simulators.faults.wire import WireFaults
from simulators.instruments.fitted import MICRO
from simulators.instruments.instrument import Instrument
from simulators.modbus.device import MeterOnTheWire
from simulators.modbus.exchange import Exchange
from simulators.modbus.framing import MBAP, RTU
from simulators.modbus.layout import Layout
from simulators.modbus.serial_line import SerialLine
from simulators.modbus.server import ModbusServer, Replies
from simulators.mqtt.broker import EmbeddedBroker
from simulators.mqtt.payload import AsOf, Entry, PayloadWriter
from simulators.mqtt.sparkplug import EdgeNode, NodeDevice
from simulators.profiles import profile_from
from simulators.truth import TruthLog

_STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """One meter of the plant."""

    form: DeviceForm
    profile: Profile
    honest: Instrument
    measuring: MeasuringInstrument
    shown: FaultyInstrument
    faults: tuple[Fault, ...]

    def clock_us(self, at_us: int) -> int:
        """What its own clock says: how it goes, and the faults of it."""
        return self.shown.device_time_us(self.measuring.clock_us(at_us))


@dataclass(slots=True)
class DescribedPlant:
    """Everything a plant file describes. ``ports``, and ``paths`` of serial lines, are filled by ``start``."""

    file: PlantFile
    now_us: Callable[[], int]
    truth: TruthLog
    folder: Path = field(default_factory=Path)
    ports: dict[str, int] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    devices: dict[str, SimulatedDevice] = field(default_factory=dict)
    wire: dict[str, WireFaults] = field(default_factory=dict)
    messages: dict[str, MessageFaults] = field(default_factory=dict)
    _servers: list[ModbusServer | SerialLine] = field(default_factory=list)
    _brokers: list[EmbeddedBroker] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def build(self) -> None:
        """Make every meter; UnusableProfileError or ValueError says what does not fit."""
        folders: tuple[Path, ...] = (shipped_profiles(),)
        if self.file.profiles is not None:
            folders = (self.folder / self.file.profiles, *folders)
        start_us = self.now_us()
        works = Works(self.file.seed, start_us)
        honest = {each.id: DescribedMeter(each.id, each.values, start_us, works) for each in self.file.devices}
        measuring = {
            each.id: MeasuringInstrument(honest[each.id], start_us, **each.instrument.model_dump())
            for each in self.file.devices
        }
        for form in self.file.devices:
            faults = tuple(_faults(form, start_us))
            for fault in faults:
                if fault.kind == "identical" and fault.text("other") not in honest:
                    raise ValueError(f"{form.id}: fault 'identical' names no device of the plant as 'other'")
            shown = FaultyInstrument(form.id, measuring[form.id], faults, dict(measuring))
            profile = profile_from(form.profile, folders)
            sparkplug = profile.options.get("payload") == "sparkplug"
            if sparkplug and len((form.topic or "").split("/")) not in {2, 3}:
                raise ValueError(f"{form.id}: the topic of a Sparkplug B meter is group/node or group/node/device")
            self.devices[form.id] = SimulatedDevice(form, profile, honest[form.id], measuring[form.id], shown, faults)
        self.truth.announce(fault for device in self.devices.values() for fault in device.faults)

    async def start(self) -> None:
        """Listen, publish and keep the truth log, until ``stop``. OSError when a port is taken."""
        for server in self.file.servers:
            await self._start_server(server)
        for broker in self.file.brokers:
            await self._start_broker(broker)
        self._tasks.append(asyncio.create_task(self._keep_truth(), name="truth"))

    async def _start_server(self, form: ServerForm) -> None:
        own = [self.devices[each.id] for each in form.devices]
        mischief = self.wire[form.id] = WireFaults([fault for each in own for fault in each.faults], self._wire_applied)
        meters = [_on_the_wire(each) for each in own]
        framing, turnaround_s = MBAP if form.transport == "tcp" else RTU, form.turnaround_ms / 1_000.0
        if form.path is not None:
            replies = Replies(meters, self.now_us, framing=framing, turnaround_s=turnaround_s, mischief=mischief)
            line = SerialLine(replies)
            self.paths[form.id] = await line.start(self.folder / form.path, form.baud)
            self._servers.append(line)
            return
        running = ModbusServer(
            meters,
            self.now_us,
            framing=framing,
            turnaround_s=turnaround_s,
            connections=form.connections,
            mischief=mischief,
        )
        self.ports[form.id] = await running.start(form.host, form.port)
        self._servers.append(running)

    async def _start_broker(self, form: BrokerForm) -> None:
        port = form.port
        if form.embedded:
            port = port or await _free_port(form.host)
            broker = EmbeddedBroker(form.host, port)
            await broker.start()
            self._brokers.append(broker)
        self.ports[form.id] = port or 1_883
        own = [self.devices[each.id] for each in form.devices]
        spoiler = MessageFaults((fault for each in own for fault in each.faults), self._message_applied)
        self.messages[form.id] = spoiler
        self._tasks.append(asyncio.create_task(self._publish(form, own, spoiler), name=f"publish {form.id}"))

    async def stop(self) -> None:
        """Close everything; idempotent."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await task
        self._tasks.clear()
        for server in self._servers:
            await server.stop()
        self._servers.clear()
        for broker in self._brokers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(broker.stop(), _STOP_S)
        self._brokers.clear()

    async def _publish(self, form: BrokerForm, own: list[SimulatedDevice], spoiler: MessageFaults) -> None:
        groups = _by_topic([each for each in own if each.profile.options["payload"] != "sparkplug"])
        nodes = _nodes([each for each in own if each.profile.options["payload"] == "sparkplug"])
        async with aiomqtt.Client(form.host, self.ports[form.id], identifier=f"simulated-{form.id}") as client:

            async def send(message: Outgoing) -> None:
                for sent in spoiler.really_sent(message):
                    await client.publish(sent.topic, sent.payload, qos=1, retain=sent.retain)

            async with asyncio.TaskGroup() as tasks:
                if nodes:
                    tasks.create_task(self._births(client, nodes, send), name=f"births {form.id}")
                at_us = self.now_us()
                while True:
                    at_us = await self._next(at_us, float(form.period_s))
                    for topic, writer, devices in groups:
                        for message in _messages(topic, writer, devices, at_us):
                            await send(message)
                    for node in nodes:
                        for each in node.devices:
                            stamp_us = self.devices[each.device].clock_us(at_us)
                            await send(Outgoing(at_us, *node.data(each, at_us, stamp_us)))

    async def _births(
        self, client: aiomqtt.Client, nodes: Sequence[EdgeNode], send: Callable[[Outgoing], Awaitable[None]]
    ) -> None:
        """Births now, and again whenever somebody asks a node for them."""
        for node in nodes:
            await client.subscribe(node.command_topic, qos=1)
            for message in node.births(self.now_us()):
                await send(Outgoing(self.now_us(), *message))
        async for command in client.messages:
            for node in nodes:
                if command.topic.value == node.command_topic:
                    for message in node.births(self.now_us()):
                        await send(Outgoing(self.now_us(), *message))

    async def _keep_truth(self) -> None:
        at_us = self.now_us()
        while True:
            at_us = await self._next(at_us, float(self.file.truth_every_s))
            for device, each in self.devices.items():
                faults = [fault.kind for fault in each.faults if fault.active(at_us)]
                self.truth.moment(at_us, device, each.profile, each.honest, each.shown, faults=faults)

    async def _next(self, last_us: int, period_s: float) -> int:
        """Sleep to the first instant of a grid after the last one, and give it; those missed are left out."""
        period_us = round(period_s * MICRO)
        target_us = (max(last_us, self.now_us()) // period_us + 1) * period_us
        await asyncio.sleep((target_us - self.now_us()) / MICRO)
        return target_us

    def _wire_applied(self, fault: Fault, exchange: Exchange) -> None:
        self.truth.applied(exchange.at_us, fault.device, fault.kind)

    def _message_applied(self, fault: Fault, at_us: int) -> None:
        self.truth.applied(at_us, fault.device, fault.kind)


def _faults(form: DeviceForm, start_us: int) -> Iterator[Fault]:
    for each in form.faults:
        yield Fault(
            kind=each.kind,
            device=form.id,
            from_us=start_us + round(each.from_s * MICRO),
            to_us=FOR_EVER if each.to_s is None else start_us + round(each.to_s * MICRO),
            every=each.every,
            settings=each.settings,
        )


def _on_the_wire(device: SimulatedDevice) -> MeterOnTheWire:
    assert device.form.unit is not None
    layout = Layout(device.profile, device.form.base)
    return MeterOnTheWire(device.form.id, device.form.unit, layout, device.shown)


def _by_topic(own: list[SimulatedDevice]) -> list[tuple[str, PayloadWriter, list[SimulatedDevice]]]:
    """Meters that share a topic and a profile share their messages."""
    groups: dict[tuple[str, str], list[SimulatedDevice]] = {}
    for each in own:
        assert each.form.topic is not None
        groups.setdefault((each.form.topic, each.profile.id), []).append(each)
    return [(topic, PayloadWriter(devices[0].profile), devices) for (topic, _), devices in groups.items()]


def _nodes(own: list[SimulatedDevice]) -> list[EdgeNode]:
    """Edge nodes by ``group/node``; a third part of the topic is the device, without one it is the node itself."""
    found: dict[tuple[str, str], list[NodeDevice]] = {}
    for each in own:
        group, node, *device = (each.form.topic or "").split("/")
        named = NodeDevice(device[0] if device else None, each.form.id, PayloadWriter(each.profile), each.shown)
        found.setdefault((group, node), []).append(named)
    return [EdgeNode(group, node, devices) for (group, node), devices in found.items()]


def _messages(topic: str, writer: PayloadWriter, devices: list[SimulatedDevice], at_us: int) -> list[Outgoing]:
    entries: list[Entry] = [
        (each.form.meter or each.form.id, each.clock_us(at_us), AsOf(each.shown, at_us)) for each in devices
    ]
    names = tuple(each.form.id for each in devices)
    written = writer.messages(entries)
    per_device = len(devices) > 1 and len(written) == len(devices)
    return [
        Outgoing(at_us, f"{topic}/{suffix}" if suffix else topic, payload, (names[index],) if per_device else names)
        for index, (suffix, payload) in enumerate(written)
    ]


async def _free_port(host: str) -> int:
    probe = await asyncio.start_server(lambda _reader, writer: writer.close(), host, 0)
    port = int(probe.sockets[0].getsockname()[1])
    probe.close()
    await probe.wait_closed()
    return port
