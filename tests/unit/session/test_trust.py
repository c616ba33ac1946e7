"""Rules of a recording that name classes of other libraries run only if its reader trusts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aiops_nb import from_synthetic, open_recording, replay
from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import control_batch
from aiops_nb.record.reader import RecordingReader
from tests.record_rows import record

DETECTOR = {"type": "estimator", "estimator": "sklearn.ensemble.IsolationForest"}
RULE = {"alertname": "odd", "feature": "rate_hz", "features": ["error_ratio"], "threshold": 60.0, "detector": DETECTOR}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("estimator") / "r"
    from_synthetic(20, record=path, targets=1, config={"pipeline": {"feature_rules": [RULE]}})
    return path


def test_it_is_refused_with_the_remedy(recording: Path) -> None:
    expected = r"the estimator 'sklearn\.ensemble\.IsolationForest'; .*trust=True"
    opened = open_recording(recording)
    assert len(opened.requests()) > 0, "rows are no rules"
    for ask in (opened.alerts, opened.scores, opened.warnings, lambda: opened.config, lambda: replay(recording)):
        with pytest.raises(RecordingError, match=expected):
            ask()


def test_trusted_it_runs(recording: Path) -> None:
    opened = open_recording(recording, trust=True)
    assert opened.config.pipeline.feature_rules[-1].alertname == "odd"
    assert replay(opened).alerts().equals(opened.alerts())


HIDDEN = [
    '{"type": "start", "pipeline": {"feature_rules": [{"detector": {"type": "estim\\u0061tor"}}]}}',
    '{"start": {"pipeline": {"feature_rules": [{"detector": {"estimator": "a.B", "type": "estimator"}}]}}}',
    '{"type": "start", "pipeline": {"x": [[{"y": {"type": "estimator"}}]]}}',
    '{"type": "start", "pipeline": {"d": {"type": "ewma", "type": "estimator"}}}',
]


@pytest.mark.parametrize("body", HIDDEN)
def test_no_spelling_hides_it(tmp_path: Path, body: str) -> None:
    record(tmp_path, [control_batch("monitor", "command", 1, body)])
    with pytest.raises(RecordingError, match="a rule runs the estimator"):
        list(RecordingReader(tmp_path).items())


def test_the_pipeline_reads_what_was_checked(tmp_path: Path) -> None:
    body = '{"type": "start", "pipeline": {"d": {"type": "estimator", "type": "ewma"}}}'
    record(tmp_path, [control_batch("monitor", "command", 1, body)])
    (item,) = RecordingReader(tmp_path).items()
    (read,) = item.batch.column("body").to_pylist()
    assert json.loads(read) == {"type": "start", "pipeline": {"d": {"type": "ewma"}}}
    assert read.count('"type"') == 2, "of two equal keys one is left"
