"""What the projection process loads, and what it leaves alone."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import entry_points
from pathlib import Path

from gateway.cli.project import SINK_GROUP
from tests.plant_folder import build_folder


def test_every_sink_bears_the_name_of_its_section():
    found = {point.name: point.load().section for point in entry_points(group=SINK_GROUP)}
    assert {"influxdb", "victoriametrics"} <= found.keys()
    assert all(name == section for name, section in found.items())


def test_projecting_without_sinks_loads_no_http_client():
    code = "import sys, gateway.cli.project; print(sorted({'aiohttp', 'openpyxl', 'lxml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_projections_of_another_version_are_built_again(tmp_path: Path):
    folder = build_folder(tmp_path / "data")
    rows = "SELECT * FROM interval ORDER BY 1, 2, 3, 4"
    with closing(sqlite3.connect(folder.settlement)) as settlement:
        before = settlement.execute(rows).fetchall()
        settlement.execute("PRAGMA user_version = 1")
    killed = folder.state / "rebuild"  # what a rebuild that was killed leaves; it may fill the disk for ever
    killed.mkdir()
    (killed / "registry.sqlite").write_bytes(b"half" * 1000)
    command = [
        sys.executable,
        "-m",
        "gateway.cli.main",
        "--lang",
        "en",
        "project",
        "--data",
        str(folder.path),
        "--once",
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    assert "built again from the journal" in result.stderr
    with closing(sqlite3.connect(folder.settlement)) as settlement:
        assert settlement.execute(rows).fetchall() == before
        assert before
    assert not killed.exists()


def test_what_a_killed_rebuild_left_does_not_keep_its_room(tmp_path: Path):
    folder = build_folder(tmp_path / "data")
    left = folder.state / "rebuild"
    left.mkdir()
    (left / "series").mkdir()
    (left / "series" / "2026-11.sqlite").write_bytes(b"half" * 1000)
    command = [sys.executable, "-m", "gateway.cli.main", "project", "--data", str(folder.path), "--once"]
    subprocess.run(command, capture_output=True, timeout=100, check=True)
    assert not left.exists()
