"""Streams of lines of which about half cannot be rows: what a broken or an evil sender writes. Seeded."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.hostile_formats import LINES, good_line, spoilt_line

Kind = str  # json, combined, json_log, or one of `hostile_formats.LINES`
LONG_BYTES = 10_000_000
POOL = 2_000
SECONDS = 1_760_104_536
LINES_PER_SECOND = 1_000
ELSEWHEN_RATIO = 0.01
JSON_ROW = {"time": SECONDS, "target": "a", "status_code": 200, "duration_seconds": 0.05}
LOG_LINE = '10.0.0.7 - - [10/Oct/2025:13:55:36 +0000] "GET /pay HTTP/1.1" 200 512 "-" "Mozilla/5.0"'
LOG_ROW = {"time_iso8601": "2025-10-10T13:55:36+00:00", "remote_addr": "10.0.0.7", "status": 200, "request_time": 0.25}

NASTY_TIMES = ["yesterday", "31/02/2026", 1e30, -1e30, "0000-00-00", "9999-12-31T00:00:00Z", "1066-10-14T00:00:00Z"]
NASTY_JSON = {
    "time": NASTY_TIMES,
    "target": [1, None, ["a"]],
    "status_code": ["200", 1.5, 10**30, -1],
    "duration_seconds": ["fast", -1],
}
NASTY_LOG = {
    "time_iso8601": ["yesterday", "31/02/2026", "9999-12-31T00:00:00Z", "1066-10-14T00:00:00Z", None, ["now"]],
    "status": ["high", 10**30, 99, {"code": 200}],
    "request_time": ["fast", "0.1, 0.2", "0x10"],
}
NASTY_PARTS = {
    "10/Oct/2025:13:55:36 +0000": ["yesterday", "31/Feb/2025:13:55:36 +0000", "10/Okt/2025:13:55:36 +0000"]
    + [f"10/Oct/{year}:13:55:36 +0000" for year in ("1066", "9999")],
    " 200 ": [" 12 ", " 99999999999999999999 ", " NaN "],
    " 512 ": [" 99999999999999999999 ", " 1.5 ", " 1e9 "],
}


def _json_good() -> bytes:
    return json.dumps(JSON_ROW).encode()


def _spoilt_json(rng: random.Random, row: dict[str, object], nasty: dict[str, list[object]]) -> bytes:
    name = rng.choice(list(nasty))
    return json.dumps({**row, name: rng.choice(nasty[name])}).encode()


def _spoilt_line(rng: random.Random) -> bytes:
    part = rng.choice(list(NASTY_PARTS))
    return LOG_LINE.replace(part, rng.choice(NASTY_PARTS[part])).encode()


GOOD: dict[Kind, bytes] = {
    "json": _json_good(),
    "combined": LOG_LINE.encode(),
    "json_log": json.dumps(LOG_ROW).encode(),
}
ELSEWHEN: dict[Kind, tuple[bytes, bytes]] = {  # rows all right, of 1971 and of 2200
    "json": (GOOD["json"].replace(b"1760104536", b"36000000"), GOOD["json"].replace(b"1760104536", b"7258118400")),
    "combined": (GOOD["combined"].replace(b"2025", b"1971"), GOOD["combined"].replace(b"2025", b"2200")),
    "json_log": (GOOD["json_log"].replace(b"2025", b"1971"), GOOD["json_log"].replace(b"2025", b"2200")),
}
SPOILT: dict[Kind, Callable[[random.Random], bytes]] = {
    "json": lambda rng: _spoilt_json(rng, JSON_ROW, NASTY_JSON),
    "combined": _spoilt_line,
    "json_log": lambda rng: _spoilt_json(rng, LOG_ROW, NASTY_LOG),
}


_IN_1971, _IN_2200 = 36_000_000, 7_258_118_400
for _name in LINES:
    GOOD[_name] = good_line(_name, SECONDS)
    ELSEWHEN[_name] = (good_line(_name, _IN_1971), good_line(_name, _IN_2200))
    SPOILT[_name] = partial(spoilt_line, name=_name)


def _not_a_number(rng: random.Random, kind: Kind) -> bytes:
    spoilt = GOOD[kind].replace(b"0.05", rng.choice([b"NaN", b"Infinity", b"0x10", b"1e"]))
    return spoilt if kind == "json" else SPOILT[kind](rng)


def _good_at(kind: Kind, seconds: int) -> bytes:
    """The good line, so many seconds on."""
    if kind in LINES:
        return good_line(kind, SECONDS + seconds) + b"\n"
    then = datetime.fromtimestamp(SECONDS, UTC) + timedelta(seconds=seconds)
    line = GOOD[kind].replace(b"1760104536", str(SECONDS + seconds).encode())
    line = line.replace(b"10/Oct/2025:13:55:36", then.strftime("%d/Oct/%Y:%H:%M:%S").encode())
    return line.replace(b"2025-10-10T13:55:36", then.strftime("%Y-%m-%dT%H:%M:%S").encode()) + b"\n"


def hostile_line(rng: random.Random, kind: Kind) -> bytes:
    """A line that cannot be a row, of a kind drawn at random."""
    good = GOOD[kind]
    makers: list[Callable[[], bytes]] = [
        lambda: good[: rng.randrange(1, len(good) // 2 if kind in LINES else len(good) - 40)],
        lambda: SPOILT[kind](rng),
        lambda: SPOILT[kind](rng),
        lambda: _not_a_number(rng, kind),
        lambda: b"[" * rng.choice([10, 20_000]),
        lambda: b'{"a":' * rng.choice([10, 10_000]),
        lambda: b'{"\xff\xfe": "' + good[:20],
        lambda: b"\x00" * rng.randrange(1, 50),
        lambda: b"?" + rng.randbytes(40).replace(b"\n", b"x").replace(b"\r", b"x") + b"x",
        lambda: b"x" * 70_000 if rng.random() < 0.02 else b"1",
        lambda: b"GET / HTTP/1.1\r",
    ]
    return rng.choice(makers)()


def hostile_chunks(count: int, kind: Kind = "json", seed: int = 7) -> Iterator[tuple[bytes, int, int]]:
    """Pieces of a stream of `count` lines: the bytes, how many of the lines are rows, and how many of those elsewhen.

    Half of the lines are good, a second passes every 1,000 lines (or no window would ever close, and its rows would
    be held); one line in 100,000 has 10 MB.
    """
    rng = random.Random(seed)
    elsewhen = [line + b"\n" for line in ELSEWHEN[kind]]
    pool = [hostile_line(rng, kind) + b"\n" for _ in range(POOL)]
    for begin in range(0, count, LINES_PER_SECOND):
        good = _good_at(kind, begin // LINES_PER_SECOND)
        lines = [good if rng.random() < 0.5 else rng.choice(pool) for _ in range(min(LINES_PER_SECOND, count - begin))]
        lines = [rng.choice(elsewhen) if begin and rng.random() < ELSEWHEN_RATIO else line for line in lines]
        if begin % 100_000 == 0:
            lines[0] = b'{"target": "' + b"x" * LONG_BYTES + b'"}\n'
        other = sum(line in elsewhen for line in lines)
        yield b"".join(lines), sum(line is good for line in lines) + other, other
