"""Which judge is tried on what, over several processes; a row that the same code computed before is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.detection import faults_table, fleet, fleet_table, kpi, kpi_table, nab, nab_table, real_table, service
from benchmarks.detection.fleet import Fleet
from benchmarks.detection.judges import JUDGES
from benchmarks.detection.labelled import Judge, Labelled
from benchmarks.detection.peers import PEERS

ROOT = Path(__file__).parents[2]
TRIED_ON = ("events", "labelled", "service", "kpi", "nab", "faults_table", "kpi_table", "nab_table", "real_table")
OTHERS = "benchmarks/detection/neighbours/*.py"
OURS = ("aiops_nb/scoring.py", "aiops_nb/ticked.py", "aiops_nb/detect/*.py", "benchmarks/detection/*.py")
OF_NO_ROW = ("__main__", "plots", "markdown", "runs", "overview", "choice", "channels", "scenarios", "alarm_lines")
OF_NO_ROW += ("alarm_rates",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the Numenta series are, the seed of what is drawn, and how many series are drawn of each metric."""

    nab: Path
    seed: int
    of_each: int


OF_REAL = "real: "
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
    return partial(_on_nab, nab.load(plan.nab))


def _on_nab(labelled: Sequence[Labelled], judge: Judge) -> Row:
    """Both of what is reported of these series, scored once."""
    scores = judge([one.series for one in labelled])
    kept = {id(one.series): score for one, score in zip(labelled, scores, strict=True)}

    def again(series: Sequence[pd.Series]) -> list[np.ndarray]:
        return [kept[id(one)] for one in series]

    real = real_table.row(real_table.real(labelled), again)
    return {**nab_table.row(labelled, again), **{f"{OF_REAL}{column}": value for column, value in real.items()}}


@cache
def _fleets(plan: Plan) -> tuple[list[Fleet], list[Fleet]]:
    tuning = fleet.load(plan.seed + 201, fleet.TUNING_TO_FRESH * plan.of_each)
    return tuning, fleet.load(plan.seed + 200, plan.of_each)


def measured(task: Task, plan: Plan) -> Row:
    table, judge = task
    if table == "fleet":
        return fleet_table.row(*_fleets(plan), judge)
    return _row_of(table, plan)(JUDGES[judge])


def tables(
    tasks: Sequence[Task], plan: Plan, jobs: int, kept: Path, reported: Callable[[str], None]
) -> dict[str, pd.DataFrame]:
    """A frame a table, a row a judge, in the order of the tasks."""
    kept.mkdir(parents=True, exist_ok=True)
    positions = {task: kept / f"{'-'.join(task).replace(' ', '_')}-{_digest(plan, task[1])}.json" for task in tasks}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(measured, task, plan): task for task, place in positions.items() if not place.is_file()}
        for done in as_completed(waiting):
            task = waiting[done]
            positions[task].write_text(json.dumps(done.result()), encoding="utf-8")
            reported(f"{' '.join(task)}: {done.result()}")
    rows = {task: json.loads(place.read_text(encoding="utf-8")) for task, place in positions.items()}
    return {name: _frame(rows, name) for name in dict.fromkeys(table for table, _ in tasks)}


def _frame(rows: dict[Task, Row], table: str) -> pd.DataFrame:
    return pd.DataFrame({judge: row for (name, judge), row in rows.items() if name == table}).T


@cache
def _digest(plan: Plan, judge: str) -> str:
    """Of the plan, and of all code that a figure comes from."""
    patterns = [f"benchmarks/detection/{name}.py" for name in TRIED_ON]
    patterns += [OTHERS] if judge in PEERS else OURS
    found = (path for pattern in patterns for path in sorted(ROOT.glob(pattern)))
    digest = hashlib.sha256(repr(plan).encode())
    for path in found:
        digest.update(b"" if path.stem in OF_NO_ROW else path.read_bytes())
    return digest.hexdigest()[:12]
