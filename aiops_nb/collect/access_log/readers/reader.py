"""The lines of one file as columns of text: out of what carries them, in the form that was chosen or found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aiops_nb.collect.access_log.find import MOST_LINES, Found, find_format, without_colours
from aiops_nb.collect.access_log.formats import ENVELOPES, LogFormat, compiled
from aiops_nb.collect.access_log.readers.envelope import Envelope, envelope_of
from aiops_nb.collect.access_log.readers.fields import PatternFields
from aiops_nb.collect.access_log.readers.json import JsonFields
from aiops_nb.collect.access_log.readers.logfmt import LogfmtFields
from aiops_nb.collect.access_log.readers.w3c import W3CFields
from aiops_nb.collect.json_lines.unknown_fields import UnknownCount
from aiops_nb.core.types import IntArray

_MANY_LOOKS = 20
_SELDOM = 20
_LEAST_LINES = 1  # that fit another form: a quiet log has one line at a time
Columns = dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Extracted:
    """Columns of text of the lines that are of the form.

    Attributes
    ----------
    texts
        The lines without what carries them, (m,).
    columns, positions
        By field, (n,), and where in `texts` each is.
    ignored
        Places in `texts` of lines that are no requests and no fault either: comments.
    foreign
        Lines that are not of the carrier, (k,).
    """

    texts: pa.Array
    columns: Columns
    positions: IntArray
    ignored: IntArray
    foreign: pa.Array


class LogReader:
    """Reads the lines of one file.

    Parameters
    ----------
    form
        What the lines are; `auto`: what is found on them.
    fields
        Field by name in the log, before the names that are known.
    time_format
        Of `datetime.strptime`, of lines whose form is to be found.
    unknown
        Counts the keys of JSON lines that no field is for.
    on_found
        Is called with each form that was found.
    """

    def __init__(
        self,
        form: LogFormat,
        *,
        fields: Mapping[str, str],
        time_format: str | None,
        unknown: UnknownCount,
        on_found: Callable[[Found, LogFormat | None], None],
    ) -> None:
        self._fields, self._time_format, self._unknown, self._on_found = fields, time_format, unknown, on_found
        self._is_auto = form.reader == "auto"
        self._looks = self._chunks = 0
        self._envelope: Envelope | None = Envelope(form.name) if form.name in ENVELOPES else None  # type: ignore[arg-type]
        self._has_looked_for_envelope = self._envelope is not None
        self.form: LogFormat | None = None
        self._reader: PatternFields | JsonFields | LogfmtFields | W3CFields | None = None
        if not self._is_auto:
            self._use(form)

    @property
    def json(self) -> JsonFields | None:
        """What reads JSON lines, if they are such."""
        if isinstance(self._reader, LogfmtFields):
            return self._reader.json
        return self._reader if isinstance(self._reader, JsonFields) else None

    @property
    def lacks_header(self) -> bool:
        """Whether the columns of the lines are not known, as no `#Fields:` has come."""
        return isinstance(self._reader, W3CFields) and not self._reader.has_header

    def look_at(self, texts: pa.Array) -> None:
        """Find the form on lines that were there before; they are not read."""
        if len(texts):
            self._look(texts)
            if isinstance(self._reader, W3CFields):
                self._reader.extract(texts)

    def extract(self, texts: pa.Array) -> Extracted:
        """Columns of the lines; the form is looked for if it is not known yet, or fits no more."""
        self._chunks += 1
        if self._reader is None or not self._has_looked_for_envelope:
            self._look(texts)
        extracted = self._extracted(texts)
        missing = len(extracted.texts) - len(extracted.positions) - len(extracted.ignored)
        if self._is_auto and self._reader is not None and missing * 2 > len(extracted.texts):
            return self._again(texts, extracted)
        return extracted

    def _extracted(self, texts: pa.Array) -> Extracted:
        inner, times, foreign = texts, None, texts[:0]
        if self._envelope is not None:
            unwrapped = self._envelope.unwrap(texts)
            inner, times = unwrapped.texts, unwrapped.times
            others = np.setdiff1d(np.arange(len(texts)), np.concatenate([unwrapped.positions, unwrapped.partial]))
            foreign = texts.take(pa.array(others))
            inner = without_colours(inner)
        columns, positions, ignored = self._columns(inner)
        if times is not None and "time" not in columns and "start_time" not in columns:
            columns = {**columns, "time": times.take(pa.array(positions))}
        return Extracted(inner, columns, positions, ignored, foreign)

    def _columns(self, texts: pa.Array) -> tuple[Columns, IntArray, IntArray]:
        nothing = np.zeros(0, np.int64)
        if self._reader is None or not len(texts):
            return {}, nothing, nothing
        if isinstance(self._reader, W3CFields):
            return self._reader.extract(texts)
        return *self._reader.extract(texts), nothing

    def _look(self, texts: pa.Array) -> None:
        """Find the carrier, and the form if it is to be found; ever more seldom while nothing fits."""
        if self._looks > _MANY_LOOKS and self._chunks % _SELDOM:
            return
        self._looks += 1
        if not self._is_auto:
            self._has_looked_for_envelope = True
            name = envelope_of(texts[:MOST_LINES])
            self._envelope = None if name == "none" or self._reads(texts[:MOST_LINES]) else Envelope(name)
            return
        found = self._found(texts)
        if found is not None:
            self._take(found)

    def _reads(self, texts: pa.Array) -> bool:
        """Whether the form reads lines as they are, whatever seems to carry them."""
        return len(self._columns(texts)[1]) * 2 > len(texts)

    def _found(self, texts: pa.Array) -> Found | None:
        if self._envelope is not None and not self._has_looked_for_envelope:
            texts = self._envelope.unwrap(texts[:MOST_LINES]).texts
        return find_format(texts, time_format=self._time_format, fields=self._fields)

    def _take(self, found: Found) -> None:
        before = self.form
        if found.envelope != "none":
            self._envelope = Envelope(found.envelope)
        elif not self._has_looked_for_envelope or before is None:
            self._envelope = None
        self._has_looked_for_envelope = True
        self._use(found.form)
        self._on_found(found, before)

    def _use(self, form: LogFormat) -> None:
        self.form = form
        if form.reader == "json":
            self._reader = JsonFields(self._unknown, self._fields, form.dialect)
        elif form.reader == "w3c":
            self._reader = W3CFields(self._fields)
        elif form.reader == "logfmt":
            self._reader = LogfmtFields(self._unknown, self._fields)
        else:
            self._reader = PatternFields(compiled(form.text, self._own_fields(form)))

    def _own_fields(self, form: LogFormat) -> tuple[tuple[str, str], ...]:
        """What the user named, as far as the form has such variables: a form that was found may have others."""
        if not self._is_auto:
            return tuple(self._fields.items())
        return tuple((name, field) for name, field in self._fields.items() if name in form.text)

    def _again(self, texts: pa.Array, extracted: Extracted) -> Extracted:
        """Of lines that mostly do not fit: in the form that they fit, if there is one."""
        if self._looks > _MANY_LOOKS and self._chunks % _SELDOM:
            return extracted
        self._looks += 1
        used = np.concatenate([extracted.positions, extracted.ignored])
        rest = extracted.texts.take(pa.array(np.setdiff1d(np.arange(len(extracted.texts)), used)))
        found = find_format(rest, time_format=self._time_format, fields=self._fields)
        if found is None or found.lines < _LEAST_LINES or found.form is self.form:
            return extracted
        self._take(found)
        return self._extracted(texts)
