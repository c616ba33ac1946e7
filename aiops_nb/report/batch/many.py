"""Many reports: several recordings in processes of their own, the last whole period, one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.report.batch.run import ReportPaths, run_report

LOCK = ".aiops-nb-report.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutcome:
    """What became of one report.

    Attributes
    ----------
    recording
        Folder of the recording.
    paths
        Its files; None if it failed.
    error
        Why it failed, one sentence; empty if it did not.
    """

    recording: Path
    paths: ReportPaths | None = None
    error: str = ""


def run_reports(
    recordings: Sequence[str | Path],
    *,
    out: str | Path,
    parallel: int = 1,
    done: Callable[[ReportOutcome], None] | None = None,
    **options: Any,
) -> list[ReportOutcome]:
    """A report of each recording; one that fails leaves the others alone.

    Parameters
    ----------
    recordings
        Folders; each may be named once.
    out
        Folder for all reports.
    parallel
        Processes, at least 1.
    done
        Called with each outcome as soon as it is known.
    **options
        As `run_report` takes them; the same for all.

    Returns
    -------
    list of ReportOutcome
        In the order of `recordings`.

    Raises
    ------
    ConfigError
        If a recording is named twice, or `parallel` is below 1.

    Examples
    --------
    >>> run_reports(["no/such"], out="reports")[0].error
    'no/such: no such directory'
    """
    folders = [Path(recording) for recording in recordings]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigError.at("recordings", "each recording once", [str(folder) for folder in folders])
    if parallel < 1:
        raise ConfigError.at("parallel", "a number of processes, at least 1", parallel)
    found: dict[Path, ReportOutcome] = {}
    for outcome in _outcomes(folders, partial(_outcome, out=Path(out), options=options), parallel):
        found[outcome.recording] = outcome
        if done is not None:
            done(outcome)
    return [found[folder] for folder in folders]


def _outcomes(folders: Sequence[Path], make: Callable[[Path], ReportOutcome], parallel: int) -> Iterator[ReportOutcome]:
    if parallel == 1 or len(folders) == 1:
        yield from map(make, folders)
        return
    # Spawned: a fork of a process with threads can hang.
    with ProcessPoolExecutor(min(parallel, len(folders)), mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(make, folder) for folder in folders]):
            yield future.result()


def _outcome(folder: Path, *, out: Path, options: Mapping[str, Any]) -> ReportOutcome:
    try:
        return ReportOutcome(recording=folder, paths=run_report(folder, out=out, **options))
    except (AiopsError, OSError) as problem:
        return ReportOutcome(recording=folder, error=str(problem))


@contextmanager
def only_run(out: str | Path) -> Iterator[None]:
    """Hold the lock of a folder of reports: a scheduled run never overlaps the one before.

    Raises
    ------
    AiopsError
        If another run holds it.
    """
    from filelock import FileLock, Timeout

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout:
        raise AiopsError(f"{folder}: another run makes reports there; this one made none") from None
