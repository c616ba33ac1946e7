"""The demo service as a child process: its CPU and memory are its own, and it dies with its parent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from aiops_nb.core.errors import AiopsError
from aiops_nb.demo.labels import Label, read_label_lines
from aiops_nb.demo.script import KINDS, PATHS, DemoParams, FaultKind

STOP_TIMEOUT_SECONDS = 10.0


class DemoService:
    """A running demo service; a context manager.

    Attributes
    ----------
    url
        Address without a path.
    urls
        The endpoints worth watching.
    pid
        Of the child process.

    Parameters
    ----------
    params, process, url
        Set by `start_demo_service`, which makes these objects.
    """

    def __init__(self, params: DemoParams, process: subprocess.Popen[bytes], url: str) -> None:
        self.url = url
        self.urls = tuple(url + path for path in PATHS)
        self.pid = process.pid
        self._process = process
        self._labels_path = Path(params.labels_path)

    @property
    def running(self) -> bool:
        """Whether the child process lives."""
        return self._process.poll() is None

    def labels(self) -> list[Label]:
        """The faults that are over, in order; after `stop` also the one that it cut short.

        Returns
        -------
        list of Label
            Times in UTC.
        """
        return read_label_lines(self._labels_path)

    def stop(self) -> None:
        """End the child process; may be called twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return (
            f"<DemoService {self.url}, {'running' if self.running else 'stopped'}, {len(self.labels())} faults so far>"
        )


def start_demo_service(
    *,
    seed: int = 7,
    labels_path: str | Path | None = None,
    access_log_path: str | Path | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    first_fault_after_seconds: float = 60.0,
    time_scale: float = 1.0,
    kinds: Sequence[FaultKind] = KINDS,
) -> DemoService:
    """Start the demo service in a child process and wait until it answers.

    Parameters
    ----------
    seed
        Of the latencies and of the script of faults.
    labels_path
        File for the faults, one JSON line at the end of each; its directory is made.
    access_log_path
        Where to write an access log in the combined format; none by default.
    host, port
        Loopback and any free port by default.
    first_fault_after_seconds, time_scale
        Time before the first fault, and by which factor the script runs faster.
    kinds
        Which faults happen; an empty sequence gives a service without faults.

    Returns
    -------
    DemoService
        A context manager; leaving it stops the service.

    Raises
    ------
    AiopsError
        If a parameter is wrong or the port is taken.

    Examples
    --------
    >>> with start_demo_service(kinds=()) as demo:
    ...     len(demo.urls), demo.labels()
    (4, [])
    """
    folder = None if labels_path else tempfile.mkdtemp(prefix="aiops_nb-demo-")
    params = DemoParams(
        seed=seed,
        labels_path=str(Path(labels_path or f"{folder}/labels.jsonl").absolute()),
        access_log_path=str(Path(access_log_path).absolute()) if access_log_path else "",
        host=host,
        port=port,
        first_fault_after_seconds=first_fault_after_seconds,
        time_scale=time_scale,
        kinds=tuple(kinds),
    )
    service = _spawn(params)
    if folder is not None:
        weakref.finalize(service, shutil.rmtree, folder, ignore_errors=True)
    return service


def _spawn(params: DemoParams) -> DemoService:
    command = [sys.executable, "-m", "aiops_nb.demo", "--child", json.dumps(asdict(params))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline() or '{"error": "it ended before it listened"}')
    service = DemoService(params, process, announced.get("url", ""))
    if "error" in announced:
        service.stop()
        raise AiopsError(f"demo service: {announced['error']}")
    return service
