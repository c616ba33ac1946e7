"""Chains of certificates, and servers that send them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests import collect_servers as servers

START = datetime(2015, 1, 1, tzinfo=UTC)
HOSTS = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("shop.test")])


@dataclass(frozen=True, slots=True)
class Key:
    """A name and its key: what signs and is signed."""

    name: str
    private: ec.EllipticCurvePrivateKey


def key(name: str) -> Key:
    return Key(name, ec.generate_private_key(ec.SECP256R1()))


def year(number: int) -> datetime:
    return datetime(number, 10, 1, tzinfo=UTC)


def signed(of: Key, by: Key, end: datetime, *, is_authority: bool = True, with_keys: bool = True) -> x509.Certificate:
    """A certificate of one key by another, valid until `end`."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of.name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by.name)]))
        .public_key(of.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if with_keys:
        mine, theirs = of.private.public_key(), by.private.public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(mine), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(theirs), critical=False)
    if not is_authority:
        builder = builder.add_extension(HOSTS, critical=False)
    return builder.sign(by.private, SHA256())


def pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def der(certificates: Sequence[x509.Certificate]) -> list[bytes]:
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]


def context(folder: Path, private: Key, chain: Sequence[x509.Certificate]) -> ssl.SSLContext:
    """A server's context that sends exactly this chain."""
    file = folder / "chain.pem"
    secret = private.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + pem(chain))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


def handler(serving: ssl.SSLContext) -> servers.Handler:
    def handle(connection: socket.socket) -> None:
        with suppress(ssl.SSLError), serving.wrap_socket(connection, server_side=True) as secured:
            servers.reply_ok(secured)

    return handle
