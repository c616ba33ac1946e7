"""Each anomalous verdict says why: as columns, and as a sentence."""

from __future__ import annotations

import json
import re

import msgspec
import numpy as np
import pandas as pd
import pytest

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.features.params import WindowParams
from aiops_nb.frames.build import alerts_frame, scores_frame
from aiops_nb.monitor.step_store import size_bytes
from aiops_nb.report.export import export_tables
from aiops_nb.rules.feature.params import FeatureRuleParams
from aiops_nb.session.watch import from_frame
from tests.paths import ROOT

SLOW_FROM = 150
PHASES = {"resolve": 0.002, "connect": 0.004, "tls": 0.012, "wait": 0.030, "transfer": 0.002}


def probes(seconds: int = 200, slow: str = "tls") -> pd.DataFrame:
    """Two targets a second; from SLOW_FROM on one phase of `a` takes 250 ms more."""
    random, rows = np.random.default_rng(0), []
    for second in range(seconds):
        for target in "ab":
            phases = {name: usual * random.uniform(0.9, 1.1) for name, usual in PHASES.items()}
            if target == "a" and second >= SLOW_FROM:
                phases[slow] += 0.25
            parts = {f"{name}_seconds": value for name, value in phases.items()}
            when = pd.Timestamp("2026-05-01", tz="UTC") + pd.Timedelta(second + 0.5, "s")
            rows.append({"time": when, "target": target, "duration_seconds": sum(phases.values()), **parts})
    return pd.DataFrame(rows)


def test_a_verdict_says_the_phase_and_the_same_as_the_alert() -> None:
    monitor = from_frame(probes(), time="time", constants={"origin": "probe"})
    scores, alert = monitor.scores(), monitor.alerts().iloc[0]
    strange = scores[scores.is_anomaly]
    assert len(strange) and set(strange.target) == {"a"}
    assert scores[~scores.is_anomaly][["contributions", "phase", "summary"]].isna().all(axis=None)
    assert set(strange.phase.iloc[5:]) == {"tls"}
    first = strange[(strange.alertname == alert.alertname) & (strange.time == alert.starts_at)].iloc[0]
    assert (first.contributions, first.phase, first.summary) == (alert.contributions, alert.phase, alert.summary)
    assert json.loads(first.contributions) == {"tls": 1.0}
    assert first.summary.startswith("a: p95 latency ")
    assert re.search(r"; TLS handshake \d+x slower: 1\d -> 2\d\d ms$", first.summary)
    assert set(monitor.evidence(alert).phase.dropna()) == {"tls"}


def test_a_replay_says_the_same(tmp_path) -> None:
    import aiops_nb

    monitor = from_frame(probes(), time="time", constants={"origin": "probe"}, record=tmp_path / "r")
    again = aiops_nb.open_recording(tmp_path / "r").scores()
    assert again.summary.notna().any()
    pd.testing.assert_frame_equal(again, monitor.scores())


@pytest.mark.parametrize(("format", "read"), [("parquet", pd.read_parquet), ("csv", pd.read_csv)])
def test_exports_carry_the_reasons(tmp_path, format: str, read) -> None:
    monitor = from_frame(probes(), time="time", constants={"origin": "probe"})
    export_tables(monitor, tmp_path, format=format, tables=["scores", "alerts"])
    scores, alerts = (read(tmp_path / f"{name}.{format}") for name in ("scores", "alerts"))
    told = scores[scores.is_anomaly.astype(bool)]
    assert told.summary.str.contains("TLS handshake").any() and scores.phase.isna().any()
    assert json.loads(told.contributions.iloc[-1]) == {"tls": 1.0} == json.loads(alerts.contributions.iloc[0])


