"""Which series of a page are kept: patterns on names, with matchers on labels as in PromQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

from aiops_nb.collect.prometheus.exposition import PageSeries
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.matchers import Matcher, matches_all, parse_matchers

MOST_NAMES = 10_000
_PATTERN = re.compile(r"([A-Za-z0-9_:*?\[\]!-]*)(\{.*\})?", re.DOTALL)


class SeriesPattern:
    """A pattern on the name (`*`, `?`, `[...]`), with matchers on labels in braces.

    The name may be that of the sample or of its metric: `http_duration_seconds` also means its buckets.

    Raises
    ------
    ConfigError
        Naming `where`.

    Examples
    --------
    >>> pattern = SeriesPattern('node_cpu_*{mode!="idle"}', "keep[0]")
    >>> names = {"name": "node_cpu_seconds_total", "family": "node_cpu_seconds", "kind": "counter"}
    >>> [pattern.matches(PageSeries(**names, labels={"mode": mode})) for mode in ("user", "idle")]
    [True, False]
    >>> SeriesPattern("cpu{mode", "keep[0]")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: keep[0]: expected a name with * and ?, as in node_cpu_*{mode!="idle"}, got ...
    """

    def __init__(self, text: str, where: str) -> None:
        match = _PATTERN.fullmatch(text.strip())
        if match is None or not match[0]:
            raise ConfigError.at(where, 'a name with * and ?, as in node_cpu_*{mode!="idle"}', text)
        self._name = re.compile(translate(match[1] or "*"))
        self._matchers: tuple[Matcher, ...] = parse_matchers(match[2], where) if match[2] else ()
        self._named: dict[tuple[str, str], bool] = {}

    def matches(self, series: PageSeries) -> bool:
        """Whether it is meant."""
        names = series.name, series.family
        if names not in self._named:
            if len(self._named) >= MOST_NAMES:
                self._named.clear()
            self._named[names] = bool(self._name.match(series.name) or self._name.match(series.family))
        return self._named[names] and matches_all(self._matchers, series.labels)


class SeriesSelection:
    """Series that match one of `keep` (all, if there is none) and none of `drop`.

    Examples
    --------
    >>> selection = SeriesSelection(keep=(), drop=("go_*",))
    >>> [selection.wants(PageSeries(name=n, family=n, kind="gauge", labels={})) for n in ("go_threads", "load")]
    [False, True]
    """

    def __init__(self, keep: Sequence[str], drop: Sequence[str]) -> None:
        self._keep = [SeriesPattern(text, f"keep[{index}]") for index, text in enumerate(keep)]
        self._drop = [SeriesPattern(text, f"drop[{index}]") for index, text in enumerate(drop)]

    def wants(self, series: PageSeries) -> bool:
        """Whether it is kept."""
        is_kept = not self._keep or any(pattern.matches(series) for pattern in self._keep)
        return is_kept and not any(pattern.matches(series) for pattern in self._drop)
