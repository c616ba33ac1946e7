"""While a parent is down, alerts of its children are inhibited when they begin; their end is never lost."""

from __future__ import annotations

import pytest

from aiops_nb.alert.dependencies import ancestors, refuse_cycles
from aiops_nb.alert.inhibition import Inhibitor
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import NS_PER_SECOND as SECOND
from aiops_nb.core.types import AlertChange
from aiops_nb.session.plan import plan_run

CHAIN = {"shop": ("api",), "api": ("db",)}


def change(state, second, target, severity="error", alertname="request_failed"):
    labels = {"alertname": alertname, "severity": severity, "target": target}
    fingerprint = f"{alertname}-{target}"
    return AlertChange(time_ns=second * SECOND, state=state, labels=labels, fingerprint=fingerprint, pending_at_ns=0)


def inhibited(inhibitor, *changes):
    return [one.inhibited_by for one in inhibitor.apply(changes)]


def test_a_grandparent_that_is_down_inhibits_and_its_end_releases():
    inhibitor = Inhibitor((), depends_on=CHAIN)
    assert inhibited(inhibitor, change("pending", 1, "db"), change("firing", 2, "shop"), change("firing", 3, "db")) == [
        "",
        "request_failed on db",
        "",
    ]
    assert inhibited(inhibitor, change("resolved", 4, "db")) == [""]
    assert inhibitor.tick(10 * SECOND) == []
    (released,) = inhibitor.tick(65 * SECOND)
    assert (released.labels["target"], released.inhibited_by, released.update) == ("shop", "", "released")
    assert inhibited(inhibitor, change("resolved", 70, "shop")) == [""]


def test_the_end_of_an_inhibited_child_is_not_lost():
    inhibitor = Inhibitor((), depends_on=CHAIN)
    inhibitor.apply([change("firing", 1, "api"), change("firing", 2, "shop")])
    (end,) = inhibitor.apply([change("resolved", 3, "shop")])
    assert (end.state, end.inhibited_by) == ("resolved", "request_failed on api")


def test_a_child_inhibits_no_parent_and_a_warning_nothing():
    inhibitor = Inhibitor((), depends_on=CHAIN)
    assert inhibited(inhibitor, change("firing", 1, "shop"), change("firing", 2, "db", "warning")) == ["", ""]
    assert inhibited(inhibitor, change("firing", 3, "api")) == [""]


def test_a_parent_that_was_only_pending_hides_nothing():
    inhibitor = Inhibitor((), depends_on=CHAIN)
    inhibitor.apply([change("pending", 1, "db"), change("firing", 2, "api")])
    inhibitor.apply([change("inactive", 3, "db")])
    assert [one.labels["target"] for one in inhibitor.tick(3 * SECOND)] == ["api"]


@pytest.mark.parametrize(
    ("depends_on", "cycle"),
    [
        ({"a": ("a",)}, "a -> a"),
        ({"x": ("a",), "a": ("b",), "b": ("a",)}, "a -> b -> a"),
        ({"a": ("b", "c"), "b": (), "c": ("d",), "d": ("c",)}, "c -> d -> c"),
    ],
)
def test_cycles_are_refused_with_their_names(depends_on, cycle):
    with pytest.raises(ConfigError, match=f"depends_on: expected no cycle, got '{cycle}'"):
        refuse_cycles(depends_on)


def test_a_long_chain_and_a_diamond_are_no_cycles():
    chain = {str(number): (str(number + 1),) for number in range(5_000)}
    refuse_cycles(chain)
    assert list(ancestors(chain, "4998")) == ["4999", "5000"]
    assert list(ancestors({"a": ("b", "c"), "b": ("d",), "c": ("d",)}, "a")) == ["b", "c", "d"]


def test_targets_name_their_parents_in_the_configuration():
    config = {
        "host_metrics": False,
        "targets": [
            {"name": "db", "url": "http://127.0.0.1/db"},
            {"name": "api", "url": "http://127.0.0.1/api", "depends_on": ["db"]},
        ],
    }
    assert plan_run((), config).config.pipeline.depends_on == {"api": ("db",)}
    config["targets"][0]["depends_on"] = ["api"]
    with pytest.raises(ConfigError, match="no cycle, got 'db -> api -> db'"):
        plan_run((), config)
    config["targets"][0]["depends_on"] = ["dbb"]
    with pytest.raises(ConfigError, match=r"targets\[0\].depends_on\[0\]: expected the name of another target"):
        plan_run((), config)
