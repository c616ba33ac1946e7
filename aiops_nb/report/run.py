"""Making a report: one notebook executed with parameters, and its HTML page; earlier reports are never overwritten."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pandas as pd

from aiops_nb.core.errors import AiopsError, MissingExtraError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.moments import Moment, covered_range_ns, known_targets
from aiops_nb.record.reader import RecordingReader
from aiops_nb.report.page import notebook_page
from aiops_nb.report.provenance import DIGITS, OBSERVED, config_hash, row_times
from aiops_nb.report.tables import observed_range

REPORT = "02_monitoring_report.ipynb"
SETTLING = pd.Timedelta(seconds=5)
QUIET = ["--IPKernelApp.log_level=ERROR"]  # the kernel warns of plain text over TCP; it listens on loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """The files of a report.

    Attributes
    ----------
    notebook
        The executed notebook.
    html
        The HTML page; it needs no network.
    """

    notebook: Path
    html: Path


def run_report(
    recording: str | Path,
    *,
    out: str | Path,
    start: Moment = None,
    end: Moment = None,
    targets: Sequence[str] | None = None,
    trust: bool = False,
    progress: bool | None = None,
) -> ReportPaths:
    """Execute the monitoring report over a recording.

    The notebook is not signed as trusted, since it shows text from outside. The HTML page runs no script but our own.

    Parameters
    ----------
    recording
        Folder of the recording.
    out
        Folder for the report; made if need be. Names carry the range, the hash of the configuration and a run id.
    start, end
        Half-open range, as in `Recording.requests`; the whole recording by default.
    targets
        Only these, by name or pattern (`*/checkout`); all by default. An alert of a group is reported for each member.
    trust
        Whether rules of the recording may run estimators, as in `open_recording`.
    progress
        Whether to show a progress bar on stderr; None: if that is a terminal.

    Returns
    -------
    ReportPaths
        The executed notebook and the HTML page.

    Raises
    ------
    ConfigError
        If a target is not in the recording, or nothing was recorded in the range.
    MissingExtraError
        If papermill or nbconvert is not installed.
    RecordingError
        If the folder is not a recording.
    AiopsError
        If a cell failed, for instance the verification; the notebook is kept up to that cell.
    """
    require_papermill()
    reader = RecordingReader(recording)
    start_ns, end_ns = covered_range_ns(start, end, reader.time_range_ns)
    first, last = _observed(reader, start_ns, end_ns)
    parameters = {
        "recording": str(Path(recording).absolute()),
        "start": _text(start_ns),
        "end": _text(end_ns) or _settled(reader, last),
        "targets": known_targets(targets, _target_names(reader)),
        "trust": trust,
    }
    stem = f"monitoring_{_compact(first)}_{_compact(last)}_{config_hash(recording)}_{uuid4().hex[:DIGITS]}"
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    notebook = execute(template(REPORT), folder / f"{stem}.ipynb", parameters, progress=progress)
    html = notebook.with_suffix(".html")
    title = f"Monitoring report {Path(recording).name}, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    html.write_text(notebook_page(notebook, title), encoding="utf-8")
    return ReportPaths(notebook=notebook, html=html)


def _observed(reader: RecordingReader, start_ns: int | None, end_ns: int | None) -> tuple[pd.Timestamp, pd.Timestamp]:
    tables = {name: reader.table(name, start_ns=start_ns, end_ns=end_ns) for name in OBSERVED}
    return observed_range(row_times(tables))


def _target_names(reader: RecordingReader) -> list[str]:
    blocks = (block for name in OBSERVED for block in reader.blocks(name))
    return sorted({name for block in blocks for name in block.column("target").dictionary.to_pylist() if name})


def _settled(reader: RecordingReader, last: pd.Timestamp) -> str:
    """The end of the rows that can no longer change while a recording is being written; empty if nobody writes."""
    return (last - SETTLING).floor("s").isoformat() if reader.is_live else ""


def require_papermill() -> None:
    """Fail early, with the `pip install` command.

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
    """The notebook of that name: packed into the package, or in the clone next to it."""
    packed = Path(__file__).with_name("notebooks") / name
    return packed if packed.exists() else Path(__file__).parents[2] / "notebooks" / name


def execute(notebook: Path, into: Path, parameters: Mapping[str, object], *, progress: bool | None = None) -> Path:
    """Run a notebook with parameters into a new file, which is kept even if a cell fails.

    Raises
    ------
    AiopsError
        Naming the cell, its error, and the path of the executed copy.
    """
    import papermill

    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(into),
            dict(parameters),
            kernel_name="python3",
            progress_bar=sys.stderr.isatty() if progress is None else progress,
            extra_arguments=QUIET,
        )
    except papermill.PapermillExecutionError as problem:
        raise AiopsError(
            f"{notebook.name}, cell {problem.exec_count}: {problem.ename}: {problem.evalue} (kept: {into})"
        ) from None
    return into


def _literal(path: Path) -> str:
    """A path for papermill, which fills parameters into the braces of a path."""
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")


def _compact(time: pd.Timestamp) -> str:
    return f"{time.tz_convert('UTC'):%Y%m%dT%H%M%SZ}"


def _text(time_ns: int | None) -> str:
    return "" if time_ns is None else rfc3339(time_ns)
