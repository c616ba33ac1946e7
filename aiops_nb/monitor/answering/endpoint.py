"""Where the same user reaches a monitor: a Unix socket, or loopback and a token where there are none (Windows)."""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from aiops_nb.core.errors import AiopsError

UNIX_SUFFIX, TCP_SUFFIX = ".sock", ".tcp"
WAIT_SECONDS = 0.25
LOOPBACK = "127.0.0.1"
MOST_NUMBER = 100


class Endpoint:
    """A socket that listens; the suffix of its path says of which kind it is.

    `.tcp` is a file with the port and a token, of mode 0600: each request must begin with the token, so that whoever
    cannot read the file cannot ask. Any other path is a Unix socket of mode 0600.

    Parameters
    ----------
    path
        Of the socket or the file; neither may exist.

    Raises
    ------
    AiopsError
        If it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._token = secrets.token_hex(32).encode() if path.suffix == TCP_SUFFIX else b""
        try:
            self.socket = self._loopback() if self._token else self._unix()
        except OSError as problem:
            raise AiopsError(f"control: {path}: {problem.strerror or problem}") from None
        self.socket.settimeout(WAIT_SECONDS)

    def _unix(self) -> socket.socket:
        if not hasattr(socket, "AF_UNIX"):
            raise AiopsError(f"control: {self.path}: this system has no Unix sockets; use a path that ends in .tcp")
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(listening.fileno(), 0o600)  # before there is a path that another user could open
            listening.bind(str(self.path))
            self.path.chmod(0o600)
            listening.listen(8)
        except OSError:
            listening.close()
            raise
        return listening

    def _loopback(self) -> socket.socket:
        listening = socket.create_server((LOOPBACK, 0), backlog=8)
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
            with os.fdopen(os.open(self.path, flags, 0o600), "wb") as file:
                file.write(b"%d %s\n" % (listening.getsockname()[1], self._token))
        except OSError:
            listening.close()
            raise
        return listening

    def checked(self, line: bytes) -> bytes:
        """The request of a line, without its token.

        Raises
        ------
        AiopsError
            If the token is needed and wrong.
        """
        if not self._token:
            return line
        token, _, request = line.partition(b" ")
        if not hmac.compare_digest(token, self._token):
            raise AiopsError("control: expected the token of the monitor")
        return request

    def close(self) -> None:
        """Close the socket and remove its path."""
        self.socket.close()
        self.path.unlink(missing_ok=True)


def connected(path: Path, timeout_seconds: float) -> tuple[socket.socket, bytes]:
    """A connection to the monitor at a path, and what each request must begin with.

    Raises
    ------
    OSError
        If nobody listens.
    AiopsError
        If the file does not hold a port and a token.
    """
    if path.suffix != TCP_SUFFIX:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise
        return connection, b""
    port, _, token = path.read_bytes()[:200].strip().partition(b" ")
    if not port.isdigit() or not token or int(port) > 65_535:
        raise AiopsError(f"control: {path}: expected a port and a token")
    return socket.create_connection((LOOPBACK, int(port)), timeout=timeout_seconds), token + b" "


def runtime_folder() -> Path:
    """Where this user's monitors are found: below XDG_RUNTIME_DIR, else below the folder of temporary files.

    On Windows below LOCALAPPDATA, which other users cannot read.

    Raises
    ------
    AiopsError
        If the folder is not this user's alone.
    """
    if not hasattr(os, "getuid"):
        folder = Path(os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()) / "aiops-nb" / "run"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    user = os.getuid()
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "aiops-nb" if base else Path(tempfile.gettempdir()) / f"aiops-nb-{user}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise AiopsError(f"control: {folder}: expected a folder of this user that no other can open")
    return folder


def own_path() -> Path:
    """A path that is named after this process and not taken.

    Raises
    ------
    AiopsError
        If there are too many of this process.
    """
    folder = runtime_folder()
    suffix = UNIX_SUFFIX if hasattr(socket, "AF_UNIX") else TCP_SUFFIX
    for number in range(MOST_NUMBER):
        path = folder / (f"{os.getpid()}{suffix}" if not number else f"{os.getpid()}-{number}{suffix}")
        if not path.exists():
            return path
    raise AiopsError(f"control: {folder}: too many sockets of this process")


def paths_of_monitors() -> Iterator[Path]:
    """Where this user's monitors may be reached."""
    for path in sorted(runtime_folder().iterdir()):
        if path.suffix in (UNIX_SUFFIX, TCP_SUFFIX):
            yield path
