"""The rules on requests on tiny streams, and the alerts expected of them: the quiet ones included."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.schemas import control_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND, FeatureTable, Item, SeriesKey
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.feature.chance import ChanceParams, SignificanceTest

START = 1_780_000_020
DAY = 86_400


def rows(times, origin="traffic", target="a", status=200, duration=0.05, **columns):
    """A batch of requests at these seconds from START; scalars hold for all rows."""
    count = len(times)
    spread = {"origin": origin, "target": target, "status_code": status, "duration_seconds": duration, **columns}
    filled = {name: value if np.ndim(value) else [value] * count for name, value in spread.items()}
    failed = [code is None for code in filled["status_code"]]
    errors = ["timeout" if one else None for one in failed]
    moments = [round((START + second) * NS_PER_SECOND) for second in times]
    return make_batch("requests", "web", {"time": moments, "error_type": errors, **filled})


def heartbeat(second):
    return control_batch("web", "heartbeat", (START + second) * NS_PER_SECOND)


def changes_of(*batches, ready=(), **window):
    pipeline = Pipeline(PipelineParams(enable=tuple(ready), window=WindowParams(**window)))
    changes = []
    for seq, batch in enumerate(batches):
        table = "control" if "kind" in batch.schema.names else "requests"
        changes += pipeline.push(Item(seq, table, "web", batch)).changes
    return changes


def told(*batches, **options):
    """Names of the alerts that fired and were told, in order."""
    changes = changes_of(*batches, **options)
    return [c.labels["alertname"] for c in changes if c.state == "firing" and not c.inhibited_by]


def steady(rate_hz, first, last):
    return np.arange(first * rate_hz, last * rate_hz) / rate_hz + 0.001


# -- traffic

SURGE = np.concatenate([steady(5, 0, 300), steady(20, 300, 380)])
DROP = np.concatenate([steady(5, 0, 300), steady(1, 300, 380)])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (steady(5, 0, 400), []),
        (np.sort(np.random.default_rng(1).uniform(0, 600, 600 * 5)), []),
        (np.concatenate([steady(5, 0, 300), steady(20, 300, 310), steady(5, 310, 400)]), []),  # a short burst
        (SURGE, ["traffic_surge"]),
        (DROP, ["traffic_drop"]),
    ],
    ids=["steady", "random", "short burst", "surge", "drop"],
)
def test_traffic_that_surges_or_drops_is_told_and_our_own_probes_never(times, expected):
    assert told(rows(times)) == expected
    assert told(rows(times, origin="probe"), ready=AVAILABLE_RULES) == []


def test_silence_is_one_alert_and_ends_with_the_next_request():
    silent = [rows(steady(5, 0, 320)), *(heartbeat(second) for second in range(320, 420))]
    assert told(*silent) == ["traffic_silence"]
    firing = next(change for change in changes_of(*silent) if change.state == "firing")
    assert firing.summary == "*: no data for 31 s (limit 30)" and firing.labels["severity"] == "error"
    back = changes_of(*silent, rows(steady(5, 420, 450)))
    assert [c.state for c in back if c.labels["alertname"] == "traffic_silence"] == ["firing", "resolved"]


def test_silence_of_probes_and_of_a_young_or_batchy_source_is_no_news():
    beats = [heartbeat(second) for second in range(320, 420)]
    assert told(rows(steady(5, 0, 320), origin="probe"), *beats, ready=AVAILABLE_RULES) == []
    assert "traffic_silence" not in told(rows(steady(5, 220, 320)), *beats)
    batchy = np.concatenate([steady(20, first, first + 5) for first in range(0, 3600, 60)])
    assert told(rows(batchy), *(heartbeat(second) for second in range(3545, 3600))) == []


def test_rules_of_endpoints_judge_each_target():
    busy = steady(50, 0, 380)
    times, names = np.concatenate([busy, SURGE]), np.array(["b"] * len(busy) + ["a"] * len(SURGE))
    order = np.argsort(times, kind="stable")
    both = rows(times[order], target=names[order].tolist())
    assert told(both, ready=["endpoint_surge"]) == ["endpoint_surge"]


# -- certificates


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (None, []),
        (90, []),
        (14.1, []),
        (13.9, ["certificate_ends_soon"]),
        (2, ["certificate_ends"]),
        (-1, ["certificate_ends"]),
    ],
)
def test_certificates(days, expected):
    expires = None if days is None else round((START + days * DAY) * NS_PER_SECOND)
    assert told(rows(np.arange(10.5), origin="probe", certificate_expires=expires)) == expected


def test_a_renewed_certificate_resolves():
    old, new = (round((START + days * DAY) * NS_PER_SECOND) for days in (2.5, 90))
    expires = [old] * 10 + [new] * 30
    changes = changes_of(rows(np.arange(40.5), origin="probe", certificate_expires=[*expires, new]))
    states = [(c.labels["alertname"], c.state) for c in changes if not c.inhibited_by]
    assert states == [("certificate_ends", "firing"), ("certificate_ends", "resolved")]
    assert "certificate expires in 2.5 d (limit 3 d)" in changes[0].summary


def test_a_certificate_that_has_ended_says_when():
    expires = round((START - 28 * DAY) * NS_PER_SECOND)
    (change,) = [
        c for c in changes_of(rows(np.arange(10.5), origin="probe", certificate_expires=expires)) if not c.inhibited_by
    ]
    assert "certificate expired 28 d ago (limit 3 d)" in change.summary


# -- errors


def spread_errors(first_error):
    """Three requests a minute to each of 211 targets; from `first_error` on every sixth fails, one of a target."""
    times = steady(10, 0, 190)
    place = np.arange(len(times))
    bad = (times > first_error) & (place % 6 == 0)
    return rows(times, target=[f"t{i % 211}" for i in place], status=[503 if one else 200 for one in bad])


def test_errors_spread_thin_are_told_of_all_together():
    assert told(spread_errors(120)) == ["error_ratio_overall"]
    assert told(spread_errors(1000)) == []


def test_one_bad_target_explains_the_whole():
    times = steady(10, 0, 200)
    place = np.arange(len(times))
    bad = (times > 120) & np.isin(place % 15, (0, 5))
    status = [503 if one else 200 for one in bad]
    batch = rows(times, target=[f"t{i % 5}" for i in place], status=status)
    changes = [c for c in changes_of(batch, ready=["error_ratio_siblings"]) if c.state == "firing"]
    assert [c.labels["alertname"] for c in changes if not c.inhibited_by] == ["error_ratio_anomaly"]
    explained = {c.labels["alertname"] for c in changes if c.inhibited_by}  # two 5xx on end make http_5xx pending
    assert explained - {"error_ratio_anomaly"} == {"error_ratio_overall", "error_ratio_siblings"}


@pytest.mark.parametrize(("errors", "expected"), [(1, []), (2, []), (3, ["error_ratio_anomaly"])])
def test_one_error_of_few_requests_is_no_trend(errors, expected):
    times = np.arange(0, 600, 10) + 0.5
    status = [200] * 50 + [503, 200] * errors + [200] * (10 - 2 * errors)
    assert told(rows(times, origin="probe", status=status)) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, ["http_429"]), (404, ["http_4xx"]), (503, ["http_5xx"]), (None, ["request_failed"])],
)
def test_answers_have_rules_of_their_own(status, expected):
    assert told(rows([0.1, 0.2, 0.3, 0.4], origin="probe", status=status)) == expected


@pytest.mark.parametrize(("status", "expected"), [(429, ["http_429"]), (404, []), (503, ["http_5xx"])])
def test_wrong_addresses_of_others_are_no_news(status, expected):
    assert told(rows([0.1, 0.2, 0.3, 0.4], origin="traffic", status=status)) == expected


# -- latency


def test_a_latency_that_grows_slowly_is_told():
    times = np.arange(0.1, 560, 0.5)
    usual = 0.05 * (1 + 0.3 * np.sin(times * 1.7))
    drift = 1 + 2 * np.clip((times - 240) / 300, 0, 1)
    assert told(rows(times, origin="probe", duration=usual)) == []
    assert told(rows(times, origin="probe", duration=usual * drift)) == ["latency_p95_anomaly"]


PHASES = ("resolve_seconds", "connect_seconds", "tls_seconds", "wait_seconds", "transfer_seconds")


def slow_phase(phase, seconds=160):
    usual = dict(zip(PHASES, (0.002, 0.004, 0.012, 0.030, 0.002), strict=True))
    phases = {name: [value] * 120 + [value] * (seconds - 120) for name, value in usual.items()}
    if phase:
        phases[phase][120:] = [usual[phase] + 0.048] * (seconds - 120)
    duration = np.sum(list(phases.values()), axis=0)
    return rows(np.arange(seconds) + 0.5, origin="probe", duration=duration, **phases)


@pytest.mark.parametrize("phase", PHASES)
def test_the_phase_that_moved_is_named(phase):
    firing = next(change for change in changes_of(slow_phase(phase)) if change.state == "firing")
    assert firing.labels["alertname"] == "latency_p95_anomaly"
    assert firing.phase == phase.partition("_")[0] and firing.contributions == {firing.phase: 1.0}


def test_the_sentence_says_how_far_it_moved():
    firing = next(change for change in changes_of(slow_phase("tls_seconds")) if change.state == "firing")
    assert firing.summary.endswith("; TLS handshake 4.7x slower: 13 -> 60 ms")
    assert changes_of(slow_phase(None)) == []


def test_usual_phases_are_kept_while_it_fires():
    changes = changes_of(slow_phase("tls_seconds", seconds=420), rows(np.arange(420, 500) + 0.5, origin="probe"))
    assert "13 -> 60 ms" in changes[1].summary and changes[-1].state == "resolved" and changes[-1].phase == ""


@pytest.mark.parametrize(("slow", "expected"), [(3, []), (4, ["latency_p95_anomaly"])])
def test_three_slow_answers_of_twelve_are_no_p95(slow, expected):
    times = np.arange(0.5, 600, 5)
    duration = [0.05] * 100 + [0.5, 0.05] * slow + [0.05] * (20 - 2 * slow)
    assert told(rows(times, duration=duration)) == expected


def test_few_requests_are_not_judged():
    slow = rows(np.arange(600, 900, 20) + 0.5, duration=5.0)
    assert told(rows(np.arange(0, 600, 5) + 0.5), slow) == ["latency_p95_anomaly"]
    assert told(rows(np.arange(0, 600, 20) + 0.5), slow) == []


def test_errors_that_are_usual_are_no_alert_where_requests_are_few():
    chance, names = SignificanceTest(ChanceParams()), ("span_error_count", "span_count")

    def window(end, errors):
        series = (SeriesKey("a", origin="traffic"),)
        return FeatureTable("requests", end * NS_PER_SECOND, series, names, np.array([[errors], [12.0]]))

    assert chance.holds(window(0, 4.0)).tolist() == [True]
    for end in range(300):
        chance.learn(window(end, float(end % 3 == 0)), np.array([True]), np.zeros(0, bool))
    assert [chance.holds(window(300, errors)).tolist() for errors in (6.0, 8.0)] == [[False], [True]]


def test_without_phases_none_is_named():
    slow = rows(np.arange(160) + 0.5, origin="probe", duration=[0.05] * 120 + [0.1] * 40)
    firing = next(change for change in changes_of(slow) if change.state == "firing")
    assert firing.phase == "" and firing.contributions == {"duration_p95_seconds": 1.0}
    assert "slower" not in firing.summary and "mainly because" not in firing.summary


def six_targets(slow):
    times = np.arange(0, 200, 1 / 6) + 0.001
    place = np.arange(len(times)) % 6
    usual = 0.02 * (1 + place)
    duration = np.where((times > 120) & np.isin(place, slow), usual + 0.2, usual)
    return rows(times, origin="probe", target=[f"t{i}" for i in place], duration=duration)


def test_one_slow_target_is_one_alert_with_every_latency_rule_on():
    every = [name for name in AVAILABLE_RULES if name.startswith("latency")]
    changes = [c for c in changes_of(six_targets([2]), ready=every) if c.state == "firing"]
    assert [(c.labels["alertname"], c.labels["target"]) for c in changes if not c.inhibited_by] == [
        ("latency_p95_anomaly", "t2")
    ]
    assert {c.labels["alertname"] for c in changes} == {"latency_p95_anomaly", *every}


def test_siblings_are_quiet_when_all_are_slow_or_too_few():
    for slow, expected in (([3], 1), (range(6), 0)):
        changes = changes_of(six_targets(list(slow)), ready=["latency_siblings"])
        assert (
            len([c for c in changes if c.labels["alertname"] == "latency_siblings" and c.state == "firing"]) == expected
        )


# -- objectives

SLO = [name for name in AVAILABLE_RULES if name.startswith("slo")]


def minutes(good, bad, share, rate_per_minute=60):
    """Requests of so many good minutes, then bad ones in which a share is answered 503, spread evenly."""
    count, each = (good + bad) * rate_per_minute, 60 / rate_per_minute
    times = np.arange(count) * each + 0.5
    place = np.arange(count)
    failing = (times > good * 60) & (np.floor((place + 1) * share) > np.floor(place * share))
    return rows(times, target="shop", status=[503 if one else 200 for one in failing])


def burning(batch, **options):
    """Objectives burn over minutes: windows of a minute make the streams short."""
    changes = changes_of(batch, ready=SLO, tick_seconds=60.0, span_ticks=1, **options)
    return [c.labels["alertname"] for c in changes if c.state == "firing" and "slo" in c.labels["alertname"]]


@pytest.mark.parametrize(
    ("good", "bad", "share", "expected"),
    [
        (80, 20, 0.0, []),
        (80, 20, 0.01, []),  # ten times the budget for a third of an hour: 3.3 of the hour
        (80, 20, 0.2, ["slo_burn_1h"]),
        (30, 20, 0.2, []),  # not enough history
        (420, 90, 0.03, ["slo_burn_1h", "slo_burn_6h"]),
        (1500, 300, 0.016, ["slo_burn_1h", "slo_burn_6h", "slo_burn_1d"]),
        (2800, 1600, 0.0028, ["slo_burn_3d"]),
    ],
    ids=["good", "slow burn", "fast burn", "young", "6 h", "a day", "3 days"],
)
def test_burn_rates(good, bad, share, expected):
    fired = burning(minutes(good, bad, share, rate_per_minute=60 if good < 1000 else 20))
    assert list(dict.fromkeys(fired)) == expected or sorted(set(fired)) == sorted(expected)


def test_little_traffic_burns_nothing():
    assert burning(minutes(80, 20, 0.5, rate_per_minute=1)) == []


def test_an_objective_of_a_target_is_judged_by_itself():
    changes = changes_of(
        minutes(80, 20, 0.2), ready=SLO[:1], tick_seconds=60.0, span_ticks=1, objective_targets=("shop",)
    )
    fired = [c.labels["target"] for c in changes if c.state == "firing" and c.labels["alertname"] == "slo_burn_1h"]
    assert fired == ["*", "shop"]


# -- names


def test_ready_rules_are_written_out_and_a_rule_of_ones_own_stays():
    own = msgspec.structs.replace(AVAILABLE_RULES["slo_burn_1h"], threshold=10.0)
    params = PipelineParams(feature_rules=(own,), enable=("slo_burn_1h", "slo_burn_6h"))
    assert params.feature_rules == (own, AVAILABLE_RULES["slo_burn_6h"]) and params.enable == ()


def test_an_unknown_name_is_told_with_those_that_exist():
    with pytest.raises(ConfigError, match=r"enable\[1\]: expected one of latency_mean_anomaly, .* got 'x'"):
        PipelineParams(enable=("slo_burn_1h", "x"))
