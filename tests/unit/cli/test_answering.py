"""`aiops-nb alerts`, `ack`, `comment` and `silence` against a monitor that runs, over its Unix socket."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time

import pytest

from aiops_nb import open_recording, watch
from aiops_nb.cli.app import main
from aiops_nb.core.errors import AiopsError
from aiops_nb.monitor.answering import endpoint
from aiops_nb.monitor.answering.control import MOST_BYTES, Ack, ControlSocket, Hello, ask, running_monitors
from aiops_nb.monitor.answering.endpoint import runtime_folder
from aiops_nb.session.watch import replay
from tests.ports import free_port

CONFIG = {"host_metrics": False, "self_observation": None, "interval": "200ms", "timeout": "100ms"}


@pytest.fixture(scope="module", autouse=True)
def own_runtime_folder(tmp_path_factory):
    """A runtime folder of this test alone; short, because the path of a socket is limited to 107 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def monitor(tmp_path_factory, own_runtime_folder):
    """Watches a port on which nobody listens, so that one alert fires."""
    record = tmp_path_factory.mktemp("recording") / "r"
    with watch(f"http://127.0.0.1:{free_port()}/health", record=record, config=CONFIG) as running:
        running.listen()
        wait_for(running.firing)
        yield running


def said(capsys):
    return capsys.readouterr().out.strip()


def test_answers_from_another_process_are_in_the_stream(monitor, capsys):
    assert main(["alerts", "--json"]) == 0
    alert = json.loads(said(capsys))
    assert (alert["alertname"], alert["state"], alert["acknowledged_by"]) == ("request_failed", "firing", "")

    command = [sys.executable, "-m", "aiops_nb.cli", "ack", alert["fingerprint"], "--note", "on it", "--author", "anna"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": "."})
    assert done.stdout.strip() == f"{alert['fingerprint']}: acknowledged by anna"
    assert main(["comment", "request_failed", "disk\x1b[2J replaced", "--author", "ben"]) == 0
    assert main(["silence", 'target=~".*health"', "--for", "2h", "--reason", "deployment", "--author", "ben"]) == 0
    silence = said(capsys).splitlines()[-1]
    wait_for(lambda: monitor.firing()[0].silenced_by == (silence,))
    assert monitor.firing()[0].acknowledged_by == "anna"

    assert main(["alerts"]) == 0
    assert f"(acknowledged by anna; silenced by {silence}; disk" in (shown := said(capsys))
    assert "\x1b" not in shown
    assert main(["silence"]) == 0
    assert said(capsys).startswith(f"{silence}  active    until ")
    assert main(["silence", "--expire", silence]) == 0
    assert main(["ack", "--undo", "request_failed"]) == 0
    wait_for(lambda: not (monitor.firing()[0].silenced_by or monitor.firing()[0].acknowledged))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ack", "http_6xx"], "alert: expected a fingerprint or an alertname"),
        (["silence", "severity"], "matchers[0]: expected matchers such as"),
        (["silence", 'severity="error"'], "either duration or end, got 'neither'"),
        (["silence", 'severity="error"', "--for", "soon"], "seconds > 0 or a duration such as 2h"),
        (["silence", "--expire", "nosuch"], "expected the id of a silence"),
        (["ack", "request_failed", "--record", "/nonexistent"], "no running monitor that records to /nonexistent"),
        (["ack", "request_failed", "--socket", "/nonexistent"], "no monitor answers"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(monitor, capsys, arguments, problem):
    assert main(arguments) == 1
    assert problem in capsys.readouterr().err


def test_only_this_user_can_open_the_socket(monitor):
    path = monitor.listen()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [said["recording"] for _, said in running_monitors()] == [str(monitor.last_run.recording)]


@pytest.mark.parametrize(
    "sent", [b"nonsense\n", b'{"type":"ack"}\n', b"x" * (MOST_BYTES + 10), b'{"type":"shell"}\n', b""]
)
def test_what_is_no_request_is_refused_and_the_next_one_is_served(monitor, sent):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(monitor.listen()))
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert json.loads(connection.makefile().readline())["problem"]
    with pytest.raises(AiopsError, match="alert: expected"):
        ask(monitor.listen(), Ack(alert="nosuch"))


def test_a_socket_of_a_dead_process_is_removed(monitor, tmp_path):
    dead = runtime_folder() / "1.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
        bound.bind(str(dead))
    assert len(list(running_monitors())) == 1
    assert not dead.exists()


def test_of_two_monitors_one_must_be_chosen(monitor, capsys):
    with ControlSocket(monitor):
        assert main(["alerts"]) == 1
        assert "2 monitors are running, choose one: --socket" in capsys.readouterr().err
        assert main(["alerts", "--socket", str(monitor.listen())]) == 0
    capsys.readouterr()
    assert main(["alerts"]) == 0


def test_a_folder_that_others_can_open_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "aiops-nb").mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(AiopsError, match="a folder of this user that no other can open"):
        runtime_folder()


