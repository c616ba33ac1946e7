"""The durable notification log: SQLite in WAL mode, written before and after each send.

SQLite is in the standard library, survives `kill -9`, and can be read by anybody while we write.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from aiops_nb.core.errors import AiopsError
from aiops_nb.notify.message import Message

_SCHEMA = """
CREATE TABLE IF NOT EXISTS episode (
  channel TEXT NOT NULL, fingerprint TEXT NOT NULL, episode_ns INTEGER NOT NULL,
  open INTEGER NOT NULL, external_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (channel, fingerprint, episode_ns)
);
CREATE INDEX IF NOT EXISTS episode_open ON episode (channel, fingerprint) WHERE open;
CREATE TABLE IF NOT EXISTS delivery (
  id INTEGER PRIMARY KEY, channel TEXT NOT NULL, fingerprint TEXT NOT NULL, episode_ns INTEGER NOT NULL,
  kind TEXT NOT NULL, turn_ns INTEGER NOT NULL, notice TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
  queued_ns INTEGER NOT NULL, sent_ns INTEGER, message BLOB NOT NULL,
  UNIQUE (channel, fingerprint, episode_ns, kind, turn_ns)
);
CREATE INDEX IF NOT EXISTS delivery_waiting ON delivery (channel, id) WHERE state IN ('queued', 'sending');
CREATE INDEX IF NOT EXISTS delivery_problem ON delivery (fingerprint) WHERE problem != '' AND state != 'sent';
CREATE INDEX IF NOT EXISTS delivery_episode ON delivery (channel, fingerprint, episode_ns, queued_ns);
"""
SCHEMA_VERSION = 2
COLUMNS = (
    "channel",
    "kind",
    "state",
    "alertname",
    "target",
    "severity",
    "summary",
    "group",
    "fingerprint",
    "episode_at",
    "due_at",
    "attempts",
    "queued_at",
    "sent_at",
    "problem",
)
ONCE = ("firing", "resolved")  # of an episode; updates and repeats are told apart by when they were due


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of one channel, in the order in which it is to be sent.

    `uncertain` says that a send of it began and did not end well: the receiver may have it already. Those with the same
    `notice` are one notification.
    """

    id: int
    message: Message
    notice: str
    attempts: int
    queued_ns: int
    uncertain: bool


class Entry(NamedTuple):
    """The messages of one notification for one channel; `notice` is its name in the log."""

    channel: str
    notice: str
    messages: Sequence[Message]


