"""Sliders of thresholds: one for each rule; that of the selected rule is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets

from aiops_nb.core.types import RuleThreshold
from aiops_nb.view.data.store import LATENCY_ALERT

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
Effect = Callable[[str, float, float], str]


class ThresholdSliders:
    """Sliders that are filled as rules are seen; each stays with its rule, so that a late message moves no other's.

    A value is applied by a button, and taken back by another.

    Parameters
    ----------
    move
        Called with the rule and its new threshold when it is applied or taken back.

    Examples
    --------
    >>> sliders = ThresholdSliders(lambda alertname, threshold: print(alertname, threshold))
    >>> sliders.offer(RuleThreshold(alertname="client_flood", name="min_times_baseline", value=5.0, least=1.0))
    >>> sliders.of["client_flood"].value = 8.0
    >>> sliders.apply.click()
    client_flood 8.0
    >>> sliders.undo.click()
    client_flood 5.0
    """

    def __init__(self, move: Move) -> None:
        self._move = move
        self.rule = ipywidgets.Dropdown(
            options=[], tooltip="Rule this slider controls", layout={"display": "none", "width": "190px"}
        )
        self.note = ipywidgets.Label(layout={"display": "none"})
        self.note.add_class("aiops-zone")
        self._initial: dict[str, float] = {}
        self._sent: dict[str, float] = {}
        self._before: dict[str, list[float]] = {}
        self.apply = _button("Apply", "From here on; recorded, and can be undone", self._apply)
        self.undo = _button("Undo", "Back to the threshold before", self._take_back)
        self.rule.observe(lambda change: self._show(change["new"]), "value")
        self._free = [_slider() for _ in range(MOST_SLIDERS)]
        self.of: dict[str, ipywidgets.FloatSlider] = {}
        self.widgets = (self.rule, *self._free, self.apply, self.note, self.undo)

    def offer(self, threshold: RuleThreshold) -> None:
        """Give a rule a slider, if it has none and one is left."""
        name = threshold.alertname
        if name in self.of or not self._free:
            return
        self.of[name] = slider = self._free.pop(0)
        _fill(slider, threshold)
        self._initial[name] = self._sent[name] = threshold.value
        self._before[name] = []
        slider.observe(lambda _change: self._offer_buttons(), "value")
        chosen = self.rule.value or name
        self.rule.options = tuple(self.of)  # chooses the first
        self.rule.value = chosen
        self.rule.layout.display = None if len(self.of) > 1 else "none"
        self._show(chosen)

    def moved(self) -> dict[str, float]:
        """The thresholds that were applied and differ from the configured ones, by rule."""
        return {name: sent for name, sent in self._sent.items() if sent != self._initial[name]}

    def report(self, applied: Mapping[str, float], effect: Effect = lambda _name, _wanted, _now: "") -> None:
        """Say next to the slider whether its value is applied, and before that what it would have changed.

        Parameters
        ----------
        applied
            The thresholds in use, by rule.
        effect
            What another threshold of a rule would have made of the time shown, next to the present one; or nothing.
        """
        name = self.rule.value
        if name is None:
            return
        wanted, initial, sent = self.of[name].value, self._initial[name], self._sent[name]
        now = applied.get(name, initial)
        if wanted != sent:
            text = effect(name, wanted, now) or f"not applied; current value: {now:g}"
        elif sent != now:
            text = f"pending; current value: {now:g}"
        else:
            text = "" if now == initial else f"applied (was {initial:g})"
        self.note.value = text
        self.note.layout.display = None if text else "none"
        self._offer_buttons()

    def _offer_buttons(self) -> None:
        name = self.rule.value
        differs = name is not None and self.of[name].value != self._sent[name]
        self.apply.layout.display = None if differs else "none"
        self.undo.layout.display = None if name is not None and self._before[name] and not differs else "none"

    def _apply(self) -> None:
        name = self.rule.value
        if name is not None and self.of[name].value != self._sent[name]:
            self._before[name].append(self._sent[name])
            self._send(name, self.of[name].value)

    def _take_back(self) -> None:
        name = self.rule.value
        if name is not None and self._before[name]:
            before = self._before[name].pop()
            self._send(name, before)
            self.of[name].value = before

    def _send(self, name: str, threshold: float) -> None:
        self._sent[name] = threshold
        self._move(name, threshold)
        self._offer_buttons()

    def _show(self, alertname: str | None) -> None:
        for name, slider in self.of.items():
            slider.layout.display = None if name == alertname else "none"


def _button(text: str, tooltip: str, act: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, tooltip=tooltip, layout={"width": "64px", "display": "none"})
    button.on_click(lambda _button: act())
    return button


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
