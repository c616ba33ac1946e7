"""What the tests of the synthetic stream share: rows by span, and the same stream without its faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aiops_nb.collect.synthetic import FLAT, Fault, draw

START_NS = 1_780_000_000 * 10**9
SECONDS = 60
# One type each, whether there are nulls or not.
NULLABLE = {"status_code": "Int16", "response_bytes": "Int64", "error_type": "object", "error_detail": "object"}
PLAIN: dict[str, Any] = {
    "seed": 11,
    "rate_hz": 100,
    "error_ratio": 0.0,
    "start_ns": START_NS,
    "shape": FLAT,
    "hosts": 2,
}


def drawn(*faults: Fault, seconds: int = SECONDS, **options: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Requests and samples of a flat stream of three services and two hosts."""
    stream = draw(seconds, faults=faults, **{**PLAIN, **options})
    return timed(stream.requests()), timed(stream.samples())


def timed(frame: pd.DataFrame) -> pd.DataFrame:
    """With the seconds since the start."""
    at = (frame["time"].astype("int64") - START_NS) / 1e9
    words = {name: frame[name].astype(str) for name in ("target", "method", "metric") if name in frame}
    nullable = {name: frame[name].astype(kind) for name, kind in NULLABLE.items() if name in frame}
    return frame.assign(at=at, **words, **nullable)


def inside(frame: pd.DataFrame, fault: Fault, target: str | None = None) -> np.ndarray:
    """Which rows lie in the fault, of one target if it is named."""
    hit = (frame["at"] >= fault.start_seconds) & (frame["at"] < fault.start_seconds + fault.length_seconds)
    return (hit & (frame["target"] == target if target is not None else True)).to_numpy()


def pivoted(samples: pd.DataFrame) -> pd.DataFrame:
    """One row per host and second, a column per metric."""
    return samples.pivot(index=["at", "target"], columns="metric", values="value").reset_index()
