"""The notification log forgets what no longer matters, and says what reached nobody."""

from __future__ import annotations

from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.message import Message

DAY = 86_400 * 10**9


def message(kind: str, fingerprint: str, episode_ns: int = 1) -> Message:
    return Message(kind=kind, fingerprint=fingerprint, episode_ns=episode_ns, labels={"alertname": fingerprint})


def deliver(log: NotificationLog, now_ns: int) -> None:
    for delivery in log.waiting("chat", 100):
        log.sending([delivery])
        log.sent([delivery], {}, now_ns)


def test_old_episodes_that_ended_are_pruned_and_nothing_else():
    log = NotificationLog(None)
    for fingerprint in ("ended", "open", "recent", "waits"):
        log.add("chat", message("firing", fingerprint), now_ns=DAY)
    deliver(log, DAY)
    for fingerprint in ("ended", "waits"):
        log.add("chat", message("resolved", fingerprint), now_ns=DAY)
    sent, _ = log.waiting("chat", 2)
    log.sending([sent])
    log.sent([sent], {}, DAY)
    log.add("chat", message("resolved", "recent"), now_ns=40 * DAY)
    assert log.prune(before_ns=10 * DAY) == 1
    assert {row["alertname"] for row in log.rows()} == {"open", "recent", "waits"}
    assert log.prune(before_ns=10 * DAY) == 0


def test_what_stays_is_still_sent_exactly_once():
    log = NotificationLog(None)
    log.add("chat", message("firing", "open"), now_ns=DAY)
    deliver(log, DAY)
    log.prune(before_ns=100 * DAY)
    assert not log.add("chat", message("firing", "open", episode_ns=2), now_ns=101 * DAY)  # a restart: the same episode
    assert log.add("chat", message("resolved", "open", episode_ns=2), now_ns=101 * DAY)
    assert [one.message.episode_ns for one in log.waiting("chat", 5)] == [1]


def test_pruning_survives_a_restart(tmp_path):
    path = tmp_path / "log.sqlite"
    log = NotificationLog(path)
    log.add("chat", message("firing", "ended"), now_ns=DAY)
    log.add("chat", message("resolved", "ended"), now_ns=DAY)
    deliver(log, DAY)
    log.close()
    again = NotificationLog(path)
    assert again.prune(before_ns=2 * DAY) == 1 and again.rows() == []
    again.close()


def test_what_did_not_reach_people_is_known_with_channel_and_error():
    log = NotificationLog(None)
    for channel in ("chat", "mail"):
        log.add(channel, message("firing", "a"), now_ns=1)
        log.add(channel, message("firing", "b"), now_ns=1)
    deliver(log, 1)
    lost, retried = log.waiting("mail", 2)
    log.failed([lost], "answered 403")
    log.sending([retried])
    log.postponed([retried], "connection refused")
    assert log.undelivered() == {("a", 1): "mail: answered 403", ("b", 1): "mail: connection refused"}
    log.sent([retried], {}, 2)
    assert log.undelivered() == {("a", 1): "mail: answered 403"}
