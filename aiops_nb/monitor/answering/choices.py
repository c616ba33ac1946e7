"""Answers to alerts as commands: which alert is meant, for how long, and who answers; and silences as a DataFrame."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from aiops_nb.alert.silences import HeldSilence
from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.matchers import MatcherSource, parse_matchers
from aiops_nb.core.moments import Moment, moment_ns
from aiops_nb.core.quantities import exact_duration, parse_duration
from aiops_nb.core.types import ACTIVE_STATES
from aiops_nb.engine.commands import LONGEST_SILENCE_SECONDS, Mark, Silence
from aiops_nb.frames.alert_choice import AlertChoice, chosen_alert

if TYPE_CHECKING:
    import pandas as pd

Duration: TypeAlias = float | str
LONGEST_MARK = 2_000
SILENCE_COLUMNS = ("id", "state", "matchers", "fingerprint", "starts_at", "ends_at", "author", "reason", "ended_by")


def author_or_user(author: str | None) -> str:
    """The given name, or that of the user who runs this process."""
    if author is not None:
        return author
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user database
        return "unknown"


def active_fingerprint(alerts: pd.DataFrame, alert: AlertChoice) -> str:
    """The fingerprint of an alert that is pending or fires.

    Raises
    ------
    ConfigError
        If there is no such alert, or it is over.
    """
    chosen = chosen_alert(alerts, alert)
    fingerprint = str(chosen["fingerprint"])
    present = alerts[(alerts["fingerprint"] == fingerprint) & alerts["state"].isin(ACTIVE_STATES)]
    if present.empty:
        raise ConfigError.at("alert", "an alert that is pending or firing", f"{chosen['alertname']}, which is over")
    return fingerprint


def duration_seconds(value: Duration, where: str = "duration") -> float:
    """A duration as a user gives it: seconds, or a string such as 2h.

    Examples
    --------
    >>> duration_seconds("90m"), duration_seconds(60)
    (5400.0, 60.0)
    >>> duration_seconds("soon")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: duration: expected seconds > 0 or a duration such as 2h, got 'soon'
    """
    seconds = parse_duration(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds > 0:
        raise ConfigError.at(where, "seconds > 0 or a duration such as 2h", value)
    if seconds > LONGEST_SILENCE_SECONDS:
        raise ConfigError.at(where, f"at most {exact_duration(LONGEST_SILENCE_SECONDS)}", value)
    return float(seconds)


def new_mark(text: str, target: str | None, at_ns: int | None, author: str | None) -> Mark:
    """The command that sets a mark.

    Raises
    ------
    ConfigError
        If the text is empty or too long.

    Examples
    --------
    >>> new_mark("deploy v42", "shop", None, "anna").target
    'shop'
    """
    if not text.strip() or len(text) > LONGEST_MARK:
        raise ConfigError.at("text", f"1 to {LONGEST_MARK:,} characters", f"{len(text)}")
    return Mark(id=secrets.token_hex(4), text=text, target=target or "", at_ns=at_ns, author=author_or_user(author))


def new_silence(
    matchers: MatcherSource,
    *,
    duration: Duration | None,
    start: Moment,
    end: Moment,
    author: str | None,
    reason: str,
    now_ns: int,
) -> Silence:
    """The command of a silence.

    Raises
    ------
    ConfigError
        For matchers that cannot be read or would silence everything by mistake, and for contradicting times.
    """
    parsed = parse_matchers(matchers)
    if not parsed:
        raise ConfigError.at("matchers", 'at least one, such as severity="warning"', matchers)
    starts_at_ns = moment_ns(start, "start", now_ns=now_ns)
    ends_at_ns = moment_ns(end, "end", now_ns=now_ns)
    if (duration is None) == (ends_at_ns is None):
        raise ConfigError.at("duration", "either duration or end", "neither" if duration is None else "both")
    first_ns = now_ns if starts_at_ns is None else starts_at_ns
    if ends_at_ns is not None and ends_at_ns <= first_ns:
        raise ConfigError.at("end", "a time after the start", end)
    return Silence(
        id=new_id(),
        matchers=tuple(str(one) for one in parsed),
        starts_at_ns=starts_at_ns,
        ends_at_ns=ends_at_ns,
        hold_seconds=None if duration is None else duration_seconds(duration),
        author=author_or_user(author),
        reason=reason,
    )


def snooze_of(fingerprint: str, duration: Duration, author: str | None, note: str) -> Silence:
    """The command that silences one alert."""
    return Silence(
        id=new_id(),
        fingerprint=fingerprint,
        hold_seconds=duration_seconds(duration),
        author=author_or_user(author),
        reason=note,
    )


def new_id() -> str:
    """Id of a silence: it is in the recorded command, so that a replay has the same."""
    return secrets.token_hex(4)


def known_silence(silences: Iterable[HeldSilence], wanted: str, now_ns: int) -> str:
    """The id of a silence that is not over.

    Raises
    ------
    ConfigError
        If there is none with this id.
    """
    ids = [silence.id for silence in silences if silence.ends_at_ns > now_ns]
    if wanted not in ids:
        if not ids:
            raise ConfigError.at("silence", "the id of a silence (there is none now)", wanted)
        raise unknown("silence", "the id of a silence", wanted, ids)
    return wanted


def silence_state(silence: HeldSilence, now_ns: int) -> str:
    """active, pending (it begins later) or expired: Alertmanager's words."""
    if silence.holds_at(now_ns):
        return "active"
    return "pending" if now_ns < silence.starts_at_ns else "expired"


def silences_frame(silences: Iterable[HeldSilence], now_ns: int) -> pd.DataFrame:
    """One row per silence, oldest first.

    Examples
    --------
    >>> silence = HeldSilence(id="s1", fingerprint="f", starts_at_ns=0, ends_at_ns=60_000_000_000, author="anna")
    >>> silences_frame([silence], now_ns=1_000_000_000)[["id", "state", "author"]].values.tolist()
    [['s1', 'active', 'anna']]
    """
    import pandas as pd

    rows = [
        {
            "id": one.id,
            "state": silence_state(one, now_ns),
            "matchers": ",".join(str(matcher) for matcher in one.matchers),
            "fingerprint": one.fingerprint,
            "starts_at": one.starts_at_ns,
            "ends_at": one.ends_at_ns,
            "author": one.author,
            "reason": one.reason,
            "ended_by": one.ended_by,
        }
        for one in silences
    ]
    frame = pd.DataFrame(rows, columns=list(SILENCE_COLUMNS))
    for name in ("starts_at", "ends_at"):
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True).astype("datetime64[ns, UTC]")
    return frame
