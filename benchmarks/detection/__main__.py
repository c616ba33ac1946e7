"""Every detector on the Numenta series, on synthetic service faults and indicators, beside chance and silence.

python -m benchmarks.detection [--nab DIR] [--seed 1] [--of-each 4] [--write docs/detectors.md]
python -m benchmarks.detection --alarm-lines
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pandas as pd

from benchmarks.detection import alarm_lines, faults_table, kpi_table, nab, nab_table, plots

ROOT = Path(__file__).parents[2]


def markdown(frame: pd.DataFrame, digits: dict[str, int], otherwise: int) -> str:
    """A table of Markdown."""
    lines = ["| detector | " + " | ".join(frame.columns) + " |", "|---|" + "---:|" * len(frame.columns)]
    for name, row in frame.iterrows():
        cells = (f"{value:.{digits.get(column, otherwise)}f}".replace("nan", "-") for column, value in row.items())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(path: Path, tables: dict[str, str]) -> None:
    """Put each table between its markers."""
    text = path.read_text(encoding="utf-8")
    for name, body in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        text = re.sub(f"{begin}.*?{end}", lambda _, b=begin, e=end, t=body: f"{b}\n\n{t}\n\n{e}", text, flags=re.S)
    path.write_text(text, encoding="utf-8")


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nab", type=Path, default=ROOT / "data" / "nab", metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of-each", type=int, default=4, help="synthetic series of each metric")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this file, pictures beside it")
    parser.add_argument("--alarm-lines", action="store_true", help="fit thresholds on healthy series, nothing else")
    args = parser.parse_args()
    if args.alarm_lines:
        print(markdown(alarm_lines.table(args.seed, progress), {}, 3))
        return
    of_nab = nab_table.table(nab.load(args.nab), progress)
    of_faults = faults_table.table(args.seed, args.of_each, progress)
    of_kpi = kpi_table.table(args.seed + 100, 1, progress)
    tables = {
        "nab": markdown(of_nab, {}, 1),
        "faults": markdown(of_faults, {"median delay s": 0}, 2),
        "kpi": markdown(of_kpi, {}, 2),
    }
    print("\n\n".join(tables.values()))
    if args.write:
        write(args.write, tables)
        for name, picture in plots.pictures(of_nab, of_faults, of_kpi).items():
            (args.write.parent / "images" / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
