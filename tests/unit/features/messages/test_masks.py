"""Parameters by their form."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from aiops_nb.features.messages.line_keys import line_keys
from aiops_nb.features.messages.masks import MOST_SLOTS, shape_of

FORMS = {
    "took 35 ms": "took <*> ms",
    "from 10.0.0.7:5432 to [fe80::1%3]": "from <*> to [<*>%<*>]",
    "src /10.2.3.4:80 dst db/10.2.3.4:80": "src <*> dst <*>",
    "open /var/log/a-b.log: denied": "open <*>: denied",
    r"load C:\Windows\x.dll now": "load <*> now",
    "GET https://a.example/x?y=1 failed": "GET <*> failed",
    "id b9000564-fe1a-409b-b8cc-1e88b294cd1d gone": "id <*> gone",
    "at Fri Jun 17 07:07:00 2005 ok": "at <*> ok",
    "at 2005-06-17T07:07:00.123Z ok": "at <*> ok",
    "at 2005-06-17 07:07:00,123 ok": "at <*> ok",
    "size 384.0 B, 4126 bytes (4.02 KB), 7 MiB": "size <*>, <*>, <*>",
    "proxy.example.com:5070 open": "<*> open",
    "mail from mx1.example.org ok": "mail from <*> ok",
    "mice.c:14 Main.java:7": "mice.c:<*> Main.java:<*>",
    "org.example.Main started": "org.example.Main started",
    "user root is TRUE or null": "user <*> is <*> or <*>",
    "rooted nullable": "rooted nullable",
    "delta -3 blk_-17 a-3": "delta <*> <*> a-<*>",
    'tag="View Lock", name=x': 'tag="<*>", name=x',
    "found () there, main()": "found (<*>) there, main()",
    "1 2 3 4 5 6 7": "<*>",
    "Scaffold v1.0.0 init": "Scaffold <*> init",
    "  two   spaces\tand tab ": "two spaces and tab",
    "": "",
    " : ": ":",
    "[a]": "[a]",
}


@pytest.mark.parametrize(("line", "text"), FORMS.items())
def test_form(line: str, text: str) -> None:
    """The template of one line alone."""
    assert shape_of(line_keys(pa.array([line]))[0].as_py()).text == text


HOSTILE = ["a." * 1024, "0:" * 1024, '="' * 1024, "/" * 2048, "a-" * 1024, "0 " * 1024, "a=" * 1024, "ab://" * 400]
HOSTILE += ["(" * 2048, "Mon, " * 400, "\x85" * 2048, "0-0-" * 512, "a@0." * 512, "x/0.0.0." * 256, "::" * 1024]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: line[:4])
def test_hostile_lines_are_masked_in_time(line: str) -> None:
    """No form backtracks beyond a token: 2,048 characters of one pattern take milliseconds."""
    began = time.process_time()
    shape = shape_of(line)
    assert time.process_time() - began < 0.25
    assert len(shape.slots) <= MOST_SLOTS + 1
    assert len(shape.skeleton) == len(shape.slots) + 1
