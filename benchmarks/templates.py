"""Template mining against logs with known templates: accuracy by system, and lines a second next to Drain3.

    python -m benchmarks.templates FOLDER

The folder has one folder a system, with `<system>_2k.log_structured_corrected.csv.gz` of logpai/logparser (columns
`Content` and `EventTemplate`; its licence is for research, so it is not part of this project). One setting serves all
systems. "held out" is the accuracy of a system by the setting that was best on the other systems, so that no system
is judged by a choice that was made on it.

GA: lines in a group that is the true group. FGA: F1 of groups. PA: lines whose template has the true text. FTA: F1 of
templates whose group and text are true.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from aiops_nb.features.messages.miner import TemplateMiner
from aiops_nb.features.messages.template_tree import MergeParams

BATCH_LINES = 5_000
SPEED_LINES = 400_000
GRID = [
    MergeParams(values=values, first_values=first, kept_words=kept)
    for values, first, kept in itertools.product((2, 3, 4, 5), (6, 12, 1_000), (1.0, 2.0))
]


class Accuracy(NamedTuple):
    """Shares, 0 to 1."""

    ga: float
    fga: float
    pa: float
    fta: float

    @property
    def mean(self) -> float:
        """One number to choose by."""
        return sum(self) / len(self)


class System(NamedTuple):
    """Lines and their true templates."""

    name: str
    lines: list[str]
    truth: list[str]


def systems_of(folder: Path) -> list[System]:
    """All systems of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*/*_structured_corrected.csv.gz")):
        frame = pd.read_csv(path, keep_default_na=False)
        found.append(System(path.parent.name, frame["Content"].astype(str).tolist(), frame["EventTemplate"].tolist()))
    return found


def accuracy(truth: Sequence[str], found: Sequence[str]) -> Accuracy:
    """The four measures of Khan et al. and Jiang et al. over the same lines."""
    true_rows, found_rows = _rows_by(truth), _rows_by(found)
    lines = true_groups = true_templates = 0
    by_rows = {tuple(rows): text for text, rows in true_rows.items()}
    for text, rows in found_rows.items():
        true_text = by_rows.get(tuple(rows))
        if true_text is not None:
            lines += len(rows)
            true_groups += 1
            true_templates += true_text == text
    parsed = sum(one == other for one, other in zip(truth, found, strict=True))
    groups = len(true_rows) + len(found_rows)
    return Accuracy(lines / len(truth), 2 * true_groups / groups, parsed / len(truth), 2 * true_templates / groups)


def _rows_by(texts: Sequence[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        rows[text].append(row)
    return rows


def mined(lines: Sequence[str], params: MergeParams | None = None) -> list[str]:
    """The template of each line after the last."""
    miner = TemplateMiner(params)
    numbers = miner.add(pa.array(lines, pa.string()))
    return [miner.templates[miner.current(number)].text for number in numbers.tolist()]


def lines_a_second(lines: Sequence[str]) -> float:
    """Of processor time, over the lines again and again, with other numbers in them each time."""
    batches, count = [], 0
    for turn in itertools.count():
        texts = [line.translate(str.maketrans("3579", "57931379"[turn % 4 :][:4])) for line in lines]
        batches += [pa.array(texts[at : at + BATCH_LINES], pa.string()) for at in range(0, len(texts), BATCH_LINES)]
        count += len(texts)
        if count >= SPEED_LINES:
            break
    miner = TemplateMiner()
    began = time.process_time()
    for batch in batches:
        miner.add(batch)
    return count / (time.process_time() - began)


def main(arguments: Sequence[str] = ()) -> None:
    """Print the table."""
    folder = Path((list(arguments) or sys.argv[1:] or ["."])[0])
    systems = systems_of(folder)
    if not systems:
        print(f"{folder}: no <system>/*_structured_corrected.csv.gz; give the folder as argument")
        return
    by_setting = {params: [accuracy(one.truth, mined(one.lines, params)) for one in systems] for params in GRID}
    rows = []
    for at, system in enumerate(systems):
        rest = {params: [a.mean for i, a in enumerate(all_) if i != at] for params, all_ in by_setting.items()}
        chosen = max(GRID, key=lambda params: sum(rest[params]))
        rows.append((accuracy(system.truth, mined(system.lines)), by_setting[chosen][at]))
    print("| system | templates | GA | FGA | PA | FTA | held out: GA | FGA | PA | FTA |\n|---|--:|" + "--:|" * 8)
    for system, (ours, held) in zip(systems, rows, strict=True):
        shares = " | ".join(f"{share:.3f}" for share in (*ours, *held))
        print(f"| {system.name} | {len(Counter(system.truth))} | {shares} |")
    means = [statistics.mean(pair[side][at] for pair in rows) for side in (0, 1) for at in range(4)]
    print("| mean | | " + " | ".join(f"{share:.3f}" for share in means) + " |")
    everything = [line for system in systems for line in system.lines]
    print(f"\n{lines_a_second(everything):,.0f} lines a second of one core, {BATCH_LINES:,} a batch, all systems")


if __name__ == "__main__":
    main()
