"""Where this machine keeps the certificate authorities it trusts."""

from __future__ import annotations

import ssl
import sys
from functools import cache
from pathlib import Path

# Debian, Alpine; Fedora, RHEL; macOS, BSD; openSUSE
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
)


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
