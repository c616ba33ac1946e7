"""JSON lines of requests for the compiled kernel: plain, odd, broken; and what msgspec and pyarrow make of them."""

from __future__ import annotations

import json
import random

import pyarrow as pa

from aiops_nb import kernel
from aiops_nb.collect.json_lines.decoder import JsonLines

SOURCE = "bench"
FIELDS = {
    "time": [1.78e9, 1780000000, 1780000000.123456, 0, 1e-7, 12.5, 9.2e9, 9.3e9, -1, "2026-01-01T00:00:00Z", True],
    "target": ["a", "https://x/1", "https://x/2", "", "b" * 15, "c" * 16, "d" * 80, "é", 'q"x', "tab\t", 7],
    "method": ["GET", "POST", None, "X" * 40, "\u2028"],
    "status_code": [200, 503, 100, 999, None, 99, 1000, 200.0, 2e2, True, "200", -5],
    "duration_seconds": [0.5, 0, 3, 1e300, 5e-324, 0.1 + 0.2, 123456789.123456789, 2**53 + 1, None, -1, 1e400, "1"],
    "error_type": [None, "timeout", "dns", "connect", "tls", "reset", "protocol", "assertion", "nope", ""],
    "client_ip": ["10.0.0.1", "::1", "2001:db8::7", "", None, "host", 5],
    "response_bytes": [0, 512, 2**40, 10**18 - 1, 2**63 - 1, 2**63, None, -1, 1.5],
}
PLAIN = {
    "time": [1.78e9, 1780000000, 1780000000.123456, 12.5],
    "target": ["a", "https://x/1", "https://x/2", "", "c" * 16, "d" * 80],
    "method": ["GET", "POST", None],
    "status_code": [200, 503, 100, 999, None],
    "duration_seconds": [0.5, 0, 3, 1e300, 1e-7, 0.1 + 0.2, None],
    "error_type": [None, "timeout", "dns", "assertion"],
    "client_ip": ["10.0.0.1", "::1", "2001:db8::7", None],
    "response_bytes": [0, 512, 2**40, None],
}
SEPARATORS = [(", ", ": "), (",", ":"), (" ,\t", " : ")]


def odd_chunk(rng: random.Random) -> bytes:
    """Some lines of one sender, now and then another layout, an odd value, a broken line, a changed byte."""
    values = FIELDS if rng.random() < 0.5 else PLAIN
    layout, separators = layout_of(rng), rng.choice(SEPARATORS)
    lines = []
    for _ in range(rng.randint(1, 40)):
        if rng.random() < 0.1:
            layout = layout_of(rng)
        line = {name: pick(rng, values[name], PLAIN[name]) for name in layout}
        lines.append(json.dumps(line, separators=separators, ensure_ascii=rng.random() < 0.9).encode())
        if rng.random() < 0.02:
            lines.append(rng.choice(BROKEN))
    chunk = rng.choice([b"\n", b"\n", b"\r\n"]).join(lines) + rng.choice([b"\n", b"\n", b"\r\n", b""])
    return mutated(rng, chunk) if rng.random() < 0.3 else chunk


BROKEN = [
    b"",
    b" ",
    b"{}",
    b'{"time": 1, "target": "a", "x": 2}',
    b'{"time": 01, "target": "a"}',
    b'{"time": 1., "target": "a"}',
    b'{"time": 1e, "target": "a"}',
    b'{"time": 1e+3, "target": "a"}',
    b'{"time": 1, "target": "a",}',
    b'{"time": 1, "time": 2, "target": "a"}',
    b'{"time": 1, "target": "a"} {}',
    b'{"time": 1, "target": "a", "method": nul}',
    b'{"time": 1, "target": "a", "response_bytes": 9999999999999999999}',
    b'{"time": 1, "target": "a", "duration_seconds": 0.%s}' % (b"3" * 70),
    b'{"time": 1, "target": "\xff"}',
    b'{"time": 1, "target": "a\x00"}',
]


def layout_of(rng: random.Random) -> list[str]:
    layout = [name for name in FIELDS if name in ("time", "target") or rng.random() < 0.7]
    if rng.random() < 0.3:
        rng.shuffle(layout)
    return layout


def pick(rng: random.Random, odd: list[object], plain: list[object]) -> object:
    return rng.choice(odd) if rng.random() < 0.03 else rng.choice(plain)


def mutated(rng: random.Random, chunk: bytes) -> bytes:
    """A few bytes changed, put in or cut out."""
    changed = bytearray(chunk)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(changed) + 1)
        changed[at : at + rng.choice([0, 1, 1, 7])] = rng.choice([b"", b'"', b"\\", b"\n", b"9", b"}", b"\x80", b"\0"])
        changed = changed or bytearray(b"\n")
    return bytes(changed)


def by_msgspec(chunk: bytes) -> tuple[list[pa.RecordBatch], JsonLines]:
    """What the numpy path makes of all lines."""
    compiled, kernel.compiled = kernel.compiled, None
    try:
        lines = JsonLines(SOURCE)
    finally:
        kernel.compiled = compiled
    return lines.feed(chunk if chunk.endswith(b"\n") else chunk + b"\n"), lines


def is_same(one: pa.RecordBatch, other: pa.RecordBatch) -> bool:
    """Equal rows, null for null and bit for bit."""
    if one.schema != other.schema:
        return False
    for mine, its in zip(one.columns, other.columns, strict=True):
        if pa.types.is_dictionary(mine.type):
            mine, its = mine.dictionary_decode(), its.dictionary_decode()
        if not mine.equals(its):
            return False
        if (
            mine.type == pa.float64()
            and mine.fill_null(0).to_numpy().tobytes() != its.fill_null(0).to_numpy().tobytes()
        ):
            return False
    return True
