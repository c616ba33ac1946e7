"""Sliders of thresholds: one for each rule; that of the selected rule is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets

from aiops_nb.core.types import RuleThreshold

LATENCY_ALERT = "latency_p95_anomaly"
MOST_SLIDERS = 8
WORDS = {
    "deviations": "threshold (deviations)",
    "min_times_baseline": "threshold (times the baseline)",
    "min_refused_hz": "threshold (refusals/s)",
    "max_variation_ratio": "threshold (variation of the period)",
}
TOOLTIPS = {
    "deviations": "Alert when latency is this many robust standard deviations above expected",
    "min_times_baseline": "Alert when there are this many times the baseline number of requests",
    "min_refused_hz": "Alert when this many requests per second of one client are refused",
    "max_variation_ratio": "Alert on a client whose period varies by at most this ratio (standard deviation / period)",
}
Move = Callable[[str, float], None]


class ThresholdSliders:
    """Sliders that are filled as rules are seen; each stays with its rule, so that a late message moves no other's.

    Parameters
    ----------
    move
        Called with the rule and its new threshold when a slider was moved.

    Examples
    --------
    >>> sliders = ThresholdSliders(lambda alertname, threshold: print(alertname, threshold))
    >>> sliders.offer(RuleThreshold(alertname="client_flood", name="min_times_baseline", value=5.0, least=1.0))
    >>> sliders.of["client_flood"].value = 8.0
    client_flood 8.0
    """

    def __init__(self, move: Move) -> None:
        self._move = move
        self.rule = ipywidgets.Dropdown(
            options=[], tooltip="Rule this slider controls", layout={"display": "none", "width": "190px"}
        )
        self.note = ipywidgets.Label(layout={"display": "none"})
        self.note.add_class("aiops-zone")
        self._initial: dict[str, float] = {}
        self.rule.observe(lambda change: self._show(change["new"]), "value")
        self._free = [_slider() for _ in range(MOST_SLIDERS)]
        self.of: dict[str, ipywidgets.FloatSlider] = {}
        self.widgets = (self.rule, *self._free, self.note)

    def offer(self, threshold: RuleThreshold) -> None:
        """Give a rule a slider, if it has none and one is left."""
        name = threshold.alertname
        if name in self.of or not self._free:
            return
        self.of[name] = slider = self._free.pop(0)
        _fill(slider, threshold)
        self._initial[name] = threshold.value
        slider.observe(lambda change: self._move(name, change["new"]), "value")
        chosen = self.rule.value or name
        self.rule.options = tuple(self.of)  # chooses the first
        self.rule.value = chosen
        self.rule.layout.display = None if len(self.of) > 1 else "none"
        self._show(chosen)

    def moved(self) -> dict[str, float]:
        """Values of the sliders that were moved, by rule."""
        return {name: slider.value for name, slider in self.of.items() if slider.value != self._initial[name]}

    def report(self, applied: Mapping[str, float]) -> None:
        """Say next to the slider whether its value is applied; `applied` are the thresholds in use, by rule."""
        name = self.rule.value
        if name is None:
            return
        wanted, initial = self.of[name].value, self._initial[name]
        now = applied.get(name, initial)
        if wanted != now:
            self.note.value = f"pending; current value: {now:g}"
        else:
            self.note.value = "" if now == initial else f"applied (was {initial:g})"
        self.note.layout.display = None if self.note.value else "none"

    def _show(self, alertname: str | None) -> None:
        for name, slider in self.of.items():
            slider.layout.display = None if name == alertname else "none"


def _slider() -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"display": "none", "flex": "1 1 340px", "min_width": "320px", "max_width": "430px"},
    )


def _fill(slider: ipywidgets.FloatSlider, threshold: RuleThreshold) -> None:
    """From a quarter to four times the present value, within the range of the rule."""
    now = threshold.value
    subject = "Latency alert" if threshold.alertname == LATENCY_ALERT else "Alert"
    # in one message: a page that gets the new range before the value moves the slider into it, and reports that
    with slider.hold_sync():
        slider.description = f"{subject} {WORDS[threshold.name]}"
        slider.tooltip = TOOLTIPS[threshold.name]
        slider.readout_format = ".1f" if now >= 2 else ".3f"
        slider.max = now * 4
        slider.step = now / 20
        slider.value = now
        slider.min = max(threshold.least, now / 4)
