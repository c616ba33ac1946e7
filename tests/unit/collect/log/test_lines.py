"""Lines of logs to rows: forms, times, severities, traces, what is rejected and what is hidden."""

from __future__ import annotations

import time

import pytest

from aiops_nb.collect.log.lines import LogLines
from aiops_nb.core.clock import ManualClock
from aiops_nb.core.errors import ConfigError

NOW_NS = 1_780_000_000_000_000_000  # 2026-05-28T20:26:40Z
DAY_NS = 86_400 * 10**9

# Line, time (UTC, None: none in the line), severity, target, text.
LINES = [
    ("2026-05-28 20:00:00,250 ERROR db: gone", "2026-05-28T20:00:00.25", "error", "app", "db: gone"),
    ("2026-05-28T20:00:00.5+02:00 WARN slow", "2026-05-28T18:00:00.5", "warning", "app", "slow"),
    ("[2026-05-28 20:00:00 +0000] [17] [INFO] Booting", "2026-05-28T20:00:00", "info", "app", "[17] [INFO] Booting"),
    ("2026/05/28 20:00:00 [error] 17#0: no route", "2026-05-28T20:00:00", "error", "app", "17#0: no route"),
    ("2026/05/28 20:00:00 listening", "2026-05-28T20:00:00", None, "app", "listening"),
    ("[Thu May 28 20:00:00.123456 2026] [core:error] [pid 7] x", "2026-05-28T20:00:00.123456", "error", "app",
     "[core:error] [pid 7] x"),
    ("28/May/2026:20:00:00 +0000 up", "2026-05-28T20:00:00", None, "app", "up"),
    ("May 28 20:00:00 web sshd[17]: Failed password", "2026-05-28T20:00:00", None, "sshd", "Failed password"),
    ("Dec 31 23:59:59 web cron: x", "2025-12-31T23:59:59", None, "cron", "x"),
    ("<34>1 2026-05-28T20:00:00.003Z web su - ID47 - 'su root' failed", "2026-05-28T20:00:00.003", "critical", "su",
     "'su root' failed"),
    ('<165>1 2026-05-28T20:00:00Z web app 7 - [x@1 a="b\\]c\\"" k="v"] hi', "2026-05-28T20:00:00", "info", "app", "hi"),
    ("<13>May 28 20:00:00 web app: hi", "2026-05-28T20:00:00", "info", "app", "hi"),
    ("ERROR:root:boom", None, "error", "app", "root:boom"),
    ("warning: low disk", None, "warning", "app", "low disk"),
    ("level=error msg=x", None, "error", "app", "level=error msg=x"),
    ("an error of nobody", None, None, "app", "an error of nobody"),
    ('{"time": "2026-05-28T20:00:00Z", "level": "info", "msg": "up"}', "2026-05-28T20:00:00", "info", "app", "up"),
    ('{"ts": 1779998400.5, "lvl": 50, "message": "pino"}', "2026-05-28T20:00:00.5", "error", "app", "pino"),
    ('{"time": 1779998400500, "level": 40, "msg": "ms"}', "2026-05-28T20:00:00.5", "warning", "app", "ms"),
    ('{"log": "2026 ERROR inner\\n", "stream": "stderr", "time": "2026-05-28T20:00:00.1Z"}', "2026-05-28T20:00:00.1",
     "error", "app", "2026 ERROR inner"),
    ('{"MESSAGE": "unit failed", "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1779998400500000", "_SYSTEMD_UNIT": "a"}',
     "2026-05-28T20:00:00.5", "error", "a", "unit failed"),
    ('{"not": "a message"}', None, None, "app", '{"not": "a message"}'),
    ("<img src=x onerror=alert(1)>", None, None, "app", "<img src=x onerror=alert(1)>"),
    ("\x1b[31mred\x1b[0m \x07bell", None, None, "app", "red \ufffdbell"),
]  # fmt: skip


