"""Sliders of thresholds: one for each rule, of which the chosen one is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets

from aiops_nb.core.types import RuleThreshold

LATENCY_ALERT = "latency_p95_anomaly"
MOST_SLIDERS = 8
WORDS = {
    "deviations": "from (deviations)",
    "min_times_baseline": "from (times the usual)",
    "min_refused_hz": "from (refusals/s)",
    "max_variation_ratio": "up to (variation of the period)",
}
TOOLTIPS = {
    "deviations": "how far from the expected latency, in robust standard deviations, an alert begins",
    "min_times_baseline": "how many times the usual number of requests an alert takes",
    "min_refused_hz": "how many refusals of one client a second an alert takes",
    "max_variation_ratio": "how regular a client must be: standard deviation of its period, as a share of it, at most",
}
Move = Callable[[str, float], None]


class ThresholdSliders:
    """Sliders that are filled as rules are seen; each stays with its rule, so that no late message moves another's.

    Parameters
    ----------
    move
        Called with the rule and its new threshold when somebody moved a slider.

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
            options=[], tooltip="the rule that the slider belongs to", layout={"display": "none", "width": "190px"}
        )
        self.note = ipywidgets.Label(layout={"display": "none"})
        self.note.add_class("aiops-zone")
        self._begun: dict[str, float] = {}
        self.rule.observe(lambda change: self._show(change["new"]), "value")
        self._free = [_slider() for _ in range(MOST_SLIDERS)]
        self.of: dict[str, ipywidgets.FloatSlider] = {}
        self.widgets = (self.rule, *self._free, self.note)

    def offer(self, threshold: RuleThreshold) -> None:
        """Give a rule its slider, if it has none and there is one left."""
        name = threshold.alertname
        if name in self.of or not self._free:
            return
        self.of[name] = slider = self._free.pop(0)
        _fill(slider, threshold)
        self._begun[name] = threshold.value
        slider.observe(lambda change: self._move(name, change["new"]), "value")
        chosen = self.rule.value or name
        self.rule.options = tuple(self.of)  # chooses the first
        self.rule.value = chosen
        self.rule.layout.display = None if len(self.of) > 1 else "none"
        self._show(chosen)

    def moved(self) -> dict[str, float]:
        """Where the sliders stand that somebody moved, by rule."""
        return {name: slider.value for name, slider in self.of.items() if slider.value != self._begun[name]}

    def tell(self, in_force: Mapping[str, float]) -> None:
        """Say beside the slider that is shown what its movement came to; `in_force` are thresholds by rule."""
        name = self.rule.value
        if name is None:
            return
        stands, began = self.of[name].value, self._begun[name]
        now = in_force.get(name, began)
        if stands != now:
            self.note.value = f"not in force yet: {now:g} is"
        else:
            self.note.value = "" if now == began else f"in force, was {began:g}"
        self.note.layout.display = None if self.note.value else "none"

    def _show(self, alertname: str | None) -> None:
        for name, slider in self.of.items():
            slider.layout.display = None if name == alertname else "none"


def _slider() -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"display": "none", "flex": "1 1 340px", "max_width": "430px"},
    )


def _fill(slider: ipywidgets.FloatSlider, threshold: RuleThreshold) -> None:
    """A quarter to four times where it stands, within the range of the rule."""
    now, what = threshold.value, "latency alert" if threshold.alertname == LATENCY_ALERT else "alert"
    # in one message: a page that hears of the new range before the value moves the slider into it, and says so
    with slider.hold_sync():
        slider.description, slider.tooltip = f"{what} {WORDS[threshold.name]}", TOOLTIPS[threshold.name]
        slider.readout_format = ".1f" if now >= 2 else ".3f"
        slider.max, slider.step = now * 4, now / 20
        slider.value, slider.min = now, max(threshold.least, now / 4)
