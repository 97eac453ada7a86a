"""TLS with client certificates, passwords, and the access rules of the shipped configuration, on a real broker."""

import asyncio
import gc
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from drivers.mqtt.connection import SecretError
from drivers.mqtt.plugin import PLUGIN
from drivers.mqtt.sparkplug.session import filters
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from tests.integration.mqtt.authority import Authority
from tests.integration.mqtt.listening import publisher, tapped
from tests.services import LOOPBACK, Mosquitto, program

pytestmark = pytest.mark.integration
# paho leaves a socket whose handshake failed to the garbage collector, which complains
HANDSHAKE_FAILS = pytest.mark.filterwarnings("ignore::ResourceWarning")
EXAMPLE = Path(__file__).parents[3] / "config" / "examples" / "mosquitto"


def shipped_lines(folder: Path, port: int, authority: Authority) -> list[str]:
    """The shipped configuration with only its paths and port replaced."""
    certificate, key = authority.issue("broker", server=True)
    text = (EXAMPLE / "mosquitto.conf").read_text()
    for old, new in (
        ("/etc/mosquitto/certs/ca.crt", str(authority.certificate)),
        ("/etc/mosquitto/certs/broker.crt", str(certificate)),
        ("/etc/mosquitto/certs/broker.key", str(key)),
        ("/etc/mosquitto/meterproof.acl", str(EXAMPLE / "meterproof.acl")),
        ("/var/lib/mosquitto/", f"{folder}/"),
        ("listener 8883", f"listener {port} {LOOPBACK}"),
    ):
        assert old in text
        text = text.replace(old, new)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert not any("/etc/" in line for line in lines)
    return lines


