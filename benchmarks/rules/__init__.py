"""All default rules against labelled faults and healthy traffic, from end to end, next to chance and silence.

python -m benchmarks.rules [--quick] [--seed 21000] [--rounds 1] [--hours 1]
                           [--write docs/explanation/rule-benchmarks.md]
python -m benchmarks.rules --rounds 0 --hours 6 --services 40 --making low --making deploys
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.rules import streams
from benchmarks.rules.notified import Run, run
from benchmarks.rules.outcome import Outcome, at_random, outcomes
from benchmarks.rules.scenarios import SCENARIOS
from benchmarks.rules.streams import Stream
from benchmarks.rules.table import alarms_table, kinds_table

HEALTHY_SEEDS = 500  # behind those of faults
QUICK_STREAMS, QUICK_SECONDS = 2, 600.0


def report(faulty: list[Stream], healthy: list[Stream], seed: int) -> dict[str, str]:
    """The two tables, by the names of their markers; the seed is that of chance."""
    longest_first = sorted([*faulty, *healthy], key=lambda one: -one.seconds)
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        runs = list(processes.map(run, longest_first))
    of_faults = [one for one in runs if one.labels]
    return {
        "kinds": kinds_table(_all_outcomes(of_faults), _all_outcomes(at_random(of_faults, seed))),
        "false alarms": alarms_table([one for one in runs if not one.labels], of_faults),
    }


def _all_outcomes(runs: Sequence[Run]) -> list[Outcome]:
    return [outcome for one in runs for outcome in outcomes(one)]


def write(path: Path, tables: dict[str, str]) -> None:
    """Put each table between its markers."""
    text = path.read_text(encoding="utf-8")
    for name, body in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{body}\n\n{end}{rest.partition(end)[2]}"
    path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=streams.REPORT, help=f"{streams.DEVELOPMENT}: choose rules on it")
    parser.add_argument("--rounds", type=int, default=1, help="each kind of fault is drawn twice in a round")
    parser.add_argument("--hours", type=float, default=1.0, help="of each making of healthy traffic")
    parser.add_argument("--services", type=int, default=10, help="of each making, five on a host")
    parser.add_argument(
        "--making", action="append", default=[], choices=SCENARIOS, help="only these of healthy traffic"
    )
    parser.add_argument("--quick", action="store_true", help="a few faults, ten minutes of each healthy traffic")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this file")
    args = parser.parse_args(arguments)
    faulty = streams.faulty(args.seed, args.rounds)[: QUICK_STREAMS if args.quick else None]
    seconds = QUICK_SECONDS if args.quick else args.hours * 3600
    healthy = streams.healthy(args.seed + HEALTHY_SEEDS, seconds, args.services, args.making)
    tables = report(faulty, healthy, args.seed)
    print("\n\n".join(tables.values()))
    if args.write:
        write(args.write, tables)
