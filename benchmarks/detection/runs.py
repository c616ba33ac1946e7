"""Which judge is tried on what, over several processes; a row that the same code computed before is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import pandas as pd

from benchmarks.detection import faults_table, kpi, kpi_table, nab, nab_table, real_table, service
from benchmarks.detection.labelled import Judge

ROOT = Path(__file__).parents[2]
SOURCES = ("aiops_nb/scoring.py", "aiops_nb/ticked.py", "aiops_nb/detect/*.py", "benchmarks/detection/**/*.py")
TELLING_ONLY = ("__main__.py", "plots.py", "markdown.py", "runs.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the Numenta series are, the seed of what is drawn, and how many series are drawn of each metric."""

    nab: Path
    seed: int
    of_each: int


Task = tuple[str, str]  # table, judge
Row = dict[str, float]


@cache
def _row_of(table: str, plan: Plan) -> Callable[[Judge], Row]:
    """What a table measures of a judge; the series are read or drawn once a process."""
    if table == "faults":
        series = service.load(plan.seed + 1, plan.of_each), service.load(plan.seed, plan.of_each)
        return partial(faults_table.row, *series)
    if table == "kpi":
        return partial(kpi_table.row, kpi.load(plan.seed + 101, 1), kpi.load(plan.seed + 100, 1))
    if table == "real":
        return partial(real_table.row, real_table.real(nab.load(plan.nab)))
    return partial(nab_table.row, nab.load(plan.nab))


def measured(task: Task, plan: Plan) -> Row:
    from benchmarks.detection.judges import JUDGES

    table, judge = task
    return _row_of(table, plan)(JUDGES[judge])


def tables(
    tasks: Sequence[Task], plan: Plan, jobs: int, kept: Path, told: Callable[[str], None]
) -> dict[str, pd.DataFrame]:
    """A frame a table, a row a judge, in the order of the tasks."""
    kept.mkdir(parents=True, exist_ok=True)
    places = {task: kept / f"{'-'.join(task).replace(' ', '_')}-{_digest(plan)}.json" for task in tasks}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(measured, task, plan): task for task, place in places.items() if not place.is_file()}
        for done in as_completed(waiting):
            task = waiting[done]
            places[task].write_text(json.dumps(done.result()), encoding="utf-8")
            told(f"{' '.join(task)}: {done.result()}")
    rows = {task: json.loads(place.read_text(encoding="utf-8")) for task, place in places.items()}
    return {name: _frame(rows, name) for name in dict.fromkeys(table for table, _ in tasks)}


def _frame(rows: dict[Task, Row], table: str) -> pd.DataFrame:
    return pd.DataFrame({judge: row for (name, judge), row in rows.items() if name == table}).T


@cache
def _digest(plan: Plan) -> str:
    """Of the plan, and of all code that a figure comes from."""
    digest = hashlib.sha256(repr(plan).encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _sources() -> Iterable[Path]:
    found = (path for pattern in SOURCES for path in sorted(ROOT.glob(pattern)))
    return (path for path in found if path.name not in TELLING_ONLY)
