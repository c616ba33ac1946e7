"""Debian's Alertmanager as oracle of groups, waits, repeats, inhibition, silences and resolves.

python -m benchmarks.alertmanager_oracle [--sequences 200] [--seed 1]

Random sequences of alerts run at once in one Alertmanager, told apart by a label, and through our `Inhibitor` and
`Dispatcher`. Alertmanager's notifications list the whole group; what each says that is new is compared with ours: which
alert began, ended or was repeated, in which order, and when. Timers: group_wait 1 s, group_interval 2 s,
repeat_interval 5 s. Of runs
that differ, the first notification that does is traced to the choice of ours whose condition holds for that alert at
that moment; where none does, the run is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from typing import Any

from aiops_nb.alert.inhibition import Inhibitor, InhibitRuleParams
from aiops_nb.core.types import NS_PER_SECOND, AlertChange
from aiops_nb.notify.delivery import takes
from aiops_nb.notify.dispatch import Dispatcher, Notice
from aiops_nb.notify.params import NotifyParams, WebhookParams

PROGRAM = "prometheus-alertmanager"
WAIT_SECONDS, INTERVAL_SECONDS, REPEAT_SECONDS = 1.0, 2.0, 5.0
TOLERANCE_SECONDS = 0.6  # of Alertmanager's timers and its HTTP, on a busy machine
LATE_SECONDS = 0.15
MARGIN_SECONDS = 0.3  # no event is so near to a timer of its group that chance decides
SEQUENCE_SECONDS = 12.0
SETTLE_SECONDS = 3.0
CONFIG = """
route: {{receiver: hook, group_by: [run], group_wait: 1s, group_interval: 2s, repeat_interval: 5s}}
inhibit_rules:
  - {{source_matchers: ['alertname="source"'], target_matchers: ['alertname!="source"'], equal: [run]}}
receivers:
  - {{name: hook, webhook_configs: [{{url: '{url}', send_resolved: true}}]}}
"""
CHOICES = {
    "end while suppressed": "who was notified is notified of the end, also while a silence or another alert suppresses"
    " it; Alertmanager says nothing, or says so when the silence is over",
    "release": "an alert that is released, and was never notified, begins its group's wait; Alertmanager's group began"
    " it when the alert came, and notifies at its next interval",
    "notified before a silence": "an alert that was notified before a silence does not fire again after; Alertmanager"
    " lists it as new if the group was notified meanwhile",
    "inhibited later": "an alert that fires before its source does is notified, and repeated; Alertmanager asks again"
    " at each notification",
    "over between two notices": "an alert that begins and ends between two notifications of its group is not notified;"
    " Alertmanager sends its group again, with the alert as resolved",
    "group began again": "a group whose alerts have all ended is over, and a new alert waits group_wait;"
    " Alertmanager's lives on for up to 30 s, and notifies at its next interval",
}
Heard = tuple[float, str, str]
Spans = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something happens to an alert of a run, at a second of its sequence: fire, resolve, silence or unsilence."""

    at: float
    run: str
    name: str
    kind: str


def sequence(run: str, draw: random.Random, seconds: float = SEQUENCE_SECONDS) -> list[Event]:
    """The life of up to three alerts, which may be silenced, and of a source that inhibits them."""
    while True:
        events = sorted((event for event in _events(run, draw) if event.at < seconds), key=lambda event: event.at)
        first = events[0].at + WAIT_SECONDS
        if all(_distance(event.at - first) > MARGIN_SECONDS for event in events):
            return events


def _distance(seconds: float) -> float:
    """To the nearest timer of the group."""
    part = seconds % INTERVAL_SECONDS
    return min(part, INTERVAL_SECONDS - part)


def _events(run: str, draw: random.Random) -> Iterator[Event]:
    names = ["a", "b", "c"][: draw.randint(1, 3)] + (["source"] if draw.random() < 0.25 else [])
    for name in names:
        now = draw.uniform(0, 4)
        for _ in range(draw.randint(1, 3)):
            yield Event(now, run, name, "fire")
            if name != "source" and draw.random() < 0.2:
                began = now + draw.uniform(0, 3)
                yield Event(began, run, name, "silence")
                if draw.random() < 0.6:
                    yield Event(began + draw.uniform(1, 4), run, name, "unsilence")
                yield from [Event(now + 7, run, name, "resolve")] if draw.random() < 0.5 else []
                break
            now += draw.uniform(0.4, 6)
            if now > SEQUENCE_SECONDS or draw.random() < 0.2:
                break
            yield Event(now, run, name, "resolve")
            now += draw.uniform(0.4, 5)
            if now > SEQUENCE_SECONDS - 2:
                break


# -- ours


