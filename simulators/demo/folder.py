"""What the demo keeps beside the data it makes: its seed, its birth and its ports, so that it goes on where it
stopped."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.demo.faults import Calendar
from simulators.demo.pushing import ENDPOINT
from simulators.demo.site import HOST, MODBUS_ENDPOINTS

STATE_FILE = "plant.json"
SITE_FILE = "site.yaml"
LEDGER_FOLDER = "ledger"


@dataclass(slots=True)
class DemoState:
    """The demo's own facts, in ``plant.json``."""

    seed: int
    born_us: int
    history_days: int
    complete: bool
    history: dict[str, int]
    ports: dict[str, int]

    @property
    def calendar(self) -> Calendar:
        """The demo's dates."""
        return Calendar(self.born_us, self.history_days)

    @classmethod
    def read(cls, folder: Path) -> "DemoState | None":
        """The state of an existing demo folder, None where there is none; ValueError when it cannot be read."""
        path = folder / STATE_FILE
        if not path.is_file():
            return None
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls(
                seed=int(document["seed"]),
                born_us=int(document["born_us"]),
                history_days=int(document["history_days"]),
                complete=bool(document["complete"]),
                history={key: int(value) for key, value in document["history"].items()},
                ports={key: int(value) for key, value in document["ports"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{STATE_FILE} is not a demo's") from error

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        document = {
            "seed": self.seed,
            "born_us": self.born_us,
            "history_days": self.history_days,
            "complete": self.complete,
            "history": self.history,
            "ports": self.ports,
        }
        fresh = folder / (STATE_FILE + ".new")
        fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
        fresh.replace(folder / STATE_FILE)


def port_is_free(port: int) -> bool:
    """Whether this machine's loopback would let us listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def settled_ports(before: Mapping[str, int]) -> dict[str, int]:
    """A free port for each endpoint: the one it had where that is free, else a fresh one."""
    ports: dict[str, int] = {}
    held: list[socket.socket] = []
    try:
        for endpoint in (*MODBUS_ENDPOINTS, ENDPOINT):
            earlier = before.get(endpoint)
            if earlier is not None and earlier not in ports.values() and port_is_free(earlier):
                ports[endpoint] = earlier
                continue
            probe = socket.socket()
            held.append(probe)
            probe.bind((HOST, 0))
            ports[endpoint] = int(probe.getsockname()[1])
    finally:
        for probe in held:
            probe.close()
    return ports
