"""Processor time that a page of 50,000 samples takes, next to the parser of prometheus_client.

python -m benchmarks.scrape_parser
"""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from aiops_nb.collect.prometheus.conversion import Conversion
from aiops_nb.collect.prometheus.selection import SeriesSelection

SAMPLES = 50_000
ROUNDS = 5


def page(round_number: int) -> bytes:
    """A tenth gauges, a tenth counters, the rest histograms of 12 buckets."""
    lines = ["# TYPE load gauge"]
    lines += [f'load{{core="{i}"}} {i + round_number / 7}' for i in range(SAMPLES // 10)]
    lines.append("# TYPE requests_total counter")
    lines += [f'requests_total{{path="/{i}",code="200"}} {i * round_number}' for i in range(SAMPLES // 10)]
    lines.append("# TYPE duration_seconds histogram")
    bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
    for i in range(SAMPLES * 8 // 10 // 14):
        lines += [
            f'duration_seconds_bucket{{path="/{i}",le="{bound}"}} {(at + 1) * round_number * 3}'
            for at, bound in enumerate(bounds)
        ]
        lines.append(f'duration_seconds_sum{{path="/{i}"}} {round_number * 1.5}')
        lines.append(f'duration_seconds_count{{path="/{i}"}} {round_number * 36}')
    return ("\n".join(lines) + "\n").encode()


def milliseconds(work: Callable[[], object]) -> float:
    """Processor time of one call: a busy machine does not change it."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> None:
    """Print the table."""
    pages = [page(number) for number in range(1, ROUNDS + 2)]
    conversion = Conversion(SeriesSelection((), ()), quantiles=(0.95,), series_limit=100_000)
    first = milliseconds(lambda: conversion.convert(pages[0], 0.0))
    later = [milliseconds(lambda n=n: conversion.convert(pages[n], n * 15.0)) for n in range(1, ROUNDS + 1)]
    library = milliseconds(lambda: list(text_string_to_metric_families(pages[0].decode())))
    print(f"{len(pages[0]):,} bytes, {SAMPLES:,} samples; whole conversion to samples:")
    print(f"first page {first:.0f} ms, later pages {sorted(later)[ROUNDS // 2]:.0f} ms (median of {ROUNDS})")
    print(f"prometheus_client, parsing alone: {library:.0f} ms")


if __name__ == "__main__":
    main()