class ShippedMosquitto(Mosquitto):
    """Runs the shipped configuration and nothing else."""

    def command(self) -> list[str]:
        command = super().command()
        path = Path(command[-1])
        user = next(line for line in path.read_text().splitlines() if line.startswith("user "))
        path.write_text("\n".join([user, *self.lines]) + "\n")
        return command


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Mosquitto]:
    subject = ShippedMosquitto(tmp_path / "broker")
    subject.lines = shipped_lines(subject.folder, subject.port, authority)
    with subject:
        yield subject


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves behind is collected while its own warning filters still hold."""
    yield
    gc.collect()


def tls(authority: Authority, name: str) -> dict[str, Any]:
    certificate, key = authority.issue(name)
    files = {"ca_file": authority.certificate, "certificate_file": certificate, "key_file": key}
    return {"tls": {name: str(path) for name, path in files.items()}}


def client_tls(authority: Authority, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.load_cert_chain(*(str(path) for path in authority.issue(name)))
    return context


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_client_certificates_carry_a_flow_of_messages(
    broker: Mosquitto, authority: Authority, version: str
) -> None:
    async with tapped(broker, ["plant/kiln"], protocol=version, **tls(authority, "meterproof")) as tap:
        async with publisher(broker, tls_context=client_tls(authority, "kiln")) as client:
            await asyncio.gather(*(client.publish("plant/kiln", b"%d" % index, qos=1) for index in range(300)))
        await tap.until(lambda: len(tap.deliveries) == 300)
        assert set(tap.payloads) == {b"%d" % index for index in range(300)}


async def forge(broker: Mosquitto, context: ssl.SSLContext, topic: str) -> None:
    """Publish where one may not. This broker ends such a connection, others only drop the message."""
    with suppress(aiomqtt.MqttError):
        async with publisher(broker, tls_context=context, timeout=2) as client:
            await client.publish(topic, b"forged", qos=1)


async def test_a_meter_cannot_write_in_another_meters_name(broker: Mosquitto, authority: Authority) -> None:
    topics = ["plant/kiln", "plant/mill"]
    async with tapped(broker, topics, **tls(authority, "meterproof")) as tap:
        await forge(broker, client_tls(authority, "mill"), "plant/kiln")
        await forge(broker, client_tls(authority, "meterproof"), "plant/kiln")
        async with publisher(broker, tls_context=client_tls(authority, "mill")) as client:
            await client.publish("plant/mill", b"own", qos=1)
        await tap.until(lambda: b"own" in tap.payloads)
        await asyncio.sleep(0.2)
        assert tap.payloads == [b"own"]


async def test_the_gateway_may_ask_for_a_rebirth_and_reads_no_commands(broker: Mosquitto, authority: Authority) -> None:
    topics = filters("G", "node1")
    async with publisher(broker, tls_context=client_tls(authority, "node1")) as node:
        await node.subscribe("spBv1.0/G/NCMD/node1")
        async with tapped(broker, topics, **tls(authority, "meterproof")) as tap:
            asked = await asyncio.wait_for(anext(aiter(node.messages)), 5)
            assert str(asked.topic) == "spBv1.0/G/NCMD/node1"
            assert tap.listener.refused_topics == []
            await node.publish("spBv1.0/G/NBIRTH/node1", b"x", qos=1)
            await forge(broker, client_tls(authority, "node1"), "spBv1.0/G/NBIRTH/node2")
            await node.publish("spBv1.0/G/DDATA/node1/m", b"y", qos=1)
            await tap.until(lambda: tap.payloads == [b"x", b"y"])


@HANDSHAKE_FAILS
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("case", ["no certificate", "other authority"])
async def test_without_a_certificate_of_ours_nobody_gets_in(
    broker: Mosquitto, authority: Authority, tmp_path: Path, case: str
) -> None:
    block: dict[str, Any] = {"tls": {"ca_file": str(authority.certificate)}}
    if case == "other authority":
        block = tls(Authority(tmp_path / "other", "Other CA"), "meterproof")
    async with tapped(broker, ["plant/a"], connect=False, **block) as tap:
        await tap.until(lambda: tap.listener.last_error != "")
        assert not tap.listener.connected
    with pytest.raises(aiomqtt.MqttError):
        async with publisher(broker, timeout=1):
            pass


@HANDSHAKE_FAILS
@pytest.mark.usefixtures("collected")
async def test_a_broker_with_a_foreign_name_is_refused_unless_told(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("elsewhere", server=True, host="192.0.2.1")
    lines = [f"cafile {authority.certificate}", f"certfile {certificate}", f"keyfile {key}"]
    with Mosquitto(tmp_path / "foreign", lines=lines) as broker:
        ca = str(authority.certificate)
        async with tapped(broker, ["a"], connect=False, tls={"ca_file": ca}) as tap:
            await tap.until(lambda: "CERTIFICATE_VERIFY_FAILED" in tap.listener.last_error)
            assert not tap.listener.connected
        async with tapped(broker, ["a"], tls={"ca_file": ca, "server_name": False}) as tap:
            assert tap.listener.connected


async def test_username_and_password_come_from_environment_or_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "passwords"
    command = [str(program("mosquitto_passwd")), "-b", "-c", str(passwords), "gateway", "S3cret/秘密"]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    secret = tmp_path / "secret"
    secret.write_text("S3cret/秘密\n")
    monkeypatch.setenv("MQTT_PASSWORD", "wrong")
    with Mosquitto(tmp_path / "broker", anonymous=False, lines=[f"password_file {passwords}"]) as broker:
        async with tapped(broker, ["a"], username="gateway", password_file=str(secret)) as tap:
            assert tap.listener.connected
        user: dict[str, Any] = {"username": "gateway", "password_env": "MQTT_PASSWORD"}
        async with tapped(broker, ["a"], connect=False, **user) as tap:
            await tap.until(lambda: re.search("(?i)not authori[sz]ed|bad user", tap.listener.last_error) is not None)
            assert "wrong" not in tap.listener.last_error
        monkeypatch.setenv("MQTT_PASSWORD", "S3cret/秘密")
        async with tapped(broker, ["a"], **user) as tap:
            assert tap.listener.connected


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"username": "u", "password_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
        ({"username": "u", "password_file": "/nonexistent/secret"}, "/nonexistent/secret"),
        ({"tls": {"ca_file": "/nonexistent/ca"}}, "TLS"),
    ],
)
async def test_a_secret_that_cannot_be_read_is_named(block: dict[str, Any], says: str) -> None:
    with pytest.raises(SecretError, match=says):
        PLUGIN.open(
            "e",
            {"host": LOOPBACK, **block},
            ["a"],
            clock=SystemClock(),
            streams=SystemStreams(),
            random=SystemRandom(),
        )
