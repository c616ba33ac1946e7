"""How the monitor itself is doing, as samples in its own stream: recorded, replayed and drawn like any other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from aiops_nb.core.clock import Clock
from aiops_nb.core.columns import times_ns
from aiops_nb.core.protocols import Collector
from aiops_nb.core.schemas import SELF_SOURCE, empty_batch, make_batch
from aiops_nb.core.types import NS_PER_SECOND

MOST_METRICS = 64  # of one source
MOST_EXAMPLE = 60
MOST_DETAIL = 120
Values = Mapping[str, float]


@dataclass(slots=True)
class Flow:
    """What one source brought: rows, their bytes in memory, and the newest time among them (UTC ns)."""

    rows_total: int = 0
    batch_bytes_total: int = 0
    newest_ns: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch that has rows."""
        self.rows_total += batch.num_rows
        self.batch_bytes_total += batch.nbytes
        self.newest_ns = max(self.newest_ns, int(times_ns(batch.column("time")).max()))


class Flows:
    """The flow of every source; written by the engine, read by the observer."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}
        self._before: dict[str, tuple[float, int]] = {}

    def add(self, source: str, batch: pa.RecordBatch) -> None:
        """Count a batch of rows."""
        self._flows.setdefault(source, Flow()).add(batch)

    def values(self, source: str, now_ns: int) -> dict[str, float]:
        """Totals of a source, its rows a second since the last look, and how far its newest row lies behind now."""
        flow, now_seconds = self._flows.get(source, Flow()), now_ns / NS_PER_SECOND
        values = {"rows_total": float(flow.rows_total), "batch_bytes_total": float(flow.batch_bytes_total)}
        before_seconds, before_rows = self._before.get(source, (now_seconds, flow.rows_total))
        self._before[source] = now_seconds, flow.rows_total
        if now_seconds > before_seconds:
            values["rows_hz"] = (flow.rows_total - before_rows) / (now_seconds - before_seconds)
        if flow.rows_total > before_rows:
            values["lag_seconds"] = (now_ns - flow.newest_ns) / NS_PER_SECOND
        return values


class SelfObservation:
    """A collector of `samples` about the monitor: the target is a source, or `monitor`; the source is `aiops_nb`.

    Its rows are never waited for, and close no window. Of a source: `rows_total`, `rows_hz`, `batch_bytes_total`,
    `lag_seconds` (now less its newest row), and what it counts itself, such as `bytes_total`, `dropped_total` and
    `rejected_<reason>_total`. Of the monitor: `queue_batches`, `late_total`, `ahead_total`, `poll_errors_total`.

    Parameters
    ----------
    observe
        Gives the values by target.
    over
        Whether all other collectors have ended: then this one has, too.
    clock
        Stamps, and spaces.
    interval_seconds
        Distance of the samples.
    """

    name = SELF_SOURCE

    def __init__(
        self,
        observe: Callable[[int], Mapping[str, Values]],
        over: Callable[[], bool],
        clock: Clock,
        interval_seconds: float,
    ) -> None:
        self._observe, self._over, self._clock, self._interval_seconds = observe, over, clock, interval_seconds
        self._closing = threading.Event()
        self._due_seconds = clock.monotonic_seconds() + interval_seconds

    def poll(self, timeout_seconds: float) -> pa.RecordBatch | None:
        """The next samples when they are due; None when there is nothing left to observe."""
        wait_seconds = self._due_seconds - self._clock.monotonic_seconds()
        if self._closing.wait(max(0.0, min(wait_seconds, timeout_seconds))) or self._over():
            return None
        if self._clock.monotonic_seconds() < self._due_seconds:
            return empty_batch("samples")
        self._due_seconds = self._clock.monotonic_seconds() + self._interval_seconds
        return self._batch()

    def close(self) -> None:
        """End a waiting `poll`."""
        self._closing.set()

    def _batch(self) -> pa.RecordBatch:
        now_ns = self._clock.now_ns()
        observed = self._observe(now_ns).items()
        rows = [(target, metric, value) for target, values in observed for metric, value in _bounded(values)]
        targets, metrics, values = zip(*rows, strict=True) if rows else ((), (), ())
        columns = {"time": [now_ns] * len(rows), "target": targets, "metric": metrics, "value": values}
        return make_batch("samples", self.name, columns)


def _bounded(values: Values) -> list[tuple[str, float]]:
    return [(metric, float(value)) for metric, value in values.items()][:MOST_METRICS]


def counted(collector: object) -> dict[str, float]:
    """What a collector counts itself; nothing if it does not, or cannot now."""
    try:
        return {name: float(value) for name, value in getattr(collector, "counters", {}).items()}
    except Exception:  # a third party's property may raise anything, and must not end the observation of the others
        return {}


if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("reason", "detail", "line", "suggestion")
_OF_LINES = "rejected lines"  # of these `rejected_lines` says more


def rejected_frame(collectors: Sequence[Collector]) -> pd.DataFrame:
    """The last lines that were not used, a row each: source, reason, detail, line, and the setting that would read it.

    Examples
    --------
    >>> list(rejected_frame([]).columns)
    ['source', 'reason', 'detail', 'line', 'suggestion']
    """
    import pandas as pd

    kept = [(collector.name, one) for collector in collectors for one in getattr(collector, "rejected", ())]
    rows = [(name, *(getattr(one, column, "") for column in _COLUMNS)) for name, one in kept]
    return pd.DataFrame(rows, columns=["source", *_COLUMNS], dtype="str")


def collector_problems(collectors: Sequence[Collector]) -> dict[str, str]:
    """What collectors say is wrong now, such as a file that is not there; see `Collector` for the member `problems`."""
    return {
        f"{one.name}, {subject}": sentence
        for one in collectors
        for subject, sentence in _sentences(one, "problems").items()
        if subject != _OF_LINES
    }


def collector_notices(collectors: Sequence[Collector]) -> dict[str, str]:
    """What collectors found and assumed, such as the pattern of a log; see `Collector` for the member `notices`."""
    return {
        f"{one.name}, {subject}": sentence
        for one in collectors
        for subject, sentence in _sentences(one, "notices").items()
    }


def _sentences(collector: object, member: str) -> dict[str, str]:
    try:
        return {str(subject): str(sentence) for subject, sentence in dict(getattr(collector, member, {})).items()}
    except Exception:  # as in `counted`
        return {}


IN_PYTHON = "; monitor.rejected() shows the last ones"


def rejected_lines(collectors: Sequence[Collector]) -> dict[str, str]:
    """Sources that rejected lines: how many, why and such as which; a pattern that does not fit is the common cause."""
    found = {f"lines of {one.name}": _sentence(one) for one in collectors}
    return {part: sentence for part, sentence in found.items() if sentence is not None}


def _sentence(collector: object) -> str | None:
    counters = counted(collector)
    rejected = {name: count for name, count in counters.items() if name.startswith("rejected_")}
    total = sum(rejected.values())
    if not total:
        return None
    reason = max(rejected, key=lambda name: rejected[name]).removeprefix("rejected_").removesuffix("_total")
    of_all = f"{total:,.0f} of {total + counters.get('rows_total', 0.0):,.0f} rejected"
    example = _example(collector, reason)
    line, suggestion = getattr(example, "line", ""), getattr(example, "suggestion", "")
    detail = getattr(example, "detail", "")
    why = f" ({shortened(detail, MOST_DETAIL)})" if detail else ""
    such_as = f", such as {shortened(line)!r}" if line else ""
    advice = f"; {suggestion}" if suggestion else ""
    return f"{of_all}, most as {reason}{why}{such_as}{advice}{IN_PYTHON}"


def _example(collector: object, reason: str) -> object:
    """The last line that was rejected for this reason, if the collector keeps any."""
    try:
        kept = list(getattr(collector, "rejected", ()))
    except Exception:  # as in `counted`
        return None
    fitting = [one for one in kept if getattr(one, "reason", "") == reason] or kept
    return fitting[-1] if fitting else None


def shortened(line: str, most: int = MOST_EXAMPLE) -> str:
    """The beginning of a line from outside, without control characters.

    Examples
    --------
    >>> shortened("a" + chr(27) + "[31m" + "b" * 100)[:8], len(shortened("b" * 100))
    ('a\ufffd[31mbb', 61)
    """
    plain = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)
    return plain if len(plain) <= most else f"{plain[:most]}…"
