"""A host that sends no samples any more."""

from __future__ import annotations

from aiops_nb.alert.params import HoldParams
from aiops_nb.detect.silence import SilenceParams
from aiops_nb.rules.params import FeatureRuleParams

PULSE_METRIC = "cpu_ratio"  # what every host has

HOST_SILENCE = FeatureRuleParams(
    alertname="host_silence",
    table="samples",
    feature="silent_seconds",
    metrics=(PULSE_METRIC,),
    severity="error",
    threshold=1.0,
    # Long enough that all hosts of a source that is down are pending when the first would fire, and one alert is told.
    hold=HoldParams(for_seconds=5.0, keep_firing_for_seconds=10.0),
    # Longer than the empty windows that are closed when a machine wakes up.
    detector=SilenceParams(min_silent_seconds=75.0),
)
