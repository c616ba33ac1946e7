"""Whether files can be read without harm to this process: asked of a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

_log = logging.getLogger(__name__)

_SCRIPT = Path(__file__).with_name("inspect_files.py")
START_SECONDS = 60.0
FILE_SECONDS = 10.0  # for the smallest; larger ones have more time
BYTES_PER_SECOND = 2_000_000
MAX_DEATHS = 8  # of inspecting processes; a recording with more such files is not looked at further
CRASHED, ENDLESS = "reading it ends the process that reads it", "reading it takes too long"
NOT_TRIED = f"not tried, after {MAX_DEATHS} files that end the process that reads them"

Key: TypeAlias = "tuple[str, int, int, int]"
_problems: dict[Key, str] = {}
_asking = threading.Lock()


def check_file(path: Path) -> None:
    """Refuse a file that cannot be read to its end; each is read once by another process, as long as it is the same.

    Raises
    ------
    pa.ArrowInvalid
        Saying what is wrong with it.
    OSError
        If it is missing.
    """
    check_files([path])
    if problem := _problems.get(_key(path), ""):
        raise pa.ArrowInvalid(problem)


def check_files(paths: Iterable[Path]) -> None:
    """Look at several files with one process; what is wrong with each is said by `check_file`."""
    with _asking:
        unknown = deque(path for path in paths if _key(path) not in _problems)
        for _ in range(MAX_DEATHS):
            if not unknown:
                return
            _ask(unknown)
        _problems.update({_key(path): NOT_TRIED for path in unknown})


def vouch_for(path: Path) -> None:
    """Take a file as readable that this process wrote itself."""
    _problems[_key(path)] = ""


def _key(path: Path) -> Key:
    found = path.stat()
    return os.fspath(path.absolute()), found.st_ino, found.st_size, found.st_mtime_ns


def _ask(paths: deque[Path]) -> None:
    """One process for as many files as it survives; at least one of them is answered."""
    try:
        child = _start()
    except OSError as problem:  # of this machine, such as no free descriptor: no recording can bring it about
        _log.warning("files are read without an inspection by another process: %s", problem)
        _problems.update({_key(path): "" for path in paths})
        paths.clear()
        return
    with child:
        try:
            while paths and _ask_one(child, paths.popleft()):
                pass
        finally:
            child.kill()


def _start() -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    child = subprocess.Popen(
        [sys.executable, "-S", str(_SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    if _answer(child, START_SECONDS) == "ready":
        return child
    with child:
        child.kill()
    raise OSError(f"{sys.executable} does not start")


def _ask_one(child: subprocess.Popen[str], path: Path) -> bool:
    """Whether the process survived."""
    key = _key(path)
    assert child.stdin is not None
    child.stdin.write(json.dumps(key[0]) + "\n")
    child.stdin.flush()
    answer = _answer(child, FILE_SECONDS + key[2] / BYTES_PER_SECOND)
    _problems[key] = json.loads(answer) if answer else ENDLESS if answer is None else CRASHED
    return bool(answer)


def _answer(child: subprocess.Popen[str], timeout_seconds: float) -> str | None:
    """The next line; empty if the process ended, None if it took too long (it is killed then)."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(timeout_seconds, kill)
    timer.start()
    try:
        assert child.stdout is not None
        line = child.stdout.readline().strip()
    finally:
        timer.cancel()
        timer.join()
    return None if late.is_set() else line
