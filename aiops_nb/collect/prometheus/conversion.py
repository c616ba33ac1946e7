"""From the series of a page to samples: gauges as they are, rates of counters, quantiles of histograms.

Rates and quantiles are made here, between two scrapes, and recorded as such: a raw counter has no level to watch, and
the buckets of a histogram are ten to twenty series of which nobody wants to see one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aiops_nb.collect.prometheus.exposition import DROPPED, OVER_LIMIT, PageReader, PageSeries, PageValues
from aiops_nb.collect.prometheus.names import metric_name, quantile_label, rate_name, statistic_name
from aiops_nb.collect.prometheus.selection import SeriesSelection
from aiops_nb.core.growing import capacity_for, widened
from aiops_nb.core.types import NS_PER_SECOND, BoolArray, FloatArray, IntArray

SPARE_SERIES = 1_000


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of one scrape: names, values (n,), and times in ns of those that have one of their own, by index."""

    metrics: list[str]
    values: FloatArray
    times_ns: Mapping[int, int]


@dataclass(slots=True)
class _Histogram:
    """One distribution: the places of its buckets by upper bound, and of its sum and count."""

    buckets: dict[float, int] = field(default_factory=dict)
    has_room: bool = True


class Conversion:
    r"""Turns pages of one exporter into samples.

    A counter that went back was reset: it counts from 0 again, as in Prometheus. A series that a page no longer has is
    forgotten, and when it returns its first rate needs two pages. A page that could not be read changes nothing: the
    next rate is the mean over the gap.

    Parameters
    ----------
    selection
        Which series are kept.
    quantiles
        Of histograms, each between 0 and 1.
    series_limit
        Most samples a page; later series are counted.

    Examples
    --------
    >>> conversion = Conversion(SeriesSelection((), ()), quantiles=(0.5,), series_limit=10)
    >>> for second, jobs in ((0.0, 3), (2.0, 9)):
    ...     samples, _ = conversion.convert(f"jobs_total {jobs}\nload 0.5\n".encode(), second)
    >>> dict(zip(samples.metrics, samples.values.tolist(), strict=True))
    {'load': 0.5, 'jobs_per_second': 3.0}
    """

    def __init__(self, selection: SeriesSelection, *, quantiles: Sequence[float], series_limit: int) -> None:
        self._selection, self._quantiles, self._series_limit = selection, tuple(quantiles), series_limit
        self._reader = PageReader(self._add)
        self._begin()

    def _begin(self) -> None:
        self._count = self._outputs = 0
        self._before = np.full(64, np.nan)
        self._before_seconds = np.full(64, np.nan)
        self._gauges: dict[int, str] = {}
        self._rates: dict[int, str] = {}
        self._means: dict[str, dict[str, int]] = {}
        self._histograms: dict[str, _Histogram] = {}
        self._instant: set[str] = set()
        self._plan: _Plan | None = None

    def convert(self, page: bytes, now_seconds: float, *, times_in_seconds: bool = False) -> tuple[Samples, PageValues]:
        """The samples of a page that was read at a moment of a monotonic clock, and what was found on it."""
        found = self._reader.read(page, times_in_seconds=times_in_seconds)
        if self._holds_too_many(found):
            found = self._read_again(page, times_in_seconds)
        now, seconds, times = self._readings(found, now_seconds)
        samples = self._plan_of_now().samples(now, seconds, self._before, self._before_seconds, times)
        self._before, self._before_seconds = now, seconds
        return samples, found

    def _holds_too_many(self, found: PageValues) -> bool:
        """Whether series that are gone take room that others need, or are the most of what is remembered."""
        known = len(self._reader.known)
        needs_room = found.over_limit > 0 and known > 1.1 * found.samples + 10
        return needs_room or known > 2 * found.samples + SPARE_SERIES

    def _read_again(self, page: bytes, times_in_seconds: bool) -> PageValues:
        """Forget the series that are gone, so that memory follows the page and not its past."""
        known, values, seconds = self._reader.known, self._before, self._before_seconds
        self._reader.forget()
        self._begin()
        found = self._reader.read(page, times_in_seconds=times_in_seconds)
        self._make_room()
        for text, place in self._reader.known.items():
            earlier = known.get(text, DROPPED)
            if place >= 0 and 0 <= earlier < len(values):
                self._before[place], self._before_seconds[place] = values[earlier], seconds[earlier]
        return found

    def _readings(self, found: PageValues, now_seconds: float) -> tuple[FloatArray, FloatArray, dict[int, float]]:
        self._make_room()
        now = np.full(len(self._before), np.nan)
        now[found.places] = found.values
        seconds = np.where(np.isnan(now), np.nan, now_seconds)
        times = {int(found.places[index]): moment for index, moment in found.times.items()}
        for place, moment in times.items():
            seconds[place] = moment
        return now, seconds, times

    def _make_room(self) -> None:
        capacity = capacity_for(self._count, len(self._before))
        if capacity > len(self._before):
            self._before = widened(self._before, capacity, np.nan)
            self._before_seconds = widened(self._before_seconds, capacity, np.nan)

    # ---- new series

    def _add(self, series: PageSeries) -> int:
        if not self._selection.wants(series) or not self._is_useful(series):
            return DROPPED
        place = self._count
        if not self._place(series, place):
            return OVER_LIMIT
        self._count += 1
        self._plan = None
        return place

    @staticmethod
    def _is_useful(series: PageSeries) -> bool:
        """Sums of histograms say nothing that their quantiles do not; creation times and states are no measurements."""
        if series.kind in ("histogram", "gaugehistogram"):
            return series.name.endswith("_bucket") or series.name == f"{series.family}_count"
        is_created = series.name.endswith("_created") and series.kind in ("counter", "summary")
        return not is_created

    def _place(self, series: PageSeries, place: int) -> bool:
        """Note what a series is for; false if there is no room."""
        if series.name.endswith("_bucket") and "le" in series.labels and series.kind in ("histogram", "gaugehistogram"):
            return self._place_bucket(series, place)
        if self._outputs >= self._series_limit:
            return False
        if _is_mean_part(series):
            self._place_mean(series, place)
        elif _is_counter(series):
            self._rates[place] = metric_name(rate_name(series.name), series.labels)
            self._outputs += 1
        else:
            self._gauges[place] = metric_name(series.name, series.labels)
            self._outputs += 1
        return True

    def _place_bucket(self, series: PageSeries, place: int) -> bool:
        labels = {name: value for name, value in series.labels.items() if name != "le"}
        key = metric_name(series.family, labels)
        histogram = self._histograms.get(key)
        if histogram is None:
            has_room = self._outputs + len(self._quantiles) <= self._series_limit
            histogram = self._histograms[key] = _Histogram(has_room=has_room)
            self._outputs += len(self._quantiles) if has_room else 0
            if series.kind == "gaugehistogram":
                self._instant.add(key)
        try:
            bound = float(series.labels["le"])
        except ValueError:
            return False
        if histogram.has_room:
            histogram.buckets[bound] = place
        return histogram.has_room

    def _place_mean(self, series: PageSeries, place: int) -> None:
        mean = metric_name(statistic_name(series.family, "mean"), series.labels)
        parts = self._means.setdefault(mean, {})
        self._outputs += not parts
        parts[series.name.rpartition("_")[2]] = place
        if series.name.endswith("_count"):
            self._rates[place] = metric_name(rate_name(series.name), series.labels)
            self._outputs += 1

    def _plan_of_now(self) -> _Plan:
        if self._plan is None:
            whole = {name: parts for name, parts in self._means.items() if len(parts) == 2}
            self._plan = _Plan(
                self._gauges, self._rates, whole, self._histograms, frozenset(self._instant), self._quantiles
            )
        return self._plan


