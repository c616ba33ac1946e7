"""Every rule on clients on small literal streams, and the alerts expected of them: the quiet ones included."""

from __future__ import annotations

import msgspec
import pytest

from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.clients.params import ClientParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.client.params import ClientRefusedParams

START = 1_780_000_000
WARM = 60
PARAMS = PipelineParams(
    window=WindowParams(span_ticks=20, lateness_seconds=0.0),
    clients=ClientParams(
        warmup_seconds=30.0, settle_seconds=600.0, new_seconds=5.0, accept_seconds=120.0, known_cells=1 << 18
    ),
    row_rules=(),
    feature_rules=(),
)
VISITORS = [f"10.0.{i}.1" for i in range(40)]
STRANGERS = [f"198.51.{i >> 8}.{i & 255}" for i in range(60_000)]


def rows(names, targets=("/a", "/b", "/c"), status=200, at=None):
    """One second of requests, spread evenly over it unless `at` says when each comes."""
    count = len(names)
    moments = at or [i / count for i in range(count)]
    return [(moments[i], name, targets[i % len(targets)], status) for i, name in enumerate(names)]


def visitors(second):
    """Ten of forty visitors, two requests each."""
    chosen = [VISITORS[(second * 7 + i) % 40] for i in range(10)]
    return rows(chosen) + rows(chosen[::-1], at=[0.03 + 0.09 * i for i in range(10)])


def batch_of(second, found, origin="traffic"):
    found = sorted(found)
    times = [(START + second) * SECOND + round(moment * SECOND) for moment, *_ in found]
    _, names, targets, status = zip(*found, strict=True)
    columns = {"client_ip": names, "target": targets, "status_code": status, "origin": origin}
    return make_batch("requests", "web", {"time": times, **columns})


def run(more, seconds, params=PARAMS, base=visitors, origin="traffic"):
    """Alert changes of usual traffic for a minute, and then of `more(second)` on top of it."""
    pipeline, changes = Pipeline(params), []
    for second in range(WARM + seconds):
        found = base(second) + (more(second - WARM) if second >= WARM else [])
        changes += pipeline.push(Item(second, "requests", "web", batch_of(second, found, origin))).changes
    return changes


def firing(changes):
    return [
        (c.labels["alertname"], c.labels["target"], c.labels.get("client", "")) for c in changes if c.state == "firing"
    ]


def one(count, target="/a", status=200, at=None):
    """One client's second."""
    return rows(["203.0.113.7"] * count, [target], status, at)


def jitter(count, t):
    """Moments without a rhythm."""
    return [(i * 0.618 + t * t * 0.377) % 1 for i in range(count)]


def pages(count, t, name=lambda i: "203.0.113.7"):
    """One client asks for many things."""
    found = zip(jitter(count, t), range(count), strict=True)
    return [(moment, name(i), f"/page{(i * 7 + t * t) % 50}", 200) for moment, i in found]


BURST_AT = [0.5, 0.51, 0.52, 0.53]
QUIET = {
    "nothing": lambda t: [],
    "busy, but below the floor": lambda t: pages(4, t),
    "busy for two seconds": lambda t: pages(40, t) if t < 2 else [],
    "more of the same visitors": lambda t: visitors(t + 3) + visitors(t + 17),
    "new visitors, not more": lambda t: rows(STRANGERS[5 * t : 5 * t + 5]),
    "a few pages not found": lambda t: one(1, "/gone", 404) if t % 4 == 0 else [],
    "irregular": lambda t: one(2, "/a", at=[(t * 0.37) % 1, (t * 0.73) % 1]) if (t * 7) % 5 < 3 else [],
    "a slow poll": lambda t: one(1, "/a", at=[0.5]) if t % 5 == 0 else [],
}
LOUD = {
    "one client floods": (lambda t: pages(20, t), ("client_flood", "*", "203.0.113.7")),
    "its ports do not hide it": (
        lambda t: pages(20, t, lambda i: f"203.0.113.7:{i}"),
        ("client_flood", "*", "203.0.113.7"),
    ),
    "nor do the addresses of its /64": (
        lambda t: pages(20, t, lambda i: f"2001:db8::{t}:{i}"),
        ("client_flood", "*", "2001:db8::/64"),
    ),
    "one client, one target": (
        lambda t: one(4, "/login", at=jitter(4, t)),
        ("endpoint_attack", "/login", "203.0.113.7"),
    ),
    "passwords tried out": (lambda t: one(1, f"/x{t}", 401), ("client_refused", "*", "203.0.113.7")),
    "bursts": (
        lambda t: one(4, "/a", at=BURST_AT) if t % 2 == 0 else [],
        ("client_burst", "/a", "203.0.113.7"),
    ),
    "a request every second": (lambda t: one(1, "/a", at=[0.5]), ("client_burst", "/a", "203.0.113.7")),
    "new clients at one target": (
        lambda t: rows(STRANGERS[100 * t : 100 * t + 100], ["/a"]),
        ("distributed_flood", "/a", ""),
    ),
    "new clients everywhere": (
        lambda t: rows(STRANGERS[200 * t : 200 * t + 200]),
        ("distributed_flood", "*", ""),
    ),
}


@pytest.mark.parametrize("more", QUIET.values(), ids=QUIET)
def test_quiet(more):
    assert firing(run(more, 40)) == []


@pytest.mark.parametrize(("more", "expected"), LOUD.values(), ids=LOUD)
def test_loud(more, expected):
    assert firing(run(more, 40)) == [expected]


