"""A peer that is stopped (SIGSTOP, a paused container) and goes on: stated by each collector, and nothing is lost.

The waits are scaled down by the timeouts of the collectors: what 30 s are to the defaults, a second is here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

import aiops_nb
from aiops_nb.collect.http.probe import HttpProbe
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.sockets.tcp_client import TcpClient
from aiops_nb.collect.sockets.tcp_listener import TcpListener
from aiops_nb.collect.sockets.udp_listener import UdpListener
from aiops_nb.collect.websocket.client import WebSocketClient
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.record.recorder import Recorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signal on Windows")
PEER = Path(__file__).with_name("stopped_peer.py")
DEADLINE_SECONDS = 40.0
SOURCES = {"tcp", "websocket", "sender", "datagrams", "http"}


class Rows:
    """A sink: counts rows by target and outcome, and waits for them."""

    def __init__(self):
        self.counts, self._changed = Counter(), threading.Condition()

    def write(self, step):
        if step.item.table == "requests":
            rows = step.item.batch.select(["target", "error_type"]).to_pylist()
            with self._changed:
                self.counts.update((row["target"], row["error_type"]) for row in rows)
                self._changed.notify_all()

    def close(self):
        pass

    def wait_for_more(self, outcomes, count=3):
        """Until each of these came so many times more."""
        with self._changed:
            wanted = {outcome: self.counts[outcome] + count for outcome in outcomes}
            done = self._changed.wait_for(lambda: all(self.counts[o] >= n for o, n in wanted.items()), DEADLINE_SECONDS)
            assert done, (wanted, self.counts)


def test_each_collector_states_the_gap_and_goes_on(tmp_path):
    listener, datagrams = TcpListener(name="listener"), UdpListener(name="datagrams")
    command = [sys.executable, "-P", str(PEER), str(listener.address[1]), str(datagrams.address[1])]
    with ExitStack() as stack:
        stack.callback(listener.close)
        stack.callback(datagrams.close)
        peer = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(peer.kill)
        tcp, websocket, http = peer.stdout.readline().split()
        target = ProbeTarget(url=f"http://127.0.0.1:{http}/", name="http", timeout_seconds=0.4)
        websocket_client = WebSocketClient(f"ws://127.0.0.1:{websocket}", ping_seconds=0.3, first_backoff_seconds=0.1)
        feeds = [
            TcpClient("127.0.0.1", int(tcp), name="tcp", first_backoff_seconds=0.1),
            websocket_client,
            HttpProbe([target], interval_seconds=0.5),
        ]
        rows = Rows()
        run = LiveRun([listener, datagrams, *feeds], Recorder(tmp_path / "r"), PipelineParams(), rows.write)
        run.start()
        stack.callback(run.stop)
        rows.wait_for_more([(one, None) for one in SOURCES])
        os.kill(peer.pid, signal.SIGSTOP)
        rows.wait_for_more([("http", "timeout")])
        while not websocket_client.counters["failures_total"]:  # no answer to a ping
            rows.wait_for_more([("http", "timeout")], count=1)
        os.kill(peer.pid, signal.SIGCONT)
        rows.wait_for_more([(one, None) for one in SOURCES], count=10)
        assert not [part for part in run.problems() if part.startswith("collector")]
    assert websocket_client.counters["connections_total"] == 2
    recorded = aiops_nb.open_recording(tmp_path / "r").requests()
    for name in ("tcp", "sender", "datagrams"):  # what was sent before the signal and after it, and nothing twice
        numbers = recorded[recorded.target == name].duration_seconds.to_numpy()
        assert (np.diff(numbers) == 1).all(), name
