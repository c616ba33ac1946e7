"""How every rule words the end of an alert."""

from __future__ import annotations

from aiops_nb.alert.lifecycle import Transition
from aiops_nb.core.quantities import format_duration
from aiops_nb.core.types import NS_PER_SECOND


def ended(transition: Transition) -> str:
    """How long an alert fired, or that it never did; empty while it is not over.

    Examples
    --------
    >>> end = 31 * NS_PER_SECOND
    >>> ended(Transition(series=0, state="resolved", time_ns=end, pending_at_ns=0, starts_at_ns=0, ends_at_ns=end))
    'resolved after 31 s'
    """
    if transition.ends_at_ns is None:
        return ""
    if transition.starts_at_ns is None:
        return transition.outcome or "recovered before the alert fired"
    seconds = (transition.ends_at_ns - transition.starts_at_ns) / NS_PER_SECOND
    lasted = format_duration(round(seconds) if seconds >= 10 else seconds)
    return f"closed after {lasted}, {transition.outcome}" if transition.outcome else f"resolved after {lasted}"
