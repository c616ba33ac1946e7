"""Which form some lines have: each named form is tried on the first of them. Bounded, and the same every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.collect.access_log.formats import FORMATS, LogFormat, compiled
from aiops_nb.collect.access_log.readers.envelope import Envelope, EnvelopeName, envelope_of
from aiops_nb.collect.access_log.readers.fields import PatternFields
from aiops_nb.collect.access_log.readers.json import JsonFields
from aiops_nb.collect.access_log.readers.logfmt import LogfmtFields
from aiops_nb.collect.access_log.readers.w3c import W3CFields
from aiops_nb.collect.access_log.rows import rows_of
from aiops_nb.collect.access_log.times import LogTimes
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount
from aiops_nb.core.types import IntArray

MOST_LINES = 64
_ENOUGH_RATIO = 0.9
# What a line of any form has: a method, an object, a header, or a request that was none. Cheap, before all are tried.
_METHODS = "GET|POST|HEAD|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND"
_HINT = rf'(?:{_METHODS})[ |"]|\{{|^#Fields:|"-?" [0-9-]|"\\x|"[A-Z_-]+ |"<[A-Z]|[a-z]='
_ANSI = r"\x1b\[[0-9;]*m"


@dataclass(frozen=True, slots=True)
class Found:
    """A form, what carries its lines, and how many of the lines that were looked at it reads."""

    form: LogFormat
    envelope: EnvelopeName
    lines: int
    of_lines: int

    @property
    def name(self) -> str:
        """As it is said to a person."""
        return self.form.name if self.envelope == "none" else f"{self.form.name} (in lines of {self.envelope})"


def without_colours(texts: pa.Array) -> pa.Array:
    """Without the escape sequences for a terminal."""
    data = texts.buffers()[2]
    if data is None or b"\x1b[" not in data.to_pybytes():
        return texts
    return pc.replace_substring_regex(texts, _ANSI, "")


def find_format(
    texts: pa.Array, *, time_format: str | None = None, fields: Mapping[str, str] | None = None
) -> Found | None:
    """The form that reads most of some lines, of equals the first; None if none reads any.

    Parameters
    ----------
    texts
        Lines as bytes, (n,); at most 64 are looked at, the first and the last.
    time_format
        Of `datetime.strptime`, if the common forms of times do not fit.
    fields
        Field by key of JSON lines, before the keys that are known.

    Examples
    --------
    >>> find_format(pa.array([b'::1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 12'])).name
    'common'
    """
    sample = _sample(texts)
    if not pc.any(pc.match_substring_regex(sample, _HINT)).as_py():
        return None
    envelope = envelope_of(sample)
    times = None
    if envelope != "none":
        unwrapped = Envelope(envelope).unwrap(sample)
        sample, times = unwrapped.texts, unwrapped.times
    sample = without_colours(sample)
    for is_loose in (False, True):  # a loose form reads lines of others, too
        counts = {
            name: _count(form, sample, times, time_format, fields or {}, is_loose) for name, form in FORMATS.items()
        }
        most = max(counts.values())
        if most:
            break
    else:
        has_header = pc.any(pc.starts_with(sample, pattern=b"#Fields:")).as_py()
        return Found(FORMATS["w3c"], envelope, 0, len(sample)) if has_header else None
    name = next(name for name, count in counts.items() if count >= _ENOUGH_RATIO * most)
    return Found(FORMATS[name], envelope, counts[name], len(sample))


def _sample(texts: pa.Array) -> pa.Array:
    if len(texts) <= MOST_LINES:
        return texts
    half = MOST_LINES // 2
    return pa.concat_arrays([texts[:half], texts[-half:]])


def _count(
    form: LogFormat,
    texts: pa.Array,
    times: pa.Array | None,
    time_format: str | None,
    fields: Mapping[str, str],
    is_loose: bool,
) -> int:
    """How many of the lines the form reads."""
    if not len(texts):
        return 0
    columns, positions = _extracted(form, texts, fields, is_loose)
    if not len(positions):
        return 0
    if times is not None and "time" not in columns and "start_time" not in columns:
        columns = {**columns, "time": times.take(pa.array(positions))}
    stamp_ns = None if form.has_time else 0
    rows = rows_of(columns, len(positions), LogTimes(time_format or form.time_format), None, stamp_ns)
    return int(np.count_nonzero(rows.good()))


def _extracted(
    form: LogFormat, texts: pa.Array, fields: Mapping[str, str], is_loose: bool
) -> tuple[dict[str, pa.Array], IntArray]:
    none: tuple[dict[str, pa.Array], IntArray] = ({}, np.zeros(0, np.int64))
    if form.reader == "json":
        has_objects = pc.any(pc.match_substring_regex(texts, r"^\s*\{")).as_py()
        return JsonFields(UnknownCount("drop"), fields).extract(texts) if has_objects else none
    if form.reader == "logfmt":
        return LogfmtFields(UnknownCount("drop"), fields).extract(texts)
    if form.reader == "w3c":
        if not pc.any(pc.starts_with(texts, pattern=b"#")).as_py():
            return none
        columns, positions, _ = W3CFields(fields).extract(texts)
        return columns, positions
    pattern = compiled(form.text)
    expression = pattern.loose if is_loose else pattern.expression
    if not expression:
        return none
    return PatternFields(replace(pattern, expression=expression, segments=(), loose="")).extract(texts)
