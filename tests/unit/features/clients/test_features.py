"""Who is one client, what is counted of it, and that a flood of addresses does not make it grow."""

from __future__ import annotations

import ipaddress
import pickle
import socket

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aiops_nb
from aiops_nb.config import parse_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.clients.keys import ClientKeys, ipv4_addresses, rows_of_client
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.clients.seen_before import KnownClients
from tests.property.digests import digest_of

START = 1_780_000_000 * SECOND
NAMES = {
    "203.0.113.7": "203.0.113.7",
    "203.0.113.7:52144": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    " 203.0.113.7\t": "203.0.113.7",
    "2001:db8::1": "2001:db8::/64",
    "[2001:db8::2]:443": "2001:db8::/64",
    "2001:db8:0:1::2": "2001:db8:0:1::/64",
    "::1": "::/64",
    "crawler.example.org": "crawler.example.org",
    "1.2.3": "1.2.3",
    "256.1.1.1": "256.1.1.1",
    "a\0b\nc": "a b c",
    "": "-",
    "__other__": "other",
    "10.0.0.0/8": "10.0.0.0_8",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items(), ids=range(len(NAMES)))
def test_names(text, name):
    keys = ClientKeys(ClientParams())
    (key,) = keys.of(pa.array([text])).tolist()
    assert keys.name(key, text) == name
    assert rows_of_client(pa.array([text, None, "192.0.2.99"]), name).tolist() == [True, False, False]


@given(address=st.ip_addresses(), bits4=st.integers(8, 32), bits6=st.integers(16, 64))
def test_a_client_is_the_network_around_its_address(address, bits4, bits6):
    keys = ClientKeys(ClientParams(ipv4_prefix_bits=bits4, ipv6_prefix_bits=bits6))
    (key,) = keys.of(pa.array([str(address)])).tolist()
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    if plain.version == 4 or not plain.is_multicast:
        network = ipaddress.ip_network(keys.name(key, ""))
        assert plain in network and network.prefixlen == (bits4 if plain.version == 4 else bits6)


@given(texts=st.lists(st.text(max_size=80), min_size=1))
def test_any_text_has_a_key_that_only_depends_on_its_name(texts):
    keys = ClientKeys(ClientParams())
    found = keys.of(pa.array(texts)).tolist()
    names = [keys.name(key, text) for key, text in zip(found, texts, strict=True)]
    assert all(name.isprintable() and 0 < len(name) <= 64 for name in names)
    assert len(set(found)) == len(set(names))


@pytest.mark.parametrize("wrong", ["10.0.0.0/33", "example.org", ""])
def test_what_cannot_be_ignored_is_told(wrong):
    with pytest.raises(ConfigError, match=r"ignore\[1\]: expected an address or a network"):
        parse_config(f"pipeline: {{clients: {{ignore: [10.0.0.1, '{wrong}']}}}}")


def test_a_rule_on_features_cannot_judge_clients():
    with pytest.raises(ConfigError, match=r"table: expected a table of series that stay, got 'clients'"):
        parse_config("pipeline: {feature_rules: [{alertname: a, table: clients, feature: rate_hz}]}")


