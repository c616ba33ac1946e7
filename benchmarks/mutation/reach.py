"""A pytest plugin, run in the copy: notes which test enters which function of the package, and how long each takes.

It is copied next to the package and imports nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

PACKAGE = f"{Path.cwd()}/aiops_nb/"
entered: set[CodeType] = set()
tests: dict[str, float] = {}
reached: dict[str, list[str]] = {}


def _note(frame: FrameType, event: str, argument: Any) -> None:
    if event == "call":
        entered.add(frame.f_code)


def pytest_sessionstart() -> None:
    """Watch calls in all threads."""
    threading.setprofile(_note)
    sys.setprofile(_note)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What one test enters, its fixtures included."""
    entered.clear()
    result = yield
    for code in list(entered):
        if code.co_filename.startswith(PACKAGE):
            place = f"{os.path.relpath(code.co_filename)}::{code.co_qualname}"
            reached.setdefault(place, []).append(item.nodeid)
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """How long a test takes that passes; others are not asked."""
    if report.when == "call" and report.passed:
        tests[report.nodeid] = report.duration


def pytest_sessionfinish() -> None:
    """Write what was found."""
    sys.setprofile(None)
    Path("reach.json").write_text(json.dumps({"seconds": tests, "reached": reached}), encoding="utf-8")
