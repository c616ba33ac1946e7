"""Names of other libraries' estimators, and the errors that they raise."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

MAX_MESSAGE_CHARACTERS = 300

_log = logging.getLogger(__name__)


def snake(estimator: Any) -> str:
    """Name of an estimator's class, as detectors are named."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(estimator).__name__).lower()


def last_step(estimator: Any) -> Any:
    """The step of a pipeline that scores; the estimator itself, if it is not a pipeline."""
    steps = getattr(estimator, "steps", None)
    if isinstance(steps, Mapping) and steps:  # river
        return list(steps.values())[-1]
    return steps[-1][1] if isinstance(steps, list) and steps else estimator


class Troubles:
    r"""What an estimator raises now, by what it was asked; a repeated message is logged once.

    Examples
    --------
    >>> troubles = Troubles("OneClassSVM")
    >>> troubles.meet("scoring", "gives no scores", ValueError("too\nfew"))
    >>> troubles.message
    'OneClassSVM gives no scores: ValueError: too few'
    >>> troubles.over("scoring")
    >>> troubles.message
    ''
    """

    def __init__(self, kind: str) -> None:
        self._kind, self._now, self._logged = kind, dict[str, str](), dict[str, str]()

    @property
    def message(self) -> str:
        """All of it in one line; empty if there is none."""
        return "; ".join(self._now.values())

    def meet(self, asked: str, what: str, problem: Exception) -> None:
        """It raised when it was asked for this."""
        line = " ".join(str(problem).split())[:MAX_MESSAGE_CHARACTERS]
        message = f"{self._kind} {what}: {type(problem).__name__}: {line}"
        if message != self._logged.get(asked):
            _log.warning("%s", message)
        self._now[asked] = self._logged[asked] = message

    def over(self, asked: str) -> None:
        """It did what it was asked for."""
        self._now.pop(asked, None)