def _is_counter(series: PageSeries) -> bool:
    if series.kind in ("histogram", "summary"):
        return series.name.endswith("_count")
    return series.kind == "counter" or (series.kind in ("unknown", "untyped") and series.name.endswith("_total"))


def _is_mean_part(series: PageSeries) -> bool:
    return series.kind == "summary" and series.name in (f"{series.family}_sum", f"{series.family}_count")


class _Plan:
    """Where each sample comes from, as arrays; made again when a series is new."""

    def __init__(
        self,
        gauges: Mapping[int, str],
        rates: Mapping[int, str],
        means: Mapping[str, Mapping[str, int]],
        histograms: Mapping[str, _Histogram],
        instant: frozenset[str],
        quantiles: tuple[float, ...],
    ) -> None:
        self._gauges, self._rates = _places(gauges), _places(rates)
        self._sums = _places([parts["sum"] for parts in means.values()])
        self._counts = _places([parts["count"] for parts in means.values()])
        known = {key: one for key, one in histograms.items() if one.buckets}
        self._histograms = _Histograms(known, instant, quantiles)
        self._names = [*gauges.values(), *rates.values(), *means, *self._histograms.names]
        self._name_array = np.array(self._names, object)

    def samples(
        self,
        now: FloatArray,
        seconds: FloatArray,
        before: FloatArray,
        before_seconds: FloatArray,
        times: Mapping[int, float],
    ) -> Samples:
        """The samples of one page; NaN (not known) is left out."""
        passed = seconds - before_seconds
        rise = np.where(now < before, now, now - before)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(passed > 0, rise / passed, np.nan)
            mean = rise[self._sums] / rise[self._counts]
        gauge = now[self._gauges]
        if times:
            gauge = np.where(passed[self._gauges] == 0, np.nan, gauge)  # the same sample once more
        values = np.concatenate([gauge, rate[self._rates], mean, self._histograms.values(now, before)])
        known = np.flatnonzero(~np.isnan(values))
        sources = [*self._gauges.tolist(), *self._rates.tolist()] if times else []
        own = {
            row: round(times[sources[index]] * NS_PER_SECOND)
            for row, index in enumerate(known.tolist())
            if index < len(sources) and sources[index] in times
        }
        return Samples(self._name_array[known].tolist(), values[known], own)


