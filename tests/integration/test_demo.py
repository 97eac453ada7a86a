"""``meterproof demo`` as a person runs it: born, running, stopped, continued; and what it says when it cannot."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.services import accepts, free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PROGRAM = str(Path(sys.executable).with_name("meterproof"))
PLANTED = {
    "counter.rollover",
    "counter.exchange",
    "identity.serial_mismatch",
    "installation.ratio_mismatch",
    "instrument.class_too_low",
    "calibration.not_verification",
    "point.unequipped",
    "device.silent",
}


def demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "--lang", "en", "demo", "--data", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def finished(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    try:
        output, said = process.communicate(timeout=150)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == code, said[-3_000:]
    return output, said


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("demo") / "demo-data"
    output, said = finished(demo(folder, "--history-days", "1", "--port", str(free_port()), "--for", "12", "--json"))
    assert output.count("\n") == 1, "one JSON object and nothing else"
    assert "Open http://127.0.0.1:" in said
    return folder, json.loads(output)


def test_the_object_says_what_was_read(born: tuple[Path, dict[str, Any]]) -> None:
    _, result = born
    assert result["slots"] == sum(result["outcomes"].values())
    assert result["by_protocol"]["modbus"] > 100
    assert result["by_protocol"]["mqtt"] >= 10
    assert result["readings"] == sum(result["by_protocol"].values())
    assert result["simulated"] is True
    assert result["history"]["slots"] > 24 * 288
    assert result["history"]["readings"] > 70_000
    assert result["entries"] > 7_000
    assert result["outcomes"]["ok"] > 50
    assert result["outcomes"]["timeout"] >= 1, "the compressor meter is dead"
    assert result["url"].startswith("http://127.0.0.1:")


def test_every_planted_fault_is_found_and_no_other_rule_speaks(born: tuple[Path, dict[str, Any]]) -> None:
    # whether a certificate that ends at midnight has ended yet, and whether an identity was read, depends on the hour
    depends_on_the_hour = {"calibration.expired", "identity.changed"}
    assert born[1]["findings"].keys() - depends_on_the_hour == PLANTED


def test_it_continues_where_it_stopped_and_ends_cleanly_on_ctrl_c(born: tuple[Path, dict[str, Any]]) -> None:
    folder, before = born
    ports = json.loads((folder / "plant.json").read_text("utf-8"))["ports"]
    site = (folder / "site.yaml").read_bytes()
    port = free_port()
    time.sleep(11)  # two slots pass while nobody collects
    process = demo(folder, "--port", str(port), "--json")
    assert process.stderr is not None
    try:
        for _ in range(200):
            if "Open http" in process.stderr.readline():
                break
        assert accepts(port)
        assert all(accepts(each) for each in ports.values())
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        output, _ = finished(process)
    finally:
        if process.poll() is None:
            process.kill()
    result = json.loads(output)
    assert result["entries"] > before["entries"]
    assert result["history"] == before["history"]
    # what the broker may still hold for slots before the start is waited for, so those slots may be open yet
    assert sum(result["outcomes"].values()) <= result["slots"] <= sum(result["outcomes"].values()) + 4 * 60
    assert result["outcomes"]["stopped"] > 0, "the time between is not filled with anything"
    assert result["findings"].get("counter.reset", 0) == 0, "registers go on where they were"
    assert not accepts(port)
    assert not any(accepts(each) for each in ports.values())
    assert (folder / "site.yaml").read_bytes() == site


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        _, said = finished(demo(tmp_path / "d", "--port", port), code=1)
    assert said.strip() == f"Port {port} is in use. Name a free one with --port."
    assert not (tmp_path / "d").exists()


def test_a_folder_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader", "utf-8")
    _, said = finished(demo(tmp_path, "--port", str(free_port())), code=3)
    assert "holds no demo" in said
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_an_interrupted_history_says_so(tmp_path: Path) -> None:
    state = {"seed": 1, "born_us": 1, "history_days": 1, "complete": False, "history": {}, "ports": {}}
    (tmp_path / "plant.json").write_text(json.dumps(state), "utf-8")
    _, said = finished(demo(tmp_path, "--port", str(free_port())), code=3)
    assert "interrupted" in said
