"""A real nginx on loopback, with a configuration of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log stderr notice; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
  {http}
}}
"""


@contextmanager
def nginx_server(folder: Path, http: str) -> Iterator[subprocess.Popen[str]]:
    """The process, once it listens; `http` is what stands in that block of its configuration."""
    assert NGINX is not None
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, http=http), encoding="utf-8")
    command = [NGINX, "-p", str(folder), "-c", str(config), "-e", "stderr"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    log, works = [], threading.Event()
    reading = threading.Thread(target=_read, args=(process, log, works), name="aiops-test-nginx")
    reading.start()
    try:
        if not (works.wait(20) and process.poll() is None):
            pytest.fail(f"nginx does not listen: {''.join(log)}")
        yield process
    finally:
        process.terminate()
        process.wait(10)
        reading.join(10)


def _read(process: subprocess.Popen[str], log: list[str], works: threading.Event) -> None:
    """Take what it says, lest it wait; it starts a worker when it has all ports."""
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            log.append(line)
            if "start worker process " in line:
                works.set()
    works.set()
