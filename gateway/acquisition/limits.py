"""Learned read limits: a range that a meter refuses is cut, and the cut is remembered.

A meter answers exception 2 or 3 for a range as a whole, though it lacks a single register of it. When it refused the
same request in ``REFUSALS_TO_CUT`` slots in a row and its driver can cut that request, the cut plan becomes the
device's configuration: it is journaled first, and polled only after that entry is committed, because a poll names the
configuration entry it is decoded by.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from gateway.journal import canonical
from gateway.journal.entry import Draft, EncodedDraft
from gateway.journal.folder import software_version
from gateway.ports import Document, ReadPlan

REFUSAL_EXCEPTIONS = frozenset({2, 3})
"""Modbus: illegal data address, illegal data value."""
REFUSALS_TO_CUT = 2
MAX_DEVICES = 10_000
CONFIGURATION_FIELDS = ("device", "groups", "mapping")


class NarrowingDriver(Protocol):
    """A polling driver that can cut a request in two."""

    def narrowed(self, plan: ReadPlan, index: int) -> ReadPlan | None:
        """The plan with request ``index`` cut, None when it cannot be."""
        ...

    def load_plan(self, document: Document) -> ReadPlan:
        """The plan back from its journal form."""
        ...


class ReadLimits:
    """The cut plans of a data folder's devices, in ``state/limits.json``. Without the file they are learned again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._learned: dict[str, dict[str, Any]] = {}
        try:
            learned = json.loads(path.read_text(encoding="utf-8"))
            self._learned = {str(device): each for device, each in learned.items() if {"base", "plans"} <= each.keys()}
        except (OSError, ValueError, AttributeError):
            self._learned = {}

    def plans(self, device: str, base: str) -> Mapping[str, Document]:
        """The cut plans of a device by group, while its configuration is still the one they were learned on."""
        found = self._learned.get(device)
        return found["plans"] if found is not None and found["base"] == base else {}

    def learn(self, device: str, base: str, group: str, plan: Document) -> None:
        """Remember one cut plan."""
        found = self._learned.get(device)
        if found is None or found["base"] != base:
            if len(self._learned) >= MAX_DEVICES:
                return
            found = self._learned[device] = {"base": base, "plans": {}}
        found["plans"][group] = plan
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._learned, separators=(",", ":")), encoding="utf-8")
        temporary.replace(self._path)


def with_plans(configuration: Document, plans: Mapping[str, Document]) -> Document:
    """The configuration of a device with other plans in some groups, under its own hash."""
    groups = dict(configuration["groups"])
    for group, plan in plans.items():
        groups[group] = {**groups[group], "plan": plan}
    document = {key: value for key, value in configuration.items() if key != "hash"} | {"groups": groups}
    return document | {"hash": sha256(canonical.encode(document)).hexdigest()}


@dataclass(slots=True, eq=False)
class DeviceLimits:
    """One device's way to cut its plans. ``base`` is the hash of the configuration as the site file gives it.

    ``configuration`` gives the body of its newest configuration entry: it is large and rarely wanted, so it stays in
    the journal until then.
    """

    device: str
    subject: str
    base: str
    configuration: Callable[[], Document]
    driver: NarrowingDriver
    limits: ReadLimits
    refusals: dict[tuple[str, int], int] = field(default_factory=dict)
    pending: bool = False

    def answered(self, group: str, position: int) -> None:
        """The request was answered: what was refused before was a passing trouble."""
        if self.refusals:
            self.refusals.pop((group, position), None)

    def refused(self, group: str, position: int, plan: ReadPlan) -> ReadPlan | None:
        """The request was refused; the cut plan when it was so often enough and can be cut."""
        key = (group, position)
        self.refusals[key] = self.refusals.get(key, 0) + 1
        if self.refusals[key] < REFUSALS_TO_CUT or self.pending:
            return None
        return self.driver.narrowed(plan, position)

    def entry(self, group: str, plan: ReadPlan, at_us: int) -> tuple[EncodedDraft, Callable[[], None]]:
        """The configuration entry of the cut plan, and what to do once it is committed; one at a time a device."""
        self.pending = True
        document = plan.document()
        before = self.configuration()
        plain = {key: before[key] for key in CONFIGURATION_FIELDS if key in before}
        configuration = with_plans(plain, {group: document})
        draft = Draft("configuration", self.subject, at_us, {**configuration, "software": software_version()}).encode()

        def committed() -> None:
            self.refusals.clear()
            self.pending = False
            self.limits.learn(self.device, self.base, group, document)

        return draft, committed
