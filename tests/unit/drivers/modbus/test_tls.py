"""Modbus over TLS: the meter proves who it is, and asks the same of us."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivers.modbus.request import Request
from tests.conformance.modbus.rig import device, mbap_answer, open_link

REQUEST = Request(1, 3, 0, 2)


class Authority:
    """A certificate authority made for one test run."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.path = folder / f"{name}.pem"
        signed = certificate.sign(self.key, hashes.SHA256())
        self.path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def issue(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of somebody called ``name``."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        signed = self._builder(subject, key).add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, secret


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"), "plant")


@asynccontextmanager
async def meter(authority: Authority, name: str = "localhost") -> AsyncIterator[int]:
    """A Modbus server that demands a certificate of the plant's authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(name))
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(300):
                writer.write(mbap_answer(data, [7, 8]))
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def ask(port: int, tls: dict[str, Any]) -> Any:
    """One question over TLS."""
    link = open_link(transport="tls", host="localhost", port=port, tls=tls)
    try:
        return await link.exchange(device(), REQUEST, 2.0)
    finally:
        await link.close()
        await asyncio.sleep(0.01)


async def test_both_sides_prove_who_they_are(authority: Authority) -> None:
    certificate, key = authority.issue("gateway")
    async with meter(authority) as port:
        answer = await ask(port, {"ca": str(authority.path), "certificate": str(certificate), "key": str(key)})
        assert (answer.outcome, answer.data) == ("ok", b"\x00\x07\x00\x08")


async def test_without_our_certificate_nothing_is_read(authority: Authority) -> None:
    async with meter(authority) as port:
        answer = await ask(port, {"ca": str(authority.path)})
        assert answer.outcome == "unreachable"


async def test_a_meter_of_another_authority_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    certificate, key = authority.issue("gateway")
    async with meter(authority) as port:
        answer = await ask(port, {"ca": str(stranger.path), "certificate": str(certificate), "key": str(key)})
        assert answer.outcome == "unreachable"


async def test_a_certificate_of_another_name_counts_only_where_that_is_said(authority: Authority) -> None:
    certificate, key = authority.issue("gateway")
    tls = {"ca": str(authority.path), "certificate": str(certificate), "key": str(key)}
    async with meter(authority, "meter-7") as port:
        assert (await ask(port, tls)).outcome == "unreachable"
        assert (await ask(port, tls | {"check_name": False})).outcome == "ok"
