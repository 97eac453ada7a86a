"""The installed instruments as the rules see them: read from the registry, held in memory, asked once a poll."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.errors import DataFolderError
from gateway.domain.ledger import Installation, InstallationRole, Instrument
from gateway.journal.journal import Journal
from gateway.registry.registry import Registry
from gateway.validation.identity import OPEN_END, Installed

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class _Stay:
    """One meter's time at a device."""

    installation: str
    instrument: str
    from_us: int
    until_us: int


class LedgerView:
    """``InstalledInstruments`` over ``registry.sqlite``, which another process writes.

    ``refresh`` reads it again when its ledger changed; while the file is absent nobody is installed. ``learn`` adds a
    record that is in the journal but not in the registry yet (back-fill, where both grow together).
    """

    def __init__(self, path: Path, organisation: str) -> None:
        self._path = path
        self._organisation = organisation
        self._registry: Registry | None = None
        self._inode = 0
        self._stays: dict[str, dict[str, _Stay]] = {}
        self._serials: dict[str, str] = {}
        self.generation = 0
        self.seq = 0

    def refresh(self) -> None:
        """Take up what the registry holds now."""
        registry = self._opened()
        if registry is None:
            return
        seq = registry.ledger_seq()
        if seq <= self.seq:
            return
        serials = {
            record.id: record.read_as(Instrument).serial
            for record in registry.objects(self._organisation, "instrument")
        }
        stays: dict[str, dict[str, _Stay]] = {}
        for record in registry.objects(self._organisation, "installation"):
            _add(stays, record.id, record.read_as(Installation), record.from_us, record.to_us)
        self._serials, self._stays, self.seq = serials, stays, seq
        self.generation += 1

    def _opened(self) -> Registry | None:
        """The registry as it stands under its name now: a rebuild puts another file there."""
        try:
            inode = self._path.stat().st_ino
        except OSError:
            return None
        if self._registry is not None and inode != self._inode:
            self.close()
        if self._registry is None:
            try:
                self._registry = Registry.open(self._path)
            except DataFolderError:
                return None  # being built; asked again at the next refresh
            self._inode = inode
        return self._registry

    def learn(
        self, kind: str, id_: str, document: Mapping[str, Any], span: tuple[int | None, int | None], seq: int
    ) -> None:
        """Take up one record that stands in entry ``seq``; ``span`` is its ``from`` and ``to``."""
        if kind == "instrument":
            self._serials[id_] = Instrument.from_document(id_, document).serial
        elif kind == "installation":
            for stays in self._stays.values():
                stays.pop(id_, None)
            _add(self._stays, id_, Installation.from_document(id_, document), *span)
        self.seq = seq
        self.generation += 1

    def learn_from(self, journal: Journal) -> None:
        """Take up what is in the journal and not in the registry: while it is being built, or nobody builds it."""
        after = self._registry.applied_seq() if self._registry is not None else 0
        while page := journal.read(after, PAGE, kinds=("instrument", "installation")):
            for entry in page:
                after = entry.seq
                if entry.seq > self.seq and entry.subject.startswith(f"{self._organisation}/"):
                    body = entry.body
                    if body["withdrawn"]:
                        self._withdraw(entry.kind, entry.subject.split("/", 2)[2], entry.seq)
                        continue
                    self.learn(entry.kind, entry.subject.split("/", 2)[2], body["object"], _span(body), entry.seq)

    def _withdraw(self, kind: str, id_: str, seq: int) -> None:
        if kind == "installation":
            for stays in self._stays.values():
                stays.pop(id_, None)
        self.seq = seq
        self.generation += 1

    def installed(self, device: str, at_us: int) -> Installed:
        """The meter at a device at an instant; of several, the one fitted last, as the registry answers."""
        found: _Stay | None = None
        from_us, until_us = -OPEN_END, OPEN_END
        for stay in sorted(self._stays.get(device, {}).values(), key=lambda each: each.from_us):
            if stay.from_us > at_us:
                until_us = min(until_us, stay.from_us)
            elif stay.until_us > at_us:
                found = stay
            else:
                from_us = max(from_us, stay.until_us)
        if found is None:
            return Installed(None, None, from_us, until_us)
        serial = self._serials.get(found.instrument) or None
        return Installed(found.instrument, serial, max(from_us, found.from_us), min(until_us, found.until_us))

    def close(self) -> None:
        """Close the registry; idempotent."""
        if self._registry is not None:
            self._registry.close()
            self._registry = None


def _add(
    stays: dict[str, dict[str, _Stay]], id_: str, installation: Installation, from_us: int | None, to_us: int | None
) -> None:
    if installation.role != InstallationRole.METER or not installation.device:
        return
    stay = _Stay(
        id_,
        installation.instrument,
        -OPEN_END if from_us is None else from_us,
        OPEN_END if to_us is None else to_us,
    )
    stays.setdefault(installation.device, {})[id_] = stay


def _span(body: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return body["from"], body["to"]
