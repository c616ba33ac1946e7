"""Every detector, and those of other projects, on labelled series, real and synthetic, next to chance and silence.

python -m benchmarks.detection [--nab DIR] [--seed 1] [--of-each 4] [--jobs 2]
                               [--write docs/explanation/detector-benchmarks.md]
python -m benchmarks.detection --alarm-lines
python -m benchmarks.detection --alarm-rates

`--write` takes in the neighbours (the `bench` extra), too; `--neighbours` does so without writing.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from benchmarks.detection import alarm_lines, alarm_rates, fleet_table, plots
from benchmarks.detection.judges import JUDGES, PEERS
from benchmarks.detection.markdown import markdown, write
from benchmarks.detection.overview import NOT_TRIED, overview, parted
from benchmarks.detection.runs import ROOT, Plan, tables

TABLES = ("faults", "kpi", "nab")
DIGITS = {"median delay s": 0, "Numenta": 1}


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nab", type=Path, default=ROOT / "data" / "nab", metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of-each", type=int, default=4, help="synthetic series of each metric")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "detection", help="rows computed before")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this file, pictures next to it")
    parser.add_argument("--neighbours", action="store_true", help="also detectors of other projects")
    parser.add_argument("--alarm-lines", action="store_true", help="fit thresholds on healthy series, nothing else")
    parser.add_argument("--alarm-rates", action="store_true", help="false alarms where so many are asked for")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if args.alarm_lines:
        print(markdown(alarm_lines.table(args.seed, progress), {}, 3))
        return
    if args.alarm_rates:
        print(markdown(alarm_rates.table(args.nab, args.seed, progress), {}, 2))
        return
    judges = [name for name in JUDGES if name not in PEERS or args.neighbours or args.write]
    frames = frames_of(args, judges)
    reported = {name: markdown(frame, DIGITS, 1 if name == "nab" else 2) for name, frame in frames.items()}
    print("\n\n".join(reported.values()))
    if args.write:
        write(args.write, reported)
        for name, picture in plots.pictures(frames).items():
            (args.write.parents[1] / "images" / name).write_text(picture, encoding="utf-8")


def frames_of(args: argparse.Namespace, judges: list[str]) -> dict[str, pd.DataFrame]:
    """Each table by its name."""
    plan = Plan(nab=args.nab, seed=args.seed, of_each=args.of_each)
    tasks = [(table, judge) for table in TABLES for judge in judges if (table, judge) not in NOT_TRIED]
    tasks += [("fleet", name) for name in fleet_table.JUDGES]
    frames = parted(tables(tasks, plan, args.jobs, args.cache, progress), judges)
    return {"overview": overview(frames), **frames}


if __name__ == "__main__":
    main()
