"""Where this machine keeps the certificate authorities it trusts."""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from pathlib import Path

from aiops_nb.core.errors import ConfigError

# Debian, Alpine; Fedora, RHEL; macOS, BSD; openSUSE
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


def check_ca_file(path: str, where: str) -> None:
    """Check that a file holds certificates in PEM.

    Raises
    ------
    ConfigError
        If it cannot be read or holds none.

    Examples
    --------
    >>> check_ca_file("/no/such.pem", "ca_file")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: ca_file: expected a readable file, got '/no/such.pem'
    """
    if not (os.access(path, os.R_OK) and Path(path).is_file()):
        raise ConfigError.at(where, "a readable file", path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        raise ConfigError.at(where, "a file of certificates in PEM", path) from None


@cache
def default_ca_file() -> str | None:
    """A PEM bundle: `SSL_CERT_FILE` or Python's own, the system's, else that of certifi; None where libcurl knows best.

    A libcurl that came in a wheel looks where the machine that built it kept them.
    """
    if sys.platform == "win32":
        return None
    own = ssl.get_default_verify_paths().cafile
    for bundle in (own, *_BUNDLES):
        if bundle is not None and Path(bundle).is_file():
            return bundle
    from requests.utils import DEFAULT_CA_BUNDLE_PATH  # that of certifi

    return str(DEFAULT_CA_BUNDLE_PATH)