class NotificationLog:
    """Who was notified of what: one firing and one resolved message for each episode and channel, ever.

    An alert that fires again while its episode is still open in the log is the same episode: a process that was killed
    and started again sends nothing twice. Cost: one transaction (a file sync) for each change and send.

    Parameters
    ----------
    path
        File of the log; None keeps it in memory, and a restart forgets it.

    Raises
    ------
    AiopsError
        If the file is not a notification log, or cannot be written.

    Examples
    --------
    >>> log = NotificationLog(None)
    >>> message = Message(kind="firing", fingerprint="f", episode_ns=1, labels={})
    >>> log.add("chat", message, now_ns=2), log.add("chat", message, now_ns=3)
    (True, False)
    >>> [delivery.message.kind for delivery in log.waiting("chat", 10)]
    ['firing']
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA busy_timeout = 5000")
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._check_version()
            self._database.executescript(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as problem:
            raise AiopsError(f"{path}: expected a notification log that can be written, got {problem}") from None

    def _check_version(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version in (0, SCHEMA_VERSION):
            return
        way_out = "install a newer aiops-nb" if version > SCHEMA_VERSION else "move it away: it was never released"
        raise AiopsError(f"{self.path}: expected log version {SCHEMA_VERSION}, got {version}; {way_out}")

    def add(self, channel: str, message: Message, now_ns: int) -> bool:
        """Queue a message, unless the channel has it already; true if it was queued; see `add_all`."""
        return bool(self.add_all([Entry(channel, message.idempotency_key, (message,))], now_ns))

    def add_all(self, entries: Sequence[Entry], now_ns: int) -> set[str]:
        """Queue messages, unless their channels have them already; one transaction.

        A firing message opens its episode. A resolved one closes it. Anything but a firing is dropped where the channel
        has no open episode, or its firing was never delivered.

        Returns
        -------
        set of str
            The channels that have something to send.
        """
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            return {
                entry.channel for entry in entries if any([self._add(entry, one, now_ns) for one in entry.messages])
            }

    def _add(self, entry: Entry, message: Message, now_ns: int) -> bool:
        found = self._open_episode(entry.channel, message.fingerprint)
        if message.kind == "firing":
            is_new = found is None and self._opened(entry.channel, message)
            return is_new and self._queued(entry, message, now_ns)
        if found is None:
            return False
        if message.kind == "resolved":
            self._close_episode(entry.channel, message.fingerprint)
        known = msgspec.structs.replace(message, episode_ns=found)
        return not self._never_arrived(entry.channel, known) and self._queued(entry, known, now_ns)

    def forget(self, channel: str, fingerprint: str) -> None:
        """Close an open episode without a message: it was a notice that has no end."""
        with self._lock, self._database:
            self._close_episode(channel, fingerprint)

    def _close_episode(self, channel: str, fingerprint: str) -> None:
        self._database.execute(
            "UPDATE episode SET open = 0 WHERE channel = ? AND fingerprint = ? AND open", (channel, fingerprint)
        )

    def _open_episode(self, channel: str, fingerprint: str) -> int | None:
        query = "SELECT episode_ns FROM episode WHERE channel = ? AND fingerprint = ? AND open"
        row = self._database.execute(query, (channel, fingerprint)).fetchone()
        return None if row is None else int(row[0])

    def _never_arrived(self, channel: str, message: Message) -> bool:
        """Whether the firing of this episode was given up: its resolve would be news to nobody."""
        query = (
            "SELECT 1 FROM delivery WHERE channel = ? AND fingerprint = ? AND episode_ns = ?"
            " AND kind = 'firing' AND state = 'failed'"
        )
        return self._database.execute(query, (channel, message.fingerprint, message.episode_ns)).fetchone() is not None

    def _opened(self, channel: str, message: Message) -> bool:
        query = "INSERT OR IGNORE INTO episode (channel, fingerprint, episode_ns, open) VALUES (?, ?, ?, 1)"
        return self._database.execute(query, (channel, message.fingerprint, message.episode_ns)).rowcount == 1

    def _queued(self, entry: Entry, message: Message, now_ns: int) -> bool:
        query = (
            "INSERT OR IGNORE INTO delivery"
            " (channel, fingerprint, episode_ns, kind, turn_ns, notice, state, queued_ns, message)"
            " VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)"
        )
        turn_ns = 0 if message.kind in ONCE else message.at_ns
        identity = (entry.channel, message.fingerprint, message.episode_ns, message.kind, turn_ns)
        values = (*identity, entry.notice, now_ns, msgspec.json.encode(message))
        return self._database.execute(query, values).rowcount == 1

    def waiting(self, channel: str, limit: int) -> list[Delivery]:
        """The next messages of a channel in order, with what the channel called their episodes."""
        query = (
            "SELECT d.id, d.message, d.notice, d.attempts, d.queued_ns, d.state, e.external_id"
            " FROM delivery d JOIN episode e"
            " USING (channel, fingerprint, episode_ns)"
            " WHERE d.channel = ? AND d.state IN ('queued', 'sending') ORDER BY d.id LIMIT ?"
        )
        with self._lock:
            rows = self._database.execute(query, (channel, limit)).fetchall()
        return [
            Delivery(number, _decoded(blob, external_id), notice, attempts, queued_ns, uncertain=state == "sending")
            for number, blob, notice, attempts, queued_ns, state, external_id in rows
        ]

    def waiting_total(self, channel: str) -> int:
        """Messages that are queued or being sent."""
        query = "SELECT count(*) FROM delivery WHERE channel = ? AND state IN ('queued', 'sending')"
        with self._lock:
            (total,) = self._database.execute(query, (channel,)).fetchone()
        return int(total)

    def sending(self, deliveries: Sequence[Delivery]) -> None:
        """Note that a send begins: what is not known afterwards is then known to be uncertain."""
        self._update("state = 'sending', attempts = attempts + 1", deliveries)

    def sent(self, deliveries: Sequence[Delivery], external_ids: Mapping[str, str], now_ns: int) -> None:
        """Note that the receiver has them."""
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            for delivery in deliveries:
                self._database.execute(
                    "UPDATE delivery SET state = 'sent', problem = '', sent_ns = ? WHERE id = ?", (now_ns, delivery.id)
                )
                external_id = external_ids.get(delivery.message.fingerprint)
                if external_id:
                    self._database.execute(
                        "UPDATE episode SET external_id = ? FROM delivery d WHERE d.id = ?"
                        " AND episode.channel = d.channel"
                        " AND episode.fingerprint = d.fingerprint AND episode.episode_ns = d.episode_ns",
                        (external_id, delivery.id),
                    )

    def postponed(self, deliveries: Sequence[Delivery], problem: str) -> None:
        """Note that a send failed; the same messages are sent again as one, since the receiver may have them."""
        self._update("problem = ?", deliveries, problem)

    def failed(self, deliveries: Sequence[Delivery], problem: str) -> None:
        """Note that a send failed for good; the resolve of a firing that never arrived is dropped with it."""
        self._update("state = 'failed', problem = ?", deliveries, problem)
        with self._lock, self._database:
            self._database.execute(
                "UPDATE delivery SET state = 'dropped' WHERE kind != 'firing' AND state = 'queued' AND EXISTS ("
                "SELECT 1 FROM delivery f WHERE f.channel = delivery.channel AND f.fingerprint = delivery.fingerprint"
                " AND f.episode_ns = delivery.episode_ns AND f.kind = 'firing' AND f.state = 'failed')"
            )

    def _update(self, change: str, deliveries: Sequence[Delivery], *values: str) -> None:
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                f"UPDATE delivery SET {change} WHERE id = ?", [(*values, delivery.id) for delivery in deliveries]
            )

    def open_messages(self, channel: str, resolved_since_ns: int | None = None) -> list[Message]:
        """The sent firing messages of open episodes, and the resolves of those that ended since then."""
        query = (
            "SELECT d.message, e.external_id FROM delivery d JOIN episode e USING (channel, fingerprint, episode_ns)"
            " WHERE d.channel = ? AND d.state = 'sent'"
            " AND ((d.kind = 'firing' AND e.open) OR (d.kind = 'resolved' AND d.queued_ns >= ?)) ORDER BY d.id"
        )
        since_ns = resolved_since_ns if resolved_since_ns is not None else 1 << 62
        with self._lock:
            rows = self._database.execute(query, (channel, since_ns)).fetchall()
        return [_decoded(blob, external_id) for blob, external_id in rows]

    def open_firing(self, channel: str) -> list[Message]:
        """The firing messages of open episodes, sent or not."""
        query = (
            "SELECT d.message, e.external_id FROM delivery d JOIN episode e USING (channel, fingerprint, episode_ns)"
            " WHERE d.channel = ? AND d.kind = 'firing' AND e.open ORDER BY d.id"
        )
        with self._lock:
            rows = self._database.execute(query, (channel,)).fetchall()
        return [_decoded(blob, external_id) for blob, external_id in rows]

    def undelivered(self) -> dict[tuple[str, int], str]:
        """What did not reach people, and why, by fingerprint and episode: given up, or still tried again."""
        query = (
            "SELECT fingerprint, episode_ns, channel, problem FROM delivery WHERE problem != '' AND state != 'sent'"
            " AND state != 'dropped' ORDER BY id"
        )
        with self._lock:
            rows = self._database.execute(query).fetchall()
        found: dict[tuple[str, int], dict[str, str]] = {}
        for fingerprint, episode_ns, channel, problem in rows:
            found.setdefault((fingerprint, episode_ns), {})[channel] = problem
        return {
            episode: "; ".join(f"{channel}: {problem}" for channel, problem in problems.items())
            for episode, problems in found.items()
        }

    def prune(self, before_ns: int) -> int:
        """Forget episodes that ended and whose last message was queued before then; returns how many.

        What still matters stays: open episodes, whose end must be sent once, and messages that wait or are being sent.
        """
        old = (
            "SELECT e.channel, e.fingerprint, e.episode_ns FROM episode e WHERE NOT e.open AND NOT EXISTS ("
            "SELECT 1 FROM delivery d WHERE d.channel = e.channel AND d.fingerprint = e.fingerprint"
            " AND d.episode_ns = e.episode_ns AND (d.queued_ns >= ? OR d.state IN ('queued', 'sending')))"
        )
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            gone = self._database.execute(old, (before_ns,)).fetchall()
            for table in ("delivery", "episode"):
                query = f"DELETE FROM {table} WHERE channel = ? AND fingerprint = ? AND episode_ns = ?"
                self._database.executemany(query, gone)
        return len(gone)

    def rows(self) -> list[dict[str, object]]:
        """One mapping for each message, in order of queueing; keys are `COLUMNS`, times UTC ns or None."""
        query = "SELECT channel, kind, state, message, attempts, queued_ns, sent_ns, problem FROM delivery ORDER BY id"
        with self._lock:
            found = self._database.execute(query).fetchall()
        rows: list[dict[str, object]] = []
        for channel, kind, state, blob, attempts, queued_ns, sent_ns, problem in found:
            row = message_row(_decoded(blob, ""))
            row |= {"channel": channel, "kind": kind, "state": state, "attempts": attempts, "problem": problem}
            rows.append(row | {"queued_at": queued_ns, "sent_at": sent_ns})
        return rows

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._database.close()


def _decoded(blob: bytes, external_id: str) -> Message:
    message = msgspec.json.decode(blob, type=Message)
    return msgspec.structs.replace(message, external_id=external_id) if external_id else message


def message_row(message: Message) -> dict[str, object]:
    """What of the `COLUMNS` a message itself says."""
    return {
        "kind": message.kind,
        "alertname": message.labels.get("alertname", ""),
        "target": message.labels.get("target", ""),
        "severity": message.severity,
        "summary": message.summary,
        "group": ", ".join(f"{name}={value}" for name, value in message.group.items()),
        "fingerprint": message.fingerprint,
        "episode_at": message.episode_ns,
        "due_at": message.at_ns,
    }
