"""Probes of a real nginx over TLS: HTTP/2, and trustme's good, expired, foreign and untrusted certificates."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops_nb.collect.http.probe import HttpProbe, TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from tests.nginx_server import NGINX, nginx_server
from tests.ports import free_port

pytestmark = pytest.mark.skipif(NGINX is None, reason="NOT TESTED: TLS and HTTP/2 of nginx, which is not installed")
ALL: list[TransferKind] = ["curl", "pycurl", "requests"]
SERVER = """
server {{
  listen 127.0.0.1:{port} ssl {options};
  ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}.pem;
  location / {{ return 200 "$server_protocol"; }}
}}
"""
AUTHORITY = trustme.CA()
LAST_DAY = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=20)
CERTIFICATES = {
    "good": AUTHORITY.issue_cert("127.0.0.1", not_after=LAST_DAY),
    "expired": AUTHORITY.issue_cert(
        "127.0.0.1", not_before=datetime.datetime(2020, 1, 1), not_after=datetime.datetime(2021, 1, 1)
    ),
    "other_host": AUTHORITY.issue_cert("example.org"),
    "untrusted": trustme.CA().issue_cert("127.0.0.1"),
}


class Site:
    """The servers by the name of their certificate, and the authority that the client trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in (*CERTIFICATES, "only_1")}
        self.ca_file = str(folder / "ca.pem")
        AUTHORITY.cert_pem.write_to_path(self.ca_file)
        for name, certificate in CERTIFICATES.items():
            certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))

    @property
    def http(self) -> str:
        """Of nginx's configuration."""
        options = {name: ("good", "") if name == "only_1" else (name, "http2") for name in self.ports}
        return "".join(
            SERVER.format(port=port, folder=self.folder, name=options[name][0], options=options[name][1])
            for name, port in self.ports.items()
        )

    def ask(self, transfer: TransferKind, name: str, *assertions: str, **fields: Any) -> dict[str, Any]:
        """The first row of a probe."""
        fields = {"ca_file": self.ca_file, "assertions": assertions, **fields}
        target = ProbeTarget(url=f"https://127.0.0.1:{self.ports[name]}/", name=name, **fields)
        probe = HttpProbe([target], interval_seconds=3.0, transfer=transfer)
        deadline = time.monotonic() + 10
        rows: list[dict[str, Any]] = []
        while not rows and time.monotonic() < deadline:
            batch = probe.poll(0.5)
            assert batch is not None
            rows = batch.to_pylist()
        probe.close()
        return rows[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("nginx"))
    with nginx_server(made.folder, made.http):
        yield made


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize(
    ("server", "http_version", "spoken"),
    [("good", "2", "HTTP/2.0"), ("good", "1.1", "HTTP/1.1"), ("only_1", "2", "HTTP/1.1")],
)
def test_http_2_where_both_have_it(
    site: Site, transfer: TransferKind, server: str, http_version: str, spoken: str
) -> None:
    expected = "HTTP/1.1" if transfer == "requests" else spoken  # which knows no other
    row = site.ask(transfer, server, f'body == "{expected}"', http_version=http_version)
    assert (row["status_code"], row["error_type"], row["error_detail"]) == (200, None, None)
    assert row["response_bytes"] == len(expected)


def test_http_2_on_a_kept_connection(site: Site) -> None:
    target = ProbeTarget(
        url=f"https://127.0.0.1:{site.ports['good']}/",
        http_version="2",
        reuse_connection=True,
        ca_file=site.ca_file,
        assertions=('body == "HTTP/2.0"',),
        timeout_seconds=0.9,
    )
    probe = HttpProbe([target], interval_seconds=1.0)
    rows: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        batch = probe.poll(0.5)
        assert batch is not None
        rows += batch.to_pylist()
    probe.close()
    assert {(row["status_code"], row["error_type"]) for row in rows} == {(200, None)}
    assert rows[0]["tls_seconds"] > 0 and rows[1]["tls_seconds"] is None


@pytest.mark.parametrize("transfer", ALL)
@pytest.mark.parametrize(
    ("server", "told"),
    [
        ("expired", ("certificate has expired",)),
        ("other_host", ("IP address", "subject name")),
        ("untrusted", ("self-signed", "issuer")),
    ],
)
def test_a_bad_certificate_is_an_error_that_says_which(
    site: Site, transfer: TransferKind, server: str, told: tuple[str, ...]
) -> None:
    row = site.ask(transfer, server)
    assert (row["status_code"], row["error_type"]) == (None, "tls")
    assert any(text in row["error_detail"] for text in told)
    assert site.ask(transfer, server, verify_tls=False)["status_code"] == 200


@pytest.mark.parametrize("transfer", ALL)
def test_a_certificate_that_expires_soon(site: Site, transfer: TransferKind) -> None:
    row = site.ask(transfer, "good", "certificate_expires > 30d")
    assert (row["status_code"], row["error_type"]) == (200, "assertion")
    assert row["error_detail"].startswith("certificate_expires > 30d, got ")
    assert abs(row["certificate_expires"] - LAST_DAY) < datetime.timedelta(seconds=1)
    assert site.ask(transfer, "good", "certificate_expires > 14d")["error_type"] is None


def test_without_its_authority_nobody_is_trusted(site: Site) -> None:
    assert site.ask("curl", "good", ca_file=None)["error_type"] == "tls"
