r"""A page of metrics, read fast: the text format of Prometheus and OpenMetrics.

Not by `prometheus_client.parser`: it makes an object for every line, and its parsing alone takes more than 20 times as
long as a whole later scrape here (`python -m benchmarks.scrape_parser`); the tests hold this reader against it. Pages
change little between two scrapes, so a line's text before its value is looked up first and read only when it is new.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from aiops_nb.core.types import FloatArray, IntArray

DROPPED, OVER_LIMIT = -1, -2
MOST_SERIES_BYTES = 2_000
_NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LINE = re.compile(
    rb"[ \t]*(?P<series>(?P<name>" + _NAME + rb")[ \t]*(?:\{(?P<labels>(?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\})?)"
    rb"[ \t]+(?P<value>[^\s#]+)(?:[ \t]+(?P<time>[-+]?[0-9.eE+-]+))?[ \t]*(?:#.*)?$"
)
_PLAIN_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="([^"\\]+)"')
_PLAIN_LABELS = re.compile(r'(?:[a-zA-Z_][a-zA-Z0-9_]*="[^"\\]+"(?:,|$))+')
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n"}
_TYPE = re.compile(rb"#[ \t]+TYPE[ \t]+(" + _NAME + rb")[ \t]+([a-z]+)[ \t]*$")
_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "_info", "_gcount", "_gsum")


@dataclass(slots=True)
class PageSeries:
    """A series as a page names it.

    Attributes
    ----------
    name
        Of the sample, such as `http_requests_total`.
    family, kind
        The metric that it belongs to and its TYPE, `unknown` if the page says none.
    labels
        By name; those with an empty value are left out, as in Prometheus.
    """

    name: str
    family: str
    kind: str
    labels: dict[str, str]


@dataclass(slots=True, kw_only=True)
class PageValues:
    """The samples of one page, for the series that were kept.

    Attributes
    ----------
    places
        Number of each sample's series, as `add` gave it.
    values
        Its value; NaN where the page says NaN.
    times
        Seconds since 1970 of the samples that have a time of their own, by their index.
    samples, over_limit, malformed
        How many samples the page has, how many series had no room, and how many lines could not be read.
    is_ended
        Whether `# EOF` was there.
    """

    places: IntArray
    values: FloatArray
    times: dict[int, float] = field(default_factory=dict)
    samples: int = 0
    over_limit: int = 0
    malformed: int = 0
    is_ended: bool = False


class PageReader:
    r"""Reads pages of one exporter, remembering the series that it has seen.

    Parameters
    ----------
    add
        Gives a new series its number; `DROPPED` or `OVER_LIMIT` if it is not kept.

    Examples
    --------
    >>> seen = []
    >>> reader = PageReader(lambda series: seen.append(series) or len(seen) - 1)
    >>> page = reader.read(b'# TYPE jobs_total counter\njobs_total{queue="a"} 3\nload 0.5\n')
    >>> page.places.tolist(), page.values.tolist(), [(one.family, one.kind) for one in seen]
    ([0, 1], [3.0, 0.5], [('jobs_total', 'counter'), ('load', 'unknown')])
    """

    def __init__(self, add: Callable[[PageSeries], int]) -> None:
        self._add = add
        self._known: dict[bytes, int] = {}
        self._types: dict[str, str] = {}
        self._families: dict[str, tuple[str, str]] = {}

    @property
    def known(self) -> dict[bytes, int]:
        """The number of each series by its text on the page, dropped ones included."""
        return self._known

    def forget(self) -> None:
        """Forget all series: each is new when it comes again."""
        self._known = {}

    def read(self, page: bytes, *, times_in_seconds: bool = False) -> PageValues:
        """The samples of a page; `times_in_seconds` as in OpenMetrics, else milliseconds."""
        found = _Found(self, 1.0 if times_in_seconds else 1e-3)
        known, places, values = self._known.get, found.places, found.values
        for line in page.split(b"\n"):
            series, _, value = line.rpartition(b" ")
            place = known(series)
            if place is None:
                found.read_line(line)
            elif place >= 0:
                places.append(place)
                values.append(value)
            else:
                found.skip(place, value)
        return found.result()

    def place_of(self, match: re.Match[bytes]) -> int | None:
        """The number of the series of a line; None if its labels cannot be read."""
        text = match["series"]
        place = self._known.get(text)
        if place is not None:
            return place
        if len(text) > MOST_SERIES_BYTES or (labels := _labels_of(match["labels"])) is None:
            return None
        name = match["name"].decode("ascii")
        if name not in self._families:
            self._families[name] = self._family_of(name)
        family, kind = self._families[name]
        place = self._known[text] = self._add(PageSeries(name, family, kind, labels))
        return place

    def _family_of(self, name: str) -> tuple[str, str]:
        if name in self._types:
            return name, self._types[name]
        for suffix in _SUFFIXES:
            family = name.removesuffix(suffix)
            if family != name and family in self._types:
                return family, self._types[family]
        return name, "unknown"

    def note_type(self, name: str, kind: str) -> None:
        """A TYPE line; if it says something else than before, its series are read again."""
        if self._types.get(name, kind) != kind:
            for text in [text for text in self._known if text.startswith(name.encode())]:
                del self._known[text]
            del self._types[name]
        if name not in self._types:
            self._types[name] = kind
            self._families.clear()


class _Found:
    """What one page has."""

    def __init__(self, reader: PageReader, time_unit_seconds: float) -> None:
        self.places: list[int] = []
        self.values: list[bytes] = []
        self._times: dict[int, float] = {}
        self._reader, self._time_unit_seconds = reader, time_unit_seconds
        self._skipped = self._over_limit = self._malformed = 0
        self._is_ended = False

    def skip(self, place: int, value: bytes) -> None:
        """A sample of a series that is not kept."""
        self._skipped += 1
        self._over_limit += place == OVER_LIMIT

    def read_line(self, line: bytes) -> None:
        """A line whose series is new, that has a time or an exemplar, a comment, or none of these."""
        line = line.rstrip()
        if not line:
            return
        if line.startswith(b"#"):
            self._read_comment(line)
            return
        match = _LINE.match(line)
        place = None if match is None or self._is_ended else self._reader.place_of(match)
        if match is None or place is None:
            self._malformed += 1
        elif place < 0:
            self.skip(place, match["value"])
        else:
            self._note_time(match["time"])
            self.places.append(place)
            self.values.append(match["value"])

    def _note_time(self, text: bytes | None) -> None:
        try:
            if text is not None:
                self._times[len(self.places)] = float(text) * self._time_unit_seconds
        except ValueError:
            self._malformed += 1

    def _read_comment(self, line: bytes) -> None:
        if line == b"# EOF":
            self._is_ended = True
        elif match := _TYPE.match(line):
            self._reader.note_type(match[1].decode("ascii"), match[2].decode("ascii"))

    def result(self) -> PageValues:
        """The numbers; a value that cannot be read is counted with the malformed lines."""
        places = np.array(self.places, np.int64)
        samples = len(places) + self._skipped
        try:
            values = np.array(list(map(float, self.values)), np.float64)
        except ValueError:
            read = [_number(text) for text in self.values]
            good = [index for index, value in enumerate(read) if value is not None]
            self._malformed += len(read) - len(good)
            self._times = {n: self._times[index] for n, index in enumerate(good) if index in self._times}
            places = places[np.array(good, np.int64)]
            values = np.array([read[index] for index in good], np.float64)
        return PageValues(
            places=places,
            values=values,
            times=self._times,
            samples=samples,
            over_limit=self._over_limit,
            malformed=self._malformed,
            is_ended=self._is_ended,
        )


def _number(text: bytes) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _labels_of(text: bytes | None) -> dict[str, str] | None:
    """Labels by name; None if they cannot be read."""
    if not text:
        return {}
    try:
        whole = text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if _PLAIN_LABELS.fullmatch(whole):
        return dict(_PLAIN_LABEL.findall(whole))
    labels: dict[str, str] = {}
    at, whole = 0, whole.strip()
    while at < len(whole):
        match = _LABEL.match(whole, at)
        if match is None:
            return None
        labels[match[1]] = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), match[2])
        at = match.end()
    return {name: value for name, value in labels.items() if value}
