"""What the projection process loads, and what it leaves alone."""

import subprocess
import sys
from importlib.metadata import entry_points

from gateway.cli.project import SINK_GROUP


def test_every_sink_bears_the_name_of_its_section():
    found = {point.name: point.load().section for point in entry_points(group=SINK_GROUP)}
    assert {"influxdb", "victoriametrics"} <= found.keys()
    assert all(name == section for name, section in found.items())


def test_projecting_without_sinks_loads_no_http_client():
    code = "import sys, gateway.cli.project; print(sorted({'aiohttp', 'openpyxl', 'lxml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"
