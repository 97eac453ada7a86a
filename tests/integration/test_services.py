"""The starters start real servers, keep their state over a restart, and say clearly what is missing."""

import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests import services


def test_a_missing_program_is_a_failure_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(AssertionError, match="apt-get install mosquitto"):
        services.program("mosquitto")


@pytest.mark.integration
def test_influxdb_keeps_what_was_written_over_a_restart(tmp_path: Path) -> None:
    with services.InfluxDB(tmp_path / "influx") as server:
        for path, body in (("/query?q=CREATE+DATABASE+d", b""), ("/write?db=d", b"m,t=a v=1i 1000000000\n")):
            with urllib.request.urlopen(urllib.request.Request(server.url + path, data=body), timeout=5) as answer:
                assert answer.status in {200, 204}
        server.stop()
        server.start()
        query = urllib.parse.urlencode({"db": "d", "q": "SELECT v FROM m"})
        with urllib.request.urlopen(f"{server.url}/query?{query}", timeout=5) as answer:
            assert b'"1970-01-01T00:00:01Z",1' in answer.read()


@pytest.mark.integration
def test_mosquitto_starts_stops_and_starts_again(tmp_path: Path) -> None:
    with services.Mosquitto(tmp_path / "broker") as broker:
        first = broker.pid
        broker.stop()
        assert not services.accepts(broker.port)
        broker.start()
        assert broker.pid != first
        assert services.accepts(broker.port)
    assert (tmp_path / "broker" / "mosquitto.db").exists()


@pytest.mark.integration
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    broker = services.Mosquitto(tmp_path / "broker", lines=["no_such_option 1"])
    with pytest.raises(AssertionError, match="no_such_option"):
        broker.start()
