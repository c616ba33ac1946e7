"""The errors that aiops_nb raises, and checks of arguments that raise them.

::

    AiopsError
    ├── ConfigError (also a ValueError)     a value is wrong: where, expected, got
    ├── RecordingError                      no recording, or one that cannot be read or written
    │   └── FormatVersionError              written in a newer format
    ├── BatchError                          a record batch without one of the published schemas
    ├── MissingExtraError                   an optional dependency is absent
    ├── notify.DeliveryError                a send that may succeed later
    └── notify.RejectedError                a send that never will
"""

from __future__ import annotations

import difflib
import math
import traceback
from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard


def unknown(where: str, expected: str, got: Any, known: Iterable[str]) -> ConfigError:
    """What to say of a name that there is not: those that are near, else all there are."""
    names = list(known)
    near = difflib.get_close_matches(str(got), names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(names)}"
    return ConfigError(f"{where}: expected {expected}, got {got!r}; {hint}")


PACKAGE = Path(__file__).parents[1]


class AiopsError(Exception):
    """Base of every error that aiops_nb raises for a mistake that a user can mend.

    In a notebook it is the caller's line and the message, not the way through our code.

    Examples
    --------
    >>> ConfigError("interval_seconds: expected a number > 0, got -1")._render_traceback_()
    ['ConfigError: interval_seconds: expected a number > 0, got -1']
    """

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        caller = _caller(self)
        where = [f"line {caller.lineno}: {caller.line}"] if caller is not None else []
        return [*where, f"{type(self).__name__}: {self}"]


def _caller(problem: BaseException) -> traceback.FrameSummary | None:
    """The frame from which our code was first entered."""
    frames = traceback.extract_tb(problem.__traceback__)
    ours = [Path(frame.filename).is_relative_to(PACKAGE) for frame in frames]
    return frames[ours.index(True) - 1] if True in ours[1:] else None


class ConfigError(AiopsError, ValueError):
    """A value is wrong: the message says where, what was expected, and what came.

    A ValueError too: so msgspec adds the path, when one is raised by a struct within others.
    """

    @classmethod
    def at(cls, where: str, expected: str, got: Any) -> ConfigError:
        """Build the standard message.

        Examples
        --------
        >>> str(ConfigError.at("interval_seconds", "a number > 0", -1))
        'interval_seconds: expected a number > 0, got -1'
        """
        return cls(f"{where}: expected {expected}, got {got!r}")


class RecordingError(AiopsError):
    """A path is not a recording, or the recording cannot be read or written."""


class FormatVersionError(RecordingError):
    """A recording was written in a newer format than this version reads."""


class BatchError(AiopsError):
    """A record batch does not have one of the published schemas."""


class MissingExtraError(AiopsError):
    """An optional dependency is absent.

    Examples
    --------
    >>> str(MissingExtraError("reports", "report"))
    "reports need an extra: pip install 'aiops-nb[report]'"
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} need an extra: pip install 'aiops-nb[{extra}]'")


def positive(where: str, value: object) -> float:
    """A finite number above 0.

    Examples
    --------
    >>> positive("penalty", 3)
    3.0
    >>> positive("penalty", "3")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: penalty: expected a number > 0, got '3'
    """
    if not _is_number(value) or not value > 0:
        raise ConfigError.at(where, "a number > 0", value)
    return float(value)


def not_negative(where: str, value: object, most: float = math.inf) -> float:
    """A finite number from 0 to `most`.

    Examples
    --------
    >>> not_negative("threshold", 101, most=100)
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: threshold: expected a number from 0 to 100, got 101
    """
    if not _is_number(value) or not 0 <= value <= most:
        raise ConfigError.at(where, "a number >= 0" if math.isinf(most) else f"a number from 0 to {most:g}", value)
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