def ours(events: Sequence[Event], until: float) -> list[Heard]:
    """What our dispatcher notifies of."""
    rule = InhibitRuleParams(
        source_matchers={"alertname": ("source",)},
        target_matchers={"alertname": ("a", "b", "c")},
        equal=("run",),
        keep_seconds=0.0,
    )
    inhibitor = Inhibitor((rule,))
    channel = WebhookParams(url="http://127.0.0.1:9/")
    dispatcher = Dispatcher(
        NotifyParams(
            channels=(channel,),
            group_by=("run",),
            group_wait_seconds=WAIT_SECONDS,
            group_interval_seconds=INTERVAL_SECONDS,
            repeat_interval_seconds=REPEAT_SECONDS,
        )
    )
    firing: dict[str, AlertChange] = {}
    silenced: set[str] = set()
    notices: list[Notice] = []
    for event in events:
        time_ns = round(event.at * NS_PER_SECOND)
        for change in _changes(event, time_ns, firing, silenced):
            applied = inhibitor.apply([change]) if not change.update else [change]
            for one in [*applied, *inhibitor.tick(time_ns)]:
                silences = ("s",) if one.labels["alertname"] in silenced else ()
                notices += dispatcher.take(_with(one, silenced_by=silences))
                if one.state == "firing":
                    firing[one.labels["alertname"]] = one
    notices += dispatcher.advance(round(until * NS_PER_SECOND))
    return [
        (notice.at_ns / NS_PER_SECOND, message.kind, message.labels["alertname"])
        for notice in notices
        for message in notice.messages
        if takes(channel, message)
    ]


def _changes(event: Event, time_ns: int, firing: dict[str, AlertChange], silenced: set[str]) -> Iterator[AlertChange]:
    labels = {"alertname": event.name, "run": event.run, "severity": "error"}
    known = firing.get(event.name)
    if event.kind == "fire":
        yield AlertChange(
            time_ns=time_ns, state="firing", labels=labels, fingerprint=event.name, pending_at_ns=time_ns,
            starts_at_ns=time_ns,
        )  # fmt: skip
    elif event.kind == "resolve" and known is not None:
        del firing[event.name]
        yield _with(known, state="resolved", time_ns=time_ns, ends_at_ns=time_ns)
    elif event.kind in ("silence", "unsilence"):
        silenced.add(event.name) if event.kind == "silence" else silenced.discard(event.name)
        if known is not None:
            yield _with(known, time_ns=time_ns, update="silenced" if event.kind == "silence" else "unsilenced")


def _with(change: AlertChange, **fields: Any) -> AlertChange:
    from dataclasses import replace

    return replace(change, **fields)


# -- theirs


