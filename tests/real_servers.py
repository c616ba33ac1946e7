"""Real servers from Debian, each started on loopback in a folder of its own and ended by its pid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

STARTUP_SECONDS = 30.0


def program(name: str, *folders: str) -> str:
    """Its path; the test is skipped where it is not installed (`.ci/run` installs it)."""
    found = shutil.which(name) or next((f"{folder}/{name}" for folder in folders if Path(folder, name).exists()), None)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def running(command: Sequence[str], log: Path, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server for the time of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **more)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_page(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a page is served."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:
                reply.read()
                return
        except (OSError, urllib.error.URLError):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)


# ---- databases


def _wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)


def _as_user(name: str) -> list[str]:
    """Before a command of a server that refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups"]


@contextmanager
def _folder(owner: str) -> Iterator[Path]:
    """A folder that the server's own user may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="aiops-db-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, owner, owner)
        yield Path(name)


@contextmanager
def postgresql(*settings: str) -> Iterator[int]:
    """Port of a PostgreSQL whose superuser `postgres` needs no password."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb, postgres = program("initdb", *folders), program("postgres", *folders)
    with _folder("postgres") as folder:
        data, port = folder / "data", free_port()
        made = [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run([*_as_user("postgres"), *made], check=True, capture_output=True, cwd=folder)
        options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        command = [postgres, "-D", str(data)]
        command += [part for option in (*options, *settings) for part in ("-c", option)]
        log = folder / "log"
        with running([*_as_user("postgres"), *command], log, cwd=folder) as process:
            _wait_for_port(port, process, log)
            yield port


@contextmanager
def redis(*settings: str) -> Iterator[int]:
    """Port of a Redis without persistence."""
    server = program("redis-server")
    with tempfile.TemporaryDirectory(prefix="aiops-db-", ignore_cleanup_errors=True) as name:
        port, log = free_port(), Path(name, "log")
        command = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", name, "--save", "", *settings]
        with running(command, log) as process:
            _wait_for_port(port, process, log)
            yield port


@contextmanager
def mariadb(*settings: str) -> Iterator[int]:
    """Port of a MariaDB whose user `root` has the password `root-word`."""
    install, server = program("mariadb-install-db"), program("mariadbd", "/usr/sbin")
    with _folder("mysql") as folder:
        data, port, log = folder / "data", free_port(), folder / "log"
        made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        made += ["--skip-test-db", "--innodb-log-file-size=8M"]
        subprocess.run([*_as_user("mysql"), *made], check=True, capture_output=True, cwd=folder)
        first = "ALTER USER root@localhost IDENTIFIED BY 'root-word';\n"
        (folder / "first.sql").write_text(
            f"{first}GRANT ALL ON *.* TO root@'127.0.0.1' IDENTIFIED BY 'root-word' WITH GRANT OPTION;\n"
        )
        settings = (*settings, f"--init-file={folder}/first.sql", "--skip-name-resolve")
        command = [server, "--no-defaults", f"--datadir={data}", f"--socket={folder}/s", f"--port={port}"]
        command += ["--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0", *settings]
        with running([*_as_user("mysql"), *command], log, cwd=folder) as process:
            _wait_for_port(port, process, log)
            yield port
