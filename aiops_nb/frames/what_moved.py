"""`aiops_nb.what_moved`: the question to a monitor or a recording as a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops_nb.core.moments import Moment
from aiops_nb.frames.base import FrameAccess

if TYPE_CHECKING:
    from aiops_nb.frames.moved_frame import MovedFrame


def what_moved(
    source: FrameAccess, start: Moment = None, end: Moment = None, *, before: float | str = "30m"
) -> MovedFrame:
    """Series that left their own baseline in a range, the furthest first.

    Parameters
    ----------
    source
        A monitor, a replay or a recording.
    start, end
        The range [start, end); None: the last 5 minutes.
    before
        How much time before the range makes the baseline, `"30m"` or seconds.

    Returns
    -------
    MovedFrame
        As of the method `what_moved` of the source; its `verdict` says whether anything clearly moved.

    Raises
    ------
    ConfigError
        If it is no range.

    Examples
    --------
    >>> from aiops_nb import Monitor
    >>> what_moved(Monitor(make_run=lambda deliver: None)).verdict
    'not clear: no baseline, too few windows before the range'
    """
    return source.what_moved(start, end, before=before)