def decoded(data: bytes, **options: object) -> tuple[LogLines, list[dict[str, object]]]:
    lines = LogLines("log", target="app", clock=ManualClock(NOW_NS), **options)  # type: ignore[arg-type]
    rows = lines.decode(data).to_pylist() + lines.flush().to_pylist()
    return lines, rows


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("line", "moment", "severity", "target", "text"), LINES, ids=range(len(LINES)))
def test_a_form(line: str, moment: str | None, severity: str | None, target: str, text: str, end: str) -> None:
    """Time, severity, target and text of one line."""
    _, rows = decoded((line + end).encode())
    assert len(rows) == 1
    found = rows[0]
    assert (found["severity"], found["target"], found["text"]) == (severity, target, text)
    expected = NOW_NS if moment is None else _ns(moment)
    assert found["time"].value == expected  # type: ignore[attr-defined]


def _ns(moment: str) -> int:
    import pandas as pd

    return int(pd.Timestamp(moment, tz="UTC").value)


PYTHON = """ERROR job failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    main()
ValueError: bad

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in f
KeyError: 'x'"""
JAVA = """2026-05-28 20:00:00 ERROR boom
java.lang.IllegalStateException: bad
\tat a.B.c(B.java:7)
\tat a.B.d(B.java:9)
Caused by: java.io.IOException: gone
\tat a.E.f(E.java:1)
\t... 12 more"""
GO = """panic: runtime error: index out of range [3]

goroutine 1 [running]:
main.work(0x1, 0x2)
\t/src/main.go:7 +0x1d
main.main()
\t/src/main.go:3 +0x2a
exit status 2"""
NODE = """TypeError: x is not a function
    at Object.<anonymous> (/app/a.js:1:2)
    at Module._compile (node:internal/modules/cjs/loader:1105:14)"""


@pytest.mark.parametrize("trace", [PYTHON, JAVA, GO, NODE], ids=["python", "java", "go", "node"])
@pytest.mark.parametrize("cut", [False, True])
def test_a_stack_trace_is_one_message(trace: str, cut: bool) -> None:
    """The lines of a trace belong to one message, also when each comes alone; the next line is its own."""
    lines = LogLines("log", clock=ManualClock(NOW_NS))
    data = [f"{line}\n".encode() for line in ["before", *trace.split("\n"), "after"]]
    chunks = data if cut else [b"".join(data)]
    rows = [row for chunk in chunks for row in lines.decode(chunk).to_pylist()] + lines.flush().to_pylist()
    assert len(rows) == 3
    assert rows[0]["text"] == "before" and rows[2]["text"] == "after"
    assert rows[1]["text"].count("\n") == trace.count("\n")
    assert trace == NODE or rows[1]["severity"] in ("error", "critical")


def test_an_endless_trace_is_bounded() -> None:
    """Of one entry at most 200 lines are kept; the others are counted."""
    lines, rows = decoded(b"boom\n" + b"\tat x\n" * 1_000)
    assert len(rows) == 1
    assert lines.counters["joined_lines_total"] == 1_000 and lines.counters["left_out_lines_total"] == 801


