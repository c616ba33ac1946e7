"""Making a report: one notebook executed with parameters, and its HTML page; earlier reports are never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd
import pyarrow.compute as pc

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.moments import Moment, covered_range_ns, known_targets
from aiops_nb.record.files import replace_file
from aiops_nb.record.reader import RecordingReader
from aiops_nb.report.batch.execution import execute, require_papermill, template
from aiops_nb.report.batch.pdf import find_browser, print_pdf
from aiops_nb.report.batch.period import Period, checked_zone, last_range
from aiops_nb.report.page import notebook_page
from aiops_nb.report.proof.later import proof_of
from aiops_nb.report.proof.proof import config_hashes, read_proof
from aiops_nb.report.proof.provenance import DIGITS, OBSERVED, config_hash
from aiops_nb.report.tables import observed_range

REPORT = "02_monitoring_report.ipynb"
SETTLING = pd.Timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """The files of a report.

    Attributes
    ----------
    notebook
        The executed notebook.
    html
        The HTML page; it needs no network.
    figures
        The headline figures as JSON, with hashes of the rows and the configuration, for `verify_report`.
    pdf
        The page as PDF; None if it was not asked for.
    """

    notebook: Path
    html: Path
    figures: Path
    pdf: Path | None = None


def run_report(
    recording: str | Path,
    *,
    out: str | Path,
    start: Moment = None,
    end: Moment = None,
    targets: Sequence[str] | None = None,
    last: Period | None = None,
    timezone: str = "UTC",
    title: str | None = None,
    compare_to: str = "before",
    pdf: bool = False,
    unless_made: bool = False,
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
        The files get their names when they are complete.
    start, end
        Half-open range, as in `Recording.requests`; the whole recording by default.
    targets
        Only these, by name or pattern (`*/checkout`); all by default. An alert of a group is reported for each member.
    last
        `hour`, `day`, `week` or `month`: the last whole one by the clock of `timezone`, in place of `start` and `end`.
    timezone
        IANA name of the zone whose clock the report shows.
    title
        Of the report; None: the name of the recording and the range.
    compare_to
        `before`: the period of the same length just before; a time: the one that begins then; empty: none.
    pdf
        Whether to print the page as PDF, too, by an installed Chromium.
    unless_made
        Whether to take a report of the same recording, range, targets and configuration that is in `out` already.
    trust
        Whether rules of the recording may run estimators, as in `open_recording`.
    progress
        Whether to show a progress bar on stderr; None: if that is a terminal.

    Returns
    -------
    ReportPaths
        The executed notebook, the HTML page and the JSON file of its figures.

    Raises
    ------
    ConfigError
        If a target is not in the recording, nothing was recorded in the range, or a zone is not known.
    MissingExtraError
        If papermill or nbconvert is not installed.
    RecordingError
        If the folder is not a recording.
    AiopsError
        If no browser is installed for a PDF, or a cell failed, for instance the verification; the notebook is then kept
        as `..._failed.ipynb`.
    """
    require_papermill()
    if pdf:
        find_browser()
    zone = checked_zone(timezone)
    if last is not None:
        start, end = last_range(last, start, end, timezone)
    reader = RecordingReader(recording)
    start_ns, end_ns = covered_range_ns(start, end, reader.time_range_ns)
    first, until = _observed(reader, start_ns, end_ns)
    parameters = {
        "recording": str(Path(recording).absolute()),
        "start": _text(start_ns),
        "end": _text(end_ns) or _settled(reader, until),
        "targets": known_targets(targets, _target_names(reader)),
        "compare_to": compare_to,
        "timezone": timezone,
        "trust": trust,
    }
    folder = Path(out)
    made = _made_before(folder, reader, parameters) if unless_made else None
    if made is not None:
        return made
    stem = f"monitoring_{_compact(first)}_{_compact(until)}_{config_hash(recording)}_{uuid4().hex[:DIGITS]}"
    folder.mkdir(parents=True, exist_ok=True)
    notebook = execute(template(REPORT), folder / f"{stem}.ipynb", parameters, progress=progress)
    html, figures = notebook.with_suffix(".html"), notebook.with_suffix(".json")
    title = title or f"Monitoring report {Path(recording).name}, {_span(first, until, zone)}"
    replace_file(figures, msgspec.json.format(msgspec.json.encode(proof_of(notebook)), indent=1))
    replace_file(html, notebook_page(notebook, title).encode())
    return ReportPaths(notebook=notebook, html=html, figures=figures, pdf=print_pdf(html) if pdf else None)


def _made_before(folder: Path, reader: RecordingReader, parameters: Mapping[str, object]) -> ReportPaths | None:
    """The files of a report that answers the same question."""
    config = config_hashes(reader.config_yaml)
    asked = {name: parameters[name] for name in ("recording", "start", "end", "targets")}
    for path in sorted(folder.glob("monitoring_*.json")):
        try:
            proof = read_proof(path)
        except AiopsError:
            continue
        if asked == {name: getattr(proof, name) for name in asked} and proof.config == config:
            return ReportPaths(notebook=path.with_suffix(".ipynb"), html=path.with_suffix(".html"), figures=path)
    return None


def _observed(reader: RecordingReader, start_ns: int | None, end_ns: int | None) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last time of the rows; block by block, since a day has millions."""
    blocks = (block for name in OBSERVED for block in reader.blocks(name, start_ns=start_ns, end_ns=end_ns))
    edges = [edge for block in blocks if block.num_rows for edge in pc.min_max(block["time"]).values()]
    return observed_range(pd.Series(pd.to_datetime([edge.value for edge in edges], utc=True)))


def _target_names(reader: RecordingReader) -> list[str]:
    blocks = (block for name in OBSERVED for block in reader.blocks(name))
    return sorted({name for block in blocks for name in block.column("target").dictionary.to_pylist() if name})


def _settled(reader: RecordingReader, last: pd.Timestamp) -> str:
    """The end of the rows that can no longer change while a recording is being written; empty if nobody writes."""
    return (last - SETTLING).floor("s").isoformat() if reader.is_live else ""


def _span(first: pd.Timestamp, until: pd.Timestamp, zone: ZoneInfo) -> str:
    begin, end = (f"{edge.tz_convert(zone):%Y-%m-%d %H:%M}" for edge in (first, until))
    return f"{begin} to {end} {zone.key}"


def _compact(time: pd.Timestamp) -> str:
    return f"{time.tz_convert('UTC'):%Y%m%dT%H%M%SZ}"


def _text(time_ns: int | None) -> str:
    return "" if time_ns is None else rfc3339(time_ns)