def frame(clients, targets, status=200):
    rows = len(clients)
    times = pd.to_datetime(START + np.arange(rows) * SECOND // 10, unit="ns", utc=True)
    return pd.DataFrame({"time": times, "client_ip": clients, "target": targets, "status_code": status})


def test_the_table_lists_the_busiest_of_each_window():
    clients = ["a", "b", "a", "c", "a", "b", "a", "a", "a", "b"] * 12
    monitor = aiops_nb.from_frame(frame(clients, ["/x", "/y"] * 60, [200, 404, 200, 503, 200] * 24))
    table = monitor.features("clients")
    last = table[table["time"] == table["time"].max()].set_index("client")
    assert list(last.index) == ["__all__", "a", "b", "c"] and last["count"].tolist() == [120, 72, 36, 12]
    assert last.loc["a", "share_ratio"] == 0.6 and last.loc["c", "error_ratio"] == 1.0
    assert last.loc["b", "refused_ratio"] == pytest.approx(1 / 3)
    assert last.loc["__all__", "target_count"] == 2 and last.loc["a", "rate_hz"] == 1.2


def test_the_evidence_is_the_requests_of_the_client():
    calm = [f"10.0.{i % 37}.1" for i in range(4000)]
    loud = [name for i in range(400) for name in (f"10.0.{i % 37}.1", "203.0.113.7:80", "203.0.113.7", "203.0.113.7")]
    clients = calm + loud
    monitor = aiops_nb.from_frame(frame(clients, [f"/p{i % 31}" for i in range(len(clients))]))
    alerts = monitor.alerts()
    alert = alerts[alerts["alertname"] == "client_flood"].iloc[0]
    assert alert["client"] == "203.0.113.7" and alert["detector"] == "client_rule"
    proof = monitor.evidence(alert)
    assert len(proof) > 300 and set(proof["client_ip"]) == {"203.0.113.7", "203.0.113.7:80"}


def pushed(pipeline, second, count):
    codes = (np.arange(second * count, (second + 1) * count, dtype=np.uint64) * np.uint64(2654435761)).tolist()
    names = [f"{x >> 24 & 255}.{x >> 16 & 255}.{x >> 8 & 255}.{x & 255}" for x in codes]
    time = START + second * SECOND + np.arange(count) * (SECOND // count)
    columns = {"time": time, "origin": "traffic", "target": "/a", "client_ip": names}
    pipeline.push(Item(second, "requests", "web", make_batch("requests", "web", columns)))


def test_a_million_addresses_take_no_more_memory_than_a_tenth_of_them():
    pipeline, sizes = Pipeline(), []
    for second in range(50):
        pushed(pipeline, second, 20_000)
        if second in (4, 49):
            stage = pipeline._tables["requests"].stages[-1]
            roster = stage._features._roster
            parts = [value for value in vars(stage._features).values() if not callable(value)]
            sizes.append(len(pickle.dumps([part for part in parts if part is not roster])))
            assert len(roster.clients.pool) <= 8192
    assert sizes[1] < 1.5 * sizes[0] and sizes[1] < 40_000_000


def test_strangers_are_told_from_those_who_came_before():
    known = KnownClients(cells=1 << 16, new_ticks=1, known_ticks=100)
    regulars = np.arange(2000, dtype=np.uint64)
    for _ in range(3):
        known.note(regulars)
        known.tick(learn=True)
    newcomers = np.arange(10_000, 12_000, dtype=np.uint64)
    assert not known.note(regulars).any() and known.note(newcomers).mean() > 0.99
    assert known.newcomers_total() == pytest.approx(2000, rel=0.05)


def test_who_comes_in_a_flood_stays_new():
    known = KnownClients(cells=1 << 12, new_ticks=1, known_ticks=100)
    newcomers = np.arange(100, dtype=np.uint64)
    for _ in range(5):
        assert known.note(newcomers).all()
        known.tick(learn=False)


def test_a_client_is_forgotten_after_two_generations():
    known = KnownClients(cells=1 << 12, new_ticks=1, known_ticks=5)
    key = np.array([7], np.uint64)
    fresh = []
    for tick in range(30):
        if tick < 3 or tick == 29:
            fresh.append(bool(known.note(key)[0]))
        known.tick(learn=True)
    assert fresh == [True, True, False, True]


@given(
    texts=st.lists(st.from_regex(r"[0-9.]{0,16}|([0-9]{1,3}\.){3}[0-9]{1,3}\n?", fullmatch=True) | st.text(max_size=9))
)
def test_addresses_are_told_from_other_texts_as_the_system_does(texts):
    address, known = ipv4_addresses(pa.array([None, *texts], pa.string())[1:])
    for text, number, is_known in zip(texts, address.tolist(), known.tolist(), strict=True):
        try:
            expected = int.from_bytes(socket.inet_pton(socket.AF_INET, text))
        except (OSError, ValueError):
            expected = None
        assert (number if is_known else None) == expected


def crowd(batch_rows, rows=100_000, per_second=40_000):
    """More clients than are cached or counted, more rows a window than may wait for its end."""
    codes = np.random.default_rng(5).zipf(1.3, rows) % (1 << 18)
    names = [f"10.{x >> 16 & 255}.{x >> 8 & 255}.{x & 255}" if x % 9 else f"host-{x}" for x in codes.tolist()]
    times = START + np.arange(rows) * (SECOND // per_second)
    for at in range(0, rows, batch_rows):
        part = slice(at, at + batch_rows)
        columns = {"time": times[part], "origin": "traffic", "target": "/a", "client_ip": names[part]}
        yield Item(at, "requests", "web", make_batch("requests", "web", columns))


def test_a_crowd_is_counted_the_same_however_its_rows_wait():
    whole, cut = (digest_of(crowd(batch_rows)) for batch_rows in (50_000, 9_001))
    assert (cut[0].result(), cut[1]) == (whole[0].result(), whole[1])
    assert whole[0].tick_count >= 6
