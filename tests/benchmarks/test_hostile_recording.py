"""A sample of the sweep over damaged recordings: named or refused, and never the end of the process that reads."""

from __future__ import annotations

from benchmarks.hostile_recording import faults_in, sweep


def test_no_damage_is_a_fault_or_goes_unnoticed_in_a_sealed_file():
    counts = sweep(seconds=60.0, seed=7, most=6)
    assert faults_in(counts) == []
    assert {"requests/000000.parquet", "control/_000000.arrows (live)", "manifest.json"} <= counts.keys()
    assert sum(outcomes.total() for outcomes in counts.values()) > 80
