"""A secret of this user on this machine: it signs what was derived here, so that nothing else is taken for it."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from aiops_nb.record.files import read_limited

_log = logging.getLogger(__name__)

SECRET_BYTES = 32
FOLDER_MODE = 0o700


def user_folder(kind: str) -> Path:
    """The user's `cache` or `data` directory of this package, as the platform has it."""
    platformdirs: Any = import_module("platformdirs")
    paths = {"cache": platformdirs.user_cache_path, "data": platformdirs.user_data_path}
    return Path(paths[kind]("aiops_nb", appauthor=False))


def signature_of(content: bytes) -> str:
    """The signature of some content by this user's secret; empty where no secret can be kept."""
    secret = _secret_in(user_folder("data"))
    return "" if secret is None else hmac.new(secret, content, "sha256").hexdigest()


def is_signed(content: bytes, signature: str) -> bool:
    """Whether this user signed the content on this machine."""
    expected = signature_of(content)
    return bool(expected) and hmac.compare_digest(expected.encode(), signature.encode())


@cache
def _secret_in(folder: Path) -> bytes | None:
    path = folder / "derived.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        with suppress(FileExistsError):
            _create(path)
        secret = read_limited(path, SECRET_BYTES)
    except OSError as problem:
        _log.info("derived tables are not kept: %s", problem)
        return None
    return secret if len(secret) == SECRET_BYTES else None


def _create(path: Path) -> None:
    """Write it under another name first: another process must never read a part of it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        os.link(unfinished, path)  # fails if another process was first
    finally:
        unfinished.unlink()
