"""A running monitor answers on a socket: which alerts there are, and what people answer to them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.types import ACTIVE_STATES
from aiops_nb.engine.commands import (
    AddTarget,
    PauseTarget,
    RemoveTarget,
    ResumeTarget,
    SetInterval,
    SourceEnded,
    Start,
    Stop,
    decode_command,
)
from aiops_nb.monitor.answering.endpoint import Endpoint, connected, own_path, paths_of_monitors

if TYPE_CHECKING:
    import pandas as pd

    from aiops_nb.monitor.monitor import Monitor

_log = logging.getLogger(__name__)

MOST_BYTES = 1 << 16
ANSWER_BYTES = 1 << 24
REQUEST_SECONDS = 5.0
Text = Annotated[str, Meta(max_length=2_000)]


class Hello(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hello"):
    """Which monitor this is."""


class Alerts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="alerts"):
    """The active alerts; `all`: those that are over too."""

    all: bool = False


class SilenceList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="silences"):
    """All silences."""


class Ack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ack"):
    """Acknowledge an alert, or take that back."""

    alert: Text
    note: Text = ""
    author: Text | None = None
    undo: bool = False


class Say(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="comment"):
    """Comment on an alert."""

    alert: Text
    text: Text
    author: Text | None = None


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="silence"):
    """Silence one alert, or all that the matchers are about."""

    alert: Text = ""
    matchers: tuple[Text, ...] = ()
    duration: Text | None = None
    start: Text | None = None
    end: Text | None = None
    author: Text | None = None
    reason: Text = ""


class EndQuiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="end_silence"):
    """End a silence."""

    id: Text
    author: Text | None = None


class SetMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mark"):
    """Mark that something was done; with an `id`, take that mark back."""

    text: Text = ""
    target: Text | None = None
    at: Text | None = None
    author: Text | None = None
    id: Text = ""


class Obey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="obey"):
    """Put a command into the stream: what a page that follows the recording has asked for."""

    command: dict[str, Any]


Request = Hello | Alerts | SilenceList | Ack | Say | Quiet | EndQuiet | SetMark | Obey
OF_THE_RUN = (Start, Stop, SourceEnded, AddTarget, RemoveTarget, PauseTarget, ResumeTarget, SetInterval)


class Reply(msgspec.Struct, kw_only=True):
    """What came of a request: a value, or a problem in one sentence."""

    value: Any = None
    problem: str | None = None


class ControlSocket:
    """Serves requests of the same user until it is closed, one at a time, in one thread.

    Only this user can ask, see `Endpoint`. A request is one JSON line of at most 64 KiB, which must arrive within 5 s.

    Parameters
    ----------
    monitor
        Answers.
    path
        Of the socket; None: named after this process, in `runtime_folder()`. One that ends in `.tcp` is a loopback port
        and a token.

    Raises
    ------
    AiopsError
        If the socket cannot be made.
    """

    def __init__(self, monitor: Monitor, path: str | Path | None = None) -> None:
        self._monitor = monitor
        self._endpoint = Endpoint(Path(path) if path is not None else own_path())
        self.path = self._endpoint.path
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="aiops-control", daemon=True)
        self._thread.start()

    def __enter__(self) -> ControlSocket:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def close(self) -> None:
        """End the thread and remove the socket; may be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread is not threading.current_thread():
            self._thread.join(REQUEST_SECONDS)
        self._endpoint.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._endpoint.socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(REQUEST_SECONDS)
                connection.sendall(msgspec.json.encode(self._answer(connection)) + b"\n")

    def _answer(self, connection: socket.socket) -> Reply:
        try:
            line = self._endpoint.checked(read_line(connection, MOST_BYTES))
            request = msgspec.json.decode(line, type=Request)
            return Reply(value=answered(self._monitor, request))
        except (AiopsError, msgspec.MsgspecError) as problem:
            return Reply(problem=str(problem))
        except OSError:
            raise
        except Exception as problem:
            _log.exception("control")
            return Reply(problem=f"{type(problem).__name__}: {problem}")


