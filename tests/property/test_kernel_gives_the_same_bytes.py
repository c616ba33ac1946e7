"""Features, scores and alerts with the compiled kernel are those without it, to the bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from aiops_nb import kernel
from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.params import WindowParams
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from tests.property.digests import digest_of
from tests.property.streams import START_NS, random_stream

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason="no compiled kernel is installed")
SHORT = WindowParams(span_ticks=12, horizons_seconds=(20.0,))


def troubled_probes(targets, seconds, seed):
    """Probes at 1 Hz past every warm-up: slow ones, 5xx, timeouts, silence, a gap, and a level that stays."""
    rng = np.random.default_rng(seed)
    baseline = np.exp(rng.normal(-3, 0.4, targets))
    names = pa.array([f"t{i}" for i in range(targets)])
    for second in range(seconds):
        at = second / seconds
        rows = np.flatnonzero(rng.random(targets) < (0.0 if 0.55 < at < 0.6 else 0.9))
        rows = rows[rows != 3] if 0.3 < at < 0.45 else rows
        if len(rows):
            yield Item(second, "requests", "web", probes_at(rng, second, at, rows, baseline[rows], names))


def probes_at(rng, second, at, rows, baseline, names):
    duration = baseline * rng.lognormal(0, 0.25, len(rows)) * np.where((rows % 7 == 1) & (0.35 < at < 0.42), 6.0, 1.0)
    duration = duration * np.where((rows % 11 == 2) & (at > 0.7), 5.0, 1.0)
    status = np.where((rows % 5 == 2) & (0.45 < at < 0.5), 500, np.where(rng.random(len(rows)) < 0.003, 503, 200))
    failed = (rows % 5 == 4) & (0.5 < at < 0.55)
    columns = {
        "time": START_NS + second * NS_PER_SECOND + np.sort(rng.integers(0, NS_PER_SECOND, len(rows))),
        "origin": "probe" if second % 2 else "traffic",
        "target": pa.DictionaryArray.from_arrays(rows.astype(np.int32), names),
        "status_code": [None if bad else int(one) for bad, one in zip(failed, status, strict=True)],
        "error_type": ["timeout" if bad else None for bad in failed],
        "duration_seconds": np.where(rng.random(len(rows)) < 0.02, np.nan, duration),
    }
    if second > 20:
        columns |= {"wait_seconds": duration * 0.6, "tls_seconds": duration * 0.2}
        columns |= {"certificate_expires": np.full(len(rows), START_NS + 10 * 86_400 * NS_PER_SECOND)}
    return make_batch("requests", "web", columns)


STREAMS = {
    "troubled": lambda: troubled_probes(12, 150, 1),
    "random": lambda: random_stream(3, seconds=60),
}
PARAMS = {
    "default": PipelineParams(),
    "all rules": PipelineParams(enable=tuple(AVAILABLE_RULES), window=SHORT),
}


@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize("stream", STREAMS)
def test_with_and_without_the_kernel(monkeypatch: pytest.MonkeyPatch, stream: str, params: str) -> None:
    compiled, _ = digest_of(STREAMS[stream](), PARAMS[params])
    monkeypatch.setattr(kernel, "compiled", None)
    plain, _ = digest_of(STREAMS[stream](), PARAMS[params])
    assert compiled.result() == plain.result()
    assert plain.alert_count > 0
