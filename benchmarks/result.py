"""What one benchmark line says, and the targets it is held against."""

from dataclasses import asdict, dataclass
from math import isnan
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure.

    ``target_id`` is a row of TARGETS below; ``baseline`` the figure of the peer or ceiling measured in the same run
    (None: nothing to compare); ``meets_target`` None where the row has no target of its own. ``note`` says n, spread
    and what is included.
    """

    target_id: str
    name: str
    value: float
    unit: str
    baseline: float | None = None
    target: float | None = None
    meets_target: bool | None = None
    note: str = ""

    def document(self) -> dict[str, Any]:
        """The form it has in latest.json; a figure that could not be taken (an absent peer) is null."""
        return asdict(self) | ({"value": None} if isnan(self.value) else {})


TARGETS = {
    "A1": "Modbus client: CPU per 100-register transaction, 50 connections: ≤ 12 µs and ≤ 1/5 of pymodbus",
    "A2": "poll → decode → rules → sealed, synced journal: ≥ 500 k readings/s per core",
    "A3": "whole road with series store and roll-ups: ≥ 250 k readings/s",
    "A4": "1 000 meters × 40 at 1 s: ≤ 35 % of a core, ≤ 150 MB",
    "A5": "500 meters × 40 at 1 min: ≤ 1.5 % of a core, ≤ 120 MB",
    "A6": "growth 10 → 1 000 meters, 1 day → 3 years: CPU per reading ± 20 %, memory flat",
    "A7": "wrong values under late, foreign, short answers and cancellations: 0",
    "A8": "healthy meters' loss with 10 % dead units: < 5 %; dead units ≤ 5 % of bus time",
    "A9": "a peer that accepts and closes: ≤ 1 connect per 30 s in steady state",
    "A10": "MQTT QoS 1 acknowledged after commit: ≥ 8 k msg/s per core, 0 lost",
    "E1": "hash + encode per entry: ≤ 20 µs",
    "E2": "checkpoint signature ≤ 100 µs; proof ≤ 1 ms; verify of a proof ≤ 1 ms",
    "E3": "verifier over one day of 500 meters × 1 min: ≤ 60 s, ≤ 200 MB",
    "E4": "disk per reading, raw words included: ≤ 16 B hot, ≤ 4 B archived",
    "D1": "values/s into InfluxDB: ≥ 60 % of the server's ceiling",
    "D2": "drain after an outage: ≥ 10 × intake, memory flat, every value equal",
    "D3": "month of 500 meters, consumption per meter: ≤ 10 ms",
    "D4": "month of 500 meters × 15 min, hourly: ≤ 300 ms",
    "D5": "one meter three years daily ≤ 20 ms; latest of 500 meters ≤ 2 ms",
    "D6": "rebuild of all projections: ≥ 500 k readings/s",
    "J1": "readings judged against certificates: ≥ 17 k/s full rules; ≥ 500 k/s unchanged path",
    "J2": "year of 500 meters: ≤ 2 s from roll-ups, ≤ 30 s from intervals",
    "J3": "any page or API view: ≤ 1 s server time, first paint ≤ 300 ms",
    "J4": "ledger of 5 000 instruments imported with preview: ≤ 10 s",
    "J5": "simulated world: ≥ 1 000 seeds, ≥ 60 meter-years in ≤ 15 min on one core",
    "W1": "drift watch: recall of the study's table or better; unmetered load refused in all runs, 0 false alarms",
}
