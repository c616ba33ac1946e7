"""What `scores()` of a storm costs: the reasons of 200,000 anomalous verdicts put into words.

python -m benchmarks.wording
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from aiops_nb.core.schemas import make_batch
from aiops_nb.core.types import NS_PER_SECOND, Item, Step
from aiops_nb.engine.params import PipelineParams
from aiops_nb.engine.pipeline import Pipeline
from aiops_nb.frames.build import REASON_COLUMNS, REASONS, bare_scores_frame, with_reasons
from aiops_nb.rules.feature.verdict_texts import wording_of

START_NS = 1_780_000_000 * NS_PER_SECOND
TARGETS, QUIET_SECONDS, MOST_SECONDS, ROWS = 1_000, 200, 900, 200_000
PHASES = {"resolve": 0.002, "connect": 0.004, "tls": 0.012, "wait": 0.030, "transfer": 0.002}
ROUNDS, SAMPLED = 3, 20_000


def second_of_probes(second: int, names: list[str], random: np.random.Generator) -> Item:
    """One answer of every target; after the quiet time all of them are slow, each in a phase of its own."""
    slow = 0.25 * (second >= QUIET_SECONDS)
    seconds = {name: baseline * random.uniform(0.8, 1.25, TARGETS) for name, baseline in PHASES.items()}
    for place, name in enumerate(PHASES):
        seconds[name] += slow * (np.arange(TARGETS) % len(PHASES) == place) * random.uniform(0.5, 1.5, TARGETS)
    columns = {f"{name}_seconds": value for name, value in seconds.items()}
    columns |= {"duration_seconds": sum(seconds.values()), "time": np.full(TARGETS, START_NS + second * NS_PER_SECOND)}
    batch = make_batch("requests", "probes", {**columns, "origin": "probe", "target": names})
    return Item(second, "requests", "probes", batch)


def storm() -> list[Step]:
    """The steps of a run up to so many anomalous verdicts."""
    pipeline, random = Pipeline(PipelineParams(enable=("latency_mean_anomaly",))), np.random.default_rng(0)
    names = [f"https://shop.example/{number}" for number in range(TARGETS)]
    steps, anomalous = [], 0
    for second in range(MOST_SECONDS):
        step = pipeline.push(second_of_probes(second, names, random))
        steps.append(step)
        anomalous += sum(int(part.is_anomaly.sum()) for tick in step.ticks for part in tick.scored)
        if anomalous >= ROWS:
            break
    return steps


def main() -> None:
    """Print the table."""
    frame = bare_scores_frame(storm())
    anomalous = frame[frame["is_anomaly"]].head(ROWS)
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        reported = with_reasons(anomalous)
        costs.append(time.process_time() - began)
    sample = anomalous.sample(SAMPLED, random_state=0)
    began = time.process_time()
    alone = [wording_of(why) for why in sample[REASONS]]
    by_row = (time.process_time() - began) / SAMPLED
    same = alone == list(reported.loc[sample.index, list(REASON_COLUMNS)].itertuples(index=False, name=None))
    print("| anomalous verdicts | all together | each by itself | the same text |")
    print("|--:|--:|--:|--:|")
    seconds, rows = statistics.median(costs), len(reported)
    print(f"| {rows:,} | {seconds:.2f} s | {by_row * rows:.2f} s ({SAMPLED:,} measured) | {same} |")


if __name__ == "__main__":
    main()
