"""What the command line counts while rows pass: requests, errors and latency of each target, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.cli.output import StatusLine
from aiops_nb.core.columns import times_ns
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.quantities import format_count, format_duration, readable
from aiops_nb.core.types import IntArray, Step

MOST_TARGETS = 1_000
MOST_LINES = 40
EVERY_SECONDS = 0.5
BINS_AN_OCTAVE = 8  # a quantile is right within 5 %
FIRST_OCTAVE, OCTAVES = -20, 40  # 1 us to 12 d


@dataclass(slots=True)
class TargetTally:
    """Counts of one target."""

    requests: int = 0
    errors: int = 0
    bins: IntArray = field(default_factory=lambda: np.zeros(OCTAVES * BINS_AN_OCTAVE, np.int64))

    def quantile_seconds(self, share: float) -> float:
        """The latency that this share of the requests does not exceed; NaN where none is known."""
        total = int(self.bins.sum())
        if not total:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.bins), share * total))
        return float(2.0 ** ((place + 0.5) / BINS_AN_OCTAVE + FIRST_OCTAVE))


class Tally:
    """A sink that counts requests by target; bounded: targets beyond the first 1,000 are counted in sum only."""

    def __init__(self) -> None:
        self.targets: dict[str, TargetTally] = {}
        self.requests = 0
        self.probes = 0
        self.first_ns: int | None = None
        self.last_ns = 0

    def write(self, step: Step) -> None:
        """Count the rows of a step."""
        batch = step.item.batch
        if not batch.num_rows:
            return
        moments = times_ns(batch.column("time"))
        if self.first_ns is None:
            self.first_ns = int(moments.min())
        self.last_ns = max(self.last_ns, int(moments.max()))
        if step.item.table == "requests":
            self._count(batch)

    def close(self) -> None:
        """Nothing to release."""

    def _count(self, batch: pa.RecordBatch) -> None:
        self.requests += batch.num_rows
        self.probes += pc.sum(pc.equal(batch.column("origin"), "probe")).as_py() or 0
        encoded = pc.dictionary_encode(batch.column("target"))
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        status = pc.fill_null(batch.column("status_code"), 0).to_numpy(zero_copy_only=False)
        failed = pc.is_valid(batch.column("error_type")).to_numpy(zero_copy_only=False) | (status >= 500)
        seconds = pc.fill_null(batch.column("duration_seconds"), 0.0).to_numpy(zero_copy_only=False)
        for code, name in enumerate(encoded.dictionary.to_pylist()):
            own = codes == code
            tally = self._of(str(name))
            if tally is None:
                continue
            tally.requests += int(own.sum())
            tally.errors += int((failed & own).sum())
            known = seconds[own & (seconds > 0)]
            places = ((np.log2(known) - FIRST_OCTAVE) * BINS_AN_OCTAVE).astype(np.int64)
            np.add.at(tally.bins, np.clip(places, 0, len(tally.bins) - 1), 1)

    def _of(self, name: str) -> TargetTally | None:
        if name not in self.targets and len(self.targets) >= MOST_TARGETS:
            return None
        return self.targets.setdefault(name, TargetTally())

    @property
    def seconds(self) -> float:
        """From the first row to the last."""
        return 0.0 if self.first_ns is None else (self.last_ns - self.first_ns) / 1e9

    def total(self) -> str:
        """All in a phrase.

        Examples
        --------
        >>> Tally().total()
        'no rows'
        """
        if self.first_ns is None:
            return "no rows"
        span = format_duration(round(self.seconds))
        if not self.requests:
            return f"{span}, no requests"
        noun = "probe" if self.probes == self.requests else "request"
        return f"{span}, {format_count(self.requests, noun)} of {format_count(len(self.targets), 'target')}"

    def lines(self) -> Iterator[str]:
        """A line for each target, those with the most errors first."""
        ranked = sorted(self.targets.items(), key=lambda one: (-one[1].errors / one[1].requests, -one[1].requests))
        width = max((len(name) for name, _ in ranked[:MOST_LINES]), default=0)
        for name, tally in ranked[:MOST_LINES]:
            errors = readable(tally.errors / tally.requests, "error_ratio")
            latency = " ".join(f"p{share} {_duration(tally, share)}" for share in (50, 95))
            yield f"  {name:<{width}}  {format_count(tally.requests, 'request')}, {errors} errors, {latency}"
        if len(ranked) > MOST_LINES:
            yield f"  and {len(ranked) - MOST_LINES} more targets"


def _duration(tally: TargetTally, share: int) -> str:
    return readable(tally.quantile_seconds(share / 100), "duration_seconds")


class ReplayProgress:
    """A sink that shows on a terminal how far a replay is."""

    def __init__(self, status: StatusLine, time_range_ns: tuple[int, int] | None) -> None:
        self._status, self._range = status, time_range_ns
        self._due = time.monotonic() + EVERY_SECONDS

    def write(self, step: Step) -> None:
        """Show the time of a step, twice a second at most."""
        if not self._status.is_shown or self._range is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY_SECONDS
        now_ns = int(times_ns(step.item.batch.column("time"))[-1])
        done = (now_ns - self._range[0]) / max(1, self._range[1] - self._range[0])
        self._status.write(f"replaying {rfc3339(now_ns)[:19]}Z, {min(1.0, max(0.0, done)):.0%}")

    def close(self) -> None:
        """Make room for what comes next."""
        self._status.clear()