def test_a_replay_of_the_recording_makes_the_same_changes(tmp_path):
    """Live and replay, to the byte: also what people answered."""
    seen = []

    class Changes:
        def write(self, step):
            seen.extend(step.changes)

        def close(self):
            pass

    with watch(f"http://127.0.0.1:{free_port()}/", record=tmp_path / "r", config=CONFIG, sinks=[Changes()]) as running:
        wait_for(running.firing)
        running.acknowledge("request_failed", note="on it", author="anna")
        silence = running.silence('severity="critical"', duration="1h", author="anna")
        running.comment("request_failed", "and so on", author="anna")
        wait_for(lambda: running.firing()[0].note == "and so on")
        running.end_silence(silence, author="ben")
    live = [repr(change) for change in seen]
    seen.clear()
    replay(tmp_path / "r", sinks=[Changes()])
    assert [repr(change) for change in seen] == live
    (row,) = open_recording(tmp_path / "r").silences().to_dict("records")
    assert (row["author"], row["ended_by"]) == ("anna", "ben")
    with watch((), record=tmp_path / "r", config=CONFIG | {"host_metrics": True}) as again:
        again.silence('target="x"', duration="1h")
        wait_for(lambda: len(again.silences()) == 1)  # the one that was ended does not come back


def test_a_silence_outlives_a_restart_in_the_same_recording(tmp_path):
    quiet = CONFIG | {"collectors": [], "host_metrics": True}
    with watch((), record=tmp_path / "r", config=quiet) as first:
        silence = first.silence('target="x"', duration="1h", author="anna")
        ended = first.silence('target="y"', duration="1h", author="anna")
        wait_for(lambda: len(first.silences()) == 2)
        first.end_silence(ended)
        first.stop()
        first.start()  # the same monitor
        wait_for(lambda: first.silences()["id"].tolist() == [silence])
    with watch((), record=tmp_path / "r", config=quiet) as second:  # another process would read the same
        wait_for(lambda: second.silences()["id"].tolist() == [silence])
        assert second.silences()["author"].tolist() == ["anna"]
    recorded = open_recording(tmp_path / "r").silences().set_index("id")
    assert (recorded.loc[silence, "state"], recorded.loc[ended, "state"]) == ("active", "expired")


@pytest.fixture
def by_port(monitor, tmp_path):
    """The same monitor, reached as on a system without Unix sockets."""
    with ControlSocket(monitor, tmp_path / "monitor.tcp") as control:
        yield control


def test_without_unix_sockets_a_token_in_a_file_of_the_user_is_needed(monitor, by_port, capsys):
    assert stat.S_IMODE(by_port.path.stat().st_mode) == 0o600
    port, token = by_port.path.read_text().split()
    assert main(["ack", "request_failed", "--note", "by port", "--author", "eve", "--socket", str(by_port.path)]) == 0
    wait_for(lambda: monitor.firing()[0].acknowledged_by == "eve")
    monitor.unacknowledge("request_failed")
    wait_for(lambda: not monitor.firing()[0].acknowledged)
    hello = b'{"type": "hello"}\n'
    for line in (hello, b"x " + hello, token[:-1].encode() + b" " + hello, b"\n"):
        with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
            connection.sendall(line)
            reply = json.loads(connection.makefile().readline())
        assert reply["value"] is None and "token" in reply["problem"] and token not in reply["problem"]
    assert by_port._endpoint.socket.getsockname()[0] == "127.0.0.1"


def test_the_file_goes_with_the_monitor_and_a_stale_one_is_removed(monitor, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = runtime_folder() / "7.tcp"
    control = ControlSocket(monitor, path)
    assert [where for where, _ in running_monitors()] == [path]
    control.close()
    assert not path.exists()
    path.write_text(f"{free_port()} token\n")
    assert list(running_monitors()) == [] and not path.exists()
    path.write_text("no port")
    with pytest.raises(AiopsError, match="expected a port and a token"):
        ask(path, Hello())
    assert list(running_monitors()) == []


def test_a_file_that_is_there_is_not_written_to(monitor, tmp_path):
    path = tmp_path / "taken.tcp"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AiopsError, match="control: "):
        ControlSocket(monitor, path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_system_without_unix_sockets_takes_a_port_by_itself(monkeypatch, tmp_path):
    monkeypatch.delattr(endpoint.socket, "AF_UNIX")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert endpoint.own_path().suffix == ".tcp"
    with pytest.raises(AiopsError, match="no Unix sockets"):
        endpoint.Endpoint(tmp_path / "x.sock")