def test_passwords_tried_out_at_one_target_are_one_alert():
    fired = [c for c in run(lambda t: one(4, "/login", 401, jitter(4, t)), 40) if c.state == "firing"]
    by_name = {c.labels["alertname"]: c.inhibited_by for c in fired}
    assert by_name == {"endpoint_attack": "", "client_refused": "endpoint_attack"} and len(fired) == 2


@pytest.mark.parametrize("count", [40, 200])
def test_one_new_client_is_no_flood_of_many(count):
    told = {name for name, *_ in firing(run(lambda t: one(count, "/a", at=jitter(count, t)), 40))}
    assert told == {"client_flood", "endpoint_attack"}


def test_a_flood_of_many_with_one_who_is_busier_is_one():
    def flood(t):
        return rows(STRANGERS[100 * t : 100 * t + 100], ["/a"]) + one(30, "/a", at=jitter(30, t))

    assert ("distributed_flood", "/a", "") in firing(run(flood, 40))


@pytest.mark.parametrize("name", ["one client floods", "new clients everywhere"])
def test_our_own_probes_are_not_judged(name):
    assert run(LOUD[name][0], 40, origin="probe") == []


def test_it_fires_after_a_few_seconds_and_is_resolved_once():
    changes = run(lambda t: pages(20, t) if t < 20 else [], 90)
    moments = [(c.state, c.time_ns // SECOND - START - WARM) for c in changes]
    assert [state for state, _ in moments] == ["pending", "firing", "resolved"]
    assert moments[0][1] <= 8 and moments[1][1] == moments[0][1] + 3 and 50 <= moments[2][1] <= 75
    assert changes[-1].summary.startswith("203.0.113.7: resolved after ")


def test_the_alert_says_who_how_much_and_what_is_usual():
    (fired,) = [c for c in run(lambda t: pages(20, t), 30) if c.state == "firing"]
    assert (
        fired.summary.startswith("203.0.113.7: 1")
        and " % of all traffic; busiest other client usually makes 1" in fired.summary
    )
    assert fired.value > fired.threshold == 5 * fired.expected
    labels = {"alertname", "severity", "target", "detector", "origin", "client"}
    assert set(fired.labels) == labels and fired.labels["origin"] == "traffic"


def with_clients(**options):
    return msgspec.structs.replace(PARAMS, clients=msgspec.structs.replace(PARAMS.clients, **options))


@pytest.mark.parametrize("ignore", ["203.0.113.7", "203.0.113.0/24"])
def test_ignored_clients_are_as_if_they_were_not_there(ignore):
    assert run(lambda t: pages(20, t), 30, with_clients(ignore=(ignore,))) == []


def test_a_client_that_was_there_from_the_beginning_is_regular():
    def busy(second):
        return visitors(second) + rows(["203.0.113.7"] * 20, ["/a", "/b"], at=jitter(20, second))

    assert run(lambda t: [], 40, base=busy) == []
    more = run(lambda t: pages(200, t), 40, base=busy)
    assert firing(more) == [("client_flood", "*", "203.0.113.7")] and more[-1].expected >= 400


def test_what_goes_on_for_long_is_taken_as_usual_and_that_is_told():
    changes = run(lambda t: pages(20, t), 250)
    assert [c.state for c in changes] == ["pending", "firing", "resolved"]
    assert changes[-1].summary.endswith("; baseline updated, it lasted too long to be an exception")


def test_a_masked_client_is_one_network():
    changes = run(lambda t: pages(20, t, lambda i: f"203.0.113.{i}"), 30, with_clients(ipv4_prefix_bits=24))
    assert firing(changes) == [("client_flood", "*", "203.0.113.0/24")]
    assert not any("203.0.113.1" in c.summary for c in changes)


def test_many_at_once_are_a_few_alerts_and_one_for_the_rest():
    rule = ClientRefusedParams(max_alerts=3)
    params = msgspec.structs.replace(PARAMS, client_rules=(rule,))

    def bots(t):
        return [row for i in range(10) for row in rows([f"203.0.113.{i}"] * (i + 1), [f"/x{i}"], 404)] if t < 20 else []

    changes = run(bots, 80, params)
    assert [client for *_, client in firing(changes)] == ["203.0.113.9", "203.0.113.8", "203.0.113.7", "__other__"]
    assert changes[7].summary.endswith(" more clients beyond the 3 with an alert of their own")
    assert sorted(c.state for c in changes) == ["firing"] * 4 + ["pending"] * 4 + ["resolved"] * 4


def test_a_gap_neither_resolves_nor_resets():
    pipeline, changes = Pipeline(PARAMS), []
    for second in range(100):
        found = visitors(second) + (pages(20, second) if second >= 60 else [])
        quiet = 72 <= second < 96
        batch = control_batch("web", "heartbeat", (START + second) * SECOND) if quiet else batch_of(second, found)
        table = "control" if quiet else "requests"
        changes += pipeline.push(Item(second, table, "web", batch)).changes
    assert [c.state for c in changes] == ["pending", "firing"]


HOSTILE = [
    "",
    "\0",
    "a\0b",
    "<script>alert(1)</script>",
    "x" * 100_000,
    "\u202e",
    "__other__",
    "__all__",
    "10.0.0.0/24",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_can_be_a_client(text):
    changes = run(lambda t: pages(20, t, lambda i: text), 30)
    ((_, _, client),) = firing(changes)
    assert 0 < len(client) <= 64 and client.isprintable() and client not in ("__other__", "__all__", "10.0.0.0/24")
    assert all(len(c.summary) < 300 and c.summary.isprintable() for c in changes)
