"""Where the demo works measures: metering points, and the meter that reads each, from
``config/examples/demo/works.yaml``."""

from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from config.loading import load_yaml

Text2 = tuple[str, str]
"""Chinese, English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One metering point with its meter. ``rate`` is what flows there; ``device`` is empty where nothing is fitted."""

    point: str
    name: Text2
    energy_kind: str
    level: int
    parent: str = ""
    rate: str = ""
    device: str = ""
    endpoint: str = ""
    unit: int = 0
    profile: str = ""
    channel: str = ""
    direction: str = "in"
    process: str = ""
    equipment: str = ""
    required_class: str = ""
    fitted_class: str = ""
    compulsory: bool = False
    kind: str = "electricity_meter"
    meter: Text2 = ("", "")
    ct: tuple[int, int] = (1, 1)
    pt: tuple[int, int] = (1, 1)
    line_v: int = 400
    power_factor: float = 0.88
    index: int = 100_000
    cycle_months: int = 72
    period_s: int | None = None

    @property
    def electric(self) -> bool:
        """Whether an electricity meter reads it."""
        return self.kind == "electricity_meter"


def _place(row: dict[str, Any]) -> Place:
    """One row of the file; its lists are the class's pairs."""
    known = {field.name for field in fields(Place)}
    assert row.keys() <= known, row.keys() - known
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Place(**values)


def _places() -> tuple[Place, ...]:
    path = Path(str(files("config") / "examples" / "demo" / "works.yaml"))
    return tuple(_place(row) for row in load_yaml(path).value["points"])


PLACES = _places()
"""Every metering point of the works. The file ships with the product, so a fault in it is ours and raises."""

FITTED = tuple(place for place in PLACES if place.device)
"""Those with a meter."""