def _places(places: Sequence[int] | Mapping[int, str]) -> IntArray:
    return np.array(list(places), np.int64)


class _Histograms:
    """Quantiles of all histograms of a page at once, by linear interpolation as Prometheus' `histogram_quantile`."""

    def __init__(
        self, histograms: Mapping[str, _Histogram], instant: frozenset[str], quantiles: tuple[float, ...]
    ) -> None:
        bounds = [sorted(one.buckets) for one in histograms.values()]
        whole = [len(one) > 1 and np.isinf(one[-1]) for one in bounds]  # without +Inf there is no count of all
        ordered = [one for one, is_whole in zip(bounds, whole, strict=True) if is_whole]
        chosen = [item for item, is_whole in zip(histograms.items(), whole, strict=True) if is_whole]
        sizes = np.array([len(one) for one in ordered], np.int64)
        self._begins = np.cumsum(sizes) - sizes
        self._ends = self._begins + sizes - 1
        self._group = np.repeat(np.arange(len(sizes)), sizes)
        self._bounds = np.array([bound for one in ordered for bound in one])
        self._places = _places(
            [one.buckets[bound] for (_, one), own in zip(chosen, ordered, strict=True) for bound in own]
        )
        self._is_instant: BoolArray = np.array([key in instant for key, _ in chosen], np.bool_)
        self._quantiles = quantiles
        self.names = [_quantile_name(key, quantile) for quantile in quantiles for key, _ in chosen]

    def values(self, now: FloatArray, before: FloatArray) -> FloatArray:
        """All quantiles of what was observed since the page before; NaN where nothing was."""
        if not len(self._begins):
            return np.empty(0)
        counts, past = now[self._places], before[self._places]
        is_reset = np.logical_or.reduceat(counts < past, self._begins)
        begins_at_zero = (is_reset | self._is_instant)[self._group]
        new = self._rising(counts - np.where(begins_at_zero, 0.0, past))
        return np.concatenate([self._quantile(new, quantile) for quantile in self._quantiles] or [np.empty(0)])

    def _rising(self, counts: FloatArray) -> FloatArray:
        """Each bucket at least what the one before it has: a page is not read in one moment."""
        falls = np.diff(counts, prepend=np.nan) < 0
        falls[self._begins] = False
        if not falls.any():
            return counts
        # A running maximum within each group: groups are lifted so far apart that it never reaches over their borders.
        step = np.nanmax(np.abs(counts), initial=0.0) + 1.0
        lifted = np.where(np.isnan(counts), -np.inf, counts) + 2.0 * step * self._group
        rising: FloatArray = np.maximum.accumulate(lifted) - 2.0 * step * self._group
        return np.where(np.isnan(counts), np.nan, rising)

    def _quantile(self, counts: FloatArray, quantile: float) -> FloatArray:
        total = counts[self._ends]
        rank = quantile * total
        index = np.arange(len(counts))
        reached = np.where(counts >= rank[self._group], index, len(counts))
        at = np.minimum.reduceat(reached, self._begins)
        is_known = (total > 0) & (at < len(counts))
        at = np.where(is_known, at, self._begins)
        is_first, is_last = at == self._begins, at == self._ends
        upper = self._bounds[at]
        lower = np.where(is_first, np.where(upper > 0, 0.0, upper), self._bounds[at - 1])
        below = np.where(is_first, 0.0, counts[at - 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (rank - below) / (counts[at] - below)
            inside = lower + (upper - lower) * np.clip(share, 0.0, 1.0)
        value = np.where(is_last, self._bounds[self._ends - 1], inside)
        return np.where(is_known, value, np.nan)


def _quantile_name(key: str, quantile: float) -> str:
    family, brace, labels = key.partition("{")
    return f"{statistic_name(family, quantile_label(quantile))}{brace}{labels}"
