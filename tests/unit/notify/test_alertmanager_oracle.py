"""A sample of `benchmarks/alertmanager_oracle.py`: Debian's Alertmanager notifies as we do, but for named choices."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.alertmanager_oracle import CHOICES, PROGRAM, compare

pytestmark = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")


def test_random_sequences_notify_as_in_alertmanager() -> None:
    counts, unnamed = compare(60, seed=3, seconds=6.0)
    assert not unnamed, "\n".join(unnamed)
    judged = counts["sequences"] - counts["not judged: this machine was too busy"]
    assert counts["equal"] >= judged / 2
    named = {name.removeprefix("differs first by: ") for name in counts if name.startswith("differs first by: ")}
    assert named <= CHOICES.keys()
