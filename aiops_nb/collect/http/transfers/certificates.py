"""When a chain of certificates ends: read from DER, without a cryptography library for four fields of it.

Python's ssl decodes only the server's own certificate, and `cryptography` would be a large dependency for this alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from aiops_nb.core.types import NS_PER_SECOND

MAX_TIME_NS = 2**63 - 1  # the year 2262: certificates of private authorities may outlive it
MAX_CERTIFICATES = 20  # more than a server needs to send; what comes after them is ignored
_SUBJECT_KEY = bytes.fromhex("0603551d0e")  # OID 2.5.29.14
_AUTHORITY_KEY = bytes.fromhex("0603551d23")  # OID 2.5.29.35
_SEQUENCE, _OCTETS, _UTC_TIME = 0x30, 0x04, 0x17
_VERSION, _EXTENSIONS, _KEY_IDENTIFIER = 0xA0, 0xA3, 0x80
_FIRST_CENTURY_YEAR = 50  # RFC 5280, 4.1.2.5.1
_NEVER = -1


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a path is built from: names as they are encoded, key identifiers (empty if absent), the end in ns UTC."""

    subject: bytes
    issuer: bytes
    subject_key: bytes
    authority_key: bytes
    expires_ns: int

    def is_issued_by(self, other: Certificate) -> bool:
        """Whether the other may have signed this one, by names and key identifiers."""
        keys_known = bool(self.authority_key and other.subject_key)
        if keys_known:
            return self.authority_key == other.subject_key
        return self.issuer == other.subject


def path_expiry_ns(sent: Sequence[bytes], ca_file: str | None) -> int | None:
    """The moment from which no path of these certificates leads from the server's to a trusted authority, ns UTC.

    A server may send certificates that nobody needs, such as an expired cross-signature of a root that is trusted by
    itself: they do not count. Without a path to an authority (verification is off, or failed) it is the earliest end of
    the server's certificate and its issuers among those sent.

    Parameters
    ----------
    sent
        DER, the server's own first.
    ca_file
        PEM of the authorities; None: those of this system.

    Examples
    --------
    >>> path_expiry_ns([b"no certificate"], None) is None
    True
    """
    return _path_expiry_ns(tuple(sent[:MAX_CERTIFICATES]), ca_file, _changed_ns(ca_file))


@lru_cache(maxsize=1024)
def _path_expiry_ns(sent: tuple[bytes, ...], ca_file: str | None, changed_ns: int) -> int | None:
    parsed = [certificate for der in sent if (certificate := parse_certificate(der)) is not None]
    if not parsed or parse_certificate(sent[0]) is None:
        return None
    best_ns = _widest_ns(parsed, _authorities(ca_file, changed_ns))
    return _walked_ns(parsed) if best_ns == _NEVER else best_ns


def _widest_ns(sent: Sequence[Certificate], authorities: Sequence[Certificate]) -> int:
    """The latest end of any path from the first certificate to an authority; -1 if there is no path."""
    ends = [_anchored_ns(certificate, authorities) for certificate in sent]
    for _ in sent:  # a path has no more steps than there are certificates
        for index, certificate in enumerate(sent):
            issuers = [ends[at] for at, other in enumerate(sent) if at != index and certificate.is_issued_by(other)]
            ends[index] = max(ends[index], min(certificate.expires_ns, max(issuers, default=_NEVER)))
    return ends[0]


def _anchored_ns(certificate: Certificate, authorities: Sequence[Certificate]) -> int:
    if certificate in authorities:
        return certificate.expires_ns
    issuers = [one.expires_ns for one in authorities if certificate.is_issued_by(one)]
    return min(certificate.expires_ns, max(issuers, default=_NEVER))


def _walked_ns(sent: Sequence[Certificate]) -> int:
    """The earliest end of the first certificate and its issuers, each the one that lasts longest."""
    current, left = sent[0], list(sent[1:])
    end_ns = current.expires_ns
    while issuers := [one for one in left if current.is_issued_by(one)]:
        current = max(issuers, key=lambda one: one.expires_ns)
        left.remove(current)
        end_ns = min(end_ns, current.expires_ns)
    return end_ns


def _changed_ns(ca_file: str | None) -> int:
    try:
        return 0 if ca_file is None else Path(ca_file).stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _authorities(ca_file: str | None, changed_ns: int) -> tuple[Certificate, ...]:
    """Those of a PEM bundle or of this system; read again when the file has changed."""
    try:
        ders = _system_ders() if ca_file is None else list(pem_ders(Path(ca_file).read_text(errors="replace")))
    except OSError:
        return ()
    return tuple(certificate for der in ders if (certificate := parse_certificate(der)) is not None)


def _system_ders() -> list[bytes]:
    return ssl.create_default_context().get_ca_certs(binary_form=True)


def pem_ders(text: str) -> Iterator[bytes]:
    """The certificates of a PEM text, as DER; what cannot be decoded is left out.

    Examples
    --------
    >>> list(pem_ders("nothing here"))
    []
    """
    for part in text.split(ssl.PEM_HEADER)[1:]:
        try:
            yield ssl.PEM_cert_to_DER_cert(f"{ssl.PEM_HEADER}{part.partition(ssl.PEM_FOOTER)[0]}{ssl.PEM_FOOTER}\n")
        except ValueError:
            continue


@lru_cache(maxsize=1024)
def parse_certificate(der: bytes) -> Certificate | None:
    """The fields of one certificate (RFC 5280, 4.1); None if it is not one.

    Examples
    --------
    >>> parse_certificate(b"") is None
    True
    """
    try:
        return _parsed(der)
    except (IndexError, ValueError, StopIteration):
        return None


def _parsed(der: bytes) -> Certificate:
    ((_, whole),) = _values(der)[:1]
    fields = _values(_values(whole)[0][1])
    if fields[0][0] == _VERSION:
        fields = fields[1:]
    _, _, issuer, validity, subject = (value for _, value in fields[:5])
    extensions = next((value for tag, value in fields if tag == _EXTENSIONS), b"")
    return Certificate(
        subject=subject,
        issuer=issuer,
        subject_key=_subject_key(extensions),
        authority_key=_authority_key(extensions),
        expires_ns=_time_ns(*_values(validity)[1]),
    )


def _values(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element that follows another in `data`."""
    values: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data):
            raise ValueError("a length beyond the end")
        values.append((tag, data[at : at + length]))
        at += length
    return values


def _extension(extensions: bytes, oid: bytes) -> bytes:
    if not extensions:
        return b""
    for _, extension in _values(_values(extensions)[0][1]):
        if extension.startswith(oid):
            return next(value for tag, value in reversed(_values(extension)) if tag == _OCTETS)
    return b""


def _subject_key(extensions: bytes) -> bytes:
    value = _extension(extensions, _SUBJECT_KEY)
    return _values(value)[0][1] if value else b""


def _authority_key(extensions: bytes) -> bytes:
    value = _extension(extensions, _AUTHORITY_KEY)
    inner = _values(_values(value)[0][1]) if value else []
    return next((key for tag, key in inner if tag == _KEY_IDENTIFIER), b"")


def _time_ns(tag: int, value: bytes) -> int:
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < _FIRST_CENTURY_YEAR else "19") + text
    moment = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return min(int(moment.timestamp()) * NS_PER_SECOND, MAX_TIME_NS)
