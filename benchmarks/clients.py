"""What looking at clients costs: microseconds a row from JSON to alerts, with and without addresses of clients.

    python -m benchmarks.clients

Both sides of a pair run in turns over the same rows, which lack nothing but `client_ip` on the one side. Time is that
of the processor, so that a neighbour on the machine does not count.
"""

from __future__ import annotations

import gc
import statistics
import time

from aiops_nb.collect.json_lines.decoder import JsonLines
from aiops_nb.core.types import Item
from aiops_nb.engine.pipeline import Pipeline
from benchmarks.streams import events, json_chunks

RATE_HZ, TARGETS, ROWS, ROUNDS = 5_000.0, 100, 150_000, 5
CASES = [(2_000, 5_000), (2_000, 250), (50_000, 5_000), (50_000, 250)]


def items_of(rows: list[dict[str, object]], batch_rows: int) -> list[Item]:
    """The rows as they come out of the decoder."""
    lines, chunks = JsonLines("bench"), json_chunks(rows, batch_rows)
    return [Item(i, "requests", "bench", batch) for i, chunk in enumerate(chunks) for batch in lines.feed(chunk)]


def micros_a_row(items: list[Item]) -> float:
    """Processor time of one run through the pipeline."""
    pipeline = Pipeline()
    began = time.process_time()
    for item in items:
        pipeline.push(item)
    return (time.process_time() - began) / ROWS * 1e6


def decoding_micros(rows: list[dict[str, object]], batch_rows: int) -> float:
    """Processor time of decoding, which both sides share."""
    chunks, lines = json_chunks(rows, batch_rows), JsonLines("bench")
    began = time.process_time()
    for chunk in chunks:
        for _ in lines.feed(chunk):
            pass
    return (time.process_time() - began) / ROWS * 1e6


def measure(clients: int, batch_rows: int) -> tuple[float, float, float, float]:
    """Medians: decoding, the pipeline with addresses and without, and the ratio of the ways from JSON to alerts."""
    rows = events(TARGETS, ROWS, RATE_HZ)
    for i, row in enumerate(rows):
        client = i * 7919 % clients
        row["client_ip"] = f"10.0.{client // 250}.{client % 250}"
    reported, decoding = items_of(rows, batch_rows), decoding_micros(rows, batch_rows)
    untold = items_of([{k: v for k, v in row.items() if k != "client_ip"} for row in rows], batch_rows)
    gc.collect()
    gc.freeze()
    pairs = [(micros_a_row(reported), micros_a_row(untold)) for _ in range(ROUNDS)]
    with_clients, without = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median((decoding + reported) / (decoding + untold) for reported, untold in pairs)
    return decoding, with_clients, without, ratio


def main() -> None:
    """Print the table."""
    print("| clients | rows a batch | decoding | judging, with clients | without | JSON to alerts, ratio |")
    print("|--:|--:|--:|--:|--:|--:|")
    for clients, batch_rows in CASES:
        decoding, with_clients, without, ratio = measure(clients, batch_rows)
        cells = " | ".join(f"{micros:.2f} us a row" for micros in (decoding, with_clients, without))
        print(f"| {clients:,} | {batch_rows:,} | {cells} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
