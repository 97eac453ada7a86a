"""What ``collect`` and ``project`` cost on a plant (A4: 1 000 meters at 1 s; A5: 500 meters at 1 min).

Both run as the processes a plant runs. CPU is theirs from /proc, memory is PSS, so that shared pages count once. The
first seconds (connections, first slots) are left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from benchmarks.road import modbus_server, write_site

SETTLE_S = 12.0
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Plant:
    """One row of the table of targets."""

    target_id: str
    meters: int
    period_s: int
    seconds: float
    cpu_percent: float
    memory_mb: float


PLANTS = (Plant("A4", 1_000, 1, 30.0, 35.0, 150.0), Plant("A5", 500, 60, 60.0, 1.5, 120.0))


def measure() -> list[Result]:
    """Both plants."""
    return [result for plant in PLANTS for result in _measured(plant)]


def _measured(plant: Plant) -> list[Result]:
    with tempfile.TemporaryDirectory() as work, modbus_server() as port:
        site = write_site(Path(work), plant.meters, port, plant.period_s)
        data = Path(work) / "data"
        collect = _start("collect", site, data)
        project = _start("project", site, data)
        try:
            time.sleep(SETTLE_S)
            begun = time.monotonic()
            before = {child.pid: _cpu_s(child.pid) for child in (collect, project)}
            time.sleep(plant.seconds)
            elapsed_s = time.monotonic() - begun
            cpu = {child.pid: (_cpu_s(child.pid) - before[child.pid]) / elapsed_s for child in (collect, project)}
            memory_mb = {child.pid: _pss_mb(child.pid) for child in (collect, project)}
        finally:
            for child in (collect, project):
                child.terminate()
            for child in (collect, project):
                child.wait(60)
        status = _status(data)
    lost = status["slots"] - status["outcomes"].get("ok", 0)
    note = (
        f"n = 1 x {plant.seconds:.0f} s; collect {100 * cpu[collect.pid]:.1f} % and {memory_mb[collect.pid]:.0f} MB, "
        f"project {100 * cpu[project.pid]:.1f} % and {memory_mb[project.pid]:.0f} MB; "
        f"{status['slots']} slots, {lost} not ok, counts {'agree' if status['agree'] else 'DIFFER'}"
    )
    name = f"{plant.meters:,} meters x 40 every {plant.period_s} s"
    total, megabytes = 100 * sum(cpu.values()), sum(memory_mb.values())
    return [
        Result(
            plant.target_id,
            f"{name}: CPU of collect and project",
            total,
            "% of a core",
            target=plant.cpu_percent,
            meets_target=status["agree"] and total <= plant.cpu_percent,
            note=note,
        ),
        Result(
            plant.target_id,
            f"{name}: memory of collect and project",
            megabytes,
            "MB (PSS)",
            target=plant.memory_mb,
            meets_target=megabytes <= plant.memory_mb,
        ),
    ]


def _start(command: str, site: Path, data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway.cli.main", command, str(site), "--data", str(data)],
        stderr=subprocess.DEVNULL,
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel reports no PSS")


def _status(data: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "status", "--data", str(data), "--json"],
        capture_output=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


if __name__ == "__main__":
    for each in measure():
        print(each.name, f"{each.value:,.4g}", each.unit, each.meets_target, each.note)
