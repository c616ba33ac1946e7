"""The demo service as others use it: a child process with labels."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime

import pytest

from aiops_nb.core.errors import AiopsError
from aiops_nb.demo import KINDS, DemoParams, faults, start_demo_service

DEADLINE_SECONDS = 30


def wait_until(holds):
    """Poll: the other process has no event to offer."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


def is_refused(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError as problem:  # a request on its way when the door shuts is reset, not refused
        return isinstance(getattr(problem, "reason", problem), ConnectionRefusedError)
    return False


def test_it_serves_until_stopped_and_may_be_stopped_twice():
    demo = start_demo_service()
    with urllib.request.urlopen(demo.urls[-1]) as answer:
        assert json.load(answer)["status"] == "UP"
    assert demo.running
    demo.stop()
    demo.stop()
    assert not demo.running
    assert is_refused(demo.url)


def test_a_whole_round_of_faults_is_labelled_in_the_order_of_the_script(tmp_path):
    path = tmp_path / "later" / "labels.jsonl"
    fast = {"seed": 5, "time_scale": 100.0}
    with start_demo_service(**fast, labels_path=path) as demo:
        wait_until(lambda: len(demo.labels()) >= len(KINDS))
        labels = demo.labels()[: len(KINDS)]
        with urllib.request.urlopen(demo.url + "/labels") as answer:
            assert json.load(answer)[: len(KINDS)] == labels
    script = faults(DemoParams(**fast))
    for label, fault in zip(labels, script, strict=False):
        sufferers = {"slow": demo.url + fault.path, "http_5xx": demo.url + fault.path, "memory_growth": platform.node()}
        assert label["kind"] == fault.kind
        assert label["target"] == sufferers.get(fault.kind, demo.url)
    times = [datetime.fromisoformat(label[end]) for label in labels for end in ("start", "end")]
    assert times == sorted(times)
    assert all(time.utcoffset().total_seconds() == 0 for time in times)


def test_a_fault_that_stop_cuts_short_is_labelled():
    with start_demo_service(first_fault_after_seconds=0.0, kinds=("connection_refused",)) as demo:
        wait_until(lambda: is_refused(demo.urls[0]))
        assert demo.labels() == []
    assert [label["kind"] for label in demo.labels()] == ["connection_refused"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("number", "lives"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_cells_interrupt_does_not_end_it_and_a_termination_does(number, lives):
    with start_demo_service(kinds=()) as demo:
        os.kill(demo.pid, number)
        if lives:
            urllib.request.urlopen(demo.urls[-1]).close()
        else:
            wait_until(lambda: not demo.running)
        assert demo.running == lives


def test_it_dies_with_its_parent():
    parent = (
        "import os; from aiops_nb.demo import start_demo_service as start;"
        "demo = start(); print(demo.url, flush=True); os._exit(1)"
    )
    url = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True).stdout.strip()
    assert url.startswith("http://127.0.0.1:")
    wait_until(lambda: is_refused(url))


def test_a_taken_port_is_one_clear_error():
    with start_demo_service(kinds=()) as demo:
        port = int(demo.url.rpartition(":")[2])
        with pytest.raises(AiopsError, match=r"demo service: .*in use"):
            start_demo_service(port=port)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_in_the_foreground_it_prints_its_url_and_ends_on_interrupt():
    command = [sys.executable, "-m", "aiops_nb.demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("demo service on http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_a_wrong_parameter_in_the_foreground_is_one_line_and_code_2():
    command = [sys.executable, "-m", "aiops_nb.demo", "--time-scale", "0"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (2, "demo service: time_scale: expected a number > 0, got 0.0\n")