SECRETS = [
    "login password=hunter2 ok",
    'config {"api_key": "hunter2"}',
    "Authorization: Bearer hunter2",
    "curl -H 'authorization: Basic hunter2'",
    "connect postgres://bob:hunter2@db/0",
    "DB_PASSWORD: hunter2",
    "?access_token=hunter2&x=1",
    "jwt eyJhunter2hunter2.eyJhunter2hunter2.hunter2",
    "aws AKIAHUNTER2HUNTER200",
    "code user-hunter2",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_hidden(text: str) -> None:
    """No secret is in a row, in its trace, or among the rejected lines."""
    _, rows = decoded(f"{text}\n  in frame {text}\n".encode(), redact=("user-[a-z0-9]+",))
    assert "hunter2" not in str(rows).lower()
    assert "***" in str(rows)
    lines, rows = decoded(f"{text}\n".encode(), form="json", redact=("user-[a-z0-9]+",))
    assert not rows and "hunter2" not in str(lines.rejected).lower()


def test_lines_that_are_not_used_are_counted() -> None:
    """Binary garbage, UTF-16 and what is no JSON are rejected aloud; valid lines around them are read."""
    lines, rows = decoded(b"one\n\x00\x01\x02\n\xff\xfetwo\nthree\n")
    assert [row["text"] for row in rows] == ["one", "\ufffd\ufffdtwo", "three"]
    assert lines.rejected_total == {"binary": 1} and lines.rejected[0].reason == "binary"
    lines, rows = decoded("one\n".encode("utf-16"))
    assert not rows and "UTF-16" in lines.problems["encoding"]
    lines, rows = decoded(b"no json\n", form="json")
    assert not rows and lines.problems["lines"] == "rejected: 1 no_text"


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    """So the lines of a log stay in order, whatever is between them."""
    _, rows = decoded(b"first\n2026-05-28 20:00:00 second\nthird\n")
    assert [row["time"].value - NOW_NS for row in rows][1:] == [_ns("2026-05-28T20:00:00") - NOW_NS] * 2


def test_a_time_format_and_a_zone_can_be_named() -> None:
    """A time in an unusual form at the beginning of a line; times without an offset are of the zone."""
    _, rows = decoded(b"28.05.2026 22:00:00 ERROR x\n", time_format="%d.%m.%Y %H:%M:%S", timezone="Europe/Paris")
    assert rows[0]["time"].value == _ns("2026-05-28T20:00:00")  # type: ignore[attr-defined]
    assert (rows[0]["severity"], rows[0]["text"]) == ("error", "x")


def test_a_pattern_can_be_named() -> None:
    """A regular expression takes the parts of a line; what does not fit is rejected."""
    pattern = r"^(?P<time>\d+) (?P<severity>\w+) (?P<target>\w+) (?P<text>.*)$"
    lines, rows = decoded(b"1779998400 E shop up\nno\n1779998400 ERR shop down\n", pattern=pattern)
    assert [(row["target"], row["severity"], row["text"]) for row in rows] == [
        ("shop", None, "up"),
        ("shop", "error", "down"),
    ]
    assert lines.rejected_total == {"no_match": 1}


def test_fields_can_be_named() -> None:
    """Names of a JSON log, with dots into objects."""
    _, rows = decoded(b'{"a": {"b": "deep"}, "who": "shop"}\n', fields={"text": "a.b", "target": "who"})
    assert (rows[0]["target"], rows[0]["text"]) == ("shop", "deep")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pattern": "(("}, "pattern: expected a regular expression"),
        ({"pattern": "(?P<what>x)"}, "pattern: expected groups named time"),
        ({"pattern": "a" * 501}, "pattern: expected a pattern of 1 to 500"),
        ({"redact": (".*",)}, r"redact\[0\]: expected a pattern of 1"),
        ({"fields": {"colour": "x"}}, "fields: expected one of time, severity"),
        ({"timezone": "Mars"}, "timezone: expected"),
        ({"time_format": "later"}, "time_format: expected"),
        ({"max_text_characters": 0}, "max_text_characters: expected"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], words: str) -> None:
    """The message names the parameter."""
    with pytest.raises(ConfigError, match=words):
        LogLines("log", **options)  # type: ignore[arg-type]


HOSTILE = ["a" * 60_000, "(" * 60_000, "x=" * 30_000, "password" * 7_000, "[" * 60_000, "2026-05-28 " * 5_000]
HOSTILE += ['{"a":' * 10_000, "://" * 20_000, "a." * 30_000, "<1>" * 20_000, "Bearer " * 8_000, "eyJ" * 20_000]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: line[:8])
def test_a_hostile_line_takes_milliseconds(line: str) -> None:
    """No form of ours backtracks, and a pattern of a user is matched in linear time."""
    lines = LogLines("log", redact=("(a+)+$", "(x=)*y"), clock=ManualClock(NOW_NS))
    began = time.process_time()
    lines.decode(f"{line}\n".encode())
    rows = lines.flush().to_pylist()
    assert time.process_time() - began < 1.0
    assert len(rows) == 1 and len(rows[0]["text"]) <= 8_192