@pytest.mark.parametrize("table", ["scores", "alerts"])
def test_the_docs_list_each_column(table: str) -> None:
    text = (ROOT / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
    section = text.partition(f"## {table}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    frame = scores_frame([]) if table == "scores" else alerts_frame([])
    assert re.findall(r"`(\w+)`", " ".join(cells)) == list(frame.columns)


def steps_of(rule: dict, values: dict[str, list[float]]) -> list[Step]:
    """Steps of one rule over one metric of some targets, a value a second."""
    params = PipelineParams(
        window=WindowParams(span_ticks=1), row_rules=(), feature_rules=(msgspec.convert(rule, FeatureRuleParams),)
    )
    rows = sorted((at + 0.5, target, value) for target, all_of in values.items() for at, value in enumerate(all_of))
    times, targets, numbers = zip(*rows, strict=True)
    columns = {"time": (np.array(times) * NS_PER_SECOND).astype(np.int64), "target": targets}
    batch = make_batch("samples", "test", {**columns, "metric": ["memory_ratio"] * len(rows), "value": numbers})
    return [Pipeline(params).push(Item(0, "samples", "test", batch))]


RULE = {"alertname": "odd", "table": "samples", "feature": "value", "hold": {"for_seconds": 0}}


def test_a_detector_of_parts_tells_its_parts() -> None:
    noise = np.random.default_rng(2).normal(0.5, 0.01, 400)
    noise[390] = 0.9
    for detector, parts in (
        ("faults", {"value", "change", "time of day", "new value", "recent level"}),
        ("half_space_trees", {"value", "change"}),
        ("default", {"shape", "new value", "value", "change", "time of day"}),
    ):
        steps = steps_of(RULE | {"threshold": 40, "detector": {"type": detector}}, {"db": noise.tolist()})
        scores = scores_frame(steps)
        told = scores[scores.is_anomaly].set_index("time").iloc[-1]
        shares = json.loads(told.contributions)
        assert set(shares) <= parts and len(shares) > 1, detector
        assert sum(shares.values()) == pytest.approx(1.0)
        above_all = max(shares, key=lambda name: shares[name])
        assert f"mainly because of the {above_all} ({100 * shares[above_all]:.0f} %)" in told.summary
        assert told.phase is None


def test_a_detector_of_one_reason_tells_its_feature() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.01, 200)
    values[150:] = 0.9
    scores = scores_frame(steps_of(RULE | {"threshold": 8}, {"db": values.tolist()}))
    told = scores[scores.is_anomaly].iloc[0]
    assert json.loads(told.contributions) == {"value": 1.0}
    assert told.summary.startswith("db: memory 90 % (expected 50") and "mainly" not in told.summary


def test_growth_and_cusum_add_what_they_know() -> None:
    rising = (0.5 + 0.001 * np.arange(300)).tolist()
    growth = RULE | {"threshold": 40, "detector": {"type": "growth", "windows_seconds": [120]}}
    scores = scores_frame(steps_of(growth, {"db": rising, "web": [0.5] * 300}))
    told = scores[scores.is_anomaly]
    assert set(told.target) == {"db"} and told.summary.str.contains("rising 360 points an hour, full in").all()
    random = np.random.default_rng(0)
    shifted = np.concatenate([random.normal(0.5, 0.01, 200), random.normal(0.54, 0.01, 40)]).tolist()
    scores = scores_frame(steps_of(RULE | {"threshold": 45, "detector": {"type": "cusum"}}, {"db": shifted}))
    assert scores[scores.is_anomaly].summary.str.contains("changing since 1970-01-01T00:03:2").any()


def test_reasons_count_as_memory_and_nothing_is_asked_without_an_anomaly() -> None:
    quiet = steps_of(RULE | {"threshold": 8}, {"db": [0.5] * 90})[0]
    assert all(part.reasons is None for tick in quiet.ticks for part in tick.scored)
    loud = steps_of(RULE | {"threshold": 8}, {"db": [0.5] * 80 + [0.9] * 10})[0]
    with_reasons = [part for tick in loud.ticks for part in tick.scored if part.reasons is not None]
    assert len(with_reasons) >= 8 and all(part.reasons.nbytes >= 8 for part in with_reasons)
    assert size_bytes(loud) > size_bytes(quiet)
