"""Should what a lasting change of level is take part in `faults`, and in what way?

python -m benchmarks.detection.choice [--jobs 2]

`facts and size` is what `faults` was, `size` what `extremes` was. The rule was written down before it was run on these
seeds; ways and rates were chosen on others, on which real series were looked at, too. A candidate takes the place of
`facts and size` only if all of this holds:

1. Real series of the Numenta benchmark: no fewer labelled windows in sum over 0.1, 0.5 and 1 false alarms a day.
2. Indicators of each of the scenarios: no fewer events at 0.5 a day, 3 points more in the mean.
3. Synthetic service faults: no fewer.
4. Real series of services may be unlike all of these. So it must do no harm: a channel that knows nothing in place of
   the shift costs at most 3 points in the mean over the scenarios.
5. The scenarios rank what is known of real indicators as those do: `facts` above Half-Space Trees and `default`, both
   above the rolling z-score, that above the robust z-score. If not, they are no evidence, and nothing is changed.

Of several the one with the largest mean over the scenarios.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import pandas as pd

from benchmarks.detection import kpi, nab, real_table, service
from benchmarks.detection.channels import CANDIDATES
from benchmarks.detection.events import share_found, threshold_at
from benchmarks.detection.labelled import Judge, Labelled, trials
from benchmarks.detection.markdown import markdown
from benchmarks.detection.scenarios import SCENARIOS

NAB = Path(__file__).parents[2] / "data" / "nab"
RATE = 0.5
TUNING_SEEDS, FRESH_SEEDS = (73_601, 73_602), (73_701, 73_702)


@cache
def drawn(where: str) -> tuple[list[Labelled], list[Labelled]]:
    """Series for the threshold, and fresh ones."""
    if where == "service faults":
        return service.load(73_502, 8), service.load(73_501, 8)
    making = [SCENARIOS[where]]
    tuning, fresh = (
        [one for seed in seeds for one in kpi.load(seed, 1, making)] for seeds in (TUNING_SEEDS, FRESH_SEEDS)
    )
    return tuning, fresh


def measured(where: str) -> dict[str, dict[str, float]]:
    """A row a candidate."""
    if where == "real":
        series = real_table.real(nab.load(NAB))
        return {name: real_table.row(series, judge) for name, judge in CANDIDATES.items()}
    return {name: {where: _found(where, judge)} for name, judge in CANDIDATES.items()}


def _found(where: str, judge: Judge) -> float:
    tuned, scored = (trials(judge, series) for series in drawn(where))
    return share_found(scored, threshold_at(tuned, RATE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    positions = ["real", "service faults", *SCENARIOS]
    with ProcessPoolExecutor(parser.parse_args().jobs) as pool:
        real, *synthetic = pool.map(measured, positions)
    print(markdown(pd.DataFrame(real).T, {}, 3), end="\n\n", flush=True)
    print(markdown(pd.concat([pd.DataFrame(one).T for one in synthetic], axis=1), {}, 3))


if __name__ == "__main__":
    main()
