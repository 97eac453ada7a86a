"""Certificates for Modbus over TLS: the meter proves who it is, and so do we when it asks."""

import ssl

from drivers.modbus.schema import Tls


def client_context(tls: Tls) -> ssl.SSLContext:
    """A context that trusts ``ca`` alone, TLS 1.2 or newer; OSError or ssl.SSLError when a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls.check_name
    context.load_verify_locations(cafile=tls.ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
