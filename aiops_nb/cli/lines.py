"""One line per change of an alert's state: JSON for programs, aligned text for people.

`watch --json` and `replay --json` share `alert_line`, so that a recording gives the same bytes again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from aiops_nb.core.labels import rfc3339
from aiops_nb.core.types import AlertChange, AlertState

NUMBERS = ("value", "expected", "lower", "upper", "score", "threshold")
SYMBOLS: Mapping[AlertState, str] = {"pending": "◌", "firing": "●", "resolved": "✓", "inactive": "·"}
PLAIN_SYMBOLS: Mapping[AlertState, str] = {"pending": "?", "firing": "!", "resolved": "+", "inactive": "-"}


def alert_line(change: AlertChange) -> str:
    """One JSON object without its line end: sorted keys, RFC 3339 times, null for what is not known.

    Examples
    --------
    >>> change = AlertChange(
    ...     time_ns=1, state="pending", labels={"alertname": "http_5xx"}, fingerprint="f0", pending_at_ns=1, value=503.0
    ... )
    >>> line = alert_line(change)
    >>> line[:62]
    '{"contributions":{},"ends_at":null,"expected":null,"fingerprin'
    >>> line[-67:]
    '"time":"1970-01-01T00:00:00.000000001Z","upper":null,"value":503.0}'
    """
    times = {"time": change.time_ns, "pending_at": change.pending_at_ns}
    ends = {"starts_at": change.starts_at_ns, "ends_at": change.ends_at_ns}
    record = {name: None if at_ns is None else rfc3339(at_ns) for name, at_ns in (times | ends).items()}
    record |= {"state": change.state, "fingerprint": change.fingerprint, "summary": change.summary}
    record |= {"suppressed_by": change.suppressed_by or None}
    numbers = {name: getattr(change, name) for name in NUMBERS}  # NaN and infinity become null
    parts = {"labels": dict(change.labels), "contributions": dict(change.contributions)}
    return msgspec.json.encode(record | numbers | parts, order="sorted").decode()


def alert_text(change: AlertChange, symbols: Mapping[AlertState, str] = SYMBOLS) -> str:
    """The same for people: time (UTC), state, severity, name, and where and why.

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "severity": "error", "target": "http://127.0.0.1/a"}
    >>> print(alert_text(AlertChange(time_ns=0, state="firing", labels=labels, fingerprint="f", pending_at_ns=0)))
    00:00:00Z  ● firing    error     http_5xx               http://127.0.0.1/a
    """
    labels = change.labels
    about = " ".join(labels[name] for name in ("target", "metric") if labels.get(name))
    what = f"{labels.get('severity', ''):<8}  {labels.get('alertname', ''):<21}"
    clock = rfc3339(change.time_ns)[11:19]
    return f"{clock}Z  {symbols[change.state]} {change.state:<8}  {what}  {about}  {_reason(change)}".rstrip()


def _reason(change: AlertChange) -> str:
    reason = change.summary.removeprefix(f"{change.labels.get('target', '')}: ")  # which stands beside it already
    return f"{reason} (explained by {change.suppressed_by})" if change.suppressed_by else reason


def symbols_for(encoding: str | None) -> Mapping[AlertState, str]:
    """The symbols that a terminal of this encoding can show.

    Examples
    --------
    >>> symbols_for("utf-8")["firing"], symbols_for("cp1252")["firing"], symbols_for(None)["firing"]
    ('●', '!', '!')
    """
    try:
        "".join(SYMBOLS.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN_SYMBOLS
    return SYMBOLS
