"""Puts a collector together: data folder, configuration entries, lines, actors. The same parts serve back-fill."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from gateway.acquisition.clock_evidence import ClockEvidence
from gateway.acquisition.collector import Collector
from gateway.acquisition.duplicates import WINDOW, RecentMessages
from gateway.acquisition.endpoint import EndpointActor
from gateway.acquisition.keeping import Keeper, Listening
from gateway.acquisition.limits import DeviceLimits, NarrowingDriver, ReadLimits, with_plans
from gateway.acquisition.line import Line, lines_of
from gateway.acquisition.listening import ListeningActor, MessageIntake
from gateway.acquisition.outbox import Outbox
from gateway.acquisition.pushed import PushedSlots
from gateway.acquisition.recording import Recorder
from gateway.acquisition.schedule import stagger_us
from gateway.acquisition.tally import Tally
from gateway.assembly.ledger_view import LedgerView
from gateway.assembly.operator_log import silence_reporter, step_reporter, warn_of_future
from gateway.assembly.platform import kernel_clock_state
from gateway.assembly.plugins import can_narrow, is_listening, is_polling
from gateway.assembly.site_loading import AssembledDevice, AssembledEndpoint, AssembledSite
from gateway.domain.device import Device
from gateway.journal.audit_event import circumstances
from gateway.journal.canonical import BodyError, encode
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder, software_version
from gateway.journal.journal import Journal
from gateway.ports import Clock, Committer, Document, Listener, Random, Streams
from gateway.sealing.sealer import Sealer

STATE_FILE = "acquisition.json"
LIMITS_FILE = "limits.json"


@dataclass(frozen=True, slots=True)
class Machine:
    """The four ports a collector runs on, and the language it speaks to the operator."""

    clock: Clock
    random: Random
    streams: Streams
    committer: Committer
    language: str = "en"


@dataclass(slots=True)
class Collection:
    """An open folder with the lines of a site, ready to be collected into."""

    site: AssembledSite
    folder: DataFolder
    journal: Journal
    ledger: LedgerView
    recorder: Recorder
    lines: dict[str, list[Line]]
    intakes: dict[str, MessageIntake]

    def all_lines(self) -> list[Line]:
        """Every line of every endpoint."""
        return [line for lines in self.lines.values() for line in lines]


@contextmanager
def open_collection(site: AssembledSite, data: Path, clock: Clock) -> Iterator[Collection]:
    """Open or create the folder under the ``collect`` lock and journal the configuration where it changed."""
    folder = DataFolder.open_or_create(
        data,
        organisation=site.file.organisation.id,
        site=site.file.site.id,
        time_zone=site.file.site.time_zone,
        simulated=site.file.simulated,
        clock=clock,
    )
    with folder.hold_lock("collect"):
        journal = Journal.open(folder)
        ledger = LedgerView(folder.registry, folder.organisation)
        try:
            ledger.refresh()
            ledger.learn_from(journal)
            recorder = Recorder(folder.organisation, ledger, Tally(), lambda: circumstances(folder, journal))
            limits = ReadLimits(folder.state / LIMITS_FILE)
            endpoints = [_within_limits(each, limits) for each in site.endpoints]
            devices = [each for endpoint in endpoints for each in endpoint.devices]
            seqs = record_configuration(journal, folder, site.configuration, devices, clock)
            lines = {
                each.id: _lines(each, plain, ledger, seqs, _Cutting(limits, journal))
                for each, plain in zip(endpoints, site.endpoints, strict=True)
            }
            intakes = {
                each.id: MessageIntake(lines[each.id], each.decoder, recorder, RecentMessages(_window(each)))
                for each in site.endpoints
                if each.decoder is not None
            }
            slim = replace(site, endpoints=tuple(_slim(each) for each in site.endpoints), configuration={})
            del site, endpoints, devices
            yield Collection(slim, folder, journal, ledger, recorder, lines, intakes)
        finally:
            ledger.close()
            journal.close()


def _slim(endpoint: AssembledEndpoint) -> AssembledEndpoint:
    """Without what is only needed until the lines are made; with a thousand meters it is tens of megabytes."""
    devices = tuple(replace(each, profile={}, plans={}, configuration={}) for each in endpoint.devices)
    return replace(endpoint, devices=devices)


@dataclass(frozen=True, slots=True)
class _Cutting:
    """What lines need to learn read limits."""

    limits: ReadLimits
    journal: Journal

    def of(self, device: Device, base: str, driver: NarrowingDriver) -> DeviceLimits:
        """The limits of one device; ``base`` is the hash of its configuration as the site file gives it."""
        return DeviceLimits(device.id, device.subject, base, partial(self._newest, device.subject), driver, self.limits)

    def _newest(self, subject: str) -> Document:
        entry = self.journal.latest("configuration", subject)
        assert entry is not None, "a device is configured before it is polled"
        return entry.body


def _window(endpoint: AssembledEndpoint) -> int:
    """The in-flight window of a listening endpoint: the one its connection names, else the usual one."""
    return int(endpoint.connection.get("window", WINDOW))


def _within_limits(endpoint: AssembledEndpoint, limits: ReadLimits) -> AssembledEndpoint:
    """The endpoint with the plans that were cut to what its meters answer."""
    driver = endpoint.driver
    if not can_narrow(driver):
        return endpoint

    def limited(each: AssembledDevice) -> AssembledDevice:
        cut = limits.plans(each.device.id, each.configuration["hash"])
        if not cut:
            return each
        plans = {**each.plans, **{group: driver.load_plan(document) for group, document in cut.items()}}
        return replace(each, plans=plans, configuration=with_plans(each.configuration, cut))

    return replace(endpoint, devices=tuple(limited(each) for each in endpoint.devices))


def _lines(
    endpoint: AssembledEndpoint, plain: AssembledEndpoint, ledger: LedgerView, seqs: dict[str, int], cutting: _Cutting
) -> list[Line]:
    """``plain`` is the endpoint as the site file gives it, before limits."""
    lines: list[Line] = []
    for each, before in zip(endpoint.devices, plain.devices, strict=True):
        device = each.device
        limits = None
        if can_narrow(endpoint.driver):
            limits = cutting.of(device, before.configuration["hash"], endpoint.driver)
        lines.extend(
            lines_of(device, each.plans, each.configuration, registry=ledger, cfg=seqs[device.id], limits=limits)
        )
    return lines


def record_configuration(
    journal: Journal, folder: DataFolder, site: Document, devices: Sequence[AssembledDevice], clock: Clock
) -> dict[str, int]:
    """Journal what changed since it was last journaled; per device the seq of its entry in force."""
    seqs: dict[str, int] = {}
    drafts: list[Draft] = []
    changed: list[str] = []
    at_us = clock.utc_us()
    if _changed(journal, folder.site_subject, site) is None:
        drafts.append(_site_draft(folder.site_subject, site, at_us))
        changed.append("")
    for each in devices:
        seq = _changed(journal, each.device.subject, each.configuration)
        if seq is not None:
            seqs[each.device.id] = seq
            continue
        drafts.append(_configuration_draft(each.device.subject, each.configuration, at_us))
        changed.append(each.device.id)
    if drafts:
        seqs.update(zip(changed, journal.append(drafts), strict=True))
    return seqs


def _changed(journal: Journal, subject: str, configuration: Document) -> int | None:
    """The seq of the entry that says the same as the configuration; None when there is none."""
    entry = journal.latest("configuration", subject)
    return entry.seq if entry is not None and entry.body.get("hash") == configuration["hash"] else None


def _configuration_draft(subject: str, configuration: Document, at_us: int) -> Draft:
    return Draft("configuration", subject, at_us, {**configuration, "software": software_version()})


def _site_draft(subject: str, configuration: Document, at_us: int) -> Draft:
    """The site's own entry. Endpoints that do not fit an entry are named by number and hash; each device's entry
    names its endpoint anyway."""
    draft = _configuration_draft(subject, configuration, at_us)
    try:
        draft.encode()
    except BodyError:
        site = dict(configuration["site"])
        endpoints = site.pop("endpoints")
        digest = sha256(b"".join(encode(each) for each in endpoints)).hexdigest()
        site["endpoints"] = {"count": len(endpoints), "sha256": digest}
        return _configuration_draft(subject, {**configuration, "site": site}, at_us)
    return draft


def build_collector(collection: Collection, machine: Machine) -> Collector:
    """The actors of a collection, brought to where its journal ends, with ``stopped`` entries for the time between."""
    outbox = Outbox(collection.journal.append_encoded, machine.committer, machine.clock)
    polling: list[EndpointActor] = []
    listening: list[ListeningActor] = []
    count = len(collection.site.endpoints)
    for position, endpoint in enumerate(collection.site.endpoints):
        if is_polling(endpoint.driver):
            polling.append(_polling_actor(endpoint, collection, outbox, machine, (position, count)))
        elif is_listening(endpoint.driver):
            listening.append(_listening_actor(endpoint, collection, outbox, machine))
    keeper = make_keeper(collection, {actor.endpoint: actor.slots for actor in listening})
    keeper.restore(collection.journal)
    now_us = machine.clock.utc_us()
    for actor in polling:
        for line in actor.lines:
            record_stop(line, now_us, collection.recorder, outbox)
    warn_of_future([line for actor in polling for line in actor.lines], now_us, machine.language)
    sealer = Sealer(collection.folder, machine.clock)
    return Collector(
        polling=polling,
        listening=listening,
        outbox=outbox,
        keeper=keeper,
        evidence=ClockEvidence(collection.folder.subject("gateway", "clock"), machine.clock, kernel_clock_state),
        seal=lambda: sealer.seal(collection.journal),
        refresh=collection.ledger.refresh,
        on_step=step_reporter(machine.language),
        clock=machine.clock,
        committer=machine.committer,
    )


def make_keeper(collection: Collection, slots: dict[str, PushedSlots]) -> Keeper:
    """The keeper of all lines; ``slots`` by listening endpoint."""
    listening = [Listening(name, collection.intakes[name], each) for name, each in slots.items()]
    return Keeper(collection.folder.state / STATE_FILE, collection.all_lines(), listening)


def record_stop(line: Line, now_us: int, recorder: Recorder, outbox: Outbox) -> None:
    """One entry for the slots that passed while nobody collected; the slot of now is still served."""
    if line.next_slot_us is None:
        return
    current_us = line.grid.current(now_us)
    draft = recorder.stopped(line, line.next_slot_us, current_us, now_us)
    if draft is not None:
        outbox.put(draft)
    line.next_slot_us = max(line.grid.first_from(line.next_slot_us), current_us)


def _polling_actor(
    endpoint: AssembledEndpoint, collection: Collection, outbox: Outbox, machine: Machine, place: tuple[int, int]
) -> EndpointActor:
    lines = collection.lines[endpoint.id]
    driver = endpoint.driver
    assert is_polling(driver)
    link = driver.open(
        endpoint.id, endpoint.connection, clock=machine.clock, streams=machine.streams, random=machine.random
    )
    return EndpointActor(
        endpoint.id,
        lines,
        link,
        recorder=collection.recorder,
        outbox=outbox,
        clock=machine.clock,
        random=machine.random,
        stagger_us=stagger_us(*place, min((line.grid.period_us for line in lines), default=1)),
        on_change=silence_reporter(machine.language),
    )


def _listening_actor(
    endpoint: AssembledEndpoint, collection: Collection, outbox: Outbox, machine: Machine
) -> ListeningActor:
    driver, decoder = endpoint.driver, endpoint.decoder
    assert is_listening(driver)
    assert decoder is not None
    listener: Listener = driver.open(
        endpoint.id,
        endpoint.connection,
        decoder.topics(),
        clock=machine.clock,
        streams=machine.streams,
        random=machine.random,
    )
    slots = PushedSlots(
        collection.lines[endpoint.id],
        recorder=collection.recorder,
        outbox=outbox,
        clock=machine.clock,
        connected=lambda: listener.connected,
    )
    return ListeningActor(
        endpoint.id,
        listener,
        intake=collection.intakes[endpoint.id],
        slots=slots,
        outbox=outbox,
        clock=machine.clock,
    )
