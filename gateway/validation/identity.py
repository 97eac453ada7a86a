"""``identity.changed`` and ``identity.serial_mismatch``: who answers at this address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.domain.device import Channel
from gateway.domain.finding import Finding
from gateway.validation.pack import finding

SERIAL = "serial_number"
RATIO_MEASURANDS = frozenset({"ct_ratio", "ct_primary", "ct_secondary", "pt_ratio", "pt_primary", "pt_secondary"})
WATCHED_MEASURANDS = RATIO_MEASURANDS | {SERIAL, "firmware_version", "model_code"}
OPEN_END = 2**62
"""Microseconds that no meter lives to see; stands for an open end where a number is needed."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The instrument on record for a device during ``[from_us, until_us)``; ``instrument`` None: none on record."""

    instrument: str | None
    serial: str | None
    from_us: int
    until_us: int


NOBODY = Installed(None, None, -OPEN_END, OPEN_END)


class InstalledInstruments(Protocol):
    """What the rules need to know of the registry."""

    @property
    def generation(self) -> int:
        """Another number whenever an answer may have changed."""
        ...

    @property
    def seq(self) -> int:
        """The journal entry up to which the registry is built; 0 while there is no registry."""
        ...

    def installed(self, device: str, at_us: int) -> Installed:
        """The meter installed at a device at an instant, and the span in which that answer holds."""
        ...


class NoRegistry:
    """Stands in while no registry was built: nothing is installed, nothing is judged against it."""

    generation = 0
    seq = 0

    def installed(self, device: str, at_us: int) -> Installed:
        """Nobody, at any time."""
        del device, at_us
        return NOBODY


@dataclass(slots=True)
class DeviceIdentity:
    """What a device last said about itself, shared by the rules of all its groups.

    ``epoch`` counts the instruments seen; a counter whose last reading is of an older epoch was exchanged.
    ``wanted`` asks acquisition to read the identity soon, because a counter fell. ``broken`` says that a reset or an
    exchange was found since the identity was last read: a new serial number then explains it and opens no epoch.
    """

    known: dict[str, int | str] = field(default_factory=dict)
    epoch: int = 0
    declared_serial: str | None = None
    wanted: bool = False
    broken: bool = False


def same_serial(one: str, other: str) -> bool:
    """Whether two serial numbers are the same one as people and registers write them."""
    return _normal(one) == _normal(other)


def _normal(serial: str) -> str:
    compact = "".join(character for character in serial if character.isalnum()).casefold()
    return compact.lstrip("0") or compact


def watch(identity: DeviceIdentity, channel: Channel, value: int | str, installed: Installed) -> list[Finding]:
    """Findings about one identity channel; a changed serial opens a new epoch unless the registry declared it."""
    found = []
    key = channel.measurand
    known = identity.known.get(key)
    if known is not None and known != value:
        found.append(finding("identity.changed", channel.id, old=known, new=value))
        if key == SERIAL and not identity.broken and not _declared(identity, value):
            identity.epoch += 1
    identity.known[key] = value
    if key == SERIAL:
        identity.broken = False
    if key == SERIAL and installed.serial and not same_serial(str(value), installed.serial):
        facts: Mapping[str, int | str] = {
            "serial": value,
            "installed": installed.serial,
            "instrument": installed.instrument or "",
        }
        found.append(finding("identity.serial_mismatch", channel.id, **facts))
    return found


def _declared(identity: DeviceIdentity, serial: int | str) -> bool:
    return identity.declared_serial is not None and same_serial(identity.declared_serial, str(serial))
