"""What a channel sends, what it must offer, and how a send can fail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol, runtime_checkable

import msgspec

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.types import NS_PER_SECOND, AlertChange, AlertState

Kind = Literal["firing", "update", "repeat", "resolved"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one alert that people are notified of; kept in the notification log as JSON.

    Attributes
    ----------
    kind
        firing or resolved; update: the alert became worse, or was answered; repeat: it still fires.
    fingerprint
        Identity of the alert: the same for its firing and its resolve, over restarts.
    episode_ns
        Identity of the episode: when its condition was first seen, UTC ns.
    labels
        alertname, severity, target, detector and others; never a value.
    summary
        One sentence: what is wrong, and how much.
    starts_at_ns, ends_at_ns
        UTC ns; `ends_at_ns` is None while it fires.
    outcome
        Why it ended, if not by itself.
    state
        Of an alert that fires: firing, nodata or error.
    update
        What changed in an update: severity, flapping, acknowledged and others.
    value, expected, threshold
        Of what fired, in its own unit; None where that is not known.
    feature
        What the value is, such as `duration_p95_seconds`; it has the unit. Empty if that is not known.
    phase
        The part of a latency that grew most.
    flapping
        Whether it begins and ends again and again; it is one episode until it is calm.
    acknowledged_by, note
        Who answered, and the last note.
    group
        The labels by which it was grouped with others; empty: by itself.
    at_ns
        When it was due, in the time of the stream.
    external_id
        What the channel answered to the firing message of this episode (a Slack `ts`); empty before that.
    chart
        PNG of the value, with the expected band and the threshold; empty if there is none. The log does not keep it.

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "target": "shop"}
    >>> message = Message(kind="firing", fingerprint="f", episode_ns=0, labels=labels)
    >>> message.target, message.dedup_key
    ('shop', 'aiops_nb-f-0')
    """

    kind: Kind
    fingerprint: str
    episode_ns: int
    labels: dict[str, str]
    summary: str = ""
    starts_at_ns: int = 0
    ends_at_ns: int | None = None
    outcome: str = ""
    state: AlertState = "firing"
    update: str = ""
    value: float | None = None
    expected: float | None = None
    threshold: float | None = None
    feature: str = ""
    phase: str = ""
    flapping: bool = False
    acknowledged_by: str = ""
    note: str = ""
    group: dict[str, str] = {}
    at_ns: int = 0
    external_id: str = ""
    chart: bytes = b""

    @property
    def severity(self) -> str:
        """info, warning, error or critical."""
        return self.labels.get("severity", "warning")

    @property
    def target(self) -> str:
        """What the alert is about; all targets together are named so."""
        target = self.labels.get("target", "")
        return "several targets" if target == "*" else target

    @property
    def title(self) -> str:
        """One line in English: state, rule and target."""
        return f"{self.kind.upper()}: {self.labels.get('alertname', 'alert')} on {self.target}"

    @property
    def dedup_key(self) -> str:
        """The key by which a receiver drops a second copy: one per episode."""
        return f"aiops_nb-{self.fingerprint}-{self.episode_ns}"

    @property
    def idempotency_key(self) -> str:
        """One per episode and kind; of an update or a repeat one per moment."""
        key = f"{self.dedup_key}-{self.kind}"
        return f"{key}-{self.at_ns}" if self.kind in ("update", "repeat") else key


class DeliveryError(AiopsError):
    """A send that failed and may succeed later.

    Parameters
    ----------
    reason
        One line, without secrets.
    retry_after_seconds
        How long the receiver asks us to wait; None: it did not say.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class RejectedError(AiopsError):
    """A send that the receiver refused for good: wrong address, wrong credentials, invalid payload."""


@runtime_checkable
class Notifier(Protocol):
    """One channel. It owns no thread, no retry and no log; all calls come from one thread.

    Attributes
    ----------
    name
        Unique in a configuration.
    max_single
        With at most so many notifications waiting each is sent by itself; with more, up to `max_batch` messages go as
        one digest.
    max_batch
        Largest digest.
    min_interval_seconds
        Shortest time between two sends (Slack: 1 s).
    repeat_seconds
        How often open alerts must be sent again (Alertmanager); None: never.

    Notes
    -----
    Three further attributes are optional. `texts`, a `Texts`, is replaced by one that renders the templates of the
    configuration. `shows_charts` true: a message by itself comes with its `chart`. `shows_answers` true: updates that
    only say who acknowledged, silenced or commented are sent too, since they can be shown in place.
    """

    name: str
    max_single: int
    max_batch: int
    min_interval_seconds: float
    repeat_seconds: float | None

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Send; returns what the receiver calls each message, by fingerprint, where it says so.

        Parameters
        ----------
        messages
            Of one group, the first first.

        Returns
        -------
        mapping
            The receiver's name of each message, by fingerprint; may be empty.

        Raises
        ------
        DeliveryError
            If it may succeed later.
        RejectedError
            If it never will.
        """
        ...

    def close(self) -> None:
        """Release everything; may be called twice."""
        ...


def message_of(change: AlertChange) -> Message:
    """What there is to say of an alert: that it fires, or that it has ended.

    Examples
    --------
    >>> labels = {"alertname": "http_5xx", "severity": "error", "target": "shop"}
    >>> change = AlertChange(time_ns=9, state="firing", labels=labels, fingerprint="f", pending_at_ns=5, starts_at_ns=9)
    >>> message_of(change).kind
    'firing'
    """
    has_ended = change.state == "resolved"
    ends_at_ns = change.ends_at_ns if change.ends_at_ns is not None else change.time_ns
    return Message(
        kind="resolved" if has_ended else "firing",
        fingerprint=change.fingerprint,
        episode_ns=change.pending_at_ns,
        labels=dict(change.labels),
        summary=change.summary,
        starts_at_ns=change.starts_at_ns if change.starts_at_ns is not None else change.time_ns,
        ends_at_ns=ends_at_ns if has_ended else None,
        outcome=change.outcome,
        state="firing" if has_ended else change.state,
        value=_known(change.value),
        expected=_known(change.expected),
        threshold=_known(change.upper),
        phase=change.phase,
        flapping=change.flapping,
        acknowledged_by=change.acknowledged_by,
        note=change.note,
    )


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def rfc3339(time_ns: int) -> str:
    """UTC, to the millisecond.

    Examples
    --------
    >>> rfc3339(1_500_000_000)
    '1970-01-01T00:00:01.500Z'
    """
    moment = datetime.fromtimestamp(time_ns / NS_PER_SECOND, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
