"""Detectors that installed packages offer as entry points of the group `aiops_nb.detectors`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection

from aiops_nb.core.lazy import OURS, PlugIn, plug_ins
from aiops_nb.detect.spec import DetectorSpec

GROUP = "aiops_nb.detectors"


def with_warnings(built_in: Collection[str]) -> list[PlugIn[DetectorSpec]]:
    """Load what the installed packages offer; one that cannot be used has a `problem` and is warned of.

    Parameters
    ----------
    built_in
        Types that are taken.

    Examples
    --------
    >>> all((one.spec is None) == bool(one.problem) for one in with_warnings(()))
    True
    """
    found = plug_ins(GROUP, DetectorSpec, built_in)
    for one in found:
        if one.problem:
            message = f"detector plug-in {one.name} of {one.package} is not available: {one.problem}"
            warnings.warn(message, RuntimeWarning, stacklevel=callers_level())
    return found


def callers_level() -> int:
    """`stacklevel` of a warning for the caller of this function that names the line outside of this package.

    Examples
    --------
    >>> callers_level() >= 1
    True
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == OURS:
        frame, level = frame.f_back, level + 1
    return level
