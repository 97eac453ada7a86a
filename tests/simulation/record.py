"""What a world left behind, read with nothing but SQLite and JSON."""

import hashlib
import sqlite3
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from tests.simulation import site
from tests.simulation.plan import PERIOD_US, START_US

Body = dict[str, Any]


@dataclass
class Record:
    """The journal of a folder, and its settled energies."""

    folder: Path
    bodies: list[Body] = field(default_factory=list)
    digest: str = ""

    def __post_init__(self) -> None:
        """Read every body; the digest leaves out the signing key, which is drawn by the machine."""
        digest = hashlib.sha256()
        with closing(sqlite3.connect(self.folder / "journal.sqlite")) as database:
            for seq, raw in database.execute("SELECT seq, body FROM entry ORDER BY seq"):
                body = msgspec.json.decode(raw)
                body["seq"] = seq
                self.bodies.append(body)
                if body["kind"] != "key":
                    digest.update(raw if isinstance(raw, bytes) else raw.encode())
        self.digest = digest.hexdigest()

    def of_kind(self, *kinds: str) -> Iterator[Body]:
        """Bodies of some kinds, in order."""
        return (body for body in self.bodies if body["kind"] in kinds)

    @cached_property
    def outcomes(self) -> dict[str, dict[int, str]]:
        """How each slot of each device's measuring group ended; a pushed slot in which a sample fell is ``ok``."""
        found: dict[str, dict[int, str]] = defaultdict(dict)
        for body in self.of_kind("poll", "miss"):
            if body["group"] != "identity":
                device = device_of(body)
                for slot in range(body["slot"], body.get("to", body["slot"] + 1), PERIOD_US):
                    found[device][slot] = body["outcome"]
        for body in self.of_kind("message"):
            for sample in body["samples"]:
                found[sample["device"]].setdefault(sample["slot"], "ok")
        return found

    @cached_property
    def lateness_s(self) -> dict[str, dict[int, float]]:
        """How long after its slot began each good reading was made, by device and slot."""
        found: dict[str, dict[int, float]] = defaultdict(dict)
        for body in self.of_kind("poll"):
            if body["outcome"] == "ok" and body["group"] != "identity":
                found[device_of(body)][body["slot"]] = (body["received"] - body["slot"]) / 1e6
        for body in self.of_kind("message"):
            for sample in body["samples"]:
                found[sample["device"]][sample["slot"]] = (sample["at"] - sample["slot"]) / 1e6
        return found

    @cached_property
    def findings(self) -> dict[str, list[tuple[int, str]]]:
        """What the rules said of each device: (slot or time, rule)."""
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for body in self.of_kind("poll", "event"):
            for each in body.get("findings", ()):
                at = body["slot"] if "slot" in body else body["at"]
                found[device_of(body)].append((int(at), each[0]))
        for body in self.of_kind("message"):
            topic_device = body["topic"].rpartition("/")[2]
            found[topic_device] += [(body["received"], each[0]) for each in body["findings"]]
            for sample in body["samples"]:
                found[sample["device"]] += [(body["received"], each[0]) for each in sample["findings"]]
        for body in self.of_kind("verdict"):
            if body["state"] == "open" and body["about"].get("device"):
                found[body["about"]["device"]].append((body["from"], body["rule"]))
        return found

    @cached_property
    def energies(self) -> dict[str, list[int | None]]:
        """Settled energies of each device's index from the first window on, in thousandths of 0.01 of the unit."""
        return self._settled(measured=False)

    @cached_property
    def measured(self) -> dict[str, list[int | None]]:
        """The same without windows that were interpolated or caught up."""
        return self._settled(measured=True)

    def _settled(self, *, measured: bool) -> dict[str, list[int | None]]:
        found: dict[str, list[int | None]] = {}
        profiles = site.profiles()
        with closing(sqlite3.connect(self.folder / "settlement.sqlite")) as database:
            for device, profile in profiles.items():
                kind = site.KINDS[profile]
                rows = database.execute(
                    "SELECT i.start, i.energy, i.method FROM interval i JOIN series s ON s.id = i.series "
                    "WHERE s.device = ? AND s.channel = ? ORDER BY i.start, i.part",
                    (device, kind.channel),
                ).fetchall()
                last = max((start for start, _, _ in rows), default=START_US)
                series: list[int | None] = [None] * ((last - START_US) // PERIOD_US + 1)
                for start, energy, method in rows:
                    if start >= START_US and energy is not None and not (measured and method):
                        at = (start - START_US) // PERIOD_US
                        series[at] = (series[at] or 0) + energy // 10 ** (kind.decimals - 2)
                found[device] = series
        return found


def device_of(body: Body) -> str:
    """The last part of a subject."""
    return str(body["subject"].rpartition("/")[2])


def raw_of(body: Body) -> list[bytes]:
    """The words of a poll, those that came."""
    return [b64decode(each) for each in body["raw"] if each is not None]
