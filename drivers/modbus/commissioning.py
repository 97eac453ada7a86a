"""Is the profile right for the meter in front of us? Word orders and addresses beside it, scored against physics."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from drivers.modbus.physics import Law, judge, residual, score
from drivers.modbus.plan import ModbusPlan
from gateway.domain.device import ChannelKind, Device, RequestGroup
from gateway.domain.errors import MeterproofError
from gateway.domain.reading import Outcome
from gateway.ports import Clock, Link, PollingDriver

ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
SHIFTS = (0, -1, 1)
AS_WRITTEN = "as written"
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One way to read the meter and how well its values keep the laws. ``shift``: added to every address; ``differs``:
    whether its values are others than those of the profile as written.
    """

    order: str
    shift: int
    score: float
    residual: float
    laws: tuple[Law, ...]
    differs: bool = False

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "order": self.order,
            "shift": self.shift,
            "score": round(self.score, 3),
            "residual": round(self.residual, 6),
            "differs": self.differs,
            "laws": [{"name": law.name, "holds": law.holds, "detail": law.detail} for law in self.laws],
        }


async def commission(  # noqa: PLR0917  # what a driver's own methods take
    driver: PollingDriver,
    link: Link,
    device: Device,
    profile: Mapping[str, Any],
    group: RequestGroup,
    connection: Mapping[str, Any],
    *,
    clock: Clock,
    interval_s: float,
    timeout_s: float = 2.0,
) -> list[Hypothesis]:
    """Every hypothesis that could be read, best first; the profile as written wins ties.

    MeterproofError when the meter answers none of the requests, the first time or again.
    """
    plans = {(order, shift): plan for order, shift, plan in _plans(driver, device, profile, group, connection)}
    begun_ns = clock.monotonic_ns()
    first = await _read_all(link, device, plans, timeout_s)
    if not first:
        raise MeterproofError("the meter answers none of the profile's requests")
    await clock.sleep(interval_s)
    elapsed_s = (clock.monotonic_ns() - begun_ns) / 1e9
    second = await _read_all(link, device, {key: plans[key] for key in first}, timeout_s)
    ranges = _ranges(group)
    as_written = _values(plans[AS_WRITTEN, 0], group, first[AS_WRITTEN, 0]) if (AS_WRITTEN, 0) in first else None
    results = []
    for key in first:
        if key not in second:
            continue
        earlier, later = (_values(plans[key], group, raws[key]) for raws in (first, second))
        laws = [_completeness(plans[key], first[key]), *judge(earlier, later, elapsed_s, ranges)]
        differs = earlier != as_written
        results.append(Hypothesis(key[0], key[1], score(laws), residual(laws), tuple(laws), differs))
    if not results:
        raise MeterproofError("the meter answered once and then no more")
    return sorted(results, key=_rank)


def _rank(each: Hypothesis) -> tuple[float, float, int, bool, str]:
    return -each.score, round(each.residual, 4), abs(each.shift), each.order != AS_WRITTEN, each.order


def _plans(
    driver: PollingDriver,
    device: Device,
    profile: Mapping[str, Any],
    group: RequestGroup,
    connection: Mapping[str, Any],
) -> list[tuple[str, int, ModbusPlan]]:
    plans = []
    for shift in SHIFTS:
        for order in (AS_WRITTEN, *ORDERS):
            changed = _changed(profile, order, shift)
            if changed is not None and not driver.check_device(device.address, changed):
                plan = driver.plan(device.address, changed, group, connection)
                assert isinstance(plan, ModbusPlan)
                plans.append((order, shift, plan))
    return plans


def _changed(profile: Mapping[str, Any], order: str, shift: int) -> dict[str, Any] | None:
    """The profile with one word order for all values and its addresses shifted; None where an address would be < 0."""
    changed = deepcopy(dict(profile))
    if order != AS_WRITTEN:
        changed["options"] = {**changed.get("options", {}), "order": order}
    for group in changed["groups"]:
        for channel in group["channels"]:
            for part in (channel["source"], *channel["source"].get("scale_by", [])):
                if part.get("space") == "identification":
                    continue
                part["address"] += shift
                if not 0 <= part["address"] <= 65_535:
                    return None
                if order != AS_WRITTEN and part["type"] not in {"text", "mod10k"}:
                    part.pop("order", None)
    return changed


async def _read_all(
    link: Link, device: Device, plans: Mapping[tuple[str, int], ModbusPlan], timeout_s: float
) -> dict[tuple[str, int], list[bytes | None]]:
    """The raw bytes of each hypothesis whose requests all answer; equal requests are asked once."""
    known: dict[Any, bytes | None] = {}
    result = {}
    for key, plan in plans.items():
        raws: list[bytes | None] = []
        for request in plan.requests:
            if request not in known:
                known[request] = await _asked(link, device, request, timeout_s)
            raws.append(known[request])
        if all(raw is not None for raw in raws):
            result[key] = raws
    return result


async def _asked(link: Link, device: Device, request: Any, timeout_s: float) -> bytes | None:
    for _ in range(ATTEMPTS):
        answer = await link.exchange(device, request, timeout_s)
        if answer.outcome == Outcome.OK:
            return answer.data
        if answer.outcome == Outcome.EXCEPTION:
            return None
    return None


def _completeness(plan: ModbusPlan, raws: list[bytes | None]) -> Law:
    """A reading that makes values disappear must not win by having fewer of them to judge."""
    decoded, _, _ = plan.decode(raws)
    missing = [field.channel for field, value in zip(plan.fields, decoded, strict=True) if value is None]
    return Law("every register holds a value", not missing, 2.0, ", ".join(missing[:3]))


def _values(plan: ModbusPlan, group: RequestGroup, raws: list[bytes | None]) -> dict[str, float]:
    decoded, _, _ = plan.decode(raws)
    return {
        channel.measurand: value / 10**channel.decimals
        for channel, value in zip(group.channels, decoded, strict=True)
        if isinstance(value, int) and channel.kind is not ChannelKind.TEXT
    }


def _ranges(group: RequestGroup) -> dict[str, tuple[float | None, float | None]]:
    return {
        channel.measurand: (
            None if channel.minimum is None else channel.minimum / 10**channel.decimals,
            None if channel.maximum is None else channel.maximum / 10**channel.decimals,
        )
        for channel in group.channels
    }
