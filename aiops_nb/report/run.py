"""Making a report: one notebook executed with parameters, and its HTML; an earlier report is never overwritten."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from aiops_nb.core.errors import AiopsError, MissingExtraError
from aiops_nb.core.moments import Moment, range_ns
from aiops_nb.record.reader import RecordingReader
from aiops_nb.report.page import notebook_page
from aiops_nb.report.provenance import DIGITS, OBSERVED, config_hash, row_times
from aiops_nb.report.tables import observed_range

REPORT = "02_monitoring_report.ipynb"
SETTLING = pd.Timedelta(seconds=5)
QUIET = ["--IPKernelApp.log_level=ERROR"]  # the kernel warns of plain text over TCP; it listens on loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """Where a report was written."""

    notebook: Path
    html: Path


def run_report(
    recording: str | Path,
    *,
    out: str | Path,
    start: Moment = None,
    end: Moment = None,
    targets: Sequence[str] | None = None,
) -> ReportPaths:
    """Execute the monitoring report over a recording.

    Parameters
    ----------
    recording
        Folder of the recording.
    out
        Folder for the report; made if need be. Names carry the range, the hash of the configuration and a run id.
    start, end
        Half-open range in UTC; all of the recording by default.
    targets
        Only these; all by default.

    Raises
    ------
    MissingExtraError
        If papermill or nbconvert is not installed.
    RecordingError
        If the folder is not a recording.
    AiopsError
        If a cell failed, for instance a verification; the notebook as far as it came is kept.
    """
    require_papermill()
    first, last = _range(Path(recording), start, end)
    parameters = {
        "recording": str(Path(recording).absolute()),
        "start": _text(start),
        "end": _text(end) or _settled(Path(recording), last),
        "targets": list(targets or ()),
    }
    stem = f"monitoring_{_compact(first)}_{_compact(last)}_{config_hash(recording)}_{uuid4().hex[:DIGITS]}"
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    notebook = execute(template(REPORT), folder / f"{stem}.ipynb", parameters)
    _trust(notebook)
    html = notebook.with_suffix(".html")
    html.write_text(notebook_page(notebook), encoding="utf-8")
    return ReportPaths(notebook=notebook, html=html)


def _range(recording: Path, start: Moment, end: Moment) -> tuple[pd.Timestamp, pd.Timestamp]:
    reader = RecordingReader(recording)
    start_ns, end_ns = range_ns(start, end)
    return observed_range(row_times({name: reader.table(name, start_ns=start_ns, end_ns=end_ns) for name in OBSERVED}))


def _settled(recording: Path, last: pd.Timestamp) -> str:
    """The end of what no longer changes while a recording is being written; empty if it is not."""
    return (last - SETTLING).floor("s").isoformat() if RecordingReader(recording).is_live else ""


def require_papermill() -> None:
    """Complain early, and with the install line.

    Raises
    ------
    MissingExtraError
        If papermill or nbconvert is not installed.
    """
    try:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401
    except ImportError:
        raise MissingExtraError("reports", "report") from None


def template(name: str) -> Path:
    """The notebook of that name: packed into the package, or in the clone beside it."""
    packed = Path(__file__).with_name("notebooks") / name
    return packed if packed.exists() else Path(__file__).parents[2] / "notebooks" / name


def execute(notebook: Path, into: Path, parameters: Mapping[str, object]) -> Path:
    """Run a notebook with parameters into a new file, which is kept even if a cell fails.

    Raises
    ------
    AiopsError
        Naming the cell, its error, and where the executed copy lies.
    """
    import papermill

    try:
        papermill.execute_notebook(
            notebook,
            into,
            dict(parameters),
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            extra_arguments=QUIET,
        )
    except papermill.PapermillExecutionError as problem:
        raise AiopsError(
            f"{notebook.name}, cell {problem.exec_count}: {problem.ename}: {problem.evalue} (kept: {into})"
        ) from None
    return into


def _trust(notebook: Path) -> None:
    # We ran it ourselves; unsigned, JupyterLab would leave out its charts. Where nothing can be signed, it is not.
    import nbformat
    from nbformat.sign import NotebookNotary

    with suppress(OSError, sqlite3.Error):
        make: Callable[[], Any] = NotebookNotary
        read: Callable[..., Any] = nbformat.read
        make().sign(read(str(notebook), as_version=4))


def _compact(time: pd.Timestamp) -> str:
    return f"{time.tz_convert('UTC'):%Y%m%dT%H%M%SZ}"


def _text(time: Moment) -> str:
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()
    return "" if time is None else str(time)
