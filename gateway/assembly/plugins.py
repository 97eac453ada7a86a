"""Finding what plugs in: drivers and sinks by entry point, ours like anybody's."""

from functools import cache
from importlib.metadata import entry_points
from typing import TypeGuard

from gateway.acquisition.limits import NarrowingDriver
from gateway.ports import ListeningDriver, PollingDriver

DRIVER_GROUP = "meterproof.drivers"

Driver = PollingDriver | ListeningDriver


@cache
def drivers() -> dict[str, Driver]:
    """Every installed protocol driver by protocol name."""
    return {point.name: point.load() for point in entry_points(group=DRIVER_GROUP)}


def is_listening(driver: Driver) -> TypeGuard[ListeningDriver]:
    """Whether devices of this protocol push by themselves."""
    return hasattr(driver, "decoder")


def is_polling(driver: Driver) -> TypeGuard[PollingDriver]:
    """Whether the gateway asks in this protocol."""
    return hasattr(driver, "plan")


def can_narrow(driver: Driver) -> TypeGuard[NarrowingDriver]:
    """Whether the driver can cut a request that a device refuses."""
    return hasattr(driver, "narrowed")
