"""`for` and `keep_firing_for` against Prometheus itself: `promtool test rules` over random series.

Series have no gaps here: in Prometheus a gap ends an alert, with us it neither resolves nor resets (see docs/alerts).
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from itertools import product

import numpy as np
import pytest

from aiops_nb.alert.lifecycle import HoldParams, TickRule
from aiops_nb.core.types import NS_PER_SECOND

PROMTOOL = shutil.which("promtool")
MINUTE = 60
WINDOWS, SERIES = 48, 24
HOLDS = list(product((0, 1, 2, 5), (0, 1, 3, 7)))  # minutes


def random_series(seed=20261130):
    """(series, windows): runs of random lengths, so that every hold is reached, missed and just met."""
    draw = random.Random(seed)
    rows = []
    for _ in range(SERIES):
        row: list[bool] = []
        value = draw.random() < 0.5
        while len(row) < WINDOWS:
            row += [value] * draw.choice((1, 1, 2, 3, 4, 6, 9))
            value = not value
        rows.append(row[:WINDOWS])
    return np.array(rows)


def firing_after(hits, for_minutes, keep_minutes):
    """Numbers of the series that fire after each window, by our state machine."""
    hold = HoldParams(for_seconds=for_minutes * MINUTE, keep_firing_for_seconds=keep_minutes * MINUTE)
    rule, known, seen = TickRule(hold), np.ones(SERIES, np.bool_), []
    for window in range(WINDOWS):
        rule.tick(hits[:, window], known, (window + 1) * MINUTE * NS_PER_SECOND)
        seen.append(np.flatnonzero(rule.firing(SERIES)).tolist())
    return seen


@pytest.mark.skipif(PROMTOOL is None, reason="NOT TESTED: promtool, which is not installed")
def test_the_same_series_fire_after_every_window_as_in_prometheus(tmp_path):
    hits = random_series()
    rules, expected = [], []
    for for_minutes, keep_minutes in HOLDS:
        name = f"for_{for_minutes}_keep_{keep_minutes}"
        rules.append({"alert": name, "expr": "x > 0", "for": f"{for_minutes}m", "keep_firing_for": f"{keep_minutes}m"})
        for window, firing in enumerate(firing_after(hits, for_minutes, keep_minutes)):
            alerts = [{"exp_labels": {"series": str(one)}} for one in firing]
            expected.append({"eval_time": f"{window}m", "alertname": name, "exp_alerts": alerts})
    series = [
        {"series": f'x{{series="{number}"}}', "values": " ".join(str(int(hit)) for hit in row)}
        for number, row in enumerate(hits)
    ]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "g", "interval": "1m", "rules": rules}]}))
    cases = {"interval": "1m", "input_series": series, "alert_rule_test": expected}
    (tmp_path / "tests.json").write_text(
        json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": [cases]})
    )
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", "tests.json"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:2000]
    assert any(one["exp_alerts"] for one in expected)
