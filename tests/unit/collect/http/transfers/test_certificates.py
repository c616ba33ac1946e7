"""When a chain of certificates ends, the same by every transfer."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from aiops_nb.collect.http.probe import TransferKind
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.http.transfers.certificates import parse_certificate, path_expiry_ns
from tests import collect_servers as servers
from tests.unit.collect.http import chains
from tests.unit.collect.http.chains import key, signed, year
from tests.unit.collect.http.exchanges import TRANSFERS, probed, result, server
from tests.unit.collect.http.test_probe import ask

OLD_ROOT, ROOT, INTER, LEAF, OTHER = (key(name) for name in ("Old Root", "Root", "Inter", "localhost", "Other"))
ROOT_ITSELF = signed(ROOT, ROOT, year(2045))
ROOT_CROSSED = signed(ROOT, OLD_ROOT, year(2021))
OLD_ITSELF = signed(OLD_ROOT, OLD_ROOT, year(2021))
INTER_OF_ROOT = signed(INTER, ROOT, year(2042))
INTER_SOON = signed(INTER, ROOT, year(2039))
INTER_EXPIRED = signed(INTER, ROOT, year(2022))
LEAF_OF_INTER = signed(LEAF, INTER, year(2040), is_authority=False)
LEAF_LATE = signed(LEAF, INTER, year(2044), is_authority=False)
LEAF_EXPIRED = signed(LEAF, INTER, year(2020), is_authority=False)
STRANGER = signed(OTHER, OTHER, year(2019))
WITHOUT_KEYS = [
    signed(LEAF, INTER, year(2040), is_authority=False, with_keys=False),
    signed(INTER, ROOT, year(2042), with_keys=False),
    signed(ROOT, OLD_ROOT, year(2021), with_keys=False),
]

Chain = list[x509.Certificate]
# What is sent, the authorities, the year of the end, and the kind of error
CHAINS: dict[str, tuple[Chain, Chain, int, str | None]] = {
    "an expired cross-signature": ([LEAF_OF_INTER, INTER_OF_ROOT, ROOT_CROSSED], [ROOT_ITSELF], 2040, None),
    "and its authority is trusted too": (
        [LEAF_OF_INTER, INTER_OF_ROOT, ROOT_CROSSED],
        [OLD_ITSELF, ROOT_ITSELF],
        2040,
        None,
    ),
    "without key identifiers": (WITHOUT_KEYS, [ROOT_ITSELF], 2040, None),
    "the earliest is the issuer's": ([LEAF_LATE, INTER_SOON], [ROOT_ITSELF], 2039, None),
    "the earliest is the authority's": ([LEAF_LATE, INTER_OF_ROOT], [signed(ROOT, ROOT, year(2038))], 2038, None),
    "two signatures of one issuer": ([LEAF_LATE, INTER_EXPIRED, INTER_OF_ROOT], [ROOT_ITSELF], 2042, None),
    "one that has nothing to do with it": ([LEAF_OF_INTER, INTER_OF_ROOT, STRANGER], [ROOT_ITSELF], 2040, None),
    "in any order": ([LEAF_OF_INTER, ROOT_CROSSED, INTER_OF_ROOT], [ROOT_ITSELF], 2040, None),
    "the root itself is sent": ([LEAF_OF_INTER, INTER_OF_ROOT, ROOT_ITSELF], [ROOT_ITSELF], 2040, None),
    "the issuer is trusted": ([LEAF_OF_INTER], [INTER_OF_ROOT], 2040, None),
    "an expired leaf": ([LEAF_EXPIRED, INTER_OF_ROOT], [ROOT_ITSELF], 2020, "tls"),
    "an expired issuer": ([LEAF_OF_INTER, INTER_EXPIRED], [ROOT_ITSELF], 2022, "tls"),
    "an issuer that is missing": ([LEAF_OF_INTER], [ROOT_ITSELF], 2040, "tls"),
    "an unknown authority": ([LEAF_OF_INTER, INTER_OF_ROOT], [OLD_ITSELF], 2040, "tls"),
}


@pytest.mark.parametrize("kind", CHAINS)
def test_the_end_of_a_chain(kind: str, tmp_path: Path) -> None:
    sent, authorities, end, _ = CHAINS[kind]
    (tmp_path / "ca.pem").write_bytes(chains.pem(authorities))
    found_ns = path_expiry_ns(chains.der(sent), str(tmp_path / "ca.pem"))
    assert found_ns == round(year(end).timestamp()) * 10**9


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("kind", CHAINS)
def test_a_probe_says_when_the_chain_ends(kind: str, transfer: TransferKind, tmp_path: Path) -> None:
    sent, authorities, end, error = CHAINS[kind]
    (tmp_path / "ca.pem").write_bytes(chains.pem(authorities))
    with servers.raw_server(chains.handler(chains.context(tmp_path, LEAF, sent))) as port:
        row = probed(transfer, f"https://localhost:{port}/", ca_file=str(tmp_path / "ca.pem"))
    assert row["error_type"] == error, row["error_detail"]
    assert row["certificate_expires"].to_pydatetime() == year(end)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_unverified_it_is_the_servers_and_its_issuers(transfer: TransferKind, tmp_path: Path) -> None:
    with servers.raw_server(chains.handler(chains.context(tmp_path, LEAF, [LEAF_LATE, INTER_SOON, STRANGER]))) as port:
        row = probed(transfer, f"https://localhost:{port}/", verify_tls=False)
    assert result(row) == (200, None)
    assert row["certificate_expires"].to_pydatetime() == year(2039)


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("is_first_earlier", [True, False])
def test_the_certificate_of_a_host_that_redirects_counts(
    transfer: TransferKind, is_first_earlier: bool, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(chains.pem([ROOT_ITSELF]))
    early, late = ([LEAF_OF_INTER, INTER_OF_ROOT], [LEAF_LATE, INTER_OF_ROOT])
    first, second = (early, late) if is_first_earlier else (late, early)
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    with server(lambda _: (200, [], b""), chains.context(tmp_path / "2", LEAF, second)) as there:
        location = there.url(host="localhost", scheme="https")
        answer = (301, [("Location", location)], b"")
        with server(lambda _: answer, chains.context(tmp_path / "1", LEAF, first)) as here:
            url = here.url(host="localhost", scheme="https")
            row = probed(transfer, url, ca_file=str(tmp_path / "ca.pem"))
    assert result(row) == (200, None)
    assert row["certificate_expires"].to_pydatetime() == year(2040)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_host_that_redirects_from_tls_to_plain_http_keeps_its_certificate(
    transfer: TransferKind, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(chains.pem([ROOT_ITSELF]))
    with server(lambda _: (200, [], b"")) as there:
        answer = (302, [("Location", there.url())], b"")
        with server(lambda _: answer, chains.context(tmp_path, LEAF, [LEAF_OF_INTER, INTER_OF_ROOT])) as here:
            row = probed(transfer, here.url(host="localhost", scheme="https"), ca_file=str(tmp_path / "ca.pem"))
    assert result(row) == (200, None)
    assert row["certificate_expires"].to_pydatetime() == year(2040)


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_kept_connection_keeps_its_certificate(transfer: TransferKind, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(chains.pem([ROOT_ITSELF]))
    serving = chains.context(tmp_path, LEAF, [LEAF_OF_INTER, INTER_OF_ROOT])
    with server(lambda _: (200, [], b""), serving) as here:
        target = ProbeTarget(
            url=here.url(host="localhost", scheme="https"),
            ca_file=str(tmp_path / "ca.pem"),
            reuse_connection=True,
            timeout_seconds=0.4,
        )
        rows = ask(target, rows=3, interval_seconds=0.5, transfer=transfer)
    if transfer == "requests":
        assert {row["certificate_expires"].to_pydatetime() for row in rows} == {year(2040)}
    else:
        assert rows[0]["certificate_expires"].to_pydatetime() == year(2040)


@pytest.mark.parametrize("end", [datetime(2049, 12, 31, 23, 59, 59), datetime(2050, 1, 1), datetime(9999, 12, 31)])
def test_both_forms_of_time_are_read(end: datetime) -> None:
    made = signed(LEAF, INTER, end, is_authority=False)
    found = parse_certificate(chains.der([made])[0])
    expected_ns = min(round(end.replace(tzinfo=UTC).timestamp()) * 10**9, 2**63 - 1)
    assert found is not None and found.expires_ns == expected_ns


def test_damaged_certificates_are_left_out_and_cost_nothing() -> None:
    whole = chains.der([LEAF_OF_INTER])[0]
    rng = random.Random(7)
    for _ in range(2_000):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path_expiry_ns([bytes(damaged[: rng.randint(0, len(damaged))])], "/no/such/file")
    assert path_expiry_ns([], None) is None
    assert path_expiry_ns([b"", whole], "/no/such/file") is None


def test_a_thousand_certificates_that_sign_each_other_end_soon() -> None:
    pair = chains.der([signed(ROOT, OLD_ROOT, year(2030)), signed(OLD_ROOT, ROOT, year(2030))])
    assert path_expiry_ns(pair * 500, "/no/such/file") == round(year(2030).timestamp()) * 10**9


def test_an_authority_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    sent = chains.der([LEAF_LATE, INTER_OF_ROOT])
    for end, moment in ((2038, 1_000), (2037, 2_000)):
        file.write_bytes(chains.pem([signed(ROOT, ROOT, year(end))]))
        os.utime(file, (moment, moment))
        assert path_expiry_ns(sent, str(file)) == round(year(end).timestamp()) * 10**9
