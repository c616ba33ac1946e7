"""Pause, step and speed of a replay."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import ipywidgets

SPEEDS = (0.5, 1, 2, 5, 10, 30, 60, 100, 300)


class PaceShape(Protocol):
    """How fast a replay goes."""

    @property
    def speed(self) -> float:
        """Times real time."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it waits."""
        ...

    def set_speed(self, speed: float) -> None:
        """Another speed."""
        ...

    def pause(self) -> None:
        """Wait."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def step(self) -> None:
        """Go on for about a second of recorded time."""
        ...


def pace_of(source: object) -> PaceShape | None:
    """The pace of a source; None where there is nothing to pause."""
    pace: PaceShape | None = getattr(source, "pace", None)
    return pace


class ReplayTools:
    """Buttons of a replay; hidden for everything else.

    Parameters
    ----------
    source
        A replay, or anything else.

    Examples
    --------
    >>> tools = ReplayTools(object())
    >>> tools.report(running=True)
    >>> tools.pause.layout.display
    'none'
    """

    def __init__(self, source: object) -> None:
        self._source = source
        self.pause = _button("Pause", "pause", "104px")
        self.step = _button("Step", "step-forward", "76px")
        self.step.tooltip = "Go on for about a second of recorded time"
        self.speed = ipywidgets.Dropdown(
            options=[(f"{speed:g} x", float(speed)) for speed in SPEEDS],
            tooltip="Speed of the replay, times real time",
            layout={"width": "84px", "display": "none"},
        )
        self.pause.on_click(lambda _button: self._toggle())
        self.step.on_click(lambda _button: self._act(lambda pace: pace.step()))
        self.speed.observe(lambda change: self._act(lambda pace: self._set_speed(pace, change["new"])), "value")
        self.widgets = (self.pause, self.step, self.speed)

    def report(self, *, running: bool) -> None:
        """Show the state of the replay; called by the pump."""
        pace = pace_of(self._source) if running else None
        for widget in self.widgets:
            widget.layout.display = "none" if pace is None else None
        if pace is None:
            return
        self.pause.description = "Resume" if pace.paused else "Pause"
        self.pause.icon = "play" if pace.paused else "pause"
        self.step.disabled = not pace.paused
        if self.speed.value != pace.speed:
            self._offer(pace.speed)

    def _offer(self, speed: float) -> None:
        speeds = sorted({*map(float, SPEEDS), speed})
        with self.speed.hold_sync():
            self.speed.options = [("fastest" if math.isinf(one) else f"{one:g} x", one) for one in speeds]
            self.speed.value = speed

    def _toggle(self) -> None:
        self._act(lambda pace: pace.resume() if pace.paused else pace.pause())

    @staticmethod
    def _set_speed(pace: PaceShape, speed: float) -> None:
        if speed and speed != pace.speed:
            pace.set_speed(speed)

    def _act(self, act: Callable[[PaceShape], None]) -> None:
        pace = pace_of(self._source)
        if pace is not None:
            act(pace)


def _button(text: str, icon: str, width: str) -> ipywidgets.Button:
    return ipywidgets.Button(description=text, icon=icon, layout={"width": width, "display": "none"})
