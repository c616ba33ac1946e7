"""A collector made by the recipe of CONTRIBUTING: the size of a file, as samples."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from msgspec import Meta

from aiops_nb.collect import CollectorParams, CollectorSpec
from aiops_nb.core.schemas import empty_batch, make_batch


class FileSizeParams(CollectorParams, frozen=True, kw_only=True, tag="file_size"):
    """Of `FileSize`."""

    path: str
    interval_seconds: Annotated[float, Meta(gt=0)] = 1.0
    name: str = "file_size"


class FileSize:
    """Samples how large a file is.

    Parameters
    ----------
    path
        The file.
    interval_seconds
        How often.
    name
        The `source` of the rows.
    """

    def __init__(self, path: str, *, interval_seconds: float = 1.0, name: str = "file_size") -> None:
        self.name = name
        self._path = Path(path)
        self._interval_seconds = interval_seconds
        self._due_seconds = time.monotonic()
        self._closing = threading.Event()

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next sample; an empty batch if none is due in time; None after `close`; OSError without the file."""
        wait_seconds = self._due_seconds - time.monotonic()
        if self._closing.wait(max(0.0, min(wait_seconds, timeout_seconds))):
            return None
        if time.monotonic() < self._due_seconds:
            return empty_batch("samples")
        self._due_seconds = time.monotonic() + self._interval_seconds
        size_bytes = float(self._path.stat().st_size)
        sample = {"time": [time.time_ns()], "target": self._path.name, "metric": "size_bytes", "value": [size_bytes]}
        return make_batch("samples", self.name, sample)

    def close(self) -> None:
        """End a waiting `poll`."""
        self._closing.set()


SPEC = CollectorSpec(params=FileSizeParams, factory=FileSize, purpose="size of a file")
