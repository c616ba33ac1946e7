"""A recording of format 2, made before the keys of rules and the shape of commands were renamed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest

from aiops_nb.core.earlier import upgrade_command, upgrade_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.types import AlertChange, Item
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.record.reader import RecordingReader
from tests.paths import ROOT

FORMAT_2 = ROOT / "tests" / "data" / "format2"
RENAMED_DETECTORS = {"together": "grouping"}


def items() -> Iterator[Item]:
    for item in RecordingReader(FORMAT_2).joined_items():
        if item.table == "control":
            upgraded = [
                json.dumps(upgrade_command(json.loads(body))) if body else None
                for body in item.batch.column("body").to_pylist()
            ]
            place = item.batch.schema.get_field_index("body")
            batch = item.batch.set_column(place, "body", pa.array(upgraded, item.batch.column("body").type))
            item = Item(item.seq, item.table, item.source, batch)
        yield item


def told(change: AlertChange) -> dict[str, object]:
    numbers = {name: repr(getattr(change, name)) for name in ("value", "score", "threshold")}
    times = {name: getattr(change, name) for name in ("time_ns", "pending_at_ns", "starts_at_ns", "ends_at_ns")}
    return (
        {"state": change.state, "labels": dict(change.labels), "inhibited": bool(change.inhibited_by)} | times | numbers
    )


def test_the_same_alerts_come_but_for_the_renamed_detector():
    pipeline = Pipeline()
    changes = [change for item in items() for change in pipeline.push(item).changes]
    then = [json.loads(line) for line in (FORMAT_2 / "alerts.jsonl").read_text().splitlines()]
    for line in then:
        line["labels"]["detector"] = RENAMED_DETECTORS.get(line["labels"]["detector"], line["labels"]["detector"])
        line["inhibited"] = bool(line.pop("inhibited_by"))
    assert [told(change) for change in changes if not change.outcome] == then
    assert {"firing", "resolved", "pending"} == {line["state"] for line in then}
    assert pipeline.params.grouping.min_ratio == 0.6
    assert "http_4xx" not in [rule.alertname for rule in pipeline.params.row_rules]


@pytest.mark.parametrize(
    "body",
    [{}, {"stop": False}, {"stop": True, "source_ended": "a"}, {"go": True}, {"stop": True, "history": {}}],
    ids=str,
)
def test_what_is_no_command_of_format_2_is_refused(body):
    with pytest.raises(ConfigError, match="expected one of start, set_threshold, source_ended, stop"):
        upgrade_command(body)


def test_every_renamed_key_is_translated_and_no_name_of_a_feature_is():
    rule = {
        "support": {"support": 1.0},
        "needs": {"needs": 2.0},
        "backed_by": ["clean"],
        "clean": [],
        "beyond_chance": {"most_chance": 1e-6, "min_usual_ratio": 0.01, "hits": "support"},
        "explained_by": ["together"],
    }
    upgraded = upgrade_config({"pipeline": {"feature_rules": [rule], "client_rules": [{"min_times_usual": 5.0}]}})
    assert upgraded["pipeline"] == {
        "feature_rules": [
            {
                "min_support": {"support": 1.0},
                "min_samples": {"needs": 2.0},
                "corroborated_by": ["clean"],
                "preprocess": [],
                "significance": {"max_probability": 1e-6, "min_baseline_ratio": 0.01, "hits": "support"},
                "components": ["together"],
            }
        ],
        "client_rules": [{"min_times_baseline": 5.0}],
    }
    assert upgrade_config(upgraded) == upgraded


def test_a_command_of_today_stays_as_it_is():
    body = {"type": "set_threshold", "alertname": "start", "threshold": 1.0}
    assert upgrade_command(body) is body
