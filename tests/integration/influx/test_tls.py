"""TLS to a real InfluxDB, both dialects: our authority is trusted when it is named, nobody else is."""

import socket
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.delivery.influx.query import InfluxQuery, QueryError
from gateway.delivery.influx.sink import InfluxSink
from gateway.delivery.port import AnswerKind
from tests.integration.influx import support
from tests.services import InfluxDB

pytestmark = pytest.mark.integration


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


class SecureInfluxDB(InfluxDB):
    """Answers HTTPS only; readiness is asked for over HTTPS as well."""

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    def ready(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), 1) as raw,
                context.wrap_socket(raw, server_hostname="127.0.0.1"),
            ):
                return True
        except OSError:
            return False


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[SecureInfluxDB, Path]]:
    pem, key = certificate(tmp_path, "influx")
    lines = ["https-enabled = true", f'https-certificate = "{pem}"', f'https-private-key = "{key}"']
    with SecureInfluxDB(tmp_path / "influx", http=lines) as server:
        yield server, pem


def create_database(url: str, pem: Path) -> None:
    request = urllib.request.Request(f"{url}/query?q=CREATE+DATABASE+plant", data=b"")
    context = ssl.create_default_context(cafile=str(pem))
    with urllib.request.urlopen(request, timeout=60, context=context):
        pass


async def test_the_named_authority_is_trusted(secure: tuple[SecureInfluxDB, Path], tmp_path: Path) -> None:
    server, pem = secure
    rows = support.polls(20)
    journal = support.MemoryJournal({1: support.power_layout()})
    journal.append(*rows)
    wanted = support.settings_for(server.url, ca_file=str(pem))
    query = InfluxQuery(wanted)
    with pytest.raises(QueryError, match="database not found"):
        await query.select("SELECT seq FROM nothing")
    create_database(server.url, pem)
    async with support.courier_for(journal, wanted, tmp_path) as courier:
        await courier.drain()
    [series] = await query.select('SELECT COUNT("seq") FROM "reading"')
    assert series.values[0][1] == 20
    await query.close()


@pytest.mark.parametrize("dialect", ["v1", "v2"])
async def test_another_authority_is_not(secure: tuple[SecureInfluxDB, Path], tmp_path: Path, dialect: str) -> None:
    server, _ = secure
    other, _ = certificate(tmp_path, "other")
    for ca_file in (None, str(other)):
        sink = InfluxSink(support.settings_for(server.url, dialect=dialect, ca_file=ca_file, token="t"), support.SITE)
        point = sink.point(support.polls(1)[0], support.power_layout())
        assert point is not None
        answer = await sink.write(sink.pack([point]))
        assert answer.kind is AnswerKind.HOLD
        assert "TLS" in answer.detail
        await sink.close()