def answered(monitor: Monitor, request: Request) -> object:
    """What a request asks for, or the result of doing it.

    Raises
    ------
    ConfigError
        If it cannot be done: no such alert, matchers that cannot be read.
    """
    match request:
        case Hello():
            run = monitor.last_run
            recording = getattr(run, "recording", None)
            return {"pid": os.getpid(), "state": monitor.state, "recording": recording and str(recording)}
        case Alerts():
            alerts = monitor.alerts()
            shown = alerts if request.all else alerts[alerts["state"].isin(ACTIVE_STATES)]
            return _records(shown)
        case SilenceList():
            return _records(monitor.silences())
        case Ack():
            _acknowledged(monitor, request)
        case Say():
            monitor.comment(request.alert, request.text, author=request.author)
        case Quiet():
            return _silenced(monitor, request)
        case SetMark():
            return _marked(monitor, request)
        case EndQuiet():
            monitor.end_silence(request.id, author=request.author)
        case Obey():
            _obey(monitor, request)
    return None


def _acknowledged(monitor: Monitor, request: Ack) -> None:
    if request.undo:
        monitor.unacknowledge(request.alert, author=request.author)
    else:
        monitor.acknowledge(request.alert, note=request.note, author=request.author)


def _marked(monitor: Monitor, request: SetMark) -> str | None:
    if request.id:
        monitor.unmark(request.id, author=request.author)
        return None
    return monitor.mark(request.text, request.target, at=request.at, author=request.author)


def _silenced(monitor: Monitor, request: Quiet) -> str:
    if request.alert:
        return monitor.snooze(request.alert, request.duration or "1h", note=request.reason, author=request.author)
    return monitor.silence(
        request.matchers,
        duration=request.duration,
        start=request.start,
        end=request.end,
        author=request.author,
        reason=request.reason,
    )


def _obey(monitor: Monitor, request: Obey) -> None:
    """Put what a follower asked for into the stream; what only the monitor itself may say is refused."""
    command = decode_command(msgspec.json.encode(request.command).decode())
    if isinstance(command, OF_THE_RUN):
        raise ConfigError(f"{request.command.get('type')}: expected an answer to an alert, or a threshold")
    if not monitor.running:
        raise ConfigError(f"expected a running monitor, got one that is {monitor.state}")
    monitor.command(command)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.drop(columns=[name for name in ("members", "contributions") if name in frame])
    records: list[dict[str, Any]] = json.loads(plain.to_json(orient="records", date_format="iso", date_unit="ms"))
    return records


def read_line(connection: socket.socket, most_bytes: int) -> bytes:
    """The bytes before the first line end.

    Raises
    ------
    AiopsError
        For longer lines, and where the other side closes before the end of one.
    """
    received = bytearray()
    while b"\n" not in received:
        piece = connection.recv(65_536)
        received += piece
        if len(received) > most_bytes:
            raise AiopsError(f"control: expected a line of at most {most_bytes} bytes")
        if not piece:
            raise AiopsError("control: the connection was closed within a line")
    return bytes(received.partition(b"\n")[0])


def ask(path: Path, request: Request) -> Any:
    """Ask a monitor on its socket.

    Raises
    ------
    AiopsError
        What the monitor says is wrong.
    OSError
        If nobody answers.
    """
    connection, token = connected(path, 2 * REQUEST_SECONDS)
    with connection:
        connection.sendall(token + msgspec.json.encode(request) + b"\n")
        reply = msgspec.json.decode(read_line(connection, ANSWER_BYTES), type=Reply)
    if reply.problem is not None:
        raise AiopsError(reply.problem)
    return reply.value


def running_monitors() -> Iterator[tuple[Path, dict[str, Any]]]:
    """The sockets of this user's monitors, each with what it says about itself; those of dead processes are removed."""
    for path in paths_of_monitors():
        try:
            yield path, ask(path, Hello())
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except (OSError, AiopsError) as problem:
            _log.info("%s: %s", path, problem)


def socket_of(recording: Path) -> Path | None:
    """The socket of the monitor that records to a directory; None where nobody listens for it."""
    wanted = str(recording.resolve())
    return next((path for path, said in running_monitors() if said["recording"] == wanted), None)