class _Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[float, dict[str, Any]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((time.monotonic(), payload))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@contextmanager
def alertmanager() -> Iterator[tuple[str, _Receiver]]:
    """A running Alertmanager, by its URL, and what receives its notifications."""
    receiver = _Receiver()
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        config = Path(folder) / "alertmanager.yml"
        config.write_text(CONFIG.format(url=f"http://127.0.0.1:{receiver.server_port}/"), "utf-8")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        argv = [PROGRAM, f"--config.file={config}", f"--storage.path={folder}/data", "--cluster.listen-address="]
        process = subprocess.Popen(
            [*argv, f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(400):
                with suppress(OSError), urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                    break
                time.sleep(0.05)
            yield url, receiver
        finally:
            process.kill()
            process.wait()
            receiver.shutdown()
            receiver.server_close()
            thread.join()


def theirs(events: Sequence[Event], until: float) -> tuple[dict[str, list[Heard]], set[str]]:
    """What Alertmanager notifies of, by run, and the runs whose events came late to it: this machine was too busy."""
    late: set[str] = set()
    silences: dict[tuple[str, str], str] = {}
    started: dict[tuple[str, str], str] = {}
    with alertmanager() as (url, receiver):
        began = time.monotonic()
        for at, same in groupby(events, key=lambda event: round(event.at, 1)):
            time.sleep(max(0.0, began + at - time.monotonic()))
            batch = list(same)
            alerts = [_posted(event, started) for event in batch if event.kind in ("fire", "resolve")]
            if alerts:
                _call(f"{url}/api/v2/alerts", alerts)
            for event in batch:
                _silence(url, event, silences)
            if time.monotonic() - began - at > LATE_SECONDS:
                late |= {event.run for event in batch}
        time.sleep(max(0.0, began + until - time.monotonic()))
        heard = list(receiver.heard)
    return _news([(moment - began, payload) for moment, payload in heard]), late


def _posted(event: Event, started: dict[tuple[str, str], str]) -> dict[str, Any]:
    now = datetime.now(UTC)
    key = event.run, event.name
    if event.kind == "fire":
        started[key] = now.isoformat()
    ends = now if event.kind == "resolve" else now + timedelta(hours=1)
    labels = {"alertname": event.name, "run": event.run}
    return {"labels": labels, "startsAt": started[key], "endsAt": ends.isoformat()}


def _silence(url: str, event: Event, silences: dict[tuple[str, str], str]) -> None:
    key = event.run, event.name
    if event.kind == "silence":
        now = datetime.now(UTC)
        matchers = {"run": event.run, "alertname": event.name}
        body = {
            "matchers": [{"name": name, "value": value, "isRegex": False} for name, value in matchers.items()],
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "oracle",
            "comment": "random",
        }
        silences[key] = _call(f"{url}/api/v2/silences", body)["silenceID"]
    elif event.kind == "unsilence":
        _call(f"{url}/api/v2/silence/{silences[key]}", None, "DELETE")


def _call(url: str, body: object, method: str = "POST") -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def _news(heard: Sequence[tuple[float, dict[str, Any]]]) -> dict[str, list[Heard]]:
    """Each notification lists its group; what it adds to the one before."""
    news: dict[str, list[Heard]] = defaultdict(list)
    known: dict[str, set[str]] = defaultdict(set)
    for at, payload in sorted(heard, key=lambda one: one[0]):
        run = payload["groupLabels"]["run"]
        status = {alert["labels"]["alertname"]: alert["status"] for alert in payload["alerts"]}
        firing = {name for name, one in status.items() if one == "firing"}
        ended = [name for name, one in status.items() if one == "resolved" and name in known[run]]
        fresh = [name for name in firing if name not in known[run]]
        made = [(at, "firing", name) for name in fresh] + [(at, "resolved", name) for name in ended]
        news[run] += made or [(at, "repeat", name) for name in sorted(firing)]
        known[run] = firing
    return news


# -- compared


def differs(mine: Sequence[Heard], other: Sequence[Heard]) -> str:
    """How two runs differ, in words; empty if they do not."""
    mine, other = _in_order(mine), _in_order(other)
    if [one[1:] for one in mine] != [one[1:] for one in other]:
        return "content"
    late = [abs(one[0] - two[0]) for one, two in zip(mine, other, strict=True)]
    return "time" if late and max(late) > TOLERANCE_SECONDS else ""


def _in_order(heard: Sequence[Heard]) -> list[Heard]:
    """Of one notification the order does not matter."""
    return sorted(heard, key=lambda one: (round(one[0] / INTERVAL_SECONDS, 0), one[1], one[2]))


class _Life:
    """What is true of the alerts of a run at any second, as its events make it, and of what we notified of."""

    def __init__(self, events: Sequence[Event], mine: Sequence[Heard]) -> None:
        self._fires: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._silenced: dict[str, list[tuple[float, float]]] = defaultdict(list)
        kinds = {"fire": (self._fires, True), "resolve": (self._fires, False)}
        kinds |= {"silence": (self._silenced, True), "unsilence": (self._silenced, False)}
        for event in events:
            spans, begins = kinds[event.kind][0][event.name], kinds[event.kind][1]
            if begins:
                spans.append((event.at, float("inf")))
            elif spans and spans[-1][1] == float("inf"):
                spans[-1] = spans[-1][0], event.at
        self._notified = [(at, name) for at, kind, name in mine if kind == "firing"]

    def _suppressed(self, name: str) -> list[tuple[float, float]]:
        """When a silence or the source covers an alert."""
        return [*self._silenced[name], *(self._fires["source"] if name != "source" else [])]

    def _is_within(self, spans: Spans, first: float, last: float) -> bool:
        return any(start <= last and first <= end for start, end in spans)

    def _was_notified(self, name: str, first: float, last: float) -> bool:
        return any(first <= at <= last for at, one in self._notified if one == name)

    def choice_of(self, only: str, at: float, kind: str, name: str) -> str:
        """The named choice whose condition holds for that alert at that moment; empty if none does.

        `only` says where the notification is: `ours`, `theirs`, or in `both` at different times.
        """
        spans = [span for span in self._fires[name] if span[0] <= at + TOLERANCE_SECONDS]
        return self._of_alert(only, at, kind, name, spans) or self._of_group(at, name, spans)

    def _of_alert(self, only: str, at: float, kind: str, name: str, spans: Spans) -> str:
        began = spans[-1][0] if spans else 0.0
        inhibiting = self._fires["source"] if name != "source" else []
        if kind == "resolved":
            over = [end for _, end in spans if end <= at + TOLERANCE_SECONDS]
            if any(self._is_within(self._suppressed(name), end, end + INTERVAL_SECONDS) for end in over):
                return "end while suppressed"
        elif only == "theirs" and kind == "firing" and self._was_notified(name, began, at - TOLERANCE_SECONDS):
            return "notified before a silence" if self._is_within(self._silenced[name], began, at) else ""
        elif only == "ours" and self._is_within(inhibiting, began, at):
            return "inhibited later"
        return ""

    def _of_group(self, at: float, name: str, spans: Spans) -> str:
        before = at - INTERVAL_SECONDS - TOLERANCE_SECONDS
        if self._any_short(before, at):
            return "over between two notices"
        if self._any_released(before - INTERVAL_SECONDS, at):
            return "release"
        if self._was_empty(at):
            return "group began again"
        lasting = any(self._is_within(self._suppressed(name), end, at) for _, end in spans)
        return "end while suppressed" if lasting else ""

    def _any_short(self, first: float, last: float) -> bool:
        """Whether an alert began and ended between two notices, not long before."""
        return any(
            first <= end <= last and not self._was_notified(name, start, end)
            for name in self._fires
            for start, end in self._fires[name]
        )

    def _any_released(self, first: float, last: float) -> bool:
        """Whether an alert that fires ceased to be suppressed not long before."""
        return any(
            first <= end <= last and self._is_within(self._fires[name], end, end)
            for name in list(self._fires)
            for _, end in self._suppressed(name)
        )

    def _was_empty(self, at: float) -> bool:
        """Whether all alerts had ended before one that began until then."""
        spans = sorted(span for name in self._fires for span in self._fires[name])
        reached = spans[0][1] if spans else 0.0
        for start, end in spans[1:]:
            if reached < start <= at:
                return True
            reached = max(reached, end)
        return False


def traced(events: Sequence[Event], mine: Sequence[Heard], other: Sequence[Heard]) -> tuple[str, str]:
    """The first notification in which both differ, in words, and the named choice that makes it.

    What comes after it may differ as well, because the timers of the group then do.
    """
    life = _Life(events, mine)
    for only, at, kind, name in _differences(mine, other):
        return f"{only} at {at:.2f}: {kind} {name}", life.choice_of(only, at, kind, name)
    return "", ""


def _differences(mine: Sequence[Heard], other: Sequence[Heard]) -> list[tuple[str, float, str, str]]:
    """What only one of both notifies of, and what both do at different times, the earliest first."""
    found: list[tuple[str, float, str, str]] = []
    for kind, name in sorted({one[1:] for one in (*mine, *other)}):
        own, their = ([at for at, *what in heard if what == [kind, name]] for heard in (mine, other))
        for at in own:
            near = [one for one in their if abs(one - at) <= TOLERANCE_SECONDS]
            if near:
                their.remove(near[0])
            else:
                found.append(("ours", at, kind, name))
        found += [("theirs", at, kind, name) for at in their]
    return sorted(found, key=lambda one: one[1])


def compare(count: int, seed: int, seconds: float = SEQUENCE_SECONDS) -> tuple[Counter[str], list[str]]:
    """Run the sequences through both; counts, and the differences without a name."""
    draw = random.Random(seed)
    runs = {f"r{number}": sequence(f"r{number}", draw, seconds) for number in range(count)}
    until = seconds + SETTLE_SECONDS
    everything = sorted((event for events in runs.values() for event in events), key=lambda event: event.at)
    others, late = theirs(everything, until)
    counts: Counter[str] = Counter({"sequences": count, "not judged: this machine was too busy": len(late)})
    unnamed: list[str] = []
    for run, events in runs.items():
        if run in late:
            continue
        mine = ours(events, until - 1.0)
        other = [one for one in others.get(run, []) if one[0] <= until - 1.0]
        counts["notifications"] += len(mine)
        # two ends of the comparison, so that what falls near to the one is not near to the other
        found = [differs(_settled(mine, end), _settled(other, end)) for end in (until, until - 2 * TOLERANCE_SECONDS)]
        difference = found[0] if all(found) else ""
        if not difference:
            counts["equal"] += 1
            continue
        first, name = traced(events, _settled(mine, until), _settled(other, until))
        if name:
            counts[f"differs first by: {name}"] += 1
            counts["differs by a named choice"] += 1
        else:
            counts[f"differs without a name: {difference}"] += 1
            unnamed.append(
                f"{run} ({difference}; {first})\n  events {_shown(events)}\n  ours   {mine}\n  theirs {other}"
            )
    return counts, unnamed


def _settled(heard: Sequence[Heard], until: float) -> list[Heard]:
    """Without what falls so near to the end that one of both may not have said it yet."""
    return [one for one in heard if one[0] < until - 2.0]


def _shown(events: Sequence[Event]) -> str:
    return ", ".join(f"{event.at:.2f} {event.kind} {event.name}" for event in events)


def main(argv: Sequence[str] = ()) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    if shutil.which(PROGRAM) is None:
        print(f"{PROGRAM} is not installed")
        return
    counts, unnamed = compare(arguments.sequences, arguments.seed)
    print("| | count |\n| --- | --: |")
    for name, count in counts.items():
        print(f"| {name} | {count} |")
    for text in unnamed:
        print(text)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
