"""Whole JSON lines in, batches of one table out, and what became of the lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import pyarrow as pa

from aiops_nb.collect.json_lines.decoder import JsonLines, RejectedLine
from aiops_nb.collect.json_lines.line_buffer import check_line_limit
from aiops_nb.collect.json_lines.unknown_fields import UnknownFields

_LEAST_BYTES = 1_000_000


class JsonInlet:
    r"""Decodes whole lines; a batch of each table waits until it is taken.

    Parameters
    ----------
    source
        The `source` of the rows.
    host_label
        The `target` of the samples that events of the older tool carry.
    unknown_fields
        `drop` or `keep`; see `JsonLines`.
    max_line_bytes
        Of the lines that are put; shorter ones than 1 MB are never too long.

    Examples
    --------
    >>> inlet = JsonInlet("demo", host_label="h")
    >>> inlet.put(b'{"time": 1, "target": "a"}\n{"time": 1, "target": "h", "metric": "m", "value": 2}\n')
    >>> [inlet.take().num_rows, inlet.take().num_rows, inlet.take()]
    [1, 1, None]
    """

    def __init__(
        self, source: str, host_label: str, unknown_fields: UnknownFields = "drop", max_line_bytes: int = 65_536
    ) -> None:
        check_line_limit(max_line_bytes)
        longest_bytes = max(max_line_bytes, _LEAST_BYTES)
        self._lines = JsonLines(
            source, host_label=host_label, unknown_fields=unknown_fields, max_line_bytes=longest_bytes
        )
        self._pieces: list[bytes] = []
        self._waiting: deque[pa.RecordBatch] = deque()
        self.bytes_total = 0

    @property
    def counters(self) -> Mapping[str, float]:
        """Rows, bytes, unknown fields, and rejected lines by reason."""
        reasons = {"too_long": 0, **self._lines.rejected_total}
        rejected = {f"rejected_{reason}_total": count for reason, count in reasons.items()}
        unknown = {"unknown_fields_total": self._lines.unknown.total}
        return {"rows_total": self._lines.rows_total, "bytes_total": self.bytes_total, **unknown, **rejected}

    @property
    def rejected(self) -> list[RejectedLine]:
        """The last lines that were not used, and why."""
        return list(self._lines.rejected)

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """How often each unknown field came."""
        return self._lines.unknown.counts

    def put(self, lines: bytes) -> None:
        """Add whole lines, each with its end."""
        if lines:
            self._pieces.append(lines)

    def reject_too_long(self, beginning: bytes) -> None:
        """Count a line that was not held, for its length."""
        self._lines.reject("too_long", "longer than is read", beginning)

    def take(self) -> pa.RecordBatch | None:
        """The oldest batch that waits, else one of all lines that were put; None if there are none."""
        if not self._waiting and self._pieces:
            lines, self._pieces = b"".join(self._pieces), []
            self._waiting.extend(self._lines.feed(lines))
        return self._waiting.popleft() if self._waiting else None
